// Points with names that do not touch one another. The app sends places from 0 to 1; what depends on
// the width of the page is worked out here, anew whenever it changes.
const root = element.querySelector(".scatter");
const svg = root.querySelector("svg");
const plot = root.querySelector(".plot");
const numbers = root.querySelector(".numbers");
const SIZE = 5; // radius of a point
const GAP = 3; // between a name and anything else
const ORDERS = 24; // in which names are tried to be placed
const NEAR = 26; // as far from a point, the mouse still means it
let points = []; // { x, y, box, group, value }, in pixels
let drawn = 0; // the width that they are for
let current = 0; // which of them the Tab key reaches

const draw = (tag, attributes = {}, text = "") => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
};

// --- geometry; a box is { x, y, w, h } ---

const touch = (a, b, gap = GAP) =>
  a.x < b.x + b.w + gap && b.x < a.x + a.w + gap && a.y < b.y + b.h + gap && b.y < a.y + a.h + gap;
const spot = ({ x, y }) => ({ x: x - SIZE, y: y - SIZE, w: 2 * SIZE, h: 2 * SIZE });
const nearest = (box, { x, y }) =>
  ({ x: Math.min(Math.max(x, box.x), box.x + box.w), y: Math.min(Math.max(y, box.y), box.y + box.h) });
const away = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
const side = (a, b, c) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
const cross = ([a, b], [c, d]) =>
  side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
// Whether a line crosses a box, or passes over a point.
const through = (line, { x, y, w, h }) =>
  cross(line, [{ x, y }, { x: x + w, y: y + h }]) || cross(line, [{ x: x + w, y }, { x, y: y + h }]);
const over = ([a, b], point) => {
  const long = away(a, b) ** 2 || 1;
  const at = ((point.x - a.x) * (b.x - a.x) + (point.y - a.y) * (b.y - a.y)) / long;
  const near = Math.min(1, Math.max(0, at));
  return away(point, { x: a.x + near * (b.x - a.x), y: a.y + near * (b.y - a.y) }) < SIZE + 1;
};
const leader = (point, box) => [point, nearest(box, point)];

// --- names ---

// Where a name may stand: around its point, right of it first, nearer first.
const around = (point) => {
  const places = [];
  for (const r of [9, 14, 22, 32, 46, 62, 82, 106, 134]) {
    for (let i = 0; i < 24; i++) {
      const turn = (i % 2 ? -1 : 1) * Math.ceil(i / 2) * Math.PI / 12;
      const { w, h } = point.box;
      const x = point.x + Math.cos(turn) * (r + w / 2) - w / 2;
      const y = point.y + Math.sin(turn) * (r + h / 2) - h / 2;
      const box = { x, y, w, h };
      places.push({ ...box, line: leader(point, box), bad: r + i / 6 });
    }
  }
  return places;
};

// What is bad about a place by itself: to cover something, or a line over another point.
const alone = (point, place, area, taken) => {
  const inside = place.x >= area.x && place.y >= area.y && place.x + place.w <= area.x + area.w && place.y + place.h <= area.y + area.h;
  let sum = inside ? 0 : 5000;
  for (const each of taken) if (touch(place, each, each.thin ? 0 : GAP)) sum += each.thin ? 40 : 1000;
  for (const each of points) {
    if (touch(place, spot(each), 1)) sum += 1000;
    if (each !== point && over(place.line, each)) sum += 200;
  }
  return sum;
};

// What is bad about two places together.
const beside = (a, b) =>
  (touch(a, b) ? 2000 : 0) + (through(a.line, b) || through(b.line, a) ? 120 : 0) + (cross(a.line, b.line) ? 120 : 0);

// The best of a point's places, which stand in the order of how bad they are alone.
const best = (point, others) => {
  let found = null;
  let least = Infinity;
  for (const each of point.places) {
    if (each.bad >= least) break;
    let bad = each.bad;
    for (const other of others) if (bad < least) bad += beside(each, other);
    if (bad < least) [found, least] = [each, bad];
  }
  return found;
};

// One name after the other, then again as long as it helps. Gives how bad it is in the end.
const place = (order) => {
  const set = new Map();
  for (let round = 0, moved = true; round < 8 && moved; round++) {
    moved = false;
    for (const point of order) {
      const before = set.get(point);
      set.delete(point);
      const found = best(point, [...set.values()]);
      set.set(point, found);
      moved ||= found !== before;
    }
  }
  const all = [...set.values()];
  const bad = all.reduce((sum, a, i) => all.slice(0, i).reduce((more, b) => more + beside(a, b), sum + a.bad), 0);
  return { bad, set };
};

// The best of what many orders lead to: the points as they are met going in ORDERS directions.
const placeAll = (area, taken) => {
  for (const point of points) {
    point.places = around(point);
    for (const each of point.places) each.bad += alone(point, each, area, taken);
    point.places.sort((a, b) => a.bad - b.bad);
  }
  const tries = Array.from({ length: ORDERS }, (_, i) => {
    const [across, down] = [Math.cos(2 * Math.PI * i / ORDERS), Math.sin(2 * Math.PI * i / ORDERS)];
    const met = ({ x, y }) => x * across + y * down;
    return place([...points].sort((a, b) => met(a) - met(b)));
  });
  const { set } = tries.reduce((a, b) => (b.bad < a.bad ? b : a));
  for (const point of points) point.box = set.get(point);
};

// --- what is drawn ---

const axes = ({ x, y }, area) => {
  const bottom = area.y + area.h;
  for (const { at, text } of y.ticks) {
    const level = bottom - at * area.h;
    svg.append(draw("line", { class: "rule", x1: area.x, x2: area.x + area.w, y1: level, y2: level }));
    svg.append(draw("text", { class: "tick", x: area.x - 7, y: level + 4, "text-anchor": "end" }, text));
  }
  for (const { at, text } of x.ticks) {
    const across = area.x + at * area.w;
    svg.append(draw("line", { class: "rule", x1: across, x2: across, y1: area.y, y2: bottom }));
    svg.append(draw("text", { class: "tick", x: across, y: bottom + 16, "text-anchor": "middle" }, text));
  }
  const named = ({ title, hint }) => (hint ? `${title} (${hint})` : title);
  svg.append(draw("text", { class: "axis", x: 0, y: 12 }, named(y)));
  svg.append(draw("text", { class: "axis", x: area.x + area.w, y: bottom + 36, "text-anchor": "end" }, named(x)));
};

// Words on the plane itself; gives their box.
const write = (words, x, y, anchor) => {
  const text = draw("text", { class: "tick", x, y, "text-anchor": anchor }, words);
  svg.append(text);
  const { x: left, y: top, width, height } = text.getBBox();
  return { x: left, y: top, w: width, h: height };
};

// Levels and what is worse beyond them. Gives what names should stay away from.
const levels = (lines, area) => lines.flatMap(({ axis, at, title, beyond, worse }) => {
  const x = area.x + at * area.w;
  const y = area.y + (1 - at) * area.h;
  const bottom = area.y + area.h;
  const taken = [];
  if (beyond) {
    const [top, end] = beyond === "above" ? [area.y, y] : [y, bottom];
    svg.append(draw("rect", { class: "worse", x: area.x, width: area.w, y: top, height: end - top }));
    taken.push(write(worse, area.x + 8, beyond === "above" ? area.y + 16 : bottom - 8, "start"));
  }
  const upright = axis === "x";
  const ends = upright ? { x1: x, x2: x, y1: area.y, y2: bottom } : { x1: area.x, x2: area.x + area.w, y1: y, y2: y };
  svg.append(draw("line", { class: "level", ...ends }));
  taken.push(upright ? write(title, x - 6, bottom - 8, "end") : write(title, area.x + area.w - 6, y - 6, "end"));
  taken.push({ x: ends.x1, y: ends.y1, w: ends.x2 - ends.x1, h: ends.y2 - ends.y1, thin: true });
  return taken;
});

const mark = (point, i) => {
  const { title, kind, words } = point.value;
  const group = draw("g", { class: `point ${kind}`, role: "img", tabindex: i === current ? 0 : -1, "aria-label": `${title}: ${words.join(", ")}` });
  const end = nearest(point.box, point);
  if (away(point, end) > SIZE + 6) group.append(draw("line", { class: "leader", x1: point.x, y1: point.y, x2: end.x, y2: end.y }));
  group.append(draw("circle", { cx: point.x, cy: point.y, r: SIZE }));
  group.append(draw("text", { x: point.box.x, y: point.box.y + point.box.h * 0.78 }, title));
  group.addEventListener("focus", () => tell(point));
  group.addEventListener("blur", hush);
  group.addEventListener("keydown", walk);
  point.group = group;
  svg.append(group);
};

const layOut = () => {
  const value = props.value;
  root.hidden = !value?.points.length;
  const width = Math.floor(plot.clientWidth); // 0 in a tab that is not open
  if (!width) return;
  drawn = width;
  const focused = svg.contains(document.activeElement);
  const height = width < 600 ? 480 : 440;
  const area = { x: 44, y: 26, w: width - 48, h: height - 70 };
  hush();
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  svg.setAttribute("aria-label", `${value.title}. Arrow keys go from point to point.`);
  root.querySelector("figcaption").textContent = value.title;
  const taken = levels(value.lines, area);
  axes(value.axes, area);
  points = value.points.map((each) => {
    const name = draw("text", { class: "name" }, each.title);
    svg.append(name);
    const { width: w, height: h } = name.getBBox();
    name.remove();
    const at = (fractions) => area.x + fractions[0] * area.w;
    return { x: at(each.x), y: area.y + (1 - each.y[0]) * area.h, box: { x: 0, y: 0, w, h }, value: each, area };
  });
  points.sort((a, b) => a.x - b.x); // the way in which the arrow keys go
  current = Math.min(current, points.length - 1);
  placeAll(area, taken);
  points.forEach(mark);
  if (focused) points[current].group.focus();
};

// --- numbers ---

const whiskers = ({ x, y, area, value }) => {
  const across = value.x.slice(1).map((at) => area.x + Math.min(1, Math.max(0, at)) * area.w);
  const down = value.y.slice(1).map((at) => area.y + (1 - Math.min(1, Math.max(0, at))) * area.h);
  const both = [];
  if (across.length) both.push(draw("line", { class: "interval", x1: across[0], x2: across[1], y1: y, y2: y }));
  if (down.length) both.push(draw("line", { class: "interval", x1: x, x2: x, y1: down[0], y2: down[1] }));
  return both;
};

const hush = () => {
  numbers.hidden = true;
  svg.querySelectorAll(".interval").forEach((each) => each.remove());
  svg.querySelectorAll(".told").forEach((each) => each.classList.remove("told"));
};

const tell = (point) => {
  if (point.group.classList.contains("told")) return;
  hush();
  current = points.indexOf(point);
  points.forEach((each, i) => each.group.setAttribute("tabindex", i === current ? 0 : -1));
  point.group.classList.add("told");
  points[0].group.before(...whiskers(point)); // below all names
  const title = Object.assign(document.createElement("strong"), { textContent: point.value.title });
  const lines = point.value.words.map((text) => Object.assign(document.createElement("span"), { textContent: text }));
  numbers.replaceChildren(title, ...lines);
  numbers.hidden = false;
  const { offsetWidth: w, offsetHeight: h } = numbers;
  numbers.style.left = `${Math.min(Math.max(0, point.x - w / 2), plot.clientWidth - w)}px`;
  numbers.style.top = `${point.y - h - 14 > 0 ? point.y - h - 14 : point.y + 14}px`;
};

const walk = (event) => {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") hush();
  if (!by) return;
  event.preventDefault();
  points[(current + by + points.length) % points.length].group.focus({ preventScroll: true });
};

// The point that the mouse or finger means: the nearest one, by itself or by its name.
const meant = (event) => {
  const edge = svg.getBoundingClientRect();
  const at = { x: event.clientX - edge.left, y: event.clientY - edge.top };
  const far = (point) => Math.min(away(at, point), away(at, nearest(point.box, at)) + 1);
  const found = points.reduce((a, b) => (far(b) < far(a) ? b : a), points[0]);
  return found && far(found) < NEAR ? found : null;
};

svg.addEventListener("pointermove", (event) => {
  const point = meant(event);
  if (point) tell(point);
  else if (!svg.contains(document.activeElement)) hush();
});
svg.addEventListener("pointerdown", (event) => {
  const point = meant(event);
  if (point) tell(point);
});
svg.addEventListener("pointerleave", (event) => {
  if (event.pointerType !== "touch") hush();
});

new ResizeObserver(() => {
  if (Math.floor(plot.clientWidth) !== drawn) layOut();
}).observe(root.parentElement);

watch("value", layOut);
layOut();
