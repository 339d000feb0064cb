// What is on the picture of the hint editor: pins, strokes, the region that is asked about; mouse,
// touch and keys.
const SVG = "http://www.w3.org/2000/svg";
const SPACING = 0.03; // between two points of a stroke, of the photo's longer side
const NEAR = 3; // pixels that a pin has to be moved to count as moved

let line = null; // the points of the stroke that is being drawn
let dragged = null; // {mark, from, points}
let at = [0.5, 0.5]; // of the cross

const where = (event) => {
  const box = pins.getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
};
const apart = ([x, y], [u, v]) => {
  const { width, height } = value;
  return Math.hypot((x - u) * width, (y - v) * height) / Math.max(width, height);
};
const shape = (kind, attributes) => {
  const made = document.createElementNS(SVG, kind);
  for (const [key, each] of Object.entries(attributes)) made.setAttribute(key, each);
  return made;
};
const path = (points) => points.map(([x, y]) => `${x * 100},${y * 100}`).join(" ");
const draw = () => {
  if (!value) return;
  lines.setAttribute("viewBox", "0 0 100 100");
  const strokes = marks.filter((mark) => mark.drawn); // answers have several points, too
  const asked = open("ask") ? questions[question] : null;
  lines.replaceChildren(
    ...(asked ? [shape("polygon", { points: path(asked.outline), class: "asked" })] : []),
    ...(line ? [shape("polyline", { points: path(line), class: "stroke", stroke: css })] : []),
    ...strokes.map((mark) => shape("polyline", { points: path(mark.points), class: "stroke", stroke: mark.css })),
  );
  const held = document.activeElement?.dataset?.mark;
  pins.replaceChildren(...suggested.map(guess), ...marks.map(pin), ...(pending ? [spot(pending)] : []));
  if (held) pins.querySelector(`[data-mark="${held}"]`)?.focus();
  pins.style.cursor = "crosshair";
  pins.style.touchAction = tool === "stroke" ? "none" : "manipulation";
};
const set = (item, [x, y]) => {
  item.style.left = `${x * 100}%`;
  item.style.top = `${y * 100}%`;
  return item;
};
const pin = (mark) => {
  const item = Object.assign(document.createElement("button"), { type: "button", className: mark.known ? "pin known" : "pin" });
  const [x, y] = mark.points[0];
  item.dataset.mark = mark.id;
  item.style.setProperty("--shade", mark.css);
  item.setAttribute("aria-pressed", String(mark.id === chosen));
  item.setAttribute("aria-label", `Hint ${mark.css}, ${Math.round(x * 100)} % from the left, ${Math.round(y * 100)} % from the top${mark.known ? ", known" : ""}`);
  return set(item, mark.points[0]);
};
const guess = (hint) => {
  const item = Object.assign(document.createElement("span"), { className: "guess" });
  item.style.setProperty("--shade", hint.css);
  return set(item, [hint.x, hint.y]);
};
const spot = (place) => set(Object.assign(document.createElement("span"), { className: "spot" }), place);

const choose = (id) => {
  chosen = id;
  pending = null;
  ["ask", "looks"].forEach((each) => { if (open(each)) turn(each); });
  dress();
};
const touch = (place) => {
  if (tool === "pick") return lift(shown, place);
  pending = place;
  region = null;
  chosen = null;
  likely = null;
  ["ask", "looks"].forEach((each) => { if (open(each)) turn(each); });
  ask({ at: place });
  dress();
};
// The colour that a picture has at a place.
const lift = (source, [x, y]) => {
  const own = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const [wide, high] = [source.naturalWidth ?? source.width, source.naturalHeight ?? source.height];
  const context = own.getContext("2d");
  context.drawImage(source, Math.min(wide - 1, Math.floor(x * wide)), Math.min(high - 1, Math.floor(y * high)), 1, 1, 0, 0, 1, 1);
  const shade = `#${[...context.getImageData(0, 0, 1, 1).data.slice(0, 3)].map((each) => each.toString(16).padStart(2, "0")).join("")}`;
  give(shade, { colour: shade });
  if (tool === "pick") take("point");
};

pins.addEventListener("pointerdown", (event) => {
  if (event.button || !value) return;
  const id = Number(event.target.closest(".pin")?.dataset.mark);
  if (id) {
    dragged = { mark: marks.find((mark) => mark.id === id), from: where(event), start: [event.clientX, event.clientY], moved: false };
    pins.setPointerCapture(event.pointerId);
  } else if (tool === "stroke") {
    line = [where(event)];
    pins.setPointerCapture(event.pointerId);
  }
});
pins.addEventListener("pointermove", (event) => {
  if (line) {
    const point = where(event);
    if (apart(point, line.at(-1)) >= SPACING) { line.push(point); draw(); }
  } else if (dragged) {
    const { start, mark, from } = dragged;
    if (!dragged.moved && Math.hypot(event.clientX - start[0], event.clientY - start[1]) < NEAR) return;
    if (!dragged.moved) dragged = { ...dragged, moved: true, before: copy(), points: mark.points };
    const [x, y] = where(event);
    mark.points = dragged.points.map(([u, v]) => [clamp(u + x - from[0]), clamp(v + y - from[1])]);
    draw();
  }
});
pins.addEventListener("pointerup", (event) => {
  if (line) {
    const points = line;
    line = null;
    if (points.length > 1) {
      add(points);
      const mark = current();
      if (mark) mark.drawn = true;
      draw();
    } else add(points);
  } else if (dragged?.moved) {
    past.push(dragged.before);
    future = [];
    chosen = dragged.mark.id;
    dragged = null;
    settle();
  } else if (dragged) {
    const { id } = dragged.mark;
    dragged = null;
    choose(id);
  } else if (!event.button && value) touch(where(event));
});
pins.addEventListener("pointercancel", () => {
  line = null;
  if (dragged?.moved) marks = dragged.before;
  dragged = null;
  draw();
});

// Keys: a cross that is moved, and pins that can be moved when they have the focus.
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
pins.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !value) return;
  const id = Number(event.target.dataset?.mark);
  const length = event.shiftKey ? 0.005 : 0.02;
  if (event.key in STEPS) {
    const [x, y] = STEPS[event.key].map((each) => each * length);
    if (id) change(() => { const mark = marks.find((each) => each.id === id); mark.points = mark.points.map(([u, v]) => [clamp(u + x), clamp(v + y)]); });
    else { at = [clamp(at[0] + x), clamp(at[1] + y)]; set(cross, at).hidden = false; }
  } else if (event.key === "Enter" || event.key === " ") {
    if (id) choose(id);
    else touch(at);
  } else return;
  event.preventDefault();
});
pins.addEventListener("focus", () => { if (pins.matches(":focus-visible")) set(cross, at).hidden = false; });
pins.addEventListener("blur", () => { cross.hidden = true; });

const file = root.querySelector(".elsewhere input");
const sheet = root.querySelector(".elsewhere canvas");
file.addEventListener("change", async () => {
  const picture = file.files[0] && await createImageBitmap(file.files[0]).catch(() => null);
  sheet.hidden = !picture;
  root.querySelector("[data-do=match]").hidden = !picture;
  if (!picture) { status.textContent = "This browser cannot show that file: save it as JPEG."; return; }
  const scale = Math.min(1, 640 / Math.max(picture.width, picture.height));
  sheet.width = Math.max(1, Math.round(picture.width * scale));
  sheet.height = Math.max(1, Math.round(picture.height * scale));
  sheet.getContext("2d").drawImage(picture, 0, 0, sheet.width, sheet.height);
});
sheet.addEventListener("click", (event) => {
  const box = sheet.getBoundingClientRect();
  lift(sheet, [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
});

watch("value", show);
show();
