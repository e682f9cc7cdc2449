"use strict";
// Sorting and filtering of the table of claims. Without scripts the table is whole and in the order of findings.
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
    body.append(...sorted.map((item) => item.row));
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
      count += hidden ? 0 : 1;
    }
    shown.textContent = `${count} of ${rows.length} shown`;
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
  addEventListener("beforeprint", () => document.querySelectorAll(".about").forEach((part) => (part.open = true)));
  filter();
})();
