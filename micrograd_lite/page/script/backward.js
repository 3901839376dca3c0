// Backward: the sweep of one sample, edge by edge and back again. Computed here from the exact weights of the step, or, where
// that cannot be done, the rows that the trace itself holds.

// The edges of a sample's sweep as rows, from the trace's weights.
function computedEdges(trace, index, place) {
  const {graph} = trace, found = [], label = trace.targets.length === 1 ? graph.labels[trace.targets[0][trace.batch(index)[place]]] : undefined;
  const {values} = trace.sweep(index, [place], (edge) => found.push(edge));
  return found.map((edge) => {
    const node = graph.nodes[edge.node], parent = graph.nodes[edge.parent];
    const [formula, ...partials] = (label && label[edge.node]) || graph.texts[edge.node];
    return {...edge, node: node.name, operation: node.rule, formula, value: at(values[edge.node], 0), parent: parent.name,
      parent_value: at(values[edge.parent], 0), partial_formula: partials[edge.position], lit: weightOf(graph, node, edge.position)};
  });
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

const NEAR = 6;

// Shows the edge that was walked last: its sentence, the rows around it, and the totals so far.
function showEdge({sentence, table}, rows, walked, ends) {
  const edge = rows[walked - 1];
  sentence.replaceChildren(...(edge ? edgeSentence(edge) : [ends.before]));
  const from = Math.max(0, Math.min(walked - 1 - NEAR, rows.length - 2 * NEAR - 1)), to = Math.min(rows.length, from + 2 * NEAR + 1);
  table.tBodies[0].replaceChildren(...rows.slice(from, to).map((row, place) => edgeRow(row, from + place + 1, walked)));
  if (walked === rows.length && rows.length) sentence.append(element("br"), ends.after);
}

function edgeSentence({node, formula, value, upstream, parent, partial_formula, partial, share, total}) {
  return [
    element("code", {}, `${node} = ${formula} = ${nine(value)}`), element("br"),
    `toward ${parent}: share = partial \u00d7 upstream = `, element("code", {}, partial_formula), ` \u00d7 upstream = `,
    element("b", {}, `${nine(partial)} \u00d7 ${nine(upstream)} = ${nine(share)}`), `. The total of ${parent} is now ${nine(total)}.`,
  ];
}

function edgeRow(row, number, walked) {
  const isWalked = number <= walked;
  const cells = [row.node, row.parent, row.partial_formula, ...(isWalked ? [row.partial, row.upstream, row.share, row.total].map((cell) => nine(cell)) : ["", "", "", ""])];
  const line = element("tr", {class: number === walked ? "chosen" : isWalked ? "" : "ahead"}, element("th", {scope: "row"}, `${number}`));
  line.append(...cells.map((cell, place) => element("td", {class: place < 3 ? "words" : ""}, cell)));
  return line;
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
  let rows = [], known = "", listed = "";
  const walk = (walked) => change({walked: Math.max(0, Math.min(rows.length, walked))});
  slider.oninput = () => walk(Number(slider.value));
  back.onclick = () => walk(Number(slider.value) - 1);
  on.onclick = () => walk(Number(slider.value) + 1);
  choice.onchange = () => change({sample: Number(choice.value), walked: 1});

  return (state) => {
    const {index} = state, batch = isComputed ? trace.batch(index) : [];
    state.sample = Math.min(state.sample, Math.max(batch.length - 1, 0));
    if (known !== `${index} ${state.sample}`) {
      known = `${index} ${state.sample}`;
      rows = isComputed ? computedEdges(trace, index, state.sample) : trace.chain ? recordedEdges(trace, trace.steps[index]) : [];
    }
    if (isComputed && listed !== batch.join()) {
      listed = batch.join();
      choice.replaceChildren(...batch.map((row, place) => element("option", {value: place}, `sample ${place}: ${sampleText(trace, row)}`)));
    }
    choice.value = state.sample;
    const walked = Math.min(state.walked, rows.length), edge = rows[walked - 1];
    state.lit = edge && edge.lit;
    for (const control of [slider, back, on]) control.disabled = !rows.length;
    slider.max = rows.length;
    slider.value = walked;
    const told = rows.length ? `edge ${walked} of ${rows.length}` : "";
    slider.setAttribute("aria-valuetext", edge ? `${told}, ${edge.node} toward ${edge.parent}` : told || "no edges");
    said.textContent = told;
    table.hidden = !rows.length;
    showEdge({sentence, table}, rows, walked, ends(trace, state, rows, batch));
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
  if (isSlow(trace)) return {before, after: "The sweep of this sample ends here."};
  const shares = trace.shares(index)[row];
  const after = `The sweep of this sample ends here. Of the gradient of ${name} it made ${nine(shares[sample])}; all samples together `
    + `${nine(addedUp(Array.from(shares)))}, and the recorded gradient is ${exact(trace.table.gradient[row][index])}.`;
  return {before, after};
}
