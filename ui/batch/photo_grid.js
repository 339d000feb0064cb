// The photos of a queue. The app tells what has changed since the version that was seen here; what is
// missing is asked for, and only changed thumbnails are touched.
const root = element.querySelector(".batch");
const list = root.querySelector("ul");
const select = root.querySelector("select");
const progress = root.querySelector("progress");
const status = root.querySelector("[role=status]");
const LOOK = 1000; // milliseconds between two looks for news
const WORDS = { waiting: "waiting", working: "being coloured", done: "done", failed: "failed", cancelled: "cancelled" };
const known = new Map(); // id -> what the app has told of it
const cells = new Map(); // id -> its list item
let queue = "", version = -1, base = "", order = "added", chosen = null;
let opened = null; // the photo that is to be brought into view, below
let asking = false; // in two steps, whether to throw all away

const ask = (what, more = {}) => trigger("submit", { do: what, seen: version, queue, chosen, ...more });

const say = (entry) => {
  const words = [];
  if (entry.state !== "done") words.push(entry.looked ? WORDS[entry.state] : "being read");
  if (entry.state === "done" && entry.seconds) words.push(`${entry.seconds.toFixed(1)} s`);
  if (entry.state === "done" && entry.spread !== null) words.push(`unsure ${entry.spread.toFixed(1)}`);
  if (entry.own) words.push("own settings");
  return words.join(" · ") || "done";
};

const dress = (entry) => {
  let cell = cells.get(entry.id);
  if (!cell) {
    cell = document.createElement("li");
    cell.innerHTML = '<button type="button"><span class="view"><img alt="" loading="lazy" decoding="async"></span>'
      + '<span class="name"></span><span class="words"></span></button>';
    cell.firstElementChild.addEventListener("click", () => {
      chosen = opened = entry.id;
      press();
      ask("open", { id: entry.id });
    });
    cells.set(entry.id, cell);
  }
  const button = cell.firstElementChild;
  const [view, name, words] = button.children;
  const img = view.firstElementChild;
  cell.dataset.state = entry.state;
  name.textContent = name.title = entry.name;
  words.textContent = entry.error || say(entry);
  button.title = entry.error;
  button.setAttribute("aria-label", `${entry.name}: ${WORDS[entry.state]}, ${entry.error || say(entry)}`);
  const made = entry.state === "done" ? entry.made : 0;
  const readable = entry.looked && (entry.state !== "failed" || img.getAttribute("src"));
  if (readable && entry.state !== "working") {
    const url = `${base}/${entry.id}-${made}-small.jpg`;
    if (img.getAttribute("src") !== url) img.src = url;
  }
};

const press = () => cells.forEach((cell, id) =>
  cell.firstElementChild.setAttribute("aria-pressed", String(id === chosen)));

// Only what stands elsewhere is moved: a grid that is built anew would lose its place and its focus.
const arrange = () => {
  const ids = [...known.keys()].sort((a, b) => a - b);
  const doubt = (id) => (known.get(id).state === "done" ? known.get(id).spread ?? 0 : -1);
  if (order === "unsure") ids.sort((a, b) => doubt(b) - doubt(a) || a - b);
  ids.forEach((id, i) => {
    const cell = cells.get(id);
    if (list.children[i] !== cell) list.insertBefore(cell, list.children[i] ?? null);
  });
};

const count = (...states) => [...known.values()].filter((entry) => states.includes(entry.state)).length;

const tell = (value) => {
  const [all, done, failed, waiting] = [known.size, count("done"), count("failed"), count("waiting", "cancelled")];
  const find = (what) => root.querySelector(`[data-do="${what}"]`);
  const begun = done + count("cancelled", "working") > 0;
  find("start").hidden = value.running || !waiting;
  find("start").textContent = begun ? "Go on" : `Colour ${all === 1 ? "the photo" : `all ${all} photos`}`;
  find("pause").hidden = !value.running;
  find("cancel").hidden = !value.running && !count("working");
  find("retry").hidden = value.running || !failed;
  find("again").hidden = value.running || !done;
  find("clear").textContent = asking ? "Really clear? Results are deleted" : "Clear";
  progress.max = Math.max(1, all);
  progress.value = done + failed;
  const words = [`${done} of ${all} done`];
  if (failed) words.push(`${failed} failed`);
  if (value.running) words.push(value.left ? `about ${value.left} left` : "working");
  else if (count("working")) words.push("the one that was begun is being finished");
  else if (waiting && begun) words.push(count("cancelled") ? "stopped" : "paused");
  if (order === "unsure" && done) words.push("look at the first ones: the model was least sure of them");
  const said = words.join(" · ");
  if (status.textContent !== said) status.textContent = said;
};

const show = () => {
  const value = props.value;
  if (!value || value.version === undefined) return;
  if (value.queue !== queue) {
    known.clear();
    cells.clear();
    list.replaceChildren();
    [queue, version, chosen] = [value.queue, -1, null];
  }
  root.hidden = !value.entries.length && !known.size;
  if (!queue || value.version < version) return;
  if (value.from > version) return ask("look"); // what lies between has not come
  base = value.place.url.replace(/\/[^/]*$/, "");
  if (value.whole) {
    const there = new Set(value.entries.map((entry) => entry.id));
    for (const id of [...known.keys()].filter((each) => !there.has(each))) {
      known.delete(id);
      cells.get(id).remove();
      cells.delete(id);
    }
  }
  value.entries.forEach((entry) => { known.set(entry.id, entry); dress(entry); });
  version = value.version;
  order = select.value = value.order;
  root.hidden = !known.size;
  arrange();
  press();
  tell(value);
  if (opened !== null && value.chosen === opened) {
    opened = null;
    setTimeout(() => document.querySelector(".detail")?.scrollIntoView({ block: "nearest", behavior: "smooth" }), 300);
  }
};

root.addEventListener("click", (event) => {
  const what = event.target.closest("[data-do]")?.dataset.do;
  if (!what) return;
  if (what === "clear" && !asking) {
    asking = true;
    setTimeout(() => { asking = false; tell(props.value); }, 5000);
    return tell(props.value);
  }
  asking = false;
  ask(what);
});
select.addEventListener("change", () => ask("order", { order: select.value }));

// Arrows go from photo to photo, as in any grid; Tab leaves it after the one that has the focus.
list.addEventListener("keydown", (event) => {
  const cell = event.target.closest("li");
  const wide = Math.max(1, Math.round(list.clientWidth / (cell?.offsetWidth || 1)));
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide }[event.key];
  const next = by && list.children[[...list.children].indexOf(cell) + by];
  if (!next) return;
  event.preventDefault();
  next.firstElementChild.focus();
});

const timer = setInterval(() => {
  if (!root.isConnected) return clearInterval(timer);
  if (props.value?.busy && !document.hidden && root.checkVisibility()) ask("look");
}, LOOK);

watch("value", show);
show();
