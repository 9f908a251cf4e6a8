"use strict";
// Tables sort by any column, by mouse or keyboard. Without scripts they are read in their own order.
const byText = new Intl.Collator("en", { numeric: true }).compare;

const valueOf = (row, at) => {
  const cell = row.cells[at];
  if (!("value" in cell.dataset)) return cell.textContent.trim();
  return cell.dataset.value === "" ? null : Number(cell.dataset.value);
};

// What is missing comes last, whichever way the others go.
const compare = (a, b, sign) => {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" && typeof b === "number" ? a - b : byText(a, b));
};

const sort = (header) => {
  const table = header.closest("table");
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const keyed = Array.from(body.rows, (row) => [valueOf(row, header.cellIndex), row]);
  keyed.sort(([a], [b]) => compare(a, b, descending ? -1 : 1));
  body.append(...keyed.map(([, row]) => row));
};

for (const header of document.querySelectorAll("table.sortable thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sort(header));
  header.append(button);
}
