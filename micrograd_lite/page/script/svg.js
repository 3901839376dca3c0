// SVG and HTML elements in one line each, and the axes that all drawings share. Texts are always set as text, never as markup.

function element(name, attributes = {}, ...children) {
  const made = /^(svg|g|path|line|circle|rect|text|title)$/.test(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

// Sets an attribute or a text where it changes: what stays the same costs the browser nothing.
function setAttribute(made, name, value) {
  if (made.getAttribute(name) !== value) made.setAttribute(name, value);
}

function setText(made, text) {
  if (made.textContent !== text) made.textContent = text;
}

// Rows for a table's body, as many as are wanted: those that stand there are filled again.
function rowsFor(body, count, make) {
  while (body.rows.length > count) body.deleteRow(-1);
  while (body.rows.length < count) body.append(make());
  return body.rows;
}

const find = (id) => document.getElementById(id);

// An empty drawing as wide as its place; what it shows is said in words beside it.
function drawing(holder, height, label) {
  const width = Math.max(holder.clientWidth, 240);
  const made = element("svg", {width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label});
  holder.replaceChildren(made);
  return {svg: made, width, height};
}

// Numbers to write at an axis: a few round ones from low to high; powers of ten on a logarithmic one.
function ticks(low, high, isLog, most = 5) {
  if (isLog) {
    const first = Math.ceil(Math.log10(low)), last = Math.floor(Math.log10(high)), apart = Math.max(1, Math.ceil((last - first) / most));
    return Array.from({length: Math.max(0, Math.floor((last - first) / apart) + 1)}, (_, place) => 10 ** (first + place * apart));
  }
  const rough = (high - low) / most || 1, ten = 10 ** Math.floor(Math.log10(rough));
  const apart = [1, 2, 5, 10].map((times) => times * ten).find((size) => size >= rough);
  const first = Math.ceil(low / apart);
  const count = Math.floor(high / apart) - first + 1;
  return Array.from({length: Math.max(0, count)}, (_, place) => Number(((first + place) * apart).toPrecision(12)));
}

// A scale from numbers to pixels.
function scaleOf(low, high, from, to, isLog = false) {
  if (!(high > low)) [low, high] = [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  const of = isLog ? Math.log10 : Number;
  const scale = (number) => from + (of(number) - of(low)) / (of(high) - of(low)) * (to - from);
  return Object.assign(scale, {low, high, isLog, ticks: (most) => ticks(low, high, isLog, most)});
}

// The frame of a plot with its ticks: x below, y on the left.
function axes(svg, x, y, {left, right, top, bottom}, names) {
  const most = Math.floor((right - left) / 6);
  svg.append(element("rect", {class: "frame", x: left, y: top, width: right - left, height: bottom - top}));
  for (const number of x.ticks(Math.max(2, Math.floor((right - left) / 64)))) {
    svg.append(element("line", {class: "tick", x1: x(number), x2: x(number), y1: bottom, y2: bottom + 4}));
    svg.append(element("text", {x: x(number), y: bottom + 16, "text-anchor": "middle"}, nine(number, 6)));
  }
  for (const number of y.ticks(5)) {
    svg.append(element("line", {class: "grid", x1: left, x2: right, y1: y(number), y2: y(number)}));
    svg.append(element("text", {x: left - 6, y: y(number) + 4, "text-anchor": "end"}, nine(number, 6)));
  }
  svg.append(element("text", {class: "name", x: (left + right) / 2, y: bottom + 32, "text-anchor": "middle"}, shortened(names.x, most)));
  svg.append(element("text", {class: "name", x: left, y: top - 8}, shortened(names.y, most)));
}
