// Main: unpacks the data, sets up each view, and shows one step in all of them.

const COULD_NOT = "The steps cannot be shown: ";

async function main() {
  if (!("DecompressionStream" in window)) {
    return complain("this browser cannot unpack them (it has no DecompressionStream). The table of the last step stands below.");
  }
  const trace = traceOf(await unpack(find("data").textContent));
  const state = {index: Math.max(0, addressed(trace.steps) ?? firstShown(trace)), row: 0, column: trace.columns[0], sample: 0, walked: 1};
  let views = [], controls, waiting = 0;

  const render = () => {
    waiting = 0;
    for (const view of views) view(state);
  };
  const change = (changes) => {
    Object.assign(state, changes);
    if (!waiting) waiting = requestAnimationFrame(render);
  };
  const goTo = (index) => change({index});
  if (trace.last >= 0) {
    controls = stepControls(trace, goTo);
    find("bar").hidden = false;
  }
  const set = () => {
    views = viewsOf(trace, change);
    if (controls) views.unshift(({index}) => controls(index, moment(trace, index)));
    render();
  };
  addEventListener("keydown", ({key}) => {
    if (key === "Escape" && document.activeElement.classList.contains("term")) document.activeElement.blur();
  });
  reveal(trace);
  set();
  whenWidthChanges(set);
  window.micrograd = door(trace, state, (index) => { goTo(index); render(); });
  requestAnimationFrame(() => { document.documentElement.dataset.ready = "yes"; });
}

// The last step; of a trace that holds backward passes of some steps alone, the last of those.
function firstShown({steps, last, chain}) {
  return chain ? placeOf(steps, chain.steps[chain.steps.length - 1][0]) : last;
}

function complain(sentence) {
  const place = find("cannot");
  place.textContent = COULD_NOT + sentence;
  place.hidden = false;
  document.documentElement.dataset.ready = "no";
}

// Which sections there are.
function reveal(trace) {
  const hasSteps = trace.last >= 0, isWhole = hasSteps && Boolean(trace.graph);
  const shown = {
    loss: trace.metrics.step.length > 0, network: hasSteps && Boolean(trace.network) && trace.columns.includes("before"),
    answers: isWhole, step: hasSteps, parameter: hasSteps,
    backward: hasSteps && Boolean(trace.graph || trace.chain || trace.no_backward), arrays: Boolean(trace.tiles || trace.no_tiles),
  };
  for (const [name, isThere] of Object.entries(shown)) find(name).hidden = !isThere;
  find("more").hidden = true;
  find(trace.columns.includes("before") ? "measured" : "measured-arrays").hidden = false;
}

// What is said of a step beside the slider.
function moment(trace, index) {
  const step = trace.steps[index], place = placeOf(trace.metrics.step, step);
  const told = [`step ${counted(step)} of ${counted(trace.metrics.step[trace.metrics.step.length - 1] || step)}`];
  for (const [name, column] of Object.entries(trace.metrics)) {
    if (name === "loss") told.push(`loss ${nine(column[place], 6)}`);
    else if (name.endsWith("accuracy") && Number.isFinite(column[place])) told.push(`${name.replace("_", " ")} ${nine(column[place], 4)}`);
  }
  return told.join(", ");
}

// Every view as a function of the state. They are made again when the page's width changes.
function viewsOf(trace, change) {
  const toStep = (number) => change({index: placeOf(trace.steps, number)});
  const views = [], {metrics} = trace;
  if (metrics.step.length) {
    const draw = curve(find("loss-curve"), {xs: metrics.step, ys: metrics.loss, name: `loss (${trace.loss || "of the run"})`,
      label: "the loss over the steps", mayBeLog: true, onChoose: toStep});
    views.push(({index}) => {
      if (trace.last >= 0) draw(trace.steps[index], metrics.loss[placeOf(metrics.step, trace.steps[index])]);
    });
  }
  if (!find("network").hidden) {
    const draw = networkDrawing(trace, find("network-drawing"), find("network-note"), (row) => change({row}));
    views.push(({index, row, lit}) => draw(index, row, lit));
  }
  if (!find("answers").hidden) views.push(...answerViews(trace));
  if (!find("step").hidden) {
    const draw = stepTable(trace, find("step-table"), find("pager"), (row) => change({row}));
    views.push(({index, row}) => draw(index, row));
  }
  if (!find("parameter").hidden) views.push(parameterView(trace, change, toStep));
  if (!find("backward").hidden) views.unshift(backwardView(trace, change));
  if (trace.tiles && trace.last >= 0) {
    find("tiles").replaceChildren();
    const draw = tileViews(trace, find("tiles"), find("tiles-note"));
    views.push(({index}) => draw(trace.steps[index]));
  } else if (trace.no_tiles) {
    find("tiles-note").textContent = trace.no_tiles;
  }
  return views;
}

function answerViews(trace) {
  const inputs = trace.graph.inputs.length, outputs = trace.graph.outputs.length;
  const plot = find("answer-plot"), note = find("answer-note"), table = find("answer-table");
  table.tHead.replaceChildren();
  table.tBodies[0].replaceChildren();
  const isField = inputs === 2 && (outputs === 1 || trace.data.classes), isCurve = inputs === 1 && outputs === 1;
  find("answer-picture").hidden = !isField && !isCurve;
  const draws = [answersTable(trace, table)];
  if (isField) draws.push(field(trace, plot, note));
  if (isCurve) draws.push(answerCurve(trace, plot, note));
  return draws.map((draw) => ({index}) => draw(index));
}

function parameterView(trace, change, toStep) {
  const choice = find("column");
  let shown, draw, waiting;
  choice.replaceChildren(...trace.columns.map((name) => element("option", {value: name}, name.replaceAll("_", " "))));
  choice.onchange = () => change({column: choice.value});
  find("pulls-part").hidden = !trace.graph;
  return ({index, row, column}) => {
    if (shown !== `${row} ${column}`) {
      draw = rowSeries(trace, find("parameter-curve"), row, column, toStep);
      shown = `${row} ${column}`;
      choice.value = column;
      find("parameter-name").textContent = trace.rows[row];
    }
    draw(trace.steps[index], trace.table[column][row][index]);
    if (!trace.graph) return;
    clearTimeout(waiting);
    const fill = () => pulls(trace, find("pulls"), find("pulls-said"), index, row);
    if (!trace.isLarge) return fill();
    setText(find("pulls-said"), "The samples' shares are added up as soon as the step stands still.");
    find("pulls").tBodies[0].replaceChildren();
    waiting = setTimeout(fill, 200);
  };
}

function whenWidthChanges(react) {
  let width = document.documentElement.clientWidth, waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (document.documentElement.clientWidth !== width) react();
      width = document.documentElement.clientWidth;
    }, 150);
  });
}

// The page's numbers and functions for a script: tests compare them with the trace and with Python.
function door(trace, state, goTo) {
  const place = (step) => placeOf(trace.steps, step);
  return {
    trace, state, steps: Array.from(trace.steps), RULES, exact, graphOf, forward, backward, countsFor,
    goTo: (step) => goTo(place(step)),
    rows: (step) => trace.rows.map((name, row) => [name, ...trace.columns.map((column) => exact(trace.table[column][row][place(step)]))]),
    answers: (step, inputs) => trace.answers(place(step), [inputs]).map((column) => column[0]),
    gradients: (step, sample) => trace.shares(place(step)).map((shares) =>
      sample === undefined ? addedUp(Array.from(shares)) : shares[sample]),
  };
}

main().catch((error) => complain(`${error.message}. The table of the last step stands below.`));
