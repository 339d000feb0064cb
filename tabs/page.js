// What the page does in the browser alone: paste and drop anywhere, and saving a finished file.
(() => {
  const give = (files) => {
    const photo = [...(files ?? [])].find((file) => file.size > 0);
    const input = document.querySelector("#photo input[type=file]");
    if (!photo || !input) return false;
    const transfer = new DataTransfer();
    transfer.items.add(photo);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    window.scrollTo({ top: 0, behavior: "smooth" });
    return true;
  };
  document.addEventListener("paste", (event) => {
    if (give(event.clipboardData?.files)) event.preventDefault();
  });
  // The drop zone handles its own drops; everywhere else the browser would leave the page.
  const outside = (event) => !event.target.closest?.("#photo button");
  document.addEventListener("dragover", (event) => {
    if (outside(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!outside(event)) return;
    event.preventDefault();
    give(event.dataTransfer?.files);
  });
  // Every run carries the time at which the person asked for it, and every stop too: the app then
  // knows what to drop of that which still waits in its queue. The card goes away at once.
  let asked = Date.now();
  for (const kind of ["input", "change", "click", "drop", "paste"]) {
    const note = (event) => {
      if (!event.target.closest?.("#cancel")) asked = Date.now();
    };
    document.addEventListener(kind, note, true);
  }
  const stage = () => document.querySelector("#stage");
  window.beginRun = (turn, ...rest) => {
    delete stage().dataset.stopped;
    return [asked, ...rest];
  };
  window.stopRuns = (turn, ...rest) => {
    stage().dataset.stopped = "";
    return [Date.now(), ...rest];
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#footer button")) document.querySelector(".show-api")?.click();
  });
  window.saveFile = (file) => {
    if (!file) return;
    const link = document.createElement("a");
    link.href = file.url;
    link.download = file.orig_name;
    link.click();
  };
})();
