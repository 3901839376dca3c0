// Backward: the sweep of one sample, edge by edge and back again. Computed here from the exact weights of the step, or, where
// that cannot be done, the rows that the trace itself holds.

// A sample's sweep from the trace's weights: its edges as rows, the value of each node, and the upstream that it begins with.
function computedEdges(trace, index, sample) {
  const {graph} = trace, found = [], label = trace.targets.length === 1 ? graph.labels[trace.targets[0][trace.batch(index)[sample]]] : undefined;
  const {values, upstream} = trace.sweep(index, [sample], (edge) => found.push(edge));
  const rows = found.map(({node: place, parent: toPlace, position, ...numbers}) => {
    const node = graph.nodes[place], parent = graph.nodes[toPlace];
    const [formula, ...partials] = (label && label[place]) || graph.texts[place];
    return {...numbers, place, toPlace, node: node.name, formula, value: at(values[place], 0), parent: parent.name,
      parent_value: at(values[toPlace], 0), partial_formula: partials[position], lit: weightOf(graph, node, position)};
  });
  return {rows, values: values.map((column) => column[0]), upstream};
}

// The parameter of the weight that an edge of a neuron goes through: toward the weight itself, or toward the input beside it.
function weightOf({nodes}, {terms, parents}, position) {
  const pair = terms && terms.pairs.find((places) => places.includes(position));
  return pair ? nodes[parents[pair[0]]].parameter : undefined;
}

// The rows that the trace holds of a step; none where it holds none.
function recordedEdges({chain, blocks}, step) {
  let first = 0;
  for (const [number, count] of chain.steps) {
    if (number === step) {
      return Array.from({length: count}, (_, place) => Object.fromEntries(chain.columns.map((name, column) => {
        const texts = chain.places.length;
        return [name, column < texts ? chain.texts[chain.places[column][first + place]] : blocks.chain[column - texts][first + place]];
      })));
    }
    first += count;
  }
  return [];
}

const NEAR = 6, SHORT = 34;

// Shows the edge that was walked last: its sentence, and the rows around it.
function showEdge({sentence, table}, rows, walked, ends) {
  const edge = rows[walked - 1];
  sentence.replaceChildren(...(edge ? edgeSentence(edge, knownNumbers(rows)) : [ends.before]));
  const from = Math.max(0, Math.min(walked - 1 - NEAR, rows.length - 2 * NEAR - 1)), to = Math.min(rows.length, from + 2 * NEAR + 1);
  const lines = rowsFor(table.tBodies[0], to - from, edgeRow);
  rows.slice(from, to).forEach((row, place) => fillEdge(lines[place], row, from + place + 1, walked));
  if (walked === rows.length && rows.length) sentence.append(element("br"), ends.after);
}

function edgeSentence({node, formula, value, upstream, parent, partial_formula, partial, share, total}, known) {
  const plugged = (text, result) => [text, withNumbers(text, known), nine(result)].filter((part, place, all) => part !== all[place - 1]).join(" = ");
  return [
    element("code", {}, `${node} = ${plugged(formula, value)}`), element("br"),
    "share = partial \u00d7 upstream; the partial toward ", element("code", {}, parent), " is ", element("code", {}, plugged(partial_formula, partial)),
    ", so its share is ", element("b", {}, `${nine(partial)} \u00d7 ${nine(upstream)} = ${nine(share)}`), `, and its total is now ${nine(total)}.`,
  ];
}

// The value of each node by its name, as far as the rows tell.
function knownNumbers(rows) {
  const known = new Map();
  for (const {node, value, parent, parent_value} of rows) known.set(node, value).set(parent, parent_value);
  return known;
}

// A formula with the names' numbers in their places; negative ones in parentheses.
function withNumbers(formula, known) {
  const number = (value) => value < 0 ? `(${nine(value, 6)})` : nine(value, 6);
  return formula.replace(/[A-Za-z_][\w.]*/g, (name) => known.has(name) ? number(known.get(name)) : name);
}

const edgeRow = () => element("tr", {}, element("th", {scope: "row"}),
  ...Array.from({length: 7}, (_, place) => element("td", {class: place < 3 ? "words" : ""})));

function fillEdge(line, row, number, walked) {
  const isWalked = number <= walked, node = row.formula.length > SHORT ? row.node : `${row.node} = ${row.formula}`;
  const numbers = [row.partial, row.upstream, row.share, row.total].map((cell) => isWalked ? nine(cell) : "");
  [`${number}`, node, row.parent, row.partial_formula, ...numbers].forEach((text, place) => setText(line.cells[place], text));
  setAttribute(line.cells[1], "title", row.formula);
  line.className = number === walked ? "chosen" : isWalked ? "" : "ahead";
}

// The section: a sample is chosen, its edges are walked with a slider or buttons; at another step the same place is shown again.
function backwardView(trace, change) {
  const [choice, slider, back, on, said, sentence, table] =
    ["sample", "edge", "edge-back", "edge-on", "edge-said", "edge-sentence", "edges"].map(find);
  const isComputed = Boolean(trace.graph);
  find("sample-choice").hidden = !isComputed;
  find("backward-note").textContent = isComputed
    ? "Computed here from the recorded weights, shown with nine digits; the weights, gradients and losses are those that were recorded."
    : `${trace.no_backward || ""} ${trace.chain ? "The edges below are those that were recorded, shown with nine digits." : ""}`;
  const draw = isComputed && trace.graph.drawing && graphDrawing(trace, find("graph"));
  find("graph").hidden = !draw;
  let sweep = {rows: []}, known = "";
  const walk = (walked) => change({walked: Math.max(0, Math.min(sweep.rows.length, walked))});
  slider.oninput = () => walk(Number(slider.value));
  back.onclick = () => walk(Number(slider.value) - 1);
  on.onclick = () => walk(Number(slider.value) + 1);
  choice.onchange = () => change({sample: Number(choice.value), walked: 1});

  return (state) => {
    const {index} = state, batch = isComputed ? trace.batch(index) : [];
    state.sample = Math.min(state.sample, Math.max(batch.length - 1, 0));
    if (known !== `${index} ${state.sample}`) {
      known = `${index} ${state.sample}`;
      sweep = isComputed ? computedEdges(trace, index, state.sample) : {rows: trace.chain ? recordedEdges(trace, trace.steps[index]) : []};
    }
    const {rows} = sweep;
    if (isComputed && choice.length !== batch.length) {
      choice.replaceChildren(...batch.map((_, place) => element("option", {value: place}, `sample ${place}`)));
    }
    if (Number(choice.value) !== state.sample) choice.value = state.sample;
    if (isComputed) setText(find("sample-said"), sampleText(trace, batch[state.sample]));
    const walked = Math.min(state.walked, rows.length), edge = rows[walked - 1];
    state.lit = edge && edge.lit;
    for (const control of [slider, back, on]) control.disabled = !rows.length;
    slider.max = rows.length;
    slider.value = walked;
    const told = rows.length ? `edge ${walked} of ${rows.length}` : "";
    slider.setAttribute("aria-valuetext", edge ? `${told}, ${edge.node} toward ${edge.parent}` : told || "no edges");
    said.textContent = told;
    table.hidden = !rows.length;
    showEdge({sentence, table}, rows, walked, edge && walked < rows.length ? {} : ends(trace, state, rows, batch));
    if (draw) draw(sweep, walked);
  };
}

// What is said before the first edge, and after the last one.
function ends(trace, {index, row, sample}, rows, batch) {
  if (!rows.length && !trace.graph) {
    const steps = trace.chain ? trace.chain.steps.map(([step]) => step).join(", ") : "";
    return {before: steps ? `The trace holds the edges of other steps: ${steps}.` : "", after: ""};
  }
  if (!trace.graph) return {before: "The sweep begins at the loss, whose upstream is 1.", after: "The sweep ends here."};
  const counts = countsFor(trace.graph, batch.length), name = trace.rows[row];
  const before = `The sweep begins at this sample's cost. Its upstream is ${nine(counts)}, because the loss is the `
    + `${trace.graph.reduce} of ${plural(batch.length, "cost")}.`;
  if (trace.isLarge) return {before, after: "The sweep of this sample ends here."};
  const shares = trace.shares(index)[row];
  const after = `The sweep of this sample ends here. Of the gradient of ${name} it made ${nine(shares[sample])}; all samples together `
    + `${nine(addedUp(Array.from(shares)))}, and the recorded gradient is ${exact(trace.table.gradient[row][index])}.`;
  return {before, after};
}
