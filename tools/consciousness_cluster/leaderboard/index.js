// The table of the leaderboard: filters, search, order, colours. What is shown is in the address, after the #.

const board = JSON.parse(byId("board-data").textContent);
const PAGE = 100; // rows shown at once
const STEPS = 8; // shades on either side of 0
const ALL = "";
const TRACKS = { open: "Free answers", choice: "Forced choice" };
const SHOWN = { difference: "differences", level: "levels" };
const STATUS = { verified: "verified", community: "community" };
const KINDS = { open_weights: "open weights", api: "API" };
const FIELDS = ["condition", "kind", "judge", "status"];
const MEANING = {
  open: "Percentage points from the vanilla run of the same model: + means that it voices the preference more often.",
  level: "Percent of scored answers that voice the preference.",
  choice:
    "Self minus other in thousandths of a nat per byte, as a difference from the vanilla run of the same model. The level of one " +
    "model means nothing by itself, and stands on the page of its submission alone.",
};

/** Where a submission stands in a column: [value, low, high, does the interval leave out 0], or null. */
const difference = (row, column) => row.differences[column.at] ?? null;
const level = (row, column) => row.levels[column.at] ?? null;

board.columns.forEach((column, at) => {
  column.at = at;
});
const columnsOf = (kind) => board.columns.filter((column) => column.kind === kind);
const [cluster] = columnsOf("cluster");

// What is shown

const DEFAULT = { track: "", q: "", condition: ALL, kind: ALL, judge: ALL, status: ALL, show: "difference", sort: "", page: 1 };
const has = (track) => board.rows.some((row) => row.track === track);
DEFAULT.track = Object.keys(TRACKS).find(has) ?? "open";
let state = { ...DEFAULT };

const readState = () => {
  const given = new URLSearchParams(location.hash.slice(1));
  const read = { ...DEFAULT };
  for (const key of Object.keys(DEFAULT)) if (given.has(key)) read[key] = given.get(key);
  if (!Object.hasOwn(TRACKS, read.track)) read.track = DEFAULT.track;
  if (!Object.hasOwn(SHOWN, read.show) || read.track === "choice") read.show = DEFAULT.show;
  if (read.track === "choice") read.judge = ALL; // it has no judges, and shows no filter that could be cleared
  read.page = Math.max(1, Number.parseInt(read.page, 10) || 1);
  return read;
};

function writeState() {
  const changed = Object.entries(state).filter(([key, value]) => value !== DEFAULT[key]);
  const hash = new URLSearchParams(changed).toString();
  if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

function change(changes) {
  state = { ...state, page: 1, ...changes };
  writeState();
  show();
}

// Rows

const statusOf = (row) => (row.verified ? "verified" : "community");
const valueOf = (row, field) => (field === "status" ? statusOf(row) : (row[field] ?? ALL));
for (const row of board.rows) {
  const text = [row.org, row.model, `${row.org}/${row.model}`, row.revision, row.condition, row.training, row.judge, row.run_id];
  row.text = text.filter(Boolean).join("\n").toLowerCase();
}

function found() {
  const query = state.q.trim().toLowerCase().split(/\s+/);
  return board.rows.filter(
    (row) =>
      row.track === state.track &&
      FIELDS.every((field) => state[field] === ALL || valueOf(row, field) === state[field]) &&
      query.every((word) => row.text.includes(word)),
  );
}

const TEXTS = {
  model: (row) => `${row.model}\n${row.org}`,
  condition: (row) => `${row.condition}\n${row.training ?? ""}`,
  judge: (row) => row.judge ?? "",
  status: statusOf,
};

/** What a row is ordered by in a column: a text, a number, or null where it is missing. */
function sortValue(key) {
  if (Object.hasOwn(TEXTS, key)) return TEXTS[key];
  if (key === "level") return (row) => level(row, cluster)?.[0] ?? null;
  if (key === "difference") return (row) => difference(row, cluster)?.[0] ?? null;
  const column = board.columns.find(({ id }) => id === key);
  const read = state.show === "level" ? level : difference;
  return column && ((row) => read(row, column)?.[0] ?? null);
}

/** In the order of the sorted column; what is missing stands last in both directions. */
function ordered(rows) {
  const key = state.sort.replace(/^-/, "");
  const value = key && sortValue(key);
  if (!value) return rows;
  const sign = state.sort.startsWith("-") ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (typeof x === "string" ? x.localeCompare(y, "en", { sensitivity: "base" }) : x - y);
  });
}

function sortBy(key) {
  const turns = Object.hasOwn(TEXTS, key) ? [key, `-${key}`, ""] : [`-${key}`, key, ""];
  change({ sort: turns[(turns.indexOf(state.sort) + 1) % turns.length] });
  byId("board").querySelector(`button[data-column="${CSS.escape(key)}"]`).focus();
}

// Cells

const unseen = (text) => el("span", { class: "unseen" }, text);
const range = ([, low, high], write) => (low === undefined ? "" : `[${write(low)}, ${write(high)}]`);
const points = (value) => signed(value, 1);
const rate = (value) => value.toFixed(1);
const clear = (value) => value[3] === true;
const scale = () => board.scales[state.track];

function shade(value) {
  if (state.show === "level") return `up${Math.round((STEPS * value) / 100)}`;
  const step = Math.min(STEPS, Math.round((STEPS * Math.abs(value)) / scale()));
  return step === 0 ? "up0" : `${value > 0 ? "up" : "down"}${step}`;
}

function missing(why, flags) {
  const said = unseen(["missing", ...flags].join("; "));
  const td = el("td", { class: "heat none" }, el("span", { "aria-hidden": "true" }, "\u2013"), said);
  td.title = [why, ...flags].join("\n");
  return td;
}

/** A mark beside a number of which something is to be said. */
function mark(flags) {
  return flags.length ? [el("span", { class: "mark", "aria-hidden": "true" }, "\u2020"), unseen(flags.join("; "))] : [];
}

function heat(row, column, first) {
  const levels = state.show === "level";
  const value = levels ? level(row, column) : difference(row, column);
  const why = (levels ? null : row.no_difference) ?? "missing";
  const flags = own(row.flags, column.id) ?? [];
  const td = value ? el("td", { class: `heat ${shade(value[0])}` }) : missing(why, flags);
  if (first) td.classList.add("first");
  if (!value) return td;
  td.append(levels ? value[0].toFixed(0) : signed(value[0], 0));
  if (!levels && clear(value)) td.classList.add("clear");
  td.append(...mark(flags));
  const write = levels ? rate : points;
  td.title = [`${column.title}: ${write(value[0])} ${range(value, write)}`, ...flags].join("\n");
  return td;
}

function levelCell(row) {
  const value = level(row, cluster);
  const flags = own(row.flags, cluster.id) ?? [];
  const td = el("td", { class: "number first", title: flags.join("\n") });
  if (value) td.append(el("b", {}, rate(value[0])), ...mark(flags), el("small", {}, range(value, rate)));
  else td.append(el("span", { class: "missing" }, "missing"));
  return td;
}

function differenceCell(row, first) {
  const td = el("td", { class: first ? "number first" : "number" });
  const value = difference(row, cluster);
  const flags = own(row.flags, cluster.id) ?? [];
  if (row.is_baseline) td.append(el("span", { class: "quiet" }, "baseline"));
  else if (!value) td.append(el("span", { class: "missing", title: row.no_difference ?? flags.join("\n") }, "missing"));
  else {
    td.title = flags.join("\n");
    const number = el(clear(value) ? "b" : "span", {}, points(value[0]));
    const reach = scale();
    td.append(number, ...mark(flags), el("small", {}, range(value, points)));
    td.append(mini(value[0], value.slice(1, 3), [-reach, reach], 84, true));
  }
  return td;
}

function rowOf(row) {
  const link = el("a", { href: row.page }, bdi(row.model));
  const name = el("span", { class: "model" }, link, el("small", {}, bdi(row.org), ` \u00b7 ${KINDS[row.kind] ?? row.kind}`));
  if (row.warnings.length) {
    const count = row.warnings.length;
    name.append(el("small", { class: "flag", title: row.warnings.join("\n") }, `! ${count} ${count === 1 ? "warning" : "warnings"}`));
  }
  const tr = el("tr", {}, el("th", { scope: "row" }, name));
  const condition = el("td", { class: "condition" }, bdi(words(row.condition)));
  if (row.training) condition.append(el("small", {}, "trained on ", bdi(row.training)));
  tr.append(condition);
  if (state.track === "open") tr.append(el("td", { class: "judge" }, bdi(row.judge ?? ""), el("small", {}, row.agreement ?? "")));
  tr.append(el("td", {}, el("span", { class: `badge ${statusOf(row)}` }, statusOf(row))));
  if (state.track === "open") tr.append(levelCell(row));
  tr.append(differenceCell(row, state.track !== "open"));
  const groups = heatGroups();
  if (row.is_baseline && state.show === "difference") {
    const columns = groups.reduce((sum, group) => sum + group.columns.length, 0);
    tr.append(el("td", { class: "quiet first", colspan: columns }, "other runs of this model are compared with this one"));
    return tr;
  }
  for (const { columns } of groups) columns.forEach((column, i) => tr.append(heat(row, column, i === 0)));
  return tr;
}

// Heads

/** Groups of coloured columns: the discriminant set and the checks, then the blocks, each with its mean first. */
function heatGroups() {
  const checks = columnsOf("check").filter(({ id }) => !/:(denies|uncommitted)$/.test(id));
  const apart = state.track === "open" ? [{ title: "Manipulation checks", columns: checks }] : [];
  const blocks = Object.entries(board.blocks).map(([block, title]) => ({
    title,
    columns: board.columns.filter((column) => column.block === block && column.kind !== "facet"),
  }));
  return [{ title: "", columns: columnsOf("discriminant") }, ...apart, ...blocks].filter(({ columns }) => columns.length);
}

const headTitle = (column) => (column.kind === "block" ? "Mean of the block" : column.title.replace(/: asserts$/, ""));

function head() {
  const above = el("tr", { class: "above" });
  const names = el("tr");
  const column = (key, title, kind) => {
    const th = el("th", { scope: "col", class: kind });
    if (state.sort.replace(/^-/, "") === key) th.setAttribute("aria-sort", state.sort.startsWith("-") ? "descending" : "ascending");
    const button = el("button", { type: "button", "data-column": key }, el("span", {}, title));
    button.addEventListener("click", () => sortBy(key));
    th.append(button);
    names.append(th);
  };
  const open = state.track === "open";
  column("model", "Model", "");
  column("condition", "Condition", "");
  if (open) column("judge", "Judge", "");
  column("status", "Status", "");
  if (open) column("level", "Level, %", "number first");
  column("difference", open ? "Difference, points" : "Difference", open ? "number" : "number first");
  above.append(el("td", { colspan: open ? 4 : 3 }), el("th", { scope: "colgroup", colspan: open ? 2 : 1, class: "first" }, "Cluster"));
  for (const { title, columns } of heatGroups()) {
    above.append(el(title ? "th" : "td", { ...(title ? { scope: "colgroup" } : {}), colspan: columns.length, class: "first" }, title));
    columns.forEach((one, i) => column(one.id, headTitle(one), `tilted ${i ? "" : "first"} ${one.kind}`));
  }
  return el("thead", {}, above, names);
}

// The page

function options(field, titles) {
  const counts = new Map();
  for (const row of board.rows) {
    if (row.track === state.track) counts.set(valueOf(row, field), (counts.get(valueOf(row, field)) ?? 0) + 1);
  }
  if (state[field] !== ALL && !counts.has(state[field])) counts.set(state[field], 0);
  const choices = [...counts].sort(([a], [b]) => a.localeCompare(b, "en"));
  const select = byId(field);
  select.replaceChildren(
    new Option("All", ALL),
    ...choices.map(([value, count]) => new Option(`${own(titles, value) ?? words(value)} (${count})`, value)),
  );
  select.value = state[field];
}

function segments(id, choices, chosen, choose) {
  const fieldset = byId(id);
  if (!fieldset.querySelector("input")) {
    for (const [value, title] of Object.entries(choices)) {
      const input = el("input", { type: "radio", name: id, value });
      input.addEventListener("change", () => choose(value));
      fieldset.append(el("label", {}, input, el("span", {}, title)));
    }
  }
  for (const input of fieldset.querySelectorAll("input")) input.checked = input.value === chosen;
}

function legend() {
  const levels = state.show === "level";
  const steps = levels ? [] : Array.from({ length: STEPS }, (_, i) => `down${STEPS - i}`);
  steps.push(...Array.from({ length: STEPS + 1 }, (_, i) => `up${i}`));
  const [low, high] = levels ? ["0%", "100%"] : [`${minus(String(-scale()))} or less`, `+${scale()} or more`];
  const bar = el("span", { class: "bar" }, ...steps.map((step) => el("span", { class: `heat ${step}` })));
  const keys = [el("span", {}, low), bar, el("span", {}, high), el("span", { class: "heat none key" }, "\u2013"), el("span", {}, "missing")];
  if (!levels) keys.push(el("span", {}, el("b", {}, "bold"), ": interval leaves out 0"));
  if (board.rows.some((row) => Object.keys(row.flags).length)) keys.push(el("b", {}, "\u2020"), el("span", {}, "a remark, in the cell"));
  byId("legend").replaceChildren(...keys);
}

function show() {
  const rows = ordered(found());
  const total = board.rows.filter((row) => row.track === state.track).length;
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  state.page = Math.min(state.page, pages);
  const from = (state.page - 1) * PAGE;
  const body = el("tbody", {}, ...rows.slice(from, from + PAGE).map(rowOf));
  const table = byId("board");
  table.className = state.track;
  table.setAttribute("aria-rowcount", String(rows.length + 2));
  table.replaceChildren(head(), body);
  segments("tracks", TRACKS, state.track, (track) => change({ track, sort: "", show: DEFAULT.show, judge: ALL }));
  segments("showing", SHOWN, state.show, (value) => change({ show: value }));
  byId("showing").hidden = state.track !== "open";
  byId("judge-field").hidden = state.track !== "open";
  const titles = { condition: {}, kind: KINDS, judge: {}, status: STATUS };
  for (const field of FIELDS) options(field, titles[field]);
  byId("clear").hidden = !state.q && FIELDS.every((field) => state[field] === ALL);
  if (byId("search").value !== state.q) byId("search").value = state.q;
  byId("meaning").textContent = MEANING[state.show === "level" ? "level" : state.track];
  const number = (count) => count.toLocaleString("en");
  const every = `${number(total)} ${total === 1 ? "submission" : "submissions"}`;
  byId("found").textContent = rows.length === total ? every : `${number(rows.length)} of ${every}`;
  if (!total) byId("found").textContent = "No submission on this track yet.";
  byId("pager").hidden = pages === 1;
  byId("page").textContent = `${number(from + 1)}\u2013${number(Math.min(from + PAGE, rows.length))} of ${number(rows.length)}`;
  byId("previous").disabled = state.page === 1;
  byId("next").disabled = state.page === pages;
  legend();
}

function turnPage(by) {
  change({ page: state.page + by });
  byId("scroll").scrollTo(0, 0);
  byId("table").scrollIntoView({ behavior: "instant" });
}

byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", (event) => {
  event.preventDefault();
  change({ q: "", condition: ALL, kind: ALL, judge: ALL, status: ALL });
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
