// Answers: what the network says with the weights of the step. Of two inputs everywhere on the plane, of one input along a line;
// and, in a table, for the first samples of its data.

const BLUE = [33, 102, 172], RED = [178, 24, 43], GREY = [128, 128, 128];  // below and above zero, as in the pictures
const FINE = 48, COARSE = 32, MANY_NODES = 60, MOST_ROWS = 12, MARKS = ["circle", "square", "triangle", "diamond"];

// How one output of a classifier is read: as a probability, or as it is. Low and high are the ends of the colours.
function reading(trace) {
  const {graph, data, loss, targets} = trace;
  if (data.classes && loss === "binary_cross_entropy") {
    return {name: `probability of ${className(data, 1)}`, of: RULES.sigmoid.value, low: 0, high: 1, middle: 0.5};
  }
  const [low, high] = rangeOf(targets[0]);
  const name = data.target_name || "output";
  if (data.classes) return {name: "output", of: Number, low, high, middle: graph.threshold};
  return {name, of: (number) => targetInUnits(data, number), low: targetInUnits(data, low), high: targetInUnits(data, high),
    middle: targetInUnits(data, (low + high) / 2)};
}

function field(trace, holder, note) {
  const {graph, data, constants} = trace, [name, below] = featureNames(data, 2);
  const {svg, width, height} = drawing(holder, 340, `what the network answers for each ${name} and ${below}`);
  const box = {left: 64, right: width - 16, top: 28, bottom: height - 42};
  const [x, y] = [0, 1].map((place) => {
    const [low, high] = rangeOf(constants[graph.inputs[place]]).map((number) => inUnits(data, place, number));
    const room = (high - low || 1) * 0.15;
    return place ? scaleOf(low - room, high + room, box.bottom, box.top) : scaleOf(low - room, high + room, box.left, box.right);
  });
  axes(svg, x, y, box, {x: name, y: below});
  const size = graph.until - graph.inputs.length > MANY_NODES + trace.rows.length ? COARSE : FINE;  // answers in each direction
  const canvas = element("canvas", {width: size, height: size, class: "field"});
  Object.assign(canvas.style, {left: `${box.left}px`, top: `${box.top}px`, width: `${box.right - box.left}px`, height: `${box.bottom - box.top}px`});
  holder.prepend(canvas);
  drawSamples(svg, trace, x, y);
  const points = [];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const there = [x.low + (column + 0.5) / size * (x.high - x.low), y.high - (row + 0.5) / size * (y.high - y.low)];
      points.push(there.map((number, place) => fromUnits(data, place, number)));
    }
  }
  const isOne = graph.outputs.length === 1, read = isOne && reading(trace);
  note.textContent = isOne
    ? `Colour: ${read.name}, blue where it is below ${nine(read.middle, 4)}, red where it is above, the stronger the further `
      + `(the ends of the scale are ${nine(read.low, 4)} and ${nine(read.high, 4)}, in all steps). Marks are the samples`
      + `${data.classes ? `: a circle is ${className(data, 0)}, a square is ${className(data, 1)}` : ""}.`
    : `Colour: the class with the highest output. Marks are the samples, each class with a shape of its own.`;
  const pen = canvas.getContext("2d");
  return (index) => {
    const outputs = trace.answers(index, points), image = pen.createImageData(size, size);
    for (let point = 0; point < points.length; point++) {
      if (isOne) paintSigned(image.data, 4 * point, read, outputs[0][point]);
      else paintHighest(image.data, 4 * point, outputs, point);
    }
    pen.putImageData(image, 0, 0);
  };
}

// Blue or red over the paper, as strong as the number is far from the middle; grey where it is no number.
function paintSigned(data, place, {of, low, high, middle}, output) {
  const number = of(output), isBelow = number < middle;
  const share = (isBelow ? middle - number : number - middle) / ((isBelow ? middle - low : high - middle) || 1);
  paint(data, place, Number.isNaN(number) ? GREY : isBelow ? BLUE : RED, 16 + 200 * Math.min(Math.ceil(share * 10) / 10, 1) || 90);
}

function paint(data, place, [red, green, blue], strength) {
  data[place] = red;
  data[place + 1] = green;
  data[place + 2] = blue;
  data[place + 3] = strength;
}

const TINTS = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [106, 61, 154],
  [140, 86, 75], [95, 95, 31], [43, 27, 58]];

function paintHighest(data, place, outputs, point) {
  let highest = 0;
  for (let output = 1; output < outputs.length; output++) if (outputs[output][point] > outputs[highest][point]) highest = output;
  paint(data, place, TINTS[highest % TINTS.length], 110);
}

function drawSamples(svg, trace, x, y) {
  const {graph, data, constants, targets, samples} = trace;
  for (let row = 0; row < Math.min(samples, 1000); row++) {
    const place = x(inUnits(data, 0, constants[graph.inputs[0]][row]));
    const height = y(graph.inputs.length > 1 ? inUnits(data, 1, constants[graph.inputs[1]][row]) : targetInUnits(data, targets[0][row]));
    const number = data.classes ? classOf(graph, targets.map((column) => column[row])) : 0;
    svg.append(mark(number, place, height, samples > 80 ? 4 : 6));
  }
}

// A sample's mark: classes differ by shape, not by colour alone.
function mark(number, x, y, size) {
  const shape = MARKS[number % MARKS.length], far = size * 1.25;
  if (shape === "circle") return element("circle", {class: `sample class${number % 10}`, cx: x, cy: y, r: size});
  const corners = {
    square: [[-size, -size], [size, -size], [size, size], [-size, size]],
    triangle: [[0, -far], [far, size], [-far, size]],
    diamond: [[0, -far], [far, 0], [0, far], [-far, 0]],
  }[shape];
  return element("path", {class: `sample class${number % 10}`, d: `M${corners.map(([dx, dy]) => `${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}`).join("L")}Z`});
}

function answerCurve(trace, holder, note) {
  const {graph, data, constants, targets} = trace, [name] = featureNames(data, 1);
  const wanted = data.target_name || "output";
  const {svg, width, height} = drawing(holder, 340, `what the network answers for each ${name}`);
  const box = {left: 64, right: width - 16, top: 28, bottom: height - 42};
  const [left, right] = rangeOf(constants[graph.inputs[0]]).map((number) => inUnits(data, 0, number));
  const [low, high] = rangeOf(targets[0]).map((number) => targetInUnits(data, number)), room = (high - low || 1) * 0.25;
  const x = scaleOf(left - (right - left) * 0.1, right + (right - left) * 0.1, box.left, box.right);
  const y = scaleOf(low - room, high + room, box.bottom, box.top);
  axes(svg, x, y, box, {x: name, y: wanted});
  drawSamples(svg, trace, x, y);
  const line = element("path", {class: "line answer"});
  svg.append(line);
  const places = Array.from({length: 121}, (_, place) => x.low + place / 120 * (x.high - x.low));
  note.textContent = `The line is what the network answers for each ${name}; the marks are its samples. What leaves the frame is not drawn.`;
  return (index) => {
    const [output] = trace.answers(index, places.map((number) => [fromUnits(data, 0, number)]));
    const shown = Float64Array.from(output, (number) => targetInUnits(data, number));
    const inside = shown.map((number) => number >= y.low && number <= y.high ? number : NaN);
    line.setAttribute("d", pathOf(Float64Array.from(places), inside, x, y, width));
  };
}

// Some samples, from all over the data, with their targets and answers.
function answersTable(trace, holder) {
  const {graph, data, samples} = trace, count = Math.min(samples, MOST_ROWS), isOne = graph.outputs.length === 1;
  const read = isOne && reading(trace);
  const chosen = Array.from({length: count}, (_, place) => Math.floor(place * samples / count));
  const rows = chosen.map((row) => graph.inputs.map((constant) => trace.constants[constant][row]));
  const names = featureNames(data, graph.inputs.length), most = 4;
  const heads = [...names.slice(0, most), ...(names.length > most ? [`and ${names.length - most} more`] : []), "target",
    isOne ? read.name : "answer", ...(data.classes ? [isOne ? "answer" : "softmax", "right?"] : [])];
  const cells = rows.map((numbers, place) => {
    const inputs = numbers.slice(0, most).map((number, place) => element("td", {}, nine(inUnits(data, place, number), 4)));
    const made = heads.slice(inputs.length).map(() => element("td", {}, ""));
    holder.tBodies[0].append(element("tr", {}, element("th", {scope: "row"}, `${chosen[place]}`), ...inputs, ...made));
    return made.slice(names.length > most ? 1 : 0);
  });
  holder.tHead.append(element("tr", {}, ...["sample", ...heads].map((head) => element("th", {scope: "col"}, head))));
  holder.caption.textContent = samples > count ? `${count} of its ${counted(samples)} samples, from all over the data.` : "Its samples.";
  return (index) => {
    const outputs = trace.answers(index, rows);
    cells.forEach(([target, first, second, judged], place) => {
      const numbers = outputs.map((column) => column[place]), row = chosen[place];
      setText(target, targetText(trace, row));
      setText(first, isOne ? nine(read.of(numbers[0]), 6) : data.classes ? className(data, classOf(graph, numbers))
        : numbers.map((number) => nine(targetInUnits(data, number), 4)).join(", "));
      if (!data.classes) return;
      setText(second, isOne ? className(data, classOf(graph, numbers)) : nine(softmax(numbers)[classOf(graph, numbers)], 4));
      const isRight = classOf(graph, numbers) === classOf(graph, trace.targets.map((column) => column[row]));
      setText(judged, isRight ? "right" : "wrong");
      judged.className = isRight ? "right" : "wrong";
    });
  };
}

function softmax(numbers) {
  const highest = Math.max(...numbers), exponentials = numbers.map((number) => exp(number - highest));
  const total = exponentials.reduce((sum, number) => sum + number, 0);
  return exponentials.map((number) => number / total);
}
