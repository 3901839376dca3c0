// Table: what the step does to each parameter, with every digit of gradients.csv. Of a long table one part at a time.

const PART = 24;

function stepTable(trace, holder, pager, onChoose) {
  const {rows, columns, table} = trace;
  let first = 0, made = [], chosen, shown = 0;

  // Lays out the rows of a part; their numbers are filled in by `show`.
  function lay() {
    const names = rows.slice(first, first + PART);
    made = names.map((name, place) => {
      const row = first + place, cells = columns.map(() => document.createTextNode(""));
      const button = element("button", {type: "button", class: "choice", "aria-pressed": "false", onclick: () => onChoose(row)}, name);
      const line = element("tr", {}, element("th", {scope: "row"}, button), ...cells.map((cell) => element("td", {}, cell)));
      return {row, line, button, cells};
    });
    holder.tBodies[0].replaceChildren(...made.map(({line}) => line));
    pager.hidden = rows.length <= PART;
    pager.querySelector("span").textContent = `rows ${first + 1} to ${first + names.length} of ${counted(rows.length)}`;
  }

  function show(index, choice) {
    [shown, chosen] = [index, choice];
    for (const {row, line, button, cells} of made) {
      cells.forEach((cell, place) => {
        const text = exact(table[columns[place]][row][index]);
        if (cell.data !== text) cell.data = text;
      });
      const isChosen = row === choice;
      if (line.classList.contains("chosen") !== isChosen) {
        line.classList.toggle("chosen", isChosen);
        button.setAttribute("aria-pressed", String(isChosen));
      }
    }
  }

  const [back, on] = pager.querySelectorAll("button");
  const turn = (parts) => () => {
    first = Math.max(0, Math.min(first + parts * PART, Math.floor((rows.length - 1) / PART) * PART));
    lay();
    show(shown, chosen);
  };
  back.addEventListener("click", turn(-1));
  on.addEventListener("click", turn(1));
  lay();
  return show;
}
