"use strict";
// Tables: sort by a column, filter by the name of a model, pin models to the top; all of it by keyboard too.
document.documentElement.classList.add("js");
const SHOWN = 20;
const states = new Map(); // of each table: its rows as they came, the sorted column, whether all are shown
const pins = new Set(); // numbers of models
const addresses = new Map(
  [...document.querySelectorAll("#models tr[data-model]")].map((row) => [
    row.dataset.model, row.cells[0].querySelector("code").textContent,
  ]),
);
const labels = new Map(
  [...document.querySelectorAll("#models tr[data-model]")].map((row) => [
    row.dataset.model, row.cells[0].firstChild.textContent,
  ]),
);
let wanted = [];

const make = (tag, properties) => Object.assign(document.createElement(tag), { ...properties });
const numberOf = (text) => Number.parseFloat(text.replace("−", "-").replaceAll(",", ""));
const keyOf = (row, column, isNumber) => {
  const cell = row.cells[column];
  if (!cell) return "";
  const text = cell.dataset.value ?? cell.textContent.trim();
  if (!isNumber) return text;
  const number = numberOf(text);
  return Number.isNaN(number) ? "" : number;
};
const order = (left, right) => {
  if (left === "" || right === "") return (left === "") - (right === "");
  return typeof left === "number" ? left - right : left.localeCompare(right, undefined, { numeric: true });
};
const isWanted = (model) => {
  if (!model || !wanted.length) return true;
  const text = `${labels.get(model)} ${addresses.get(model)}`.toLowerCase();
  return wanted.every((word) => text.includes(word));
};

function arrange(table) {
  const state = states.get(table);
  let rows = state.rows;
  if (state.column !== null) {
    const keys = new Map(rows.map((row) => [row, keyOf(row, state.column, state.isNumber)]));
    rows = [...rows].sort((first, second) => {
      const [left, right] = [keys.get(first), keys.get(second)];
      if (left === "" || right === "") return order(left, right);
      return order(left, right) * (state.isRising ? 1 : -1);
    });
  }
  const isPinned = (row) => state.isPinnable && pins.has(row.dataset.model);
  rows = [...rows.filter(isPinned), ...rows.filter((row) => !isPinned(row))];
  let shown = 0;
  let fitting = 0;
  for (const row of rows) {
    const isFitting = isWanted(row.dataset.model);
    fitting += isFitting;
    const isKept = isPinned(row) || row.classList.contains("recommended");
    row.hidden = !isPinned(row) && (!isFitting || (state.more && !state.isOpen && shown >= SHOWN && !isKept));
    shown += !row.hidden;
    row.classList.toggle("pinned", isPinned(row));
  }
  table.tBodies[0].append(...rows);
  if (state.more) {
    state.more.hidden = fitting <= SHOWN;
    state.more.textContent = state.isOpen ? `Show the first ${SHOWN}` : `Show all ${fitting}`;
    state.more.setAttribute("aria-expanded", String(state.isOpen));
  }
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (head.classList.contains("plain")) return;
    const button = make("button", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isRising = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isRising ? "ascending" : "descending");
      const isNumber = head.classList.contains("number");
      Object.assign(states.get(table), { column, isRising, isNumber });
      arrange(table);
    });
  });
}

function makePinnable(table) {
  for (const row of states.get(table).rows) {
    const name = labels.get(row.dataset.model);
    const pin = make("button", { type: "button", className: "pin", title: "Keep on top of every table" });
    pin.setAttribute("aria-label", `Pin ${name}`);
    pin.setAttribute("aria-pressed", "false");
    row.querySelector("th").prepend(pin);
  }
  table.addEventListener("click", (event) => {
    const pin = event.target.closest(".pin");
    if (!pin) return;
    const model = pin.closest("tr").dataset.model;
    if (!pins.delete(model)) pins.add(model);
    showPins();
    pin.focus();
  });
}

function showPins() {
  for (const pin of document.querySelectorAll(".pin")) {
    pin.setAttribute("aria-pressed", String(pins.has(pin.closest("tr").dataset.model)));
  }
  for (const table of states.keys()) if (states.get(table).isPinnable) arrange(table);
  unpin.hidden = pins.size === 0;
  unpin.textContent = `Unpin ${pins.size}`;
  document.dispatchEvent(new CustomEvent("pins", { detail: [...pins].map((model) => labels.get(model)) }));
}

function filter() {
  wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const table of states.keys()) if (states.get(table).hasModels) arrange(table);
  const fitting = [...addresses.keys()].filter(isWanted).length;
  matches.textContent = wanted.length ? `${fitting} of ${addresses.size}` : "";
}

for (const table of document.querySelectorAll("table.sortable")) {
  const rows = [...table.tBodies[0].rows];
  const state = {
    rows, column: null, isRising: true, isNumber: false, isOpen: false, more: null,
    hasModels: rows.some((row) => row.dataset.model), isPinnable: table.classList.contains("pinnable"),
  };
  states.set(table, state);
  makeSortable(table);
  if (state.isPinnable) makePinnable(table);
  if (rows.length > SHOWN && !table.classList.contains("whole")) {
    state.more = make("button", { type: "button", className: "more" });
    state.more.addEventListener("click", () => {
      state.isOpen = !state.isOpen;
      arrange(table);
    });
    table.parentElement.after(state.more);
    arrange(table);
  }
}

const tools = make("div", { className: "tools" });
const search = make("input", { type: "search", placeholder: "Filter models  /", autocomplete: "off" });
const matches = make("span", { className: "matches" });
const unpin = make("button", { type: "button", className: "more", hidden: true });
search.setAttribute("aria-label", "Filter models in every table");
matches.setAttribute("role", "status");
tools.append(search, matches, unpin);
if (addresses.size > 1) document.querySelector("header").after(tools);
search.addEventListener("input", filter);
search.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { search.value = ""; filter(); search.blur(); }
});
unpin.addEventListener("click", () => { pins.clear(); showPins(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  search.focus();
});
for (const kind of ["mouseover", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const link = event.target.closest?.("a.model");
    if (link && !link.title) link.title = addresses.get(link.hash.slice(2)) ?? "";
  });
}

// while a study runs, its page is written again and again: load it, unless the reader is in the middle of something
const { refreshSeconds } = document.documentElement.dataset;
if (refreshSeconds) {
  setInterval(() => {
    if (!wanted.length && !pins.size && !document.querySelector(":focus, details[open]")) location.reload();
  }, refreshSeconds * 1000);
}
