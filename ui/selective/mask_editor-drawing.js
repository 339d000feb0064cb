// The mask editor's brush, boxes and zoom.
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
  const reach = what.radius + 2 * LINE; // outlines change beside it
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
// Points that tell nothing new are left out; a very long stroke goes to the app in parts.
const extend = (points) => {
  if (!stroke) return;
  if (stroke.box) {
    stroke.box = [...stroke.box.slice(0, 2), ...points.at(-1)];
    return follow();
  }
  const from = stroke.points.length;
  const least = Math.max(0.5, stroke.radius / 10);
  for (const [x, y] of points) {
    const last = stroke.points.at(-1);
    if (Math.hypot(x - last[0], y - last[1]) >= least) stroke.points.push([x, y]);
  }
  if (stroke.points.length > from) follow(from);
  if (stroke.points.length < MOST_POINTS) return;
  const last = stroke.points.at(-1);
  finish();
  begin(last);
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

ring.hidden = true;
take("paint");
watch("value", show);
show();
