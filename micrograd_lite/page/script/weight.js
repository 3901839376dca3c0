// Weight: one chosen row of the table over all steps, and how hard each sample of the step pulls at it.

const MOST_PULLS = 12;

function rowSeries(trace, holder, row, column, onStep) {
  const name = `${column.replaceAll("_", " ")} of ${trace.rows[row]}`;
  return curve(holder, {xs: trace.steps, ys: trace.table[column][row], name, label: `${name} over the steps`, height: 220, onChoose: onStep});
}

// The samples' shares in the gradient of a parameter, the hardest first; the sum beside the recorded gradient.
function pulls(trace, holder, said, index, row) {
  const shares = trace.shares(index)[row], batch = trace.batch(index), largest = Math.max(...shares.map(Math.abs)) || 1;
  const order = Array.from(shares.keys()).sort((one, other) => Math.abs(shares[other]) - Math.abs(shares[one]));
  const [hardest] = order, recorded = trace.table.gradient[row][index];
  const pull = shares[hardest] === 0 ? `no sample pulls at ${trace.rows[row]}: each share is 0.`
    : `sample ${hardest} (${sampleText(trace, batch[hardest])}) pulls hardest at ${trace.rows[row]}: its share is ${nine(shares[hardest])}.`;
  const sum = shares.length > 1 ? ` All ${counted(shares.length)} shares add up to ${nine(addedUp(Array.from(shares)))};` : " It is the only sample;";
  setText(said, `At step ${counted(trace.steps[index])} ${pull}${sum} the recorded gradient is ${exact(recorded)}.`
    + (order.length > MOST_PULLS ? ` The ${MOST_PULLS} hardest are listed.` : ""));
  const lines = rowsFor(holder.tBodies[0], Math.min(order.length, MOST_PULLS), pullRow);
  for (const [number, line] of Array.from(lines).entries()) {
    const place = order[number], share = shares[place], bar = line.cells[3].firstChild;
    [`sample ${place}`, sampleText(trace, batch[place]), nine(share)].forEach((text, cell) => setText(line.cells[cell], text));
    bar.className = share < 0 ? "bar negative" : "bar positive";
    bar.style.width = `${(Math.abs(share) / largest * 100).toFixed(1)}%`;
  }
}

const pullRow = () => element("tr", {}, element("th", {scope: "row"}), element("td", {class: "words"}), element("td"),
  element("td", {class: "bars"}, element("span")));
