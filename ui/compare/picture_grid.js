// Pictures of one size. They come one after the other, each into its own place: nothing flickers.
// All are looked at at the same place: its corner (x, y), in shares of the picture, and its zoom.
const root = element.querySelector(".grid");
const list = root.querySelector("ul");
const legend = root.querySelector(".legend");
const dialog = root.querySelector("dialog");
const MOST = 16; // times
const STEP = 1.5;
const place = { x: 0, y: 0, zoom: 1 };
let open = null; // the key of the picture that is shown larger

const CELL = `
  <button type="button"><span class="view"><img draggable="false"></span></button>
  <p class="fault"></p>
  <p class="title"></p>
  <p class="words"></p>
  <p class="uses"><button type="button" data-use="open">Edit in Colorize</button>
    <button type="button" data-use="file" title="At the photo's full size">Download</button></p>`;

const cells = () => props.value?.cells ?? [];
const source = (cell) => (props.value.difference && cell.heat ? cell.heat : cell.file)?.url;
const put = (img, url) => { if (img.getAttribute("src") !== url) img.src = url; };

// --- looking closely ------------------------------------------------------------------------------

const look = (x, y, zoom) => {
  place.zoom = Math.min(MOST, Math.max(1, zoom));
  const most = 1 - 1 / place.zoom;
  place.x = Math.min(most, Math.max(0, x));
  place.y = Math.min(most, Math.max(0, y));
  for (const [name, value] of Object.entries(place)) root.style.setProperty(`--${name}`, value);
  root.classList.toggle("zoomed", place.zoom > 1);
  root.querySelector("output").textContent = `${place.zoom.toFixed(1)} ×`;
};
// The point (u, v) of what is seen stays where it is.
const zoomAt = (factor, u = 0.5, v = 0.5) => {
  const zoom = Math.min(MOST, Math.max(1, place.zoom * factor));
  const gain = 1 / place.zoom - 1 / zoom;
  look(place.x + u * gain, place.y + v * gain, zoom);
};
const move = (u, v) => look(place.x + u / place.zoom, place.y + v / place.zoom, place.zoom);
const within = (view, event) => {
  const box = view.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};

root.addEventListener("wheel", (event) => {
  const view = event.target.closest(".view");
  // Without Ctrl the page scrolls past the pictures, unless one is looked at closely.
  if (!view || !(event.ctrlKey || dialog.open || place.zoom > 1)) return;
  event.preventDefault();
  zoomAt(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), ...within(view, event));
}, { passive: false });

root.addEventListener("dblclick", (event) => {
  const view = event.target.closest(".view");
  if (view) zoomAt(2, ...within(view, event));
});

// One finger or the mouse moves, two fingers zoom.
const fingers = new Map();
let dragged = false;
root.addEventListener("pointerdown", (event) => {
  const view = event.target.closest(".view");
  if (!view || event.button) return;
  if (!fingers.size) dragged = false;
  fingers.set(event.pointerId, { view, at: within(view, event) });
});
root.addEventListener("pointermove", (event) => {
  const finger = fingers.get(event.pointerId);
  if (!finger) return;
  const now = within(finger.view, event);
  const [u, v] = [now[0] - finger.at[0], now[1] - finger.at[1]];
  if (!dragged && Math.hypot(u, v) < 0.02) return;
  dragged = true;
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  if (other) {
    const apart = (at) => Math.hypot(at[0] - other.at[0], at[1] - other.at[1]);
    zoomAt(apart(now) / Math.max(0.01, apart(finger.at)), ...other.at);
  } else move(-u, -v);
  finger.at = now;
});
const lift = (event) => fingers.delete(event.pointerId);
for (const kind of ["pointerup", "pointercancel"]) window.addEventListener(kind, lift);

// --- one picture larger ---------------------------------------------------------------------------

const there = () => cells().filter(source);
const enlarge = (key) => {
  const cell = there().find((each) => each.key === key);
  if (!cell) return;
  open = key;
  const img = dialog.querySelector("img");
  put(img, source(cell));
  img.alt = cell.alt;
  dialog.querySelector("h3").textContent = [cell.title, cell.words].filter(Boolean).join(" · ");
  if (!dialog.open) dialog.showModal();
};
const step = (by) => {
  const some = there();
  const at = some.findIndex((cell) => cell.key === open);
  enlarge(some[(at + by + some.length) % some.length].key);
};
dialog.addEventListener("click", (event) => {
  if (event.target === dialog && !dragged) dialog.close(); // beside the picture
});
dialog.addEventListener("close", () => {
  [...list.children].find((item) => item.dataset.key === open)?.querySelector("button").focus();
  open = null;
});

let waiting; // a click may be the first half of a double click
list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  clearTimeout(waiting);
  if (button?.dataset.use) {
    return trigger("submit", { key: button.closest("li").dataset.key, use: button.dataset.use });
  }
  if (!button || event.detail > 1 || (event.detail && dragged)) return;
  const { key } = button.closest("li").dataset;
  if (event.detail) waiting = setTimeout(() => enlarge(key), 250);
  else enlarge(key); // by a key of the keyboard
});

const DO = {
  in: () => zoomAt(STEP),
  out: () => zoomAt(1 / STEP),
  reset: () => look(0, 0, 1),
  previous: () => step(-1),
  next: () => step(1),
  close: () => dialog.close(),
};
root.addEventListener("click", (event) => DO[event.target.closest("[data-do]")?.dataset.do]?.());

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = { "+": DO.in, "=": DO.in, "-": DO.out, 0: DO.reset };
root.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  const sideways = dialog.open && arrow?.[0] && !event.shiftKey;
  if (sideways) step(arrow[0]);
  else if (arrow && place.zoom > 1) move(arrow[0] * 0.1, arrow[1] * 0.1);
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
});

// --- what is there --------------------------------------------------------------------------------

const dress = (item, cell) => {
  item.innerHTML ||= CELL;
  const [button, fault, title, words, uses] = item.children;
  const img = button.querySelector("img");
  const url = source(cell);
  item.dataset.key = cell.key;
  item.toggleAttribute("aria-busy", Boolean(cell.waiting));
  button.hidden = !url;
  button.setAttribute("aria-label", `${cell.title}${cell.settings && `, ${cell.settings}`}, larger`);
  if (url) put(img, url);
  img.alt = cell.alt ?? "";
  fault.hidden = Boolean(url);
  fault.textContent = cell.error ?? "";
  title.textContent = cell.title;
  words.textContent = cell.words;
  uses.hidden = !cell.usable;
  uses.querySelectorAll("button").forEach((use) => {
    use.setAttribute("aria-label", `${use.textContent}: ${cell.title}${cell.settings && `, ${cell.settings}`}`);
  });
};

const show = () => {
  const { width = 1, height = 1, difference = false } = props.value ?? {};
  root.hidden = !cells().length;
  root.style.setProperty("--wide", width);
  root.style.setProperty("--high", height);
  legend.hidden = !difference;
  if (difference) {
    put(legend.querySelector("img"), props.value.legend);
    legend.querySelector(".full").textContent = `CIEDE2000 of ${props.value.full} and more`;
  }
  while (list.children.length > cells().length) list.lastElementChild.remove();
  cells().forEach((cell, i) => {
    dress(list.children[i] ?? list.appendChild(document.createElement("li")), cell);
  });
  if (open !== null) enlarge(open);
};

watch("value", show);
look(0, 0, 1);
show();
