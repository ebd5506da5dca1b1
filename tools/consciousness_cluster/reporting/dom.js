"use strict";
// What the scripts of all pages share. Data reaches a page through textContent and attributes, never as markup.

const byId = (id) => document.getElementById(id);
const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : undefined);
const words = (key) => key.replaceAll("_", " ");
const minus = (text) => text.replace("-", "\u2212");
const percent = (share) => (100 * share).toFixed(1);

/** A difference with its sign; what rounds to 0 has none. */
function signed(number, digits) {
  const text = number.toFixed(digits);
  if (Number(text) === 0) return text.replace("-", "");
  return (number > 0 ? "+" : "") + minus(text);
}

/** An element with attributes and children; strings become text. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Text that somebody else wrote, so that its writing direction stays its own. */
const bdi = (text) => el("bdi", {}, String(text));

function drawn(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** A value and its interval on a line from low to high; `zero` draws a tick at 0. */
function mini(value, ci, [low, high], width, zero = false) {
  const at = (x) => (((Math.min(high, Math.max(low, x)) - low) / (high - low)) * (width - 8) + 4).toFixed(1);
  const svg = drawn("svg", { class: "mini", width, height: 12, "aria-hidden": "true" });
  svg.append(drawn("line", { class: "track", x1: 4, x2: width - 4, y1: 6, y2: 6 }));
  if (zero) svg.append(drawn("line", { class: "zero", x1: at(0), x2: at(0), y1: 0, y2: 12 }));
  if (ci) svg.append(drawn("line", { class: "range", x1: at(ci[0]), x2: at(ci[1]), y1: 6, y2: 6 }));
  svg.append(drawn("circle", { class: "dot", cx: at(value), cy: 6, r: 3 }));
  return svg;
}
