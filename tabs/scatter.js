// Points with names that do not touch one another. The app sends places from 0 to 1; what depends on
// the width of the page is worked out here, anew whenever it changes.
const root = element.querySelector(".scatter");
const svg = root.querySelector("svg");
const plot = root.querySelector(".plot");
const numbers = root.querySelector(".numbers");
const SIZE = 5; // radius of a point
const GAP = 3; // between a name and anything else
const NEAR = 26; // as far from a point, the mouse still means it
let points = []; // { x, y, box, group, value }, in pixels
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
const around = ({ x, y }, r = SIZE) => ({ x: x - r, y: y - r, w: 2 * r, h: 2 * r });
const nearest = (box, { x, y }) =>
  ({ x: Math.min(Math.max(x, box.x), box.x + box.w), y: Math.min(Math.max(y, box.y), box.y + box.h) });
const away = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
const side = (a, b, c) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
const cross = ([a, b], [c, d]) =>
  side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
const through = ([a, b], box) => {
  for (let i = 1; i < 12; i++) {
    const at = { x: a.x + (b.x - a.x) * i / 12, y: a.y + (b.y - a.y) * i / 12, w: 0, h: 0 };
    if (touch(at, box, 1)) return true;
  }
  return false;
};
const leader = (point, box) => [point, nearest(box, point)];

// --- names ---

// Where a name may stand: around its point, right of it first, nearer first.
const candidates = function* (point) {
  for (const r of [9, 14, 22, 32, 46, 62, 82, 106, 134]) {
    for (let i = 0; i < 16; i++) {
      const turn = (i % 2 ? -1 : 1) * Math.ceil(i / 2) * Math.PI / 8;
      const { w, h } = point.box;
      const x = point.x + Math.cos(turn) * (r + w / 2) - w / 2;
      const y = point.y + Math.sin(turn) * (r + h / 2) - h / 2;
      yield { x, y, w, h, far: r + i / 4 };
    }
  }
};

// What is bad about a place, given where the other names are: to cover something is worst.
const cost = (point, box, others, area, taken) => {
  const inside = box.x >= area.x && box.y >= area.y && box.x + box.w <= area.x + area.w && box.y + box.h <= area.y + area.h;
  const line = leader(point, box);
  let sum = box.far + (inside ? 0 : 5000);
  for (const each of taken) if (touch(box, each)) sum += 600;
  for (const each of points) {
    if (touch(box, around(each), 1)) sum += 1000;
    if (each !== point && through(line, around(each))) sum += 60;
  }
  for (const each of others) {
    if (touch(box, each.box)) sum += 2000;
    if (through(line, each.box) || through(leader(each, each.box), box)) sum += 120;
    if (cross(line, leader(each, each.box))) sum += 120;
  }
  return sum;
};

// One name after the other to the best place that is left, then again as long as it helps.
const place = (area, taken) => {
  const crowd = (point) => points.reduce((sum, each) => sum + 1 / (10 + away(each, point)), 0);
  const order = [...points].sort((a, b) => crowd(a) - crowd(b));
  const set = [];
  for (let round = 0; round < 8; round++) {
    let moved = false;
    for (const point of order) {
      const others = set.filter((each) => each !== point);
      let best = null;
      for (const box of candidates(point)) {
        const bad = box.far > (best?.bad ?? Infinity) ? Infinity : cost(point, box, others, area, taken);
        if (bad < (best?.bad ?? Infinity)) best = { ...box, bad };
      }
      moved ||= best.x !== point.box.x || best.y !== point.box.y;
      point.box = best;
      if (!set.includes(point)) set.push(point);
    }
    if (!moved) break;
  }
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

// Levels, what is worse beyond them, and their names, whose boxes are given back.
const levels = (lines, area) => lines.map(({ axis, at, title, beyond }) => {
  const upright = axis === "x";
  const x = area.x + at * area.w;
  const y = area.y + (1 - at) * area.h;
  if (beyond) {
    const top = beyond === "above" ? area.y : y;
    svg.append(draw("rect", { class: "worse", x: area.x, width: area.w, y: top, height: beyond === "above" ? y - area.y : area.y + area.h - y }));
  }
  const ends = upright ? { x1: x, x2: x, y1: area.y, y2: area.y + area.h } : { x1: area.x, x2: area.x + area.w, y1: y, y2: y };
  svg.append(draw("line", { class: "level", ...ends }));
  const text = draw("text", { class: "tick", "text-anchor": "end" }, title);
  svg.append(text);
  const size = text.getBBox();
  const right = upright ? x - 6 : area.x + area.w - 6;
  const down = upright ? area.y + area.h - 8 : beyond === "below" ? y + 15 : y - 6;
  text.setAttribute("x", right);
  text.setAttribute("y", down);
  return { x: right - size.width, y: down - size.height + 3, w: size.width, h: size.height };
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
  const focused = svg.contains(document.activeElement);
  const height = Math.round(Math.min(470, Math.max(400, width * 0.5)));
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
  place(area, taken);
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
  svg.append(...whiskers(point));
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

let last = 0;
new ResizeObserver(() => {
  if (plot.clientWidth !== last) layOut();
  last = plot.clientWidth;
}).observe(root.parentElement);

watch("value", layOut);
layOut();
