// Graph: the drawing of one sample's graph, its inputs and parameters above, its cost below. Values flow down; a backward sweep
// walks the arrows up, and the one that it walks is lit. Of a graph that is too large, the node that is walked, with its parents.

// Returned: a function that shows how far the sweep has come. sweep: as `computedEdges` makes it; walked: edges so far.
function graphDrawing({graph}, holder) {
  const {size: [width, height], box: [wide, high], boxes, wires} = graph.drawing;
  const svg = element("svg", {width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: "graph", "aria-label": "the graph of this sample"});
  const paths = wires.map((points) => element("path", {d: arrow(points)}));
  svg.append(...paths);
  const slots = new Map(boxes.map(([place, left, top]) => {
    const lines = [0, 1, 2].map((line) => element("text", {x: left + 6, y: top + 15 + 15 * line}));
    const frame = element("rect", {x: left, y: top, width: wide, height: high, rx: 5});
    lines[0].textContent = shortened(graph.nodes[place].name, 19);
    svg.append(element("g", {}, element("title", {}, titleOf(graph, place)), frame, ...lines));
    return [place, {frame, lines, left, top}];
  }));
  holder.replaceChildren(svg);
  let shown;

  return ({rows, values, upstream}, walked) => {
    const totals = new Map([[graph.nodes.length - 1, upstream]]), edge = rows[walked - 1];
    for (const row of rows.slice(0, walked)) totals.set(row.toPlace, row.total);
    paths.forEach((path, number) => setAttribute(path, "class", `wire${number === walked - 1 ? " lit" : number < walked ? " walked" : ""}`));
    if (edge && svg.lastChild !== paths[walked - 1]) svg.append(paths[walked - 1]);
    for (const [place, {frame, lines}] of slots) {
      setText(lines[1], nine(values[place], 7));
      setText(lines[2], totals.has(place) ? `total ${nine(totals.get(place), 5)}` : "");
      setAttribute(frame, "class", `box${edge && (place === edge.place || place === edge.toPlace) ? " lit" : ""}`);
    }
    if (edge && shown !== walked) keepInView(holder, slots.get(edge.place), wide);
    shown = walked;
  };
}

const titleOf = ({nodes, texts}, place) => nodes[place].rule ? `${nodes[place].name} = ${texts[place][0]}` : nodes[place].name;

// An arrow's way: a bend, straight down, a bend, and so on.
function arrow([x, y, ...rest]) {
  let path = `M${x} ${y}`, from = y;
  for (let at = 0; at < rest.length; at += 2) {
    const [toX, toY] = rest.slice(at, at + 2), middle = (from + toY) / 2;
    path += at % 4 === 0 ? `C${x} ${middle} ${toX} ${middle} ${toX} ${toY}` : `V${toY}`;
    [x, from] = [toX, toY];
  }
  return path;
}

// Scrolls sideways, inside of the holder alone, where the walked node cannot be seen.
function keepInView(holder, {left}, wide) {
  if (left < holder.scrollLeft || left + wide > holder.scrollLeft + holder.clientWidth) holder.scrollLeft = left + (wide - holder.clientWidth) / 2;
}
