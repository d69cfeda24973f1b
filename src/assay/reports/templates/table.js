"use strict";
const SHOWN = 20;
const key = (row, column) => {
  const cell = row.cells[column];
  return "value" in cell.dataset ? cell.dataset.value : cell.textContent.trim();
};
const compare = (one, other, isNumber) => {
  if (one === "" || other === "") return (one === "") - (other === "");
  return isNumber ? Number(one) - Number(other) : one.localeCompare(other);
};
const limit = (table, button) => {
  const isOpen = button.getAttribute("aria-expanded") === "true";
  [...table.tBodies[0].rows].forEach((row, place) => {
    row.hidden = !isOpen && place >= SHOWN && !row.classList.contains("recommended");
  });
};
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const rows = body.rows.length;
  let more = null;
  if (rows > SHOWN) {
    more = document.createElement("button");
    more.type = "button";
    more.className = "more";
    more.setAttribute("aria-expanded", "false");
    more.textContent = `Show all ${rows}`;
    more.addEventListener("click", () => {
      const isOpen = more.getAttribute("aria-expanded") === "true";
      more.setAttribute("aria-expanded", String(!isOpen));
      more.textContent = isOpen ? `Show all ${rows}` : `Show the first ${SHOWN}`;
      limit(table, more);
    });
    table.parentElement.after(more);
    limit(table, more);
  }
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.classList.contains("plain")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isRising = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isRising ? "ascending" : "descending");
      const isNumber = head.classList.contains("number");
      const sorted = [...body.rows].sort((one, other) => {
        const [left, right] = [key(one, column), key(other, column)];
        if (left === "" || right === "") return compare(left, right, isNumber);
        return compare(left, right, isNumber) * (isRising ? 1 : -1);
      });
      body.append(...sorted);
      if (more) limit(table, more);
    });
  });
}
