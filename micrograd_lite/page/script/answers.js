// Answers: what the network says with the weights of the step: of one input along a line, and in a table for some of its samples.

const MOST_ROWS = 12;

function answerCurve(trace, holder, note) {
  const {data, targets} = trace, [name] = featureNames(data, 1);
  const wanted = data.target_name || "output";
  const {svg, width, height} = drawing(holder, 340, `what the network answers for each ${name}`);
  const box = {left: 64, right: width - 16, top: 28, bottom: height - 42};
  const [low, high] = rangeOf(targets[0]).map((number) => targetInUnits(data, number)), room = (high - low || 1) * 0.25;
  const x = inputScale(trace, 0, box.left, box.right);
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
