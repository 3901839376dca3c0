// Arrays: the kept weights of a network on arrays, one tile for each weight, blue below zero, red above.

const MOST_PIXELS = 360;

function tileViews(trace, holder, note) {
  const {tiles, blocks} = trace;
  let place = 0;
  const views = tiles.arrays.map(({name, shape: [inputs, neurons], limit}) => {
    const canvas = element("canvas", {width: neurons, height: inputs, class: "tiles", role: "img",
      "aria-label": `the ${inputs} x ${neurons} weights of ${name}`});
    const size = Math.max(1, Math.floor(MOST_PIXELS / Math.max(inputs, neurons)));
    Object.assign(canvas.style, {width: `${Math.min(neurons * size, MOST_PIXELS)}px`, height: `${Math.min(inputs * size, MOST_PIXELS)}px`});
    const said = `${name}: ${inputs} inputs down, ${neurons} neurons across; the strongest colour is ${nine(limit, 3)}`;
    holder.append(element("figure", {}, canvas, element("figcaption", {}, said)));
    const levels = blocks.tiles.subarray(place, place + tiles.steps.length * inputs * neurons);
    place += levels.length;
    return {pen: canvas.getContext("2d"), levels, inputs, neurons};
  });
  return (step) => {
    const kept = placeOf(tiles.steps, step);
    note.textContent = `The weights after step ${tiles.steps[kept]}; kept are those of ${plural(tiles.steps.length, "step")}`
      + (tiles.of > tiles.steps.length ? ` (of ${tiles.of} in the trace).` : ".");
    for (const {pen, levels, inputs, neurons} of views) {
      const image = pen.createImageData(neurons, inputs), size = inputs * neurons;
      for (let tile = 0; tile < size; tile++) paintLevel(image.data, 4 * tile, levels[kept * size + tile]);
      pen.putImageData(image, 0, 0);
    }
  };
}

function paintLevel(data, place, level) {
  const share = level - 127;
  if (level === 255) paint(data, place, GREY, 1);
  else paint(data, place, share < 0 ? BLUE : RED, Math.abs(share) / 127);
}
