"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const table = document.querySelector("table.board");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const filters = [...document.querySelectorAll(".filters [name]")];
  const count = document.getElementById("count");

  // The address keeps what is asked, so that a view can be sent to somebody.
  const asked = new URLSearchParams(location.hash.slice(1));

  function filter() {
    let shown = 0;
    for (const row of rows) {
      const fits = filters.every((field) => {
        const value = field.value.trim().toLowerCase();
        if (!value) return true;
        const own = row.dataset[field.name].toLowerCase();
        return field.name === "text" ? own.includes(value) : field.name === "tier" && value === "trusted" ? own !== "reported" : own === value;
      });
      row.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${shown} of ${rows.length} rows`;
  }

  function remember() {
    const kept = new URLSearchParams();
    for (const field of filters) if (field.value !== field.dataset.initial) kept.set(field.name, field.value);
    const by = table.querySelector("th[aria-sort]");
    if (by) kept.set("sort", `${by.cellIndex}${by.getAttribute("aria-sort") === "ascending" ? "a" : "d"}`);
    history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
  }

  function sort(head, direction) {
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const value = (row) => row.cells[head.cellIndex].dataset.value ?? row.cells[head.cellIndex].textContent.trim();
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const [p, q] = [Number(x), Number(y)];
      return sign * (Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y) : p - q);
    };
    body.append(...rows.sort(order));
  }

  for (const field of filters) {
    field.dataset.initial = field.value;
    if (asked.has(field.name)) field.value = asked.get(field.name);
    field.addEventListener("input", () => { filter(); remember(); });
  }
  for (const button of table.tHead.querySelectorAll("button")) {
    const head = button.closest("th");
    button.addEventListener("click", () => {
      const first = head.dataset.first ?? "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      sort(head, head.getAttribute("aria-sort") === first ? other : first);
      remember();
    });
  }
  const by = /^(\d+)([ad])$/.exec(asked.get("sort") ?? "");
  const head = by && table.tHead.rows[0].cells[Number(by[1])];
  if (head?.querySelector("button")) sort(head, by[2] === "a" ? "ascending" : "descending");
  filter();
})();
