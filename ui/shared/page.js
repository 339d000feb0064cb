// What the page does in the browser alone: paste and drop anywhere, and saving a finished file.
(() => {
  const zone = ".drop input[type=file]";
  const isImage = (file) => file.type.startsWith("image/");

  // The one in the tab that is open; it may be hidden itself.
  const open = (selector) => [...document.querySelectorAll(selector)].find((each) =>
    each.closest(".tabitem").checkVisibility());

  // Browsers do not know every kind of picture (and no text), and Gradio asks them. The app looks
  // into the file itself and says what is wrong in its own words, so any file is let through.
  const give = (files) => {
    const input = open(".drop")?.querySelector("input[type=file]");
    if (files?.length > 1 && !input?.multiple) return giveToBatch([...files]);
    if (!files?.length || !input) return false;
    const transfer = new DataTransfer();
    for (const file of input.multiple ? files : [files[0]]) {
      transfer.items.add(isImage(file) ? file : new File([file], file.name, { type: "image/any" }));
    }
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    window.scrollTo({ top: 0, behavior: "smooth" });
    return true;
  };
  // Several photos at once are for the tab "Batch", whose parts are not on the page before it is open.
  const giveToBatch = (files) => {
    document.querySelector('.tabs [data-tab-id="batch"]').click();
    const wait = (left) => {
      if (open(".drop")?.querySelector("input[type=file]")?.multiple) give(files);
      else if (left) setTimeout(wait, 50, left - 1);
    };
    wait(100);
    return true;
  };
  const takeOver = (event, files) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    give(files);
  };
  document.addEventListener("change", (event) => {
    const files = event.target.matches?.(zone) ? [...event.target.files] : [];
    if (files.length && !files.every(isImage)) takeOver(event, files);
  }, true);
  document.addEventListener("paste", (event) => {
    if (give(event.clipboardData?.files)) event.preventDefault();
  });
  // The drop zone handles its own pictures; anywhere else the browser would leave the page.
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 1 && isImage(files[0]) && event.target.closest?.(".drop button, .reference")) return;
    event.target.dispatchEvent(new DragEvent("dragleave", { bubbles: true }));
    takeOver(event, files);
  }, true);

  // Until the parts of the open tab are there, early_zone.html stands in their place.
  const early = document.querySelector("#early");
  const askedTab = new URLSearchParams(location.search).get("tab");
  const takeEarly = () => {
    const tab = askedTab && document.querySelector(`.tabs [data-tab-id="${CSS.escape(askedTab)}"]`);
    const shown = [...document.querySelectorAll(".tabitem")].find((each) => each.checkVisibility());
    if (!shown || (tab && tab.ariaSelected !== "true")) return;
    if (early.files.length && !open(".drop")?.querySelector("input[type=file]")) return;
    watching.disconnect();
    give(early.end());
  };
  const watching = new MutationObserver(takeEarly);
  if (early) {
    watching.observe(document, { subtree: true, childList: true, attributeFilter: ["aria-selected"] });
  }

  // Every run carries the time at which the person asked for it, and every stop too: the app then
  // knows what to drop of that which still waits in its queue. The card goes away at once.
  let asked = Date.now();
  for (const kind of ["input", "change", "click", "drop", "paste"]) {
    const note = (event) => {
      if (!event.target.closest?.(".cancel")) asked = Date.now();
    };
    document.addEventListener(kind, note, true);
  }
  const stages = () => document.querySelectorAll(".stage");
  window.beginRun = (turn, ...rest) => {
    stages().forEach((stage) => delete stage.dataset.stopped);
    return [asked, ...rest];
  };
  window.stopRuns = (turn, ...rest) => {
    stages().forEach((stage) => { stage.dataset.stopped = ""; });
    return [Date.now(), ...rest];
  };
  // The address names the tab that a person has opened, so that it can be kept and sent; the first
  // has none. What a link asks for is left alone until then.
  const name = (tab) => {
    const outer = document.querySelector(".tab-wrapper [role=tablist]");
    const id = tab?.dataset.tabId;
    if (!id || !outer?.contains(tab) || !navigator.userActivation?.hasBeenActive) return;
    const url = new URL(location.href);
    if (outer.querySelector("[role=tab]") === tab) url.searchParams.delete("tab");
    else url.searchParams.set("tab", id);
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  };
  // On a phone the tabs are wider than the page: the open one, which may be by a link, is brought in.
  const turned = (records) => {
    const tab = records.map((record) => record.target).find((each) => each.ariaSelected === "true");
    const list = tab?.closest("[role=tablist]");
    name(tab);
    list?.scrollTo({ left: tab.offsetLeft - (list.clientWidth - tab.offsetWidth) / 2 });
  };
  new MutationObserver(turned).observe(document, { subtree: true, attributeFilter: ["aria-selected"] });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#footer button")) document.querySelector(".show-api")?.click();
  });
  // The photo of one tab is opened in another, also where that has work on another photo.
  let handed = false;
  window.takeHanded = (session) => {
    const was = handed;
    handed = false;
    return [session, was];
  };
  window.openTab = (name) => {
    if (!name) return;
    handed = true;
    document.querySelector(`.tabs [data-tab-id="${CSS.escape(name)}"]`).click();
    window.scrollTo({ top: 0 });
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-open]");
    if (button) window.openTab(button.dataset.open);
  });
  // A model's tab, whose parts are not on the page before the tab "Models" is opened.
  window.openModel = async (name) => {
    document.querySelector('.tabs [data-tab-id="models"]').click();
    const find = () => document.querySelector(`.models [data-tab-id="${CSS.escape(name)}"]`);
    for (let i = 0; i < 100 && !find(); i++) await new Promise((then) => setTimeout(then, 50));
    find()?.click();
    window.scrollTo({ top: 0 });
  };
  // What docs/metrics.md says under a heading with that word, which the leaderboard shows.
  window.openGuide = async (word) => {
    document.querySelector('.tabs [data-tab-id="leaderboard"]').click();
    const until = async (find) => {
      for (let i = 0; i < 600 && !find(); i++) await new Promise((then) => setTimeout(then, 50));
      return find();
    };
    const button = await until(() => document.querySelector(".guide > button"));
    if (button && !button.classList.contains("open")) button.click();
    const heads = () => [...document.querySelectorAll(".guide :is(h2, h3)")];
    const head = await until(() => heads().find((each) => each.textContent.includes(word) && each.checkVisibility()));
    for (let i = 0; i < 4; i++) { // what is above it may still be growing
      head?.scrollIntoView({ block: "start" });
      await new Promise((then) => setTimeout(then, 250));
    }
  };
  // What is said of a link to these settings; browsers copy only on pages that they trust.
  window.copyLink = async (query) => {
    const link = document.createElement("a");
    link.href = link.textContent = location.origin + location.pathname + query;
    const copied = await navigator.clipboard?.writeText(link.href).then(() => true, () => false);
    return `<p>${copied ? "Copied" : "Copy this link"}: ${link.outerHTML}</p>`;
  };
  // What went wrong is brought in where it is said out of sight.
  window.showAlert = () => setTimeout(() => {
    const alerts = [...document.querySelectorAll("[role=alert]")];
    alerts.find((each) => each.checkVisibility())?.scrollIntoView({ block: "nearest" });
  }, 100);
  window.saveFile = (file) => {
    if (!file) return;
    const link = document.createElement("a");
    link.href = file.url;
    link.download = file.orig_name;
    link.click();
  };
  window.saveOrOpen = (file, tab) => {
    window.saveFile(file);
    window.openTab(tab);
  };
})();
