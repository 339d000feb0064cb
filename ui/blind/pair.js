// Two pictures to choose from, by click, touch or arrow keys. What they are is not known here before
// the answer: the app sends it afterwards.
const root = element.querySelector(".pair");
const [heading, how] = root.querySelectorAll("h2, .how > :first-child");
const choices = [...root.querySelectorAll(".sides button")];
const neither = root.querySelector(".neither");
const next = root.querySelector(".next");
const status = root.querySelector("[role=status]");
let latest = 0; // of the values, while their pictures are decoded
let seen = null; // since when both pictures can be seen; null: there is nothing to answer

const choose = (index) => {
  if (seen === null) return;
  const seconds = (performance.now() - seen) / 1000;
  seen = null;
  trigger("select", { index, seconds });
};

const dress = (button, i, value) => {
  const letter = "AB"[i];
  const { verdict } = value;
  button.disabled = Boolean(verdict);
  button.lastElementChild.textContent = verdict ? `${letter} · ${verdict.captions[i]}` : letter;
  button.classList.toggle("chosen-one", verdict?.chosen === i);
  button.setAttribute("aria-label", verdict ? `${letter}: ${verdict.captions[i]}` : `${letter} ${value.claim}`);
};

const load = async (value) => {
  const ready = value.pictures.map((url) => Object.assign(new Image(), { src: url }).decode());
  const own = ++latest;
  await Promise.allSettled(ready);
  if (own !== latest) return false;
  choices.forEach((button, i) => { button.firstElementChild.src = value.pictures[i]; });
  return true;
};

const show = async () => {
  const value = props.value;
  root.hidden = !value;
  if (!value || !(await load(value))) return;
  root.style.setProperty("--wide", value.width);
  root.style.setProperty("--high", value.height);
  root.classList.toggle("landscape", value.width >= value.height);
  heading.textContent = `Round ${value.round}`;
  how.textContent = value.how;
  choices.forEach((button, i) => dress(button, i, value));
  neither.hidden = !value.neither || Boolean(value.verdict);
  next.hidden = !value.verdict;
  next.textContent = value.verdict?.last ? "Finish" : "Next";
  status.textContent = value.verdict?.words ?? "";
  seen = value.verdict ? null : performance.now();
  if (!root.checkVisibility()) return; // its focus belongs to another tab
  (value.verdict ? next : root).focus({ preventScroll: true });
  (value.verdict ? next : root).scrollIntoView({ block: "nearest" });
};

choices.forEach((button, i) => button.addEventListener("click", () => choose(i)));
neither.addEventListener("click", () => choose(2));
next.addEventListener("click", () => trigger("submit"));

const keys = { ArrowLeft: 0, ArrowRight: 1 };
const press = (event) => {
  if (!root.isConnected) return document.removeEventListener("keydown", press);
  const elsewhere = event.target.closest?.("input, textarea, select, [role=tab], [contenteditable]");
  const held = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.repeat;
  if (!(event.key in keys) || elsewhere || held || seen === null || !root.checkVisibility()) return;
  event.preventDefault();
  choose(keys[event.key]);
};
document.addEventListener("keydown", press);

watch("value", show);
show();
