// Curve: numbers over the steps as a line, with a cursor at the step that the page shows. The loss, and a chosen parameter.

// The ends of the finite numbers of a column.
function rangeOf(column) {
  let low = Infinity, high = -Infinity;
  for (const number of column) if (Number.isFinite(number)) [low, high] = [Math.min(low, number), Math.max(high, number)];
  return low <= high ? [low, high] : [0, 1];
}

// The path of a line; of more points than pixels, each pixel's lowest and highest. A gap where a number is not finite.
function pathOf(xs, ys, x, y, width) {
  const points = xs.length > 2 * width ? extremes(xs, ys, Math.round(width)) : xs.keys();
  let path = "", isDown = false;
  for (const point of points) {
    const isThere = Number.isFinite(ys[point]) && Number.isFinite(y(ys[point]));
    if (isThere) path += `${isDown ? "L" : "M"}${x(xs[point]).toFixed(1)} ${y(ys[point]).toFixed(1)}`;
    isDown = isThere;
  }
  return path;
}

function extremes(xs, ys, parts) {
  const points = [];
  for (let part = 0; part < parts; part++) {
    const from = Math.floor(part * xs.length / parts), to = Math.floor((part + 1) * xs.length / parts);
    let low = from, high = from;
    for (let point = from; point < to; point++) {
      if (ys[point] < ys[low]) low = point;
      if (ys[point] > ys[high]) high = point;
    }
    points.push(Math.min(low, high), Math.max(low, high));
  }
  return points;
}

// A chart in its holder. Returned: a function that moves the cursor to a step, whose number is y. onChoose hears of clicks.
function curve(holder, {xs, ys, name, label, mayBeLog, height = 300, onChoose}) {
  const {svg, width} = drawing(holder, height, label);
  const box = {left: 64, right: width - 24, top: 28, bottom: height - 42};
  const [low, high] = rangeOf(ys);
  const isLog = mayBeLog && low > 0 && high / low >= 100;
  const x = scaleOf(xs[0] || 0, xs[xs.length - 1] || 1, box.left + 6, box.right - 6);
  const y = scaleOf(low, high, box.bottom - 6, box.top + 6, isLog);
  axes(svg, x, y, box, {x: "step", y: isLog ? `${name} (each line is a power of ten)` : name});
  svg.append(element("path", {class: "line", d: pathOf(xs, ys, x, y, width)}));
  const cursor = element("line", {class: "cursor", y1: box.top, y2: box.bottom});
  const dot = element("circle", {class: "dot", r: 5});
  svg.append(cursor, dot);
  svg.addEventListener("click", (event) => {
    const share = (event.clientX - svg.getBoundingClientRect().left) * width / svg.clientWidth;
    onChoose(x.low + (share - box.left - 6) / (box.right - box.left - 12) * (x.high - x.low));
  });
  return (step, number) => {
    const place = x(step).toFixed(1), isThere = Number.isFinite(number) && (!isLog || number > 0);
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, place);
    dot.setAttribute("visibility", isThere ? "visible" : "hidden");
    if (isThere) dot.setAttribute("cx", place), dot.setAttribute("cy", y(number).toFixed(1));
  };
}
