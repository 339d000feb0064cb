// The table of scores. Heads sort: the best first, the worst first, then as it came.
const root = element.querySelector(".scores");
const tables = [...root.querySelectorAll("table")]; // the second is of details
const more = root.querySelector("details");
const notes = root.querySelector("ul");
let by = null; // the title of the column that sorts
let turned = false; // the worst first

const make = (tag, text, options = {}) =>
  Object.assign(document.createElement(tag), { textContent: text }, options);

// Up and down are of the numbers that are seen, whichever of them is better.
const direction = (column) => {
  if (column.title !== by) return "none";
  if (column.better === "nearer 0") return "other";
  return (column.better === "lower") === turned ? "descending" : "ascending";
};

const head = (column) => {
  const cell = make("th", "", { scope: "col", title: column.meaning });
  const button = make("button", column.title, { type: "button" });
  button.append(make("span", column.arrow, { ariaHidden: "true" }));
  button.addEventListener("click", () => {
    if (by !== column.title) [by, turned] = [column.title, false];
    else if (!turned) turned = true;
    else by = null;
    show();
  });
  button.dataset.title = column.title;
  cell.setAttribute("aria-sort", direction(column));
  cell.append(button);
  return cell;
};

const order = (rows, columns) => {
  const at = columns.findIndex((column) => column.title === by);
  if (at < 0) return rows;
  const key = (row) => row.cells[at].key;
  return [...rows].sort((a, b) => {
    if (key(a) === null || key(b) === null) return (key(a) === null) - (key(b) === null);
    return (key(b) - key(a)) * (turned ? -1 : 1);
  });
};

const link = (row) => {
  const made = make("a", row.title, { href: "?tab=models" });
  made.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in a window of its own
    event.preventDefault();
    window.openModel(row.link);
  });
  return made;
};

const line = (row, places) => {
  const tr = make("tr", "");
  tr.dataset.kind = row.kind;
  const name = make("th", row.link ? "" : row.title, { scope: "row" });
  if (row.link) name.append(link(row));
  if (row.settings) name.append(make("span", row.settings));
  tr.append(name);
  for (const cell of places.map((place) => row.cells[place])) {
    const td = make("td", "", { title: cell.why });
    td.append(make("span", cell.text, { className: "figure" }));
    if (cell.best) {
      td.className = "best";
      td.append(make("span", " best", { className: "unseen" }));
    }
    td.append(...(cell.small ?? []).map((text) => make("small", text)));
    tr.append(td);
  }
  return tr;
};

// A line below the table. The measure of many pictures leads to what is written of it.
const note = (text) => {
  const made = make("li", "");
  text.split(/\b(FID)\b/).forEach((part, i) => {
    if (i % 2 === 0) return made.append(part);
    const link = make("a", part, { href: "?tab=leaderboard" });
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in a window of its own
      event.preventDefault();
      window.openGuide(part);
    });
    made.append(link);
  });
  return made;
};

// Of the columns at these places; whichever table sorts, both have the same order.
const fill = (table, columns, places, first, rows, several) => {
  const heads = table.querySelector("thead tr");
  if (!places.length) [rows, several] = [[], []];
  const focused = heads.contains(document.activeElement) && document.activeElement.dataset.title;
  const shown = places.map((place) => head(columns[place]));
  heads.replaceChildren(make("th", first, { scope: "col" }), ...shown);
  [rows, several].forEach((some, i) => {
    table.tBodies[i].replaceChildren(...order(some, columns).map((row) => line(row, places)));
    table.tBodies[i].hidden = !some.length;
  });
  if (focused) [...heads.querySelectorAll("button")].find((e) => e.dataset.title === focused)?.focus();
};

const show = () => {
  const { columns = [], rows = [], several = [], notes: said = [], first = "Picture" } = props.value ?? {};
  root.hidden = !rows.length;
  const [main, details] = [false, true].map((wanted) =>
    columns.flatMap((column, place) => (Boolean(column.detail) === wanted ? [place] : [])),
  );
  more.hidden = !details.length;
  fill(tables[0], columns, main, first, rows, several);
  fill(tables[1], columns, details, first, rows, several);
  notes.replaceChildren(...said.map(note));
};

watch("value", show);
show();
