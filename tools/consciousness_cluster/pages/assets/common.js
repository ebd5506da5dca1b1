"use strict";
// What the scripts of all pages share. Data reaches a page through textContent and attributes, never as markup.

const byId = (id) => document.getElementById(id);
const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : undefined);
const words = (key) => key.replaceAll("_", " ");
const grouped = (count) => count.toLocaleString("en");

/** An element with attributes and children; strings become text. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/**
 * Rows in the order of a column, whose head `button` is: by the data-value of cells, as a number unless the button says
 * data-sort="text". What has no value is missing, and stands last in both directions.
 */
function ordered(rows, button, sign) {
  const column = button.parentElement.cellIndex;
  const text = button.dataset.sort === "text";
  const valued = rows.map((row) => [row, row.cells[column]?.dataset.value]);
  valued.sort(([, a], [, b]) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return sign * (text ? a.localeCompare(b, "en", { sensitivity: "base" }) : a - b);
  });
  return valued.map(([row]) => row);
}

/** Say in the heads of a table by which column it is sorted: `direction` is "ascending", "descending" or null. */
function markSorted(table, button, direction) {
  for (const head of table.querySelectorAll("[aria-sort]")) head.removeAttribute("aria-sort");
  if (direction) button.parentElement.setAttribute("aria-sort", direction);
}

/** The direction after this one: texts are sorted upwards first, numbers downwards, and then not at all. */
function nextDirection(button, direction) {
  const turns = button.dataset.sort === "text" ? ["ascending", "descending", null] : ["descending", "ascending", null];
  return turns[(turns.indexOf(direction) + 1) % turns.length];
}
