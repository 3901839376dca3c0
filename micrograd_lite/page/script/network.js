// Network: forward and backward, as the engine does it, over the graph of one sample's cost. RULES and MANY are the rows of
// the derivative table; nodes stand oldest first, so going back through them is going backward. Each node holds a column of
// numbers, one for each sample: one sample is a column of one.

const {exp, log, sqrt, sin, cos, tanh, expm1, log1p, abs: fabs} = Math;

function power(x, y) {
  if (y !== y) return y;
  if (Math.abs(x) === 1 && !Number.isFinite(y)) return 1;
  return x === 0 && y < 0 ? Infinity : Math.pow(x, y);
}

// A dot's parents stand in the order in which their shares arrive: the last product first, the bias before the first product.
function dotTerms(parents) {
  const count = parents.length, bias = count % 2 ? Math.max(count - 3, 0) : -1;
  const places = parents.map((_, place) => place).filter((place) => place !== bias);
  const pairs = [];
  for (let at = places.length - 2; at >= 0; at -= 2) pairs.push([places[at], places[at + 1]]);
  return {bias, pairs};
}

function graphOf(told) {
  const nodes = told.nodes.map(([rule, ...parents], place) => ({
    rule: rule === "p" || rule === "c" ? "" : rule, place, parents: rule === "p" || rule === "c" ? [] : parents,
    parameter: rule === "p" ? parents[0] : -1, constant: rule === "c" ? parents[0] : -1, name: told.names[place],
  }));
  for (const node of nodes) if (node.rule === "dot") node.terms = dotTerms(node.parents);
  const edges = nodes.reduce((count, {parents}) => count + parents.length, 0);
  return {...told, nodes, edges, until: Math.max(...told.outputs)};
}

// The value of each node, up to one of them. parameters, constants: columns by their numbers; a column of one is for all samples.
function forward(graph, parameters, constants, count, until = graph.nodes.length - 1) {
  const values = [];
  for (let place = 0; place <= until; place++) {
    const node = graph.nodes[place];
    if (node.rule) values.push(valueOf(node, node.parents.map((parent) => values[parent]), count));
    else values.push(node.parameter >= 0 ? parameters[node.parameter] : constants[node.constant]);
  }
  return values;
}

const at = (column, sample) => column[column.length === 1 ? 0 : sample];

function valueOf(node, operands, count) {
  const column = new Float64Array(count);
  if (node.rule === "dot") return dot(node.terms, operands, column);
  if (node.rule === "cross_entropy") return column.map((_, sample) => crossEntropy(operands, sample).value);
  if (RULES[node.rule]) {
    const {value} = RULES[node.rule];
    const [x, y] = operands;
    for (let sample = 0; sample < count; sample++) column[sample] = value(at(x, sample), y && at(y, sample));
    return column;
  }
  for (const operand of operands) for (let sample = 0; sample < count; sample++) column[sample] += at(operand, sample);
  return node.rule === "mean" ? column.map((total) => total / operands.length) : column;
}

// bias + w0 * x0 + w1 * x1 + ..., added in this order.
function dot({bias, pairs}, operands, total) {
  if (bias >= 0) for (let sample = 0; sample < total.length; sample++) total[sample] = at(operands[bias], sample);
  for (const [w, x] of pairs) {
    const [weight] = operands[w], inputs = operands[x];
    if (operands[w].length === 1 && inputs.length === total.length) {  // one weight for all samples: twice as fast
      for (let sample = 0; sample < total.length; sample++) total[sample] += weight * inputs[sample];
    } else {
      for (let sample = 0; sample < total.length; sample++) total[sample] += at(operands[w], sample) * at(inputs, sample);
    }
  }
  return total;
}

// -log softmax(logits)[label], and the slope toward each logit: its softmax, less 1 at the label. Nothing overflows.
function crossEntropy(operands, sample) {
  const logits = operands.slice(0, -1).map((column) => at(column, sample));
  const label = at(operands[operands.length - 1], sample), highest = Math.max(...logits), top = logits.indexOf(highest);
  const exponentials = logits.map((logit) => exp(logit - highest));
  let rest = 0;
  exponentials.forEach((number, place) => { if (place !== top) rest += number; });
  const slopes = exponentials.map((number, place) => number / (1 + rest) - (place === label ? 1 : 0));
  return {value: log1p(rest) + (highest - logits[label]), slopes};
}

// The slopes of a node toward the parents that have one, each as a function of the sample.
function slopesOf(node, operands, values, count) {
  if (node.rule === "dot") return dotSlopes(node.terms, operands);
  if (node.rule === "cross_entropy") {
    const made = Array.from({length: count}, (_, sample) => crossEntropy(operands, sample).slopes);
    return operands.slice(0, -1).map((_, position) => (sample) => made[sample][position]);
  }
  const [x, y] = operands;
  if (!RULES[node.rule]) return operands.map(() => () => MANY[node.rule].x(operands.length));
  if (!y) return RULES[node.rule].slopes.map((slope) => (sample) => slope(at(x, sample), values[sample]));
  return RULES[node.rule].slopes.map((slope) => (sample) => slope(at(x, sample), at(y, sample), values[sample]));
}

function dotSlopes({bias, pairs}, operands) {
  const {w: toW, x: toX, b: toB} = MANY.dot, slopes = [];
  if (bias >= 0) slopes[bias] = () => toB();
  for (const [w, x] of pairs) {
    const weights = operands[w], inputs = operands[x];
    slopes[w] = (sample) => toW(at(weights, sample), at(inputs, sample));
    slopes[x] = (sample) => toX(at(weights, sample), at(inputs, sample));
  }
  return slopes;
}

// The backward sweep of each sample, youngest node first: share = partial * upstream, and the parent's total grows by it.
// upstream: of the cost. Returned: the total of each node, a column; onEdge hears of each edge.
function backward(graph, values, upstream, count, onEdge) {
  const totals = graph.nodes.map(() => new Float64Array(count));
  totals[graph.nodes.length - 1].fill(upstream);
  for (let place = graph.nodes.length - 1; place >= 0; place--) {
    const node = graph.nodes[place], given = totals[place];
    if (!node.rule) continue;
    slopesOf(node, node.parents.map((parent) => values[parent]), values[place], count).forEach((slope, position) => {
      const parent = node.parents[position], total = totals[parent];
      for (let sample = 0; sample < count; sample++) {
        const partial = slope(sample), share = partial * given[sample];
        total[sample] += share;
        if (onEdge) onEdge({node: place, position, parent, partial, upstream: given[sample], share, total: total[sample]});
      }
    });
  }
  return totals;
}

// What a batch makes of its samples' costs: how much each of them counts.
const countsFor = (graph, samples) => MANY[graph.reduce].x(samples);
