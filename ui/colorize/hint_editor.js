// The hint editor. The page keeps the hints, one message with all of them is on its way at a time,
// and the app answers with a small picture. What is on the picture is in hint_editor-picture.js,
// which is put behind this.
const root = element.querySelector(".editor");
const view = root.querySelector(".view");
const shown = root.querySelector(".shown");
const veil = root.querySelector(".sure");
const lines = root.querySelector(".lines");
const pins = root.querySelector(".pins");
const cross = root.querySelector(".cross");
const status = root.querySelector("[role=status]");
const section = (name) => root.querySelector(`[data-section=${name}]`);
const place = section("place");
const picker = place.querySelector("input[type=color]");
const known = place.querySelector(".fact input[type=checkbox]");
const note = place.querySelector(".fact input[type=text]");
const MOST_PAST = 100;
const MOST_RECENT = 8;
const MOST_HINTS = 400; // points, fewer than the app takes
const PATIENCE = 20000; // milliseconds after which what has no answer is sent again

let value = null; // of the component
let marks = []; // hints as a person put them: {id, points: [[x, y]], css, ab or colour, known, note}
let past = [];
let future = [];
let chosen = null; // the id of the mark that is worked on
let pending = null; // a place that has no colour yet, [x, y]
let region = null; // where an answer puts hints, if that place is a question's
let likely = null; // what the app says of it
let tool = "point";
let css = "#8a5a3c"; // the colour that is painted with
let colour = { colour: css };
let recent = [];
let questions = []; // none while the app looks for them: nothing is answered twice
let question = 0;
let asking = false;
let looks = null;
let suggested = []; // what is known on other photos, as hints with their css and source
let serial = 0;
let waiting = 0;
let queued = null; // what is asked for next
let timer;
let sureness = false;

// --- between page and app -------------------------------------------------------------------------

const flatten = () => marks.flatMap((mark) => mark.points.map(([x, y]) => ({
  x: clamp(x), y: clamp(y), radius: mark.points.length > 1 ? 0.012 : 0.01,
  ...(mark.ab ? { ab: mark.ab } : { colour: mark.colour }),
  ...(mark.known ? { known: true } : {}), ...(mark.note ? { note: mark.note } : {}),
})));
const clamp = (share) => Math.min(1, Math.max(0, share));
const ask = (what) => {
  queued = { ...queued, ...what };
  send();
};
const send = () => {
  if (waiting || !queued || !value) return;
  const message = { photo: value.photo, serial: ++serial, hints: flatten(), sure: sureness, ...queued };
  queued = null;
  waiting = serial;
  root.setAttribute("aria-busy", "true");
  timer = setTimeout(() => { waiting = 0; root.removeAttribute("aria-busy"); ask({}); }, PATIENCE);
  trigger("submit", message);
};
const show = async () => {
  const next = props.value;
  root.hidden = !next;
  if (!next) { value = null; waiting = 0; queued = null; return; }
  const fresh = value?.photo !== next.photo;
  if (!fresh && next.seen < value.seen) return;
  if (fresh || next.restored) adopt(next);
  value = next;
  if (waiting && waiting <= next.seen) {
    waiting = 0;
    clearTimeout(timer);
    root.removeAttribute("aria-busy");
  }
  const img = Object.assign(new Image(), { src: next.picture });
  await img.decode().catch(() => undefined);
  if (value === next) shown.src = next.picture;
  veil.hidden = !(sureness && next.veil);
  if (next.veil) veil.src = next.veil;
  if (next.likely !== undefined) likely = next.likely;
  if (next.questions) [questions, question, asking] = [next.questions, 0, false];
  if (next.looks) looks = next.looks;
  status.textContent = next.said ?? "";
  if (next.map) window.saveFile(next.map);
  if (next.matches?.length) change(() => next.matches.forEach(({ x, y, ab, css: shade }) => {
    marks.push({ id: ++ids, points: [[x, y]], css: shade, ab, known: false, note: "" });
  }));
  dress();
  send();
};
// Another photo, or work that was loaded: its hints are those that the app has.
const adopt = (next) => {
  [past, future, chosen, pending, likely, questions, looks] = [[], [], null, null, null, [], null];
  if (value?.photo !== next.photo) { serial = next.seen; sureness = false; turn(null); }
  marks = next.hints.map((hint, i) => ({
    id: i + 1, points: [[hint.x, hint.y]], ab: hint.ab, css: next.colours?.[i] ?? "#888888",
    known: hint.known ?? false, note: hint.note ?? "",
  }));
  suggested = next.suggested ?? [];
  view.style.setProperty("--wide", next.width);
  view.style.setProperty("--high", next.height);
  root.style.setProperty("--wide", next.width);
  root.style.setProperty("--high", next.height);
  if (next.named) name(next.named);
};

// --- hints ----------------------------------------------------------------------------------------

const copy = () => marks.map((mark) => ({ ...mark, points: mark.points.map((point) => [...point]) }));
const change = (what) => {
  past.push(copy());
  if (past.length > MOST_PAST) past.shift();
  future = [];
  what();
  settle();
};
const settle = () => {
  if (!marks.some((mark) => mark.id === chosen)) chosen = null;
  dress();
  ask(pending ? { at: pending } : {});
};
const swap = (from, to) => {
  if (!from.length) return;
  to.push(copy());
  marks = from.pop();
  pending = null;
  settle();
};
const current = () => marks.find((mark) => mark.id === chosen);
const full = () => {
  const all = flatten().length >= MOST_HINTS;
  if (all) status.textContent = "These are as many hints as a photo can have. Delete some first.";
  return all;
};
let ids = 1000;
const add = (points) => {
  if (full()) return;
  change(() => {
    const mark = { id: ++ids, points, css, ...colour, known: false, note: "" };
    marks.push(mark);
    chosen = mark.id;
    pending = null;
  });
};
// The colour for what is worked on: the place that was clicked, or the hint that was chosen.
const give = (shade, what) => {
  css = shade;
  colour = what;
  if (shade !== "#808080") recent = [{ css, what }, ...recent.filter((each) => each.css !== css)].slice(0, MOST_RECENT);
  picker.value = css;
  if (pending) return add(region ?? [pending]);
  const mark = current();
  if (!mark) return dress();
  change(() => {
    delete mark.ab;
    delete mark.colour;
    Object.assign(mark, { css, ...what });
  });
};
const drop = () => {
  if (pending) { pending = null; likely = null; return dress(); }
  if (chosen) change(() => { marks = marks.filter((mark) => mark.id !== chosen); });
};

// --- buttons and keys -----------------------------------------------------------------------------

const take = (next) => {
  tool = next;
  pending = null;
  dress();
};
const turn = (name) => {
  root.querySelectorAll("[data-panel]").forEach((button) => {
    const on = button.dataset.panel === name && button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    section(button.dataset.panel).hidden = !on;
  });
  place.hidden = ["ask", "looks"].some((each) => !section(each).hidden);
};
const open = (name) => root.querySelector(`[data-panel=${name}]`).getAttribute("aria-pressed") === "true";
const answer = (shade) => change(() => {
  const { hints } = shade;
  const mark = { id: ++ids, points: hints.map(({ x, y }) => [x, y]), css: shade.swatch, ab: shade.ab, known: false, note: "" };
  marks.push(mark);
  chosen = mark.id;
});
// What was known elsewhere becomes a hint here, or is put away; the app is told which are decided.
const decide = (some, wanted) => {
  suggested = suggested.filter((each) => !some.includes(each));
  queued = { ...queued, decided: [...(queued?.decided ?? []), ...some.map(({ css: _, source, ...hint }) => hint)] };
  if (!wanted || full()) { ask({}); return dress(); }
  change(() => some.forEach(({ x, y, ab, css: shade, note: why, source }) => {
    const mark = { id: ++ids, points: [[x, y]], css: shade, ab, known: true, note: why || `as on ${source}` };
    marks.push(mark);
    chosen = mark.id;
  }));
};
const inquire = () => {
  [questions, asking] = [[], true];
  ask({ ask: true });
  dress();
};
const next = () => {
  question += 1;
  if (question >= questions.length) inquire();
  else dress();
};
const DO = {
  undo: () => swap(past, future),
  redo: () => swap(future, past),
  clear: () => { if (marks.length) change(() => { marks = []; }); },
  delete: drop,
  gray: () => give("#808080", { ab: [0, 0] }),
  sure: () => {
    sureness = !sureness;
    root.querySelector("[data-do=sure]").setAttribute("aria-pressed", String(sureness));
    veil.hidden = true;
    root.querySelector("[data-do=map]").hidden = !sureness;
    ask({});
  },
  map: () => ask({ map: true }),
  match: () => ask({ reference: sheet.toDataURL("image/jpeg", 0.92) }),
  takeAll: () => decide(suggested, true),
  leaveAll: () => decide(suggested, false),
  skip: next,
  other: () => {
    const { x, y, colours } = questions[question];
    turn(null);
    pending = [x, y];
    region = colours[0].hints.map((hint) => [hint.x, hint.y]);
    chosen = null;
    ask({ at: pending });
    dress();
  },
};
root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || !value) return;
  const { tool: other, do: what, panel, likely: number, shade, recent: old, look, answer: reply } = button.dataset;
  if (other) take(other);
  DO[what]?.();
  if (panel) {
    turn(panel);
    pending = null;
    if (panel === "ask" && open("ask")) inquire();
    if (panel === "looks" && open("looks") && !looks) ask({ looks: true });
    dress();
  }
  if (number) give(likely.colours[number].swatch, { ab: likely.colours[number].ab });
  if (shade) give(shade, { colour: shade });
  if (old) give(recent[old].css, recent[old].what);
  const { take: taken, leave: left } = button.dataset;
  if (taken) decide([suggested[taken]], true);
  if (left) decide([suggested[left]], false);
  if (look) ask({ variant: Number(look) });
  if (reply) {
    const chosenShade = questions[question].colours[reply];
    [questions, asking] = [[], true];
    queued = { ...queued, ask: true };
    answer(chosenShade);
  }
});
picker.addEventListener("change", () => give(picker.value, { colour: picker.value }));
const state = () => {
  const mark = current();
  if (mark) change(() => Object.assign(mark, { known: known.checked, note: known.checked ? note.value : "" }));
};
known.addEventListener("change", state);
note.addEventListener("change", state);

const KEYS = {
  p: () => take("point"), b: () => take("stroke"), i: () => take("pick"), u: DO.sure,
  delete: drop, backspace: drop, escape: () => { pending = null; chosen = null; dress(); },
};
const press = (event) => {
  if (!root.isConnected) return document.removeEventListener("keydown", press);
  const typing = event.target.closest?.("input:not([type=range], [type=checkbox]), textarea, select, [contenteditable], [role=listbox]");
  if (!value || typing || event.altKey || !root.checkVisibility()) return;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key !== "z" && key !== "y") return;
    (key === "y" || event.shiftKey ? DO.redo : DO.undo)();
  } else if (KEYS[key]) KEYS[key]();
  else return;
  event.preventDefault();
};
document.addEventListener("keydown", press);

// --- what stands around the picture ---------------------------------------------------------------

const swatch = (shade, data, title, words = "") => {
  const button = Object.assign(document.createElement("button"), { type: "button", title });
  Object.assign(button.dataset, data);
  button.style.setProperty("--shade", shade);
  button.setAttribute("aria-label", title);
  button.append(Object.assign(document.createElement("span"), { textContent: words }));
  return button;
};
const percent = (odds) => (odds >= 0.01 ? `${Math.round(100 * odds)} %` : "< 1 %");
const name = (groups) => {
  place.querySelector(".named div").replaceChildren(...groups.map((group) => {
    const box = document.createElement("div");
    box.className = "swatches";
    const title = Object.assign(document.createElement("h4"), { textContent: group.title });
    box.append(title, ...Object.entries(group.colours).map(([label, shade]) => swatch(shade, { shade }, label, label)));
    return box;
  }));
};
const HOW = {
  point: "Click something in the photo, then choose its colour.",
  stroke: "Choose a colour and draw a line over what has it.",
  pick: "Click where the photo has the colour that you want.",
};
const dress = () => {
  root.querySelectorAll("[data-tool]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  });
  root.querySelector("[data-do=undo]").disabled = !past.length;
  root.querySelector("[data-do=redo]").disabled = !future.length;
  root.querySelector("[data-do=clear]").disabled = !marks.length;
  const mark = current();
  place.querySelector("h3").textContent = pending ? "What colour is this?" : mark ? "This hint" : "Colour";
  place.querySelector(".how").textContent = pending ? "Likely, as the model sees it:" : mark ? "Choose another colour, or drag the hint." : HOW[tool];
  place.querySelector(".likely").replaceChildren(...((pending && likely?.colours) || []).map((each, i) =>
    swatch(each.swatch, { likely: i }, `${each.swatch}, ${percent(each.odds)} likely`, percent(each.odds))));
  place.querySelector(".recent").replaceChildren(...recent.map((each, i) => swatch(each.css, { recent: i }, `Used before: ${each.css}`)));
  place.querySelector("[data-do=delete]").disabled = !mark && !pending;
  place.querySelector(".fact").hidden = !mark;
  if (mark) {
    known.checked = mark.known;
    if (document.activeElement !== note) note.value = mark.note;
    note.hidden = !mark.known;
  }
  dressAlbum();
  dressQuestion();
  dressLooks();
  draw();
};
const dressAlbum = () => {
  const box = section("album");
  box.hidden = !suggested.length;
  box.querySelector("h3").textContent = suggested.length > 1 ? `${suggested.length} colours you know` : "A colour you know";
  box.querySelector("ul").replaceChildren(...suggested.map((each, i) => {
    const item = document.createElement("li");
    const words = Object.assign(document.createElement("span"), { textContent: each.note ? `${each.note} (${each.source})` : each.source });
    const shade = Object.assign(document.createElement("i"), { ariaHidden: "true" });
    shade.style.setProperty("--shade", each.css);
    const make = (data, text) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
      Object.assign(button.dataset, data);
      button.setAttribute("aria-label", `${text}: ${words.textContent}`);
      return button;
    };
    item.append(shade, words, make({ take: i }, "Take"), make({ leave: i }, "Not here"));
    return item;
  }));
};
const dressQuestion = () => {
  const box = section("ask");
  const asked = questions[question];
  box.querySelector("h3").textContent = asked ? "What colour is this?" : asking ? "One moment" : "Nothing to ask";
  box.querySelector(".how").textContent = asked
    ? "The part inside the line. Its answer changes most of what is still open."
    : asking ? "Looking for what is least sure …" : "The colours that are left are fairly sure.";
  box.querySelector(".swatches").replaceChildren(...(asked?.colours ?? []).map((each, i) =>
    swatch(each.swatch, { answer: i }, `${each.swatch}, ${percent(each.odds)} likely`, percent(each.odds))));
  box.querySelector(".moves").hidden = !asked;
};
const dressLooks = () => {
  const box = section("looks");
  box.querySelector(".how").textContent = looks ? (looks.length > 1 ? "Choose one; your hints stay." : "This photo leaves too little choice.") : "Looking for other colourings …";
  box.querySelector(".looks").replaceChildren(...(looks ?? []).map((src, i) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.dataset.look = i;
    button.setAttribute("aria-pressed", String(i === value.variant));
    button.append(Object.assign(new Image(), { src, alt: i ? `Look ${i + 1}` : "The usual look" }));
    return button;
  }));
};
