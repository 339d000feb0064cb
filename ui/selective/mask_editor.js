// The mask editor. The picture is put together here: every pixel is mixed, in linear light, from
// the photo filled in each way and one mask a region. A stroke shows at once in the mask's canvas;
// its points go to the app, which answers with the mask that it has made of them. How it is mixed
// and drawn is in editor-mixing.js and editor-drawing.js, which are put behind this.
const root = element.querySelector(".editor");
const view = root.querySelector(".view");
const sheet = root.querySelector(".sheet");
const canvas = root.querySelector("canvas");
const marks = root.querySelector(".marks");
const ring = root.querySelector(".ring");
const chips = root.querySelector(".chips");
const size = root.querySelector(".size input");
const hint = root.querySelector(".hint");
const status = root.querySelector("[role=status]");
const screen = canvas.getContext("2d");
const SVG = "http://www.w3.org/2000/svg";
const LINE = 2; // pixels of an outline
const MOST_ZOOM = 16;
const MOST_POINTS = 4000; // of a stroke, fewer than ui/selective/mask_edits.py allows
const HINTS = {
  paint: "Brush: paint colour into the picture.",
  erase: "Eraser: rub colour out.",
  box: "Object: draw a box around something, and it is selected.",
  keep: "Keep: draw a line over what else belongs to the object.",
  drop: "Drop: draw a line over what does not belong to it.",
};
const PATIENCE = 20000; // milliseconds after which edits without an answer are sent again

let shown = null; // the value on the canvas
let around = null; // its pixels where no region is
let regions = []; // {tint, picture: pixels, mask: canvas, context} of each
let tool = "paint";
let stroke = null; // the edit that is being drawn
let edits = []; // those that the app has not answered
let serial = 0;
let waiting = 0; // the serial of the last edit that was sent, 0 when all are answered
let timer;
let place = { x: 0, y: 0, zoom: 1 };
let brush = null; // where it is, in pixels of the mask

// --- what the app sends ---------------------------------------------------------------------------

const kept = new Map(); // address -> what was made of it, while it is in use
const load = (file, make) => {
  if (!kept.has(file.url)) {
    const img = Object.assign(new Image(), { src: file.url });
    kept.set(file.url, img.decode().then(() => make(img)));
  }
  return kept.get(file.url);
};
const drawn = (img) => {
  const own = Object.assign(document.createElement("canvas"), { width: img.width, height: img.height });
  const context = own.getContext("2d", { willReadFrequently: true });
  context.drawImage(img, 0, 0);
  return context;
};
const pixels = (img) => drawn(img).getImageData(0, 0, img.width, img.height).data;

const files = (value) =>
  [value.around, ...value.regions.flatMap((region) => [region.picture, region.mask])].filter(Boolean);

let latest = 0;
const show = async () => {
  const { value } = props;
  root.hidden = !value;
  if (!value) return forget();
  const same = shown?.photo === value.photo;
  if (same && value.version < shown.version) return; // a later one was quicker
  const own = ++latest;
  try {
    const base = value.around && (await load(value.around, pixels));
    const made = await Promise.all(value.regions.map(async (region) => ({
      ...region,
      picture: region.picture ? await load(region.picture, pixels) : base,
      image: await load(region.mask, (img) => img),
    })));
    if (own === latest) adopt(value, base, made, same);
  } catch {
    if (own === latest) status.textContent = "The picture is no longer here: add the photo again.";
  }
};

const adopt = (value, base, made, same) => {
  if (!same) fresh(value);
  shown = value;
  around = base;
  regions = made.map((region, i) => {
    const old = regions[i]?.context;
    const context = old?.canvas.width === value.width && old.canvas.height === value.height
      ? old : drawn(Object.assign(document.createElement("canvas"), { width: value.width, height: value.height }));
    return { ...region, context };
  });
  edits = edits.filter((edit) => edit.serial > value.seen);
  if (waiting && waiting <= value.seen) answered();
  regions.forEach(restore);
  [...edits, stroke].forEach((edit) => edit && lay(edit));
  compose();
  dress();
  for (const url of kept.keys()) if (!files(value).some((file) => file.url === url)) kept.delete(url);
  send();
};
// The mask as the app has it.
const restore = ({ context, image }) => {
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
};
const fresh = (value) => {
  forget();
  serial = value.seen;
  canvas.width = value.width;
  canvas.height = value.height;
  root.style.setProperty("--wide", value.width);
  root.style.setProperty("--high", value.height);
  marks.setAttribute("viewBox", `0 0 ${value.width} ${value.height}`);
  brush = [value.width / 2, value.height / 2];
  look(0, 0, 1);
  resize();
};
const forget = () => {
  [shown, around, regions, edits, stroke] = [null, null, [], [], null];
  answered();
};

// --- what the app is sent -------------------------------------------------------------------------

const answered = () => {
  waiting = 0;
  clearTimeout(timer);
  root.removeAttribute("aria-busy");
};
// One message is on its way at a time, so that strokes keep their order.
const send = () => {
  if (waiting || !edits.length) return;
  waiting = edits.at(-1).serial;
  root.setAttribute("aria-busy", "true");
  timer = setTimeout(() => { waiting = 0; send(); }, PATIENCE);
  trigger("submit", { photo: shown.photo, edits });
};
const edit = (what) => {
  edits.push({ ...what, serial: ++serial });
  send();
};

// --- buttons and keys -----------------------------------------------------------------------------

const take = (name) => {
  tool = name;
  root.querySelectorAll("[data-tool]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    if (button.dataset.tool === tool) hint.textContent = HINTS[tool];
  });
  canvas.style.cursor = tool === "box" ? "crosshair" : "none";
  if (shown) resize();
  draw();
};
const DO = {
  tint: () => {
    const button = root.querySelector("[data-do=tint]");
    button.setAttribute("aria-pressed", String(!tinted()));
    compose();
  },
  in: () => zoomAt(1.5),
  out: () => zoomAt(1 / 1.5),
};
const wider = (by) => {
  size.value = Number(size.value) + by;
  resize();
};
root.addEventListener("click", (event) => {
  const { tool: name, edit: kind, do: what, key } = event.target.closest("button")?.dataset ?? {};
  if (name) take(name);
  if (kind && shown) edit(key ? { kind, key: Number(key) } : { kind });
  DO[what]?.();
});

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const step = (event) => {
  const [x, y] = STEPS[event.key];
  const length = event.shiftKey ? 1 : Math.max(2, radius() / 2);
  point([
    Math.min(canvas.width - 1, Math.max(0, brush[0] + x * length)),
    Math.min(canvas.height - 1, Math.max(0, brush[1] + y * length)),
  ]);
  extend([brush]);
};
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !shown) return;
  if (event.key in STEPS) step(event);
  else if (event.key === " " && !event.repeat) stroke ? finish() : begin(brush);
  else if (event.key === "Escape") abandon();
  else return;
  event.preventDefault();
});
canvas.addEventListener("focus", () => { if (shown && canvas.matches(":focus-visible")) point(brush); });
canvas.addEventListener("blur", () => {
  finish();
  ring.hidden = true;
});

const KEYS = {
  b: () => take("paint"), e: () => take("erase"), x: () => take("box"), k: () => take("keep"),
  d: () => take("drop"), m: DO.tint, "[": () => wider(-6), "]": () => wider(6),
  "+": DO.in, "=": DO.in, "-": DO.out, 0: () => look(0, 0, 1),
};
const press = (event) => {
  if (!root.isConnected) return document.removeEventListener("keydown", press);
  const typing = event.target.closest?.("input:not([type=range]), textarea, select, [contenteditable], [role=listbox]");
  if (!shown || typing || event.altKey || !root.checkVisibility()) return;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key !== "z" && key !== "y") return;
    edit({ kind: key === "y" || event.shiftKey ? "redo" : "undo" });
  } else if (KEYS[key]) KEYS[key]();
  else return;
  event.preventDefault();
};
document.addEventListener("keydown", press);

// --- what stands around the picture ---------------------------------------------------------------

const dress = () => {
  status.textContent = shown.words;
  canvas.setAttribute("aria-label", `The photo, coloured inside the mask. ${shown.words}`);
  root.querySelector("[data-edit=undo]").disabled = !shown.undo;
  root.querySelector("[data-edit=redo]").disabled = !shown.redo;
  const some = shown.regions.map((region, i) => chip(region, i === shown.active));
  const more = Object.assign(document.createElement("button"), {
    type: "button", className: "more", textContent: "+", title: "Another region", disabled: shown.full,
  });
  more.dataset.edit = "add";
  more.setAttribute("aria-label", "Another region");
  const held = document.activeElement?.closest(".chips button")?.dataset;
  chips.replaceChildren(...some, more);
  if (held) [...chips.querySelectorAll("button")].find((b) => b.dataset.key === held.key && b.dataset.edit === held.edit)?.focus();
  chips.scrollLeft = some[shown.active].offsetLeft - chips.offsetLeft - 8;
  draw();
};
const chip = (region, active) => {
  const item = Object.assign(document.createElement("span"), { className: "chip" });
  item.style.setProperty("--tint", region.tint);
  const pick = Object.assign(document.createElement("button"), { type: "button", textContent: region.title });
  Object.assign(pick.dataset, { edit: "pick", key: region.key });
  pick.setAttribute("aria-pressed", String(active));
  item.append(pick);
  if (shown.regions.length > 1) {
    const away = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    Object.assign(away.dataset, { edit: "remove", key: region.key });
    away.setAttribute("aria-label", `Remove ${region.title}`);
    item.append(away);
  }
  return item;
};
