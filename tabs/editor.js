// The mask editor. The picture is put together here: every pixel is mixed, in linear light, from
// the photo filled in each way and one mask a region. A stroke shows at once in the mask's canvas;
// its points go to the app, which answers with the mask that it has made of them.
const root = element.querySelector(".editor");
const view = root.querySelector(".view");
const sheet = root.querySelector(".sheet");
const canvas = root.querySelector("canvas");
const marks = root.querySelector(".marks");
const ring = root.querySelector(".ring");
const chips = root.querySelector(".chips");
const size = root.querySelector(".size input");
const status = root.querySelector("[role=status]");
const screen = canvas.getContext("2d");
const SVG = "http://www.w3.org/2000/svg";
const MOST_ZOOM = 16;
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

// --- putting the picture together -----------------------------------------------------------------

const LINEAR = Float32Array.from({ length: 256 }, (_, level) => {
  const c = level / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
});
const FINE = 16383;
const ENCODED = Uint8Array.from({ length: FINE + 1 }, (_, i) => {
  const c = i / FINE;
  return Math.round(255 * (c <= 0.0031308 ? c * 12.92 : 1.055 * c ** (1 / 2.4) - 0.055));
});
const mixed = (inside, outside, share) =>
  ENCODED[((LINEAR[outside] + (LINEAR[inside] - LINEAR[outside]) * share) * FINE + 0.5) | 0];

const compose = (x = 0, y = 0, right = canvas.width, bottom = canvas.height) => {
  const left = Math.max(0, Math.floor(x));
  const top = Math.max(0, Math.floor(y));
  const wide = Math.min(canvas.width, Math.ceil(right)) - left;
  const high = Math.min(canvas.height, Math.ceil(bottom)) - top;
  if (!around || wide <= 0 || high <= 0) return;
  const part = screen.createImageData(wide, high);
  const out = part.data;
  for (let row = 0; row < high; row++) {
    const from = ((top + row) * canvas.width + left) * 4;
    out.set(around.subarray(from, from + wide * 4), row * wide * 4);
  }
  regions.forEach((region) => {
    const mask = region.context.getImageData(left, top, wide, high).data;
    for (let i = 3; i < out.length; i += 4) {
      const cover = mask[i];
      if (!cover) continue;
      const row = Math.floor(i / 4 / wide);
      const at = ((top + row) * canvas.width + left) * 4 + i - row * wide * 4;
      for (let c = 3; c > 0; c--) {
        const inside = region.picture[at - c];
        out[i - c] = cover === 255 ? inside : mixed(inside, out[i - c], cover / 255);
      }
    }
  });
  if (tinted()) regions.forEach((region) => tint(region, out, left, top, wide, high));
  screen.putImageData(part, left, top);
};

const tinted = () => root.querySelector("[data-do=tint]").getAttribute("aria-pressed") === "true";
const tint = (region, out, left, top, wide, high) => {
  const mask = region.context.getImageData(left, top, wide, high).data;
  const colour = [1, 3, 5].map((i) => parseInt(region.tint.slice(i, i + 2), 16));
  for (let i = 3; i < out.length; i += 4) {
    const share = (mask[i] / 255) * 0.55;
    for (let c = 0; share && c < 3; c++) out[i - 3 + c] += (colour[c] - out[i - 3 + c]) * share;
  }
};

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

// --- drawing --------------------------------------------------------------------------------------

const radius = () => 1.5 * (Math.max(canvas.width, canvas.height) / 9) ** (size.value / 100);
const PAINTS = { paint: "source-over", erase: "destination-out" };

// A stroke of the brush or eraser into the mask, from its point number `from`; what it covers.
const lay = (what, from = 0) => {
  const region = regions[shown.active];
  if (!region || !(what.kind in PAINTS)) return null;
  const { context } = region;
  const points = what.points.slice(Math.max(0, from - 1));
  context.globalCompositeOperation = PAINTS[what.kind];
  Object.assign(context, { lineCap: "round", lineJoin: "round", lineWidth: 2 * what.radius });
  context.strokeStyle = "#fff";
  context.beginPath();
  points.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x + 0.5, y + 0.5));
  if (points.length === 1) context.lineTo(points[0][0] + 0.5, points[0][1] + 0.5);
  context.stroke();
  context.globalCompositeOperation = "source-over";
  const reach = what.radius + 2;
  const span = (axis) => points.map((point) => point[axis]);
  return [
    Math.min(...span(0)) - reach, Math.min(...span(1)) - reach,
    Math.max(...span(0)) + reach, Math.max(...span(1)) + reach,
  ];
};

const begin = (point) => {
  if (!around) return;
  stroke = tool === "box"
    ? { kind: "box", box: [...point, ...point] }
    : { kind: tool, points: [point], radius: tool in PAINTS ? radius() : Math.max(1.5, radius() / 3) };
  follow();
};
const extend = (points) => {
  if (!stroke) return;
  if (stroke.box) stroke.box = [...stroke.box.slice(0, 2), ...points.at(-1)];
  const from = stroke.points?.push(...points) - points.length;
  follow(from);
};
const follow = (from = 0) => {
  const covered = lay(stroke, from);
  if (covered) compose(...covered);
  else draw();
};
const finish = () => {
  if (!stroke) return;
  const { kind, box, points, radius: reach } = stroke;
  stroke = null;
  const round = (point) => point.map((v) => Math.round(v * 10) / 10);
  if (box) edit({ kind, box: round(box) });
  else edit({ kind, points: points.map(round), radius: reach });
  if (!edits.length) draw();
};
const abandon = () => {
  if (!stroke) return;
  stroke = null;
  restore(regions[shown.active]);
  edits.forEach((each) => lay(each));
  compose();
  draw();
};

// Boxes and strokes that select, drawn over the picture.
const draw = () => {
  const own = [...edits, stroke].filter((each) => each && !(each.kind in PAINTS));
  const box = own.findLast((each) => each.box)?.box ?? shown?.marks.box;
  const strokes = own.some((each) => each.box) ? [] : shown?.marks.strokes ?? [];
  marks.replaceChildren();
  if (!shown || tool in PAINTS) return;
  if (box) {
    const [x, y] = [Math.min(box[0], box[2]), Math.min(box[1], box[3])];
    const [width, height] = [Math.abs(box[2] - box[0]), Math.abs(box[3] - box[1])];
    put("rect", { x, y, width, height, class: "box" });
  }
  for (const each of [...strokes, ...own.filter((one) => one.points)]) {
    const places = each.points.length > 1 ? each.points : [each.points[0], each.points[0]];
    const points = places.map(([x, y]) => `${x + 0.5},${y + 0.5}`).join(" ");
    put("polyline", { points, class: each.kind, "stroke-width": 2 * each.radius });
  }
};
const put = (name, attributes) => {
  const shape = marks.appendChild(document.createElementNS(SVG, name));
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
};

// --- mouse, finger, pen ---------------------------------------------------------------------------

const at = (event) => {
  const box = canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.left) / box.width) * canvas.width - 0.5,
    ((event.clientY - box.top) / box.height) * canvas.height - 0.5,
  ];
};
const fingers = new Map(); // id -> where it is in the view, in shares of it
const within = (event) => {
  const box = view.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};
let moving = false; // two fingers, or the middle button: the picture and not the brush

canvas.addEventListener("pointerdown", (event) => {
  if (event.button > 1 || !shown) return;
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, within(event));
  moving = fingers.size > 1 || event.button === 1;
  if (moving) abandon();
  else begin(at(event));
  if (event.button === 1) event.preventDefault();
});
canvas.addEventListener("pointermove", (event) => {
  point(at(event), event.pointerType !== "touch");
  if (!fingers.has(event.pointerId)) return;
  if (moving) return drag(event);
  const all = event.getCoalescedEvents?.() ?? [];
  extend((all.length ? all : [event]).map(at));
});
const lift = (event) => {
  if (!fingers.delete(event.pointerId)) return;
  if (moving || event.type === "pointercancel") abandon();
  else finish();
  moving = moving && fingers.size > 0;
};
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);
canvas.addEventListener("pointerleave", () => { ring.hidden = true; });

const drag = (event) => {
  const before = fingers.get(event.pointerId);
  const now = within(event);
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  if (other) {
    const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    zoomAt(apart(now) / Math.max(0.01, apart(before)), ...other);
  } else move(before[0] - now[0], before[1] - now[1]);
  fingers.set(event.pointerId, now);
};

// The ring shows how large the brush is, and where.
const point = (where, seen = true) => {
  brush = where;
  const wide = 100 / canvas.width;
  ring.hidden = !seen || tool === "box";
  ring.style.width = `${2 * (tool in PAINTS ? radius() : Math.max(1.5, radius() / 3)) * wide}%`;
  ring.style.left = `${(where[0] + 0.5) * wide}%`;
  ring.style.top = `${((where[1] + 0.5) * 100) / canvas.height}%`;
};
const resize = () => {
  size.setAttribute("aria-valuetext", `${Math.round(2 * radius())} pixels`);
  if (brush) point(brush, !ring.hidden);
};
size.addEventListener("input", () => {
  resize();
  point([...seenMiddle()]);
});
const seenMiddle = () => [
  (place.x + 0.5 / place.zoom) * canvas.width, (place.y + 0.5 / place.zoom) * canvas.height,
];
size.addEventListener("change", () => { ring.hidden = true; });

// --- looking closely ------------------------------------------------------------------------------

const look = (x, y, zoom) => {
  const most = 1 - 1 / zoom;
  place = { x: Math.min(most, Math.max(0, x)), y: Math.min(most, Math.max(0, y)), zoom };
  for (const [name, value] of Object.entries(place)) root.style.setProperty(`--${name}`, value);
};
// The point (u, v) of what is seen stays where it is.
const zoomAt = (factor, u = 0.5, v = 0.5) => {
  const zoom = Math.min(MOST_ZOOM, Math.max(1, place.zoom * factor));
  const gain = 1 / place.zoom - 1 / zoom;
  look(place.x + u * gain, place.y + v * gain, zoom);
};
const move = (u, v) => look(place.x + u / place.zoom, place.y + v / place.zoom, place.zoom);
view.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && place.zoom === 1) return; // the page scrolls
  event.preventDefault();
  if (event.ctrlKey) zoomAt(Math.exp(-event.deltaY * 0.01), ...within(event));
  else move(event.deltaX / view.clientWidth, event.deltaY / view.clientHeight);
}, { passive: false });

// --- buttons and keys -----------------------------------------------------------------------------

const take = (name) => {
  tool = name;
  root.querySelectorAll("[data-tool]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
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

ring.hidden = true;
take("paint");
watch("value", show);
show();
