// Field: what a network with two inputs answers everywhere on their plane, with the samples as marks.

const BLUE = [33, 102, 172], RED = [178, 24, 43], GREY = [128, 128, 128];  // below and above zero, as in the pictures
const FINE = 48, COARSE = 32, MANY_NODES = 60, MARKS = ["circle", "square", "triangle", "diamond"];

// How one output is read: as a probability, or as it is, in the data's own units. Low and high are the ends of the colours.
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
  const {graph, data} = trace, [name, below] = featureNames(data, 2);
  const {svg, width, height} = drawing(holder, 340, `what the network answers for each ${name} and ${below}`);
  const box = {left: 64, right: width - 16, top: 28, bottom: height - 42};
  const x = inputScale(trace, 0, box.left, box.right), y = inputScale(trace, 1, box.bottom, box.top);
  axes(svg, x, y, box, {x: name, y: below});
  const isOne = graph.outputs.length === 1, read = isOne && reading(trace);
  drawSamples(svg, trace, x, y, read);
  note.textContent = isOne ? oneOutput(read, data) : "Colour: the class with the highest output. Marks are the samples, each class with a shape of its own.";

  const inner = graph.nodes.filter(({rule, place}) => rule && place <= graph.until);
  const size = inner.length > MANY_NODES ? COARSE : FINE;  // answers in each direction
  const canvas = element("canvas", {width: size, height: size, class: "field"}), pen = canvas.getContext("2d");
  Object.assign(canvas.style, {left: `${box.left}px`, top: `${box.top}px`, width: `${box.right - box.left}px`, height: `${box.bottom - box.top}px`});
  holder.prepend(canvas);
  const points = pointsOf(x, y, size).map((point) => point.map((number, place) => fromUnits(data, place, number)));
  return (index) => {
    const outputs = trace.answers(index, points), image = pen.createImageData(size, size);
    for (let point = 0; point < points.length; point++) {
      if (isOne) paint(image.data, 4 * point, ...signed(read, read.of(outputs[0][point])));
      else paintHighest(image.data, 4 * point, outputs, point);
    }
    pen.putImageData(image, 0, 0);
  };
}

// The range of an input over the samples, and a little more, in the data's own units.
function inputScale({graph, data, constants}, place, from, to) {
  const [low, high] = rangeOf(constants[graph.inputs[place]]).map((number) => inUnits(data, place, number));
  const room = (high - low || 1) * 0.15;
  return scaleOf(low - room, high + room, from, to);
}

// The middles of size x size squares, row by row from the upper left.
function pointsOf(x, y, size) {
  const between = ({low, high}, share) => low + (share + 0.5) / size * (high - low);
  return Array.from({length: size * size}, (_, point) =>
    [between(x, point % size), between(y, size - 1 - Math.floor(point / size))]);
}

const oneOutput = ({name, low, high, middle}, {classes, ...data}) =>
  `Colour: ${name}, blue where it is below ${nine(middle, 6)}, red where it is above, the stronger the further (the ends of the scale are `
  + `${nine(low, 6)} and ${nine(high, 6)}, in all steps). Marks are the samples`
  + (classes ? `: a circle is ${className(data, 0)}, a square is ${className(data, 1)}.` : ", in the colour of their targets.");

// A number's colour and its strength, 0 to 1, over the paper: blue or red, the stronger the further from the middle; grey for NaN.
function signed({low, high, middle}, number) {
  if (Number.isNaN(number)) return [GREY, 0.4];
  const isBelow = number < middle, share = (isBelow ? middle - number : number - middle) / ((isBelow ? middle - low : high - middle) || 1);
  return [isBelow ? BLUE : RED, 0.06 + 0.79 * Math.min(Math.ceil(share * 10) / 10, 1)];
}

function paint(data, place, [red, green, blue], strength) {
  data[place] = red;
  data[place + 1] = green;
  data[place + 2] = blue;
  data[place + 3] = 255 * strength;
}

const TINTS = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [106, 61, 154],
  [140, 86, 75], [95, 95, 31], [43, 27, 58]];

function paintHighest(data, place, outputs, point) {
  let highest = 0;
  for (let output = 1; output < outputs.length; output++) if (outputs[output][point] > outputs[highest][point]) highest = output;
  paint(data, place, TINTS[highest % TINTS.length], 0.43);
}

const onWhite = (colour, strength) => `rgb(${colour.map((part) => Math.round(255 + strength * (part - 255)))})`;

// read: how a target is coloured; of classes each has a colour of its own.
function drawSamples(svg, trace, x, y, read) {
  const {graph, data, constants, targets, samples} = trace;
  for (let row = 0; row < Math.min(samples, 1000); row++) {
    const place = x(inUnits(data, 0, constants[graph.inputs[0]][row]));
    const height = y(graph.inputs.length > 1 ? inUnits(data, 1, constants[graph.inputs[1]][row]) : targetInUnits(data, targets[0][row]));
    const made = mark(data.classes ? classOf(graph, targets.map((column) => column[row])) : 0, place, height, samples > 80 ? 4 : 6);
    if (read && !data.classes) made.style.fill = onWhite(...signed(read, read.of(targets[0][row])));
    svg.append(made);
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
