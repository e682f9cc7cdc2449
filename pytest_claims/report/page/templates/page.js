"use strict";
// The table of claims: sorting, filtering, and each row's evidence. Without scripts it is whole, in the order of findings,
// and a row's id leads to its evidence.
(() => {
  const table = document.getElementById("claims");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const select = document.getElementById("sort");
  const source = document.getElementById("source");
  const words = document.getElementById("words");
  const verdicts = [...document.querySelectorAll("#filter input[name=verdict]")];
  const shown = document.getElementById("shown");

  const opened = new Map();

  const value = (row, column) => row.cells[column].dataset.value;
  const order = (a, b) => {
    const numbers = [Number(a), Number(b)];
    if (a !== "" && b !== "" && numbers.every(Number.isFinite)) return numbers[0] - numbers[1];
    if (a === "" || b === "") return (a === "") - (b === "");
    return a.localeCompare(b, "en", { numeric: true });
  };

  function sort(column, descending) {
    // What has no value stands last either way.
    const sign = (a, b) => (a === "" || b === "" || !descending ? order(a, b) : -order(a, b));
    const sorted = rows
      .map((row, place) => ({ row, place }))
      .sort((a, b) => sign(value(a.row, column), value(b.row, column)) || a.place - b.place);
    body.append(...sorted.flatMap((item) => (opened.has(item.row) ? [item.row, opened.get(item.row)] : [item.row])));
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    select.value = `${column} ${descending ? 1 : 0}`;
  }

  function filter() {
    const wanted = new Set(verdicts.filter((box) => box.checked).map((box) => box.value));
    const text = words.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const hidden =
        !wanted.has(row.dataset.verdict) ||
        (source.value !== "" && row.dataset.source !== source.value) ||
        !row.textContent.toLowerCase().includes(text);
      row.hidden = hidden;
      if (opened.has(row)) opened.get(row).hidden = hidden;
      count += hidden ? 0 : 1;
    }
    shown.textContent = `${count} of ${rows.length} shown`;
  }

  // The evidence of a claim stands once, in its section; a row shows a copy of it.
  function open(row, link) {
    const shut = opened.get(row);
    link.setAttribute("aria-expanded", String(!shut));
    if (shut) {
      shut.remove();
      opened.delete(row);
      return;
    }
    const claim = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    const evidence = document.createElement("tr");
    evidence.className = "evidence";
    const cell = evidence.insertCell();
    cell.colSpan = heads.length;
    cell.append(...[...claim.querySelector("details").children].slice(1).map((part) => part.cloneNode(true)));
    row.after(evidence);
    opened.set(row, evidence);
  }

  for (const row of rows) {
    const link = row.querySelector("a.opens");
    link.setAttribute("aria-expanded", "false");
    row.addEventListener("click", (event) => {
      if (event.target.closest("a") && event.target.closest("a") !== link) return;
      event.preventDefault();
      open(row, link);
    });
  }

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      sort(column, head.getAttribute("aria-sort") === "ascending");
    });
  });
  select.addEventListener("change", () => {
    const [column, descending] = select.value.split(" ").map(Number);
    sort(column, descending === 1);
  });
  for (const control of [...verdicts, source, words]) {
    for (const event of ["input", "change"]) control.addEventListener(event, filter);
  }
  document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("beforeprint", () => document.querySelectorAll(".about, .one-by-one").forEach((part) => (part.open = true)));
  filter();
})();

// What an address points at is shown, whatever it is folded into.
(() => {
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    target.querySelectorAll(":scope > details").forEach((part) => (part.open = true));
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
})();

// Commands are copied, figures saved.
(() => {
  // A page that was opened as a file has no clipboard in some browsers; all of them can copy what is selected.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      return copied;
    }
  }

  // Colours that come from the page are written out, on its paper, so that the file stands alone.
  function standalone(svg) {
    const style = getComputedStyle(document.documentElement);
    const twin = svg.cloneNode(true);
    const [, , width, height] = twin.getAttribute("viewBox").split(" ");
    twin.setAttribute("width", width);
    twin.setAttribute("height", height);
    twin.removeAttribute("style");
    const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    Object.entries({ width, height, fill: "var(--paper)" }).forEach(([name, value]) => paper.setAttribute(name, value));
    twin.prepend(paper);
    return new XMLSerializer()
      .serializeToString(twin)
      .replaceAll("currentColor", "var(--ink)")
      .replaceAll(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
  }

  document.querySelectorAll("button.copy, button.save").forEach((button) => (button.hidden = false));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy, button.save");
    if (!button) return;
    if (button.matches(".copy")) {
      const copied = await copy(button.parentElement.querySelector("code").textContent);
      button.textContent = copied ? "Copied" : "Select and copy";
      return;
    }
    const svg = button.closest("figure").querySelector("svg");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([standalone(svg)], { type: "image/svg+xml" }));
    link.download = `${button.dataset.name}.svg`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
})();
