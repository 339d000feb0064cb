// Small pictures in groups. They change in place while they are drawn: nothing flickers.
const root = element.querySelector(".pictures");

const fill = (parent, items, tag, dress) => {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  items.forEach((item, i) => {
    dress(parent.children[i] ?? parent.appendChild(document.createElement(tag)), item, i);
  });
};
const press = (index) => {
  root.querySelectorAll("button").forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === index));
  });
};
const show = () => {
  const { groups = [], picked = null } = props.value ?? {};
  fill(root, groups, "section", (section, group) => {
    section.innerHTML ||= "<h3></h3><div></div>";
    const [title, grid] = section.children;
    title.textContent = group.title;
    title.hidden = !group.title;
    grid.style.setProperty("--columns", group.columns);
    fill(grid, group.cells, props.pick ? "button" : "figure", (cell, picture) => {
      cell.innerHTML ||= "<img><span></span>";
      const [img, caption] = cell.children;
      const source = picture.file?.url ?? picture.source;
      if (img.getAttribute("src") !== source) img.src = source;
      img.alt = picture.alt;
      caption.textContent = picture.caption;
      if (props.pick) cell.type = "button";
      if (props.pick) cell.disabled = picked === null;
    });
  });
  press(picked);
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const index = [...root.querySelectorAll("button")].indexOf(button);
  press(index);
  trigger("select", { index });
});

watch("value", show);
show();
