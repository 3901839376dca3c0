// Record: the trace's tables again, with the columns that follow from others, exactly as page/content.py has tried it.

// Each column of the step's table as rows of numbers: table.gradient[row][index]; index counts the page's steps.
function tableOf({header, blocks}) {
  const {given, columns, measured} = header;
  const steps = blocks.steps[0], table = {...blocks};
  const rates = new Map(Array.from(blocks.metrics[0], (step, at) => [step, blocks.metrics[measured.indexOf("learning_rate")][at]]));
  const rate = Float64Array.from(steps, (step) => rates.get(step));
  const empty = () => header.rows.map(() => new Float64Array(steps.length));
  for (const name of columns) if (given[name]) table[name] = empty();
  for (let row = 0; row < header.rows.length && columns.includes("gradient"); row++) {
    const [before, gradient, update, after] = columns.map((name) => table[name][row]);
    for (let at = 0; at < steps.length; at++) {
      if (given.before) before[at] = at ? after[at - 1] : blocks.before[row][0];
      if (given.update) update[at] = -rate[at] * gradient[at];
      if (given.after) after[at] = before[at] + update[at];
    }
  }
  return Object.fromEntries(columns.map((name) => [name, table[name] || []]));
}

// What was measured beside each step, as columns by name.
function metricsOf({header, blocks}) {
  return Object.fromEntries(header.measured.map((name, column) => [name, blocks.metrics[column]]));
}

// The place of the last step that is not after this number; 0 when all are.
function placeOf(steps, number) {
  let low = 0, high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= number) low = middle + 1;
    else high = middle;
  }
  return Math.max(low - 1, 0);
}

const LARGE = 50000;

// All that the page knows of its trace, and what follows from it for one step. index: the place of a step in `steps`.
function traceOf(data) {
  const {header, blocks} = data, steps = blocks.steps[0];
  const graph = header.graph && graphOf(header.graph);
  const samples = blocks.constants ? blocks.constants[0].length : 0;
  const batches = blocks.batches && new DataView(blocks.batches.buffer, blocks.batches.byteOffset);
  const trace = {
    ...header, header, steps, graph, samples, blocks, targets: blocks.targets, constants: blocks.constants,
    table: tableOf(data), metrics: metricsOf(data), last: steps.length - 1,
    isLarge: Boolean(graph) && samples * graph.edges > LARGE,  // adding up all shares would be felt at each move of the slider
  };

  // The weights before the update of a step, each as a column of one.
  trace.parameters = (index) => trace.table.before.map((row) => row.subarray(index, index + 1));

  // The rows of the data that a step saw, in the order of its samples.
  const everyRow = Array.from({length: samples}, (_, row) => row);
  trace.batch = keptForOne((index) => {
    if (!batches) return everyRow;
    const rows = Array.from({length: header.batch}, (_, place) => batches.getUint32(4 * (index * header.batch + place), true) - 1);
    return rows.filter((row) => row >= 0);
  });

  // The constants of some rows of the data, as columns.
  trace.constantsOf = (rows) => trace.constants.map((column) => Float64Array.from(rows, (row) => column[row]));

  // The answers to some rows of inputs: for each output a column. Constants that no input fills are the same for all samples.
  trace.answers = (index, inputs) => {
    const columns = trace.constants.map((column) => column.subarray(0, 1));
    graph.inputs.forEach((constant, place) => { columns[constant] = Float64Array.from(inputs, (row) => row[place]); });
    const values = forward(graph, trace.parameters(index), columns, inputs.length, graph.until);
    return graph.outputs.map((place) => values[place]);
  };

  // The backward sweep of a step's samples (places in its batch), each on its own; a sample's share of a gradient is its total.
  trace.sweep = (index, places, onEdge) => {
    const batch = trace.batch(index), rows = places.map((place) => batch[place]);
    const values = forward(graph, trace.parameters(index), trace.constantsOf(rows), rows.length);
    const upstream = countsFor(graph, batch.length);
    return {values, upstream, totals: backward(graph, values, upstream, rows.length, onEdge)};
  };

  // For each parameter the shares of a step's samples in its gradient.
  trace.shares = keptForOne((index) => {
    const places = trace.batch(index).map((_, place) => place), {totals} = trace.sweep(index, places);
    const shares = header.rows.map(() => new Float64Array(places.length));
    for (const node of graph.nodes) if (node.parameter >= 0) shares[node.parameter] = totals[node.place];
    return shares;
  });
  return trace;
}

// A function of a step that keeps its last answer, because all views of a step ask for the same.
function keptForOne(made) {
  let known, kept;
  return (index) => {
    if (known !== index) [known, kept] = [index, made(index)];
    return kept;
  };
}

// Added from the last sample to the first, as the engine does it.
const addedUp = (shares) => shares.reduceRight((total, share) => total + share, 0);

// What a sample is, in the data's own units: "a = 1, b = 0, and the answer should be different".
function sampleText({data, targets, constants, graph}, row) {
  const names = featureNames(data, graph.inputs.length);
  const inputs = names.slice(0, 4).map((name, place) => `${name} = ${nine(inUnits(data, place, constants[graph.inputs[place]][row]), 4)}`);
  const more = names.length > 4 ? ", ..." : "";
  return `${inputs.join(", ")}${more}; target ${targetText({data, targets, graph}, row)}`;
}

function targetText({data, targets, graph}, row) {
  const numbers = targets.map((column) => column[row]);
  if (!data.classes) return numbers.map((number) => nine(targetInUnits(data, number), 6)).join(", ");
  return className(data, classOf(graph, numbers));
}

// Which class some targets, or outputs, stand for: the highest of several, or the side of the threshold that one is on.
function classOf(graph, numbers) {
  if (numbers.length > 1) return numbers.indexOf(Math.max(...numbers));
  return graph.outputs.length > 1 ? numbers[0] : Number(numbers[0] > graph.threshold);
}

const featureNames = (data, count) =>
  data.feature_names && data.feature_names.length ? data.feature_names : Array.from({length: count}, (_, place) => `x${place}`);
const className = (data, number) => (data.class_names && data.class_names[number]) || `class ${number}`;
const inUnits = ({units}, place, number) => units ? units.centre[place] + units.scale[place] * number : number;
const fromUnits = ({units}, place, number) => units ? (number - units.centre[place]) / units.scale[place] : number;
const targetInUnits = ({units}, number) => units ? units.target_centre + units.target_scale * number : number;
