// The tables of the leaderboard: filters, search, order, pages. What is shown is in the address, after the #.

const PAGE = Number(byId("filters").dataset.rows); // rows shown at once
const FIELDS = ["condition", "kind", "judge", "status"];
const DEFAULT = { track: byId("filters").dataset.track, q: "", condition: "", kind: "", judge: "", status: "" };
Object.assign(DEFAULT, { show: "difference", sort: "", page: 1 });
const views = [...document.querySelectorAll(".view")].map((element) => {
  const table = element.querySelector("table");
  const rows = [...table.tBodies[0].rows];
  for (const row of rows) row.hidden = false; // the table holds those of one page alone
  return { element, table, rows, texts: new Map(rows.map((row) => [row, row.dataset.text.toLowerCase()])) };
});
const viewOf = ({ track, show }) => views.find(({ element: { dataset } }) => dataset.track === track && dataset.shown === show);

let state = { ...DEFAULT };

/** The state that the address holds, without what means nothing. */
function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const read = { ...DEFAULT };
  for (const key of Object.keys(DEFAULT)) read[key] = given.get(key) ?? read[key];
  if (!viewOf({ ...DEFAULT, track: read.track })) read.track = DEFAULT.track;
  if (!viewOf(read)) read.show = DEFAULT.show;
  if (read.track === "choice") read.judge = ""; // it has no judges, and shows no filter that could be cleared
  for (const field of FIELDS) if (![...byId(field).options].some(({ value }) => value === read[field])) read[field] = "";
  read.page = Math.max(1, Number.parseInt(read.page, 10) || 1);
  return read;
}

function change(changes) {
  state = { ...state, page: 1, ...changes };
  const hash = new URLSearchParams(Object.entries(state).filter(([key, value]) => value !== DEFAULT[key])).toString();
  if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  show();
}

function found(view) {
  const query = state.q.trim().toLowerCase().split(/\s+/);
  const fits = (row) => FIELDS.every((field) => state[field] === "" || row.dataset[field] === state[field]);
  return view.rows.filter((row) => fits(row) && query.every((word) => view.texts.get(row).includes(word)));
}

/** The head by which the table is sorted, or null, and the direction. */
function sorting(view) {
  const button = view.table.tHead.querySelector(`button[data-column="${CSS.escape(state.sort.replace(/^-/, ""))}"]`);
  return [button, button && (state.sort.startsWith("-") ? "descending" : "ascending")];
}

function sortBy(view, button) {
  const [current, direction] = sorting(view);
  const next = nextDirection(button, current === button ? direction : null);
  change({ sort: next ? (next === "descending" ? "-" : "") + button.dataset.column : "" });
}

function showFilters() {
  const check = (id, value) => {
    for (const input of byId(id).querySelectorAll("input")) input.checked = input.value === value;
  };
  check("tracks", state.track);
  check("showing", state.show);
  byId("showing").hidden = byId("judge-field").hidden = state.track === "choice";
  for (const field of FIELDS) {
    for (const option of [...byId(field).options].slice(1)) {
      const { title, [state.track]: count } = option.dataset;
      option.textContent = `${title} (${count})`;
      option.hidden = count === "0" && option.value !== state[field];
    }
    byId(field).value = state[field];
  }
  byId("clear").hidden = !state.q && FIELDS.every((field) => state[field] === "");
  if (byId("search").value !== state.q) byId("search").value = state.q;
}

function show() {
  const view = viewOf(state);
  for (const { element } of views) element.hidden = element !== view.element;
  showFilters();
  const [button, direction] = sorting(view);
  markSorted(view.table, button, direction);
  const fitting = found(view);
  const rows = button ? ordered(fitting, button, direction === "descending" ? -1 : 1) : fitting;
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  state.page = Math.min(state.page, pages);
  const from = (state.page - 1) * PAGE;
  view.table.tBodies[0].replaceChildren(...rows.slice(from, from + PAGE));
  view.table.setAttribute("aria-rowcount", String(rows.length + view.table.tHead.rows.length));
  const total = view.rows.length;
  const every = total ? `${grouped(total)} ${total === 1 ? "submission" : "submissions"}` : "No submission on this track yet.";
  byId("found").textContent = rows.length === total ? every : `${grouped(rows.length)} of ${every}`;
  const below = view.element.querySelector(".under-table");
  if (byId("pager").parentElement !== below) below.append(byId("pager"));
  byId("pager").hidden = pages === 1;
  byId("page").textContent = `${grouped(from + 1)}\u2013${grouped(Math.min(from + PAGE, rows.length))} of ${grouped(rows.length)}`;
  byId("previous").disabled = state.page === 1;
  byId("next").disabled = state.page === pages;
}

function turnPage(by) {
  change({ page: state.page + by });
  viewOf(state).table.parentElement.scrollTo(0, 0);
  byId("table").scrollIntoView({ behavior: "instant" });
}

for (const view of views) {
  view.table.tHead.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) sortBy(view, button);
  });
}
byId("tracks").addEventListener("change", (event) => change({ track: event.target.value, sort: "", show: DEFAULT.show, judge: "" }));
byId("showing").addEventListener("change", (event) => change({ show: event.target.value }));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", (event) => {
  event.preventDefault();
  change({ q: "", condition: "", kind: "", judge: "", status: "" });
  byId("search").focus(); // the button has gone
});
byId("search").addEventListener("input", (event) => change({ q: event.target.value }));
for (const field of FIELDS) byId(field).addEventListener("change", (event) => change({ [field]: event.target.value }));
byId("previous").addEventListener("click", () => turnPage(-1));
byId("next").addEventListener("click", () => turnPage(1));
window.addEventListener("hashchange", () => {
  if (document.getElementById(location.hash.slice(1))) return; // a link to a section
  state = readState();
  show();
});
state = readState();
show();
