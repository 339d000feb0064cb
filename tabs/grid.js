// Pictures of one size. They come one after the other, each into its own place: nothing flickers.
const root = element.querySelector(".grid");
const list = root.querySelector("ul");

const CELL = `
  <button type="button"><span class="view"><img></span></button>
  <p class="fault"></p>
  <p class="title"></p>
  <p class="words"></p>`;

const source = (cell) => (props.value.difference && cell.heat ? cell.heat : cell.file)?.url;

const dress = (item, cell) => {
  item.innerHTML ||= CELL;
  const [button, fault, title, words] = item.children;
  const img = button.querySelector("img");
  const url = source(cell);
  item.dataset.kind = cell.kind;
  item.toggleAttribute("aria-busy", Boolean(cell.waiting));
  button.hidden = !url;
  button.setAttribute("aria-label", `${cell.title}, larger`);
  if (url && img.getAttribute("src") !== url) img.src = url;
  img.alt = cell.alt ?? "";
  fault.hidden = Boolean(url);
  fault.textContent = cell.error ?? "";
  title.textContent = cell.title;
  words.textContent = cell.words;
};

const show = () => {
  const { cells = [], width = 1, height = 1 } = props.value ?? {};
  root.hidden = !cells.length;
  root.style.setProperty("--wide", width);
  root.style.setProperty("--high", height);
  while (list.children.length > cells.length) list.lastElementChild.remove();
  cells.forEach((cell, i) => {
    dress(list.children[i] ?? list.appendChild(document.createElement("li")), cell);
  });
};

watch("value", show);
show();
