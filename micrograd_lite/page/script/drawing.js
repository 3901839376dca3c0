// Drawing: the network, inputs on the left, outputs on the right. An edge's colour is the sign of its weight, its width the size,
// on one scale for all steps.

const MOST_EDGES = 400, MOST_NEURONS = 24, WIDEST = 7;

function networkDrawing(trace, holder, note, onChoose) {
  const {network, data, table, rows} = trace;
  const rowOf = new Map(rows.map((name, row) => [name, row]));
  const {edges, all} = strongest(trace, rowOf);
  const limit = Math.max(...edges.map(({size}) => size)) || 1;
  const tallest = Math.min(Math.max(...network.widths), MOST_NEURONS);
  const {svg, width, height} = drawing(holder, Math.max(180, Math.min(440, 34 * tallest + 50)), `the network ${network.widths.join("-")}`);
  const spots = network.widths.map((count, layer) => neuronSpots(count, layer, network.widths.length, width, height));
  const lines = edges.map((edge) => {
    const [x1, y1] = spots[edge.layer][edge.input], [x2, y2] = spots[edge.layer + 1][edge.neuron];
    const title = element("title"), made = {...edge, weight: 0};
    made.line = element("line", {x1, y1, x2, y2, onclick: () => edge.row !== undefined && onChoose(edge.row),
      onmouseenter: () => { title.textContent = `${edge.name} = ${nine(made.weight)}`; }}, title);
    svg.append(made.line);
    return made;
  });
  drawNeurons(svg, spots, network, featureNames(data, network.widths[0]));
  const some = all > edges.length ? ` The ${counted(edges.length)} strongest of its ${counted(all)} weights are drawn.` : "";
  const biases = rows.some((name) => name.endsWith(".b")) ? " Biases are in the table below." : "";
  const byRow = new Map(lines.filter(({row}) => row !== undefined).map((edge) => [edge.row, edge]));

  let raised = "";

  // Shows the weights before a step's update; `chosen` and `lit` are rows of the table.
  return (index, chosen, lit) => {
    for (const edge of lines) {
      const {row, number, line} = edge, weight = row === undefined ? number : table.before[row][index];
      const kind = weight < 0 ? "negative" : "positive";
      const mark = row !== undefined && row === lit ? " lit" : row !== undefined && row === chosen ? " chosen" : "";
      setAttribute(line, "class", `edge ${kind}${mark}`);
      setAttribute(line, "stroke-width", Math.max(0.4, Math.abs(weight) / limit * WIDEST || 0.4).toFixed(1));
      edge.weight = weight;
    }
    setText(note, `The widest edge stands for a weight of ${nine(limit, 3)}, in all steps.${some}${biases}`
      + (byRow.has(chosen) ? ` The dashed one is chosen: ${rows[chosen]}.` : "")
      + (byRow.has(lit) ? ` The purple one is ${rows[lit]}, which the backward pass below goes through.` : ""));
    const marked = `${chosen} ${lit}`;
    if (marked !== raised) for (const row of [chosen, lit]) if (byRow.has(row)) svg.insertBefore(byRow.get(row).line, svg.querySelector("circle"));
    raised = marked;
  };
}

// The edges that are drawn: those whose weight is largest at some step.
function strongest({network, table}, rowOf) {
  const edges = [];
  network.widths.slice(1).forEach((neurons, layer) => {
    for (let neuron = 0; neuron < Math.min(neurons, 2000); neuron++) {
      for (let input = 0; input < network.widths[layer]; input++) {
        const name = `layer${layer}.neuron${neuron}.w${input}`, row = rowOf.get(network.tied[name] || name);
        const number = Number((network.fixed[name] || "0").replace("inf", "Infinity"));
        const [low, high] = row === undefined ? [number, number] : rangeOf(table.before[row]);
        edges.push({name, layer, neuron, input, row, number, size: Math.max(-low, high)});
      }
    }
  });
  const drawn = [...edges].sort((one, other) => other.size - one.size).slice(0, MOST_EDGES);
  return {edges: drawn, all: edges.length};
}

// Where the neurons of a layer stand; those of a wide layer stand closer.
function neuronSpots(count, layer, layers, width, height) {
  const left = 96, x = left + layer * (width - left - 70) / (layers - 1);
  const apart = Math.min(46, (height - 48) / Math.max(count, 1)), middle = height / 2 + 14;
  return Array.from({length: count}, (_, neuron) => [x, middle + (neuron - (count - 1) / 2) * apart]);
}

function drawNeurons(svg, spots, network, names) {
  spots.forEach((layer, number) => {
    const radius = layer.length > MOST_NEURONS ? 2.5 : layer.length > 12 ? 6 : 9;
    const heads = number === 0 ? ["inputs"] : [`layer${number - 1}`, network.activations[number - 1]];
    heads.forEach((head, line) => svg.append(element("text", {x: layer[0][0], y: 12 + 14 * line, "text-anchor": "middle", class: "name"}, head)));
    layer.forEach(([x, y], place) => {
      const name = number === 0 ? names[place] || "" : `layer${number - 1}.neuron${place}`;
      svg.append(element("circle", {class: "neuron", cx: x, cy: y, r: radius}, element("title", {}, name)));
      if (number > 0 && radius === 9) svg.append(element("text", {class: "name", x, y: y + 4, "text-anchor": "middle"}, `${place}`));
      if (number === 0 && layer.length <= MOST_NEURONS) {
        svg.append(element("text", {x: x - radius - 5, y: y + 4, "text-anchor": "end"}, shortened(names[place] || "", 12)));
      }
    });
  });
}

const shortened = (text, most) => text.length > most ? `${text.slice(0, most - 2)}..` : text;
