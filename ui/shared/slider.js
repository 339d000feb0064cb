// The before/after slider. A native range input lies over the pictures: mouse, touch and keys work.
const figure = element.querySelector("figure");
const frame = element.querySelector(".frame");
const range = element.querySelector("input");
const actual = element.querySelector(".actual");
const before = element.querySelector(".before");
const after = element.querySelector(".after");
const name = element.querySelector(".chip.left");

const move = () => frame.style.setProperty("--at", `${range.value}%`);
range.addEventListener("input", move);

// The new picture is decoded before it is shown: turning a knob does not flicker.
const swap = async (img, url) => {
  if (!url || img.src === url) return;
  const next = new Image();
  next.src = url;
  await next.decode().catch(() => undefined);
  img.src = url;
};

const show = async () => {
  const value = props.value;
  if (!value) return;
  if (before.dataset.url !== value.before.url) {
    range.value = 50;
    move();
    actual.setAttribute("aria-pressed", "false");
    figure.classList.remove("full");
  }
  before.dataset.url = value.before.url;
  before.alt = value.alt;
  name.textContent = value.name;
  frame.style.setProperty("--wide", value.width);
  frame.style.setProperty("--high", value.height);
  await Promise.all([swap(before, value.before.url), swap(after, value.after.url)]);
};

actual.addEventListener("click", () => {
  const full = figure.classList.toggle("full");
  actual.setAttribute("aria-pressed", String(full));
  frame.style.setProperty("--density", window.devicePixelRatio);
  if (full) figure.scrollTo((frame.offsetWidth - figure.clientWidth) / 2, 0);
});

watch("value", show);
show();
