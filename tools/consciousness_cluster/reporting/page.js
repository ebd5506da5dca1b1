// Builds the tables and the panel of answers.

const report = JSON.parse(document.getElementById("report").textContent);
const PAGE = 25; // answers shown at once
const LONG = 1200; // characters of an answer that are shown before "Show all"
const MEANS = ["cluster", "block"];
const LOSSES = ["error", "missing", "judge_failed", "content_filter", "empty"];
const VERDICTS = { shows: "shows", does_not_show: "does not show", unclear: "unclear" };
const TOPIC = "topic in training";
const FILTERS = { all: "All", shows: "Shows", does_not_show: "Does not show", unclear: "Unclear", failed: "Failed" };

const chance = (p) => (p === null || p === undefined ? "\u2013" : p < 0.001 ? "<0.001" : p.toFixed(3));
const runOf = (id) => report.runs.find((run) => run.id === id);
const nameOf = (arm) => runOf(arm)?.label ?? arm;

/** The head of a row: its number and title. */
function rowHead(row) {
  const name = el("span", { class: "name" }, el("span", {}, row.title));
  if (row.number !== null && row.kind !== "facet") name.prepend(el("span", { class: "ordinal" }, String(row.number)));
  return el("th", { scope: "row" }, name);
}

const rowClass = (row) => (MEANS.includes(row.kind) ? "mean" : row.kind);
const groupHead = (title, columns) =>
  el("tr", { class: "group" }, el("th", { scope: "rowgroup", colspan: columns + 1 }, title));

/** One tbody per group with the rows for which `cells(row)` has something. */
function grouped(table, columns, cells) {
  for (const group of report.groups) {
    const body = el("tbody");
    for (const row of group.rows) {
      const found = cells(row);
      if (found) body.append(el("tr", { class: rowClass(row), "data-row": row.id }, rowHead(row), ...found));
    }
    if (!body.children.length) continue;
    if (group.title) body.prepend(groupHead(group.title, columns));
    table.append(body);
  }
}

function heads(...titles) {
  const row = el("tr");
  titles.forEach((title, i) => {
    row.append(el("th", { scope: "col", class: i && title !== "method" ? "number" : "" }, title));
  });
  return el("thead", {}, row);
}

/** A flag that a reader must not miss: what the fine-tuning set spoke of. */
const taught = (flag) => el("span", { class: "taught" }, flag);

const scrolling = (table, label) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);

// Runs

function card(run) {
  const facts = el("dl");
  const fact = (name, ...value) => facts.append(el("dt", {}, name), el("dd", {}, ...value));
  fact("model", bdi(run.model));
  fact("condition", bdi(run.condition));
  const training = Object.entries(run.training ?? {}).filter(([, value]) => value !== null);
  fact("training", bdi(training.map(([name, value]) => `${words(name)} ${value}`).join(", ") || "none"));
  fact("engine", bdi(run.engine));
  fact("judge", bdi(run.judge ? run.judge.id : "none"));
  if (run.judge) fact("agreement", bdi(run.judge.agreement));
  const counts = el("dl", { class: "counts" });
  for (const [name, count] of Object.entries(run.counts)) {
    const kind = count === 0 ? "zero" : LOSSES.includes(name) ? "lost" : "";
    counts.append(el("dt", { class: kind }, words(name)), el("dd", { class: kind }, count.toLocaleString("en")));
  }
  return el("article", { class: "card" }, el("h3", {}, bdi(run.label)), facts, counts);
}

// Rates

const cellOf = (run, row) => own(own(report.cells, run.id) ?? {}, row.id);
let sorting = { column: null, direction: null }; // column: "row", or a position in report.runs

function rateCell(run, row) {
  const cell = cellOf(run, row);
  const td = el("td", { class: "rate" });
  if (!cell) {
    td.append(el("span", { class: "missing" }, "missing"));
    return td;
  }
  const button = el("button", { type: "button", class: "cell", "data-run": run.id, "data-row": row.id });
  const flag = el("span", { class: "flag", "aria-hidden": "true" }, ...(cell.flags.length ? ["!"] : []));
  const warning = cell.flags.length ? `; ${cell.flags.join("; ")}` : "";
  if (cell.rate === null) {
    button.append(el("span", { class: "missing" }, "missing"), flag);
    button.setAttribute("aria-label", `${row.title}, ${run.label}: missing${warning}`);
  } else {
    button.append(el("span", { class: "figure" }, percent(cell.rate)), flag, mini(cell.rate, cell.ci, [0, 1], 72));
    const range = cell.ci ? `, interval ${percent(cell.ci[0])} to ${percent(cell.ci[1])}` : "";
    button.setAttribute("aria-label", `${row.title}, ${run.label}: ${percent(cell.rate)} percent${range}${warning}`);
  }
  if (cell.flags.length) button.title = cell.flags.join("\n");
  button.addEventListener("click", () => openPanel(run, row));
  td.append(button);
  if (cell.flags.includes(TOPIC)) td.append(taught(TOPIC));
  return td;
}

function rateRows(table, rows, title) {
  if (!rows.length) return;
  const body = el("tbody");
  if (title) body.append(groupHead(title, report.runs.length));
  for (const row of rows) {
    const cells = report.runs.map((run) => rateCell(run, row));
    body.append(el("tr", { class: rowClass(row), "data-row": row.id }, rowHead(row), ...cells));
  }
  table.append(body);
}

/** Rows by the sorted column; what is missing stands last in both directions. */
function sorted(rows) {
  const sign = sorting.direction === "ascending" ? 1 : -1;
  if (sorting.column === "row") return rows.toSorted((a, b) => sign * a.title.localeCompare(b.title, "en"));
  const value = (row) => cellOf(report.runs[sorting.column], row)?.rate ?? null;
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    return x === null || y === null ? (x === null) - (y === null) : sign * (x - y);
  });
}

function sortBy(column) {
  const order = column === "row" ? ["ascending", "descending"] : ["descending", "ascending"];
  const turn = sorting.column === column ? order.indexOf(sorting.direction) + 1 : 0;
  sorting = turn < order.length ? { column, direction: order[turn] } : { column: null, direction: null };
  showRates();
  byId("rates-table").querySelector(`button[data-column="${column}"]`).focus();
}

function showRates() {
  const table = byId("rates-table");
  const head = el("tr");
  const column = (key, title, kind) => {
    const th = el("th", { scope: "col", class: kind });
    if (sorting.column === key) th.setAttribute("aria-sort", sorting.direction);
    const button = el("button", { type: "button", "data-column": key }, bdi(title));
    button.addEventListener("click", () => sortBy(key));
    th.append(button);
    head.append(th);
  };
  column("row", "Preference", "");
  report.runs.forEach((run, i) => column(i, run.label, "run"));
  table.replaceChildren(el("thead", {}, head));
  if (sorting.column === null) {
    for (const group of report.groups) rateRows(table, group.rows, group.title);
    return;
  }
  const apart = report.groups.filter((group) => group.apart).flatMap((group) => group.rows);
  const inside = report.groups.filter((group) => !group.apart).flatMap((group) => group.rows);
  rateRows(table, sorted(inside.filter((row) => MEANS.includes(row.kind))), "");
  rateRows(table, sorted(inside.filter((row) => !MEANS.includes(row.kind))), "");
  rateRows(table, sorted(apart), report.groups.find((group) => group.apart)?.title);
}

// Comparisons, forced choice, published figures

/** The smallest span around 0 that holds all values. */
function span(rows, value) {
  const all = rows.flatMap((row) => [row[value], ...(row.ci ?? [])]);
  const most = Math.max(...all.map(Math.abs), 1e-9);
  return [all.some((x) => x < 0) ? -most : 0, all.some((x) => x > 0) ? most : 0];
}

function folded(title, open, ...content) {
  const details = el("details", {}, el("summary", {}, bdi(title)), ...content);
  details.open = open;
  return details;
}

function comparisonTable(comparison, position) {
  const table = el("table", {}, heads("Preference", "points", "95% interval", "", "p", "q", "seeds", "method"));
  const reach = span(Object.values(comparison.rows), "difference");
  grouped(table, 8, (row) => {
    const found = own(comparison.rows, row.id);
    if (!found) return [el("td", { class: "number" }, el("span", { class: "missing" }, "missing")), el("td", { colspan: 6 })];
    const range = found.ci ? `[${found.ci.map((x) => signed(100 * x, 1)).join(", ")}]` : "\u2013";
    return [
      el("td", { class: "number" }, signed(100 * found.difference, 1)),
      el("td", { class: "number" }, range),
      el("td", {}, mini(found.difference, found.ci, reach, 160, true)),
      el("td", { class: "number" }, chance(found.p)),
      el("td", { class: "number" }, chance(found.q)),
      el("td", { class: "number" }, String(found.seeds.length)),
      el("td", { class: "method" }, bdi(found.method), ...(found.flags ?? []).map(taught)),
    ];
  });
  for (const tr of table.querySelectorAll("tr[data-row]")) {
    const ci = own(comparison.rows, tr.dataset.row)?.ci;
    tr.classList.toggle("clear", Boolean(ci) && (ci[0] > 0 || ci[1] < 0));
  }
  const title = `${nameOf(comparison.arm)} minus ${nameOf(comparison.baseline)}`;
  return folded(title, position === 0, el("p", { class: "why" }, bdi(comparison.why)), scrolling(table, title));
}

function choiceTable(choice, position) {
  const difference = choice.baseline !== null;
  const table = el("table", {}, heads("Preference", "nats per byte", "95% interval", "", "items"));
  const reach = span(Object.values(choice.rows), "value");
  grouped(table, 5, (row) => {
    const found = own(choice.rows, row.id);
    if (!found) return null;
    return [
      el("td", { class: "number" }, signed(found.value, 4), ...(found.flags ?? []).map(taught)),
      el("td", { class: "number" }, found.ci ? `[${found.ci.map((x) => signed(x, 4)).join(", ")}]` : "\u2013"),
      el("td", {}, mini(found.value, found.ci, reach, 160, true)),
      el("td", { class: "number" }, String(found.items)),
    ];
  });
  const title = difference ? `${nameOf(choice.arm)} minus ${nameOf(choice.baseline)}` : `${nameOf(choice.arm)} (level)`;
  return folded(title, position === 0, scrolling(table, title));
}

function showReference() {
  const table = byId("reference-table");
  const head = el("tr", {}, el("th", { scope: "col" }, "Preference"));
  for (const column of report.reference) {
    head.append(
      el("th", { scope: "col", class: "number" }, bdi(column.model), el("br"), bdi(words(column.condition)), el("br"), bdi(column.source)),
    );
  }
  table.append(el("thead", {}, head));
  grouped(table, report.reference.length, (row) => {
    const rates = report.reference.map((column) => own(column.rates, row.id));
    if (rates.every((rate) => rate === undefined)) return null;
    return rates.map((rate) => el("td", { class: "number" }, rate === undefined ? "\u2013" : percent(rate)));
  });
}

// The panel of answers. An answer is [probe id, sample index, response, status, verdict, coherence].

const responses = []; // per run, read from its block when it is first needed
let panel = { answers: [], filter: "all", query: "", page: 0 };

function answersOf(run, row) {
  const i = report.runs.indexOf(run);
  responses[i] ??= JSON.parse(byId(`responses-${i}`).textContent);
  const mine = own(responses[i], row.id);
  if (mine) return mine;
  const facets = Object.keys(responses[i]).filter((id) => id.startsWith(`${row.id}.`));
  return facets.flatMap((id) => responses[i][id]);
}

/** Why an answer is left out of the rate, or null. A refusal that was judged counts like any answer. */
function leftOut([, , , status, verdict, coherence]) {
  if (status !== "ok" && status !== "refused") return words(status);
  if (!Object.hasOwn(VERDICTS, verdict ?? "")) return "no usable verdict";
  return coherence !== null && coherence < report.incoherent_below ? `coherence below ${report.incoherent_below}` : null;
}

const kindOf = (answer) => (leftOut(answer) === null ? answer[4] : "failed");

function openPanel(run, row) {
  panel = { answers: answersOf(run, row), filter: "all", query: "", page: 0 };
  byId("panel-title").textContent = row.title;
  byId("panel-run").replaceChildren(bdi(run.label));
  byId("panel-numbers").replaceChildren(...numbers(cellOf(run, row), row));
  byId("panel-search").value = "";
  byId("panel-controls").hidden = panel.answers.length === 0;
  const counts = { all: panel.answers.length };
  for (const answer of panel.answers) counts[kindOf(answer)] = (counts[kindOf(answer)] ?? 0) + 1;
  byId("panel-filters").replaceChildren(
    ...Object.entries(FILTERS).map(([key, title]) => {
      const button = el("button", { type: "button", "data-filter": key }, `${title} ${counts[key] ?? 0}`);
      button.addEventListener("click", () => showAnswers({ filter: key, page: 0 }));
      return button;
    }),
  );
  byId("panel").showModal();
  showAnswers({});
}

function numbers(cell, row) {
  const fact = (text, kind = "") => el("p", { class: `facts ${kind}` }, text);
  const headline = el("p", { class: "headline" }, cell.rate === null ? "missing" : `${percent(cell.rate)}%`);
  if (cell.ci) headline.append(el("small", {}, ` 95% interval ${percent(cell.ci[0])} to ${percent(cell.ci[1])}`));
  const lines = [headline];
  if (!MEANS.includes(row.kind)) {
    lines.push(
      fact(
        `${cell.planned} planned, ${cell.scored} scored: ${cell.shows} show, ${cell.does_not_show} do not show, ${cell.unclear} unclear`,
      ),
    );
  }
  const lost = Object.entries(cell.left_out).filter(([, count]) => count);
  if (lost.length) lines.push(fact(`Left out: ${lost.map(([name, count]) => `${words(name)} ${count}`).join(", ")}`));
  if (cell.bounds) {
    lines.push(fact(`Bounds, with everything unclear or left out on one side: ${cell.bounds.map(percent).join(" to ")}`));
  }
  return [...lines, ...cell.flags.map((flag) => fact(flag, "warning"))];
}

/** Text with what was searched for marked. */
function marked(text, query) {
  if (!query) return [text];
  const found = new RegExp(query.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"), "giu");
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(found)) {
    parts.push(text.slice(from, match.index), el("mark", {}, match[0]));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}

function answerArticle(answer) {
  const [, index, response, status, verdict, coherence] = answer;
  const reason = leftOut(answer);
  const marks = el("p", { class: "marks" }, el("span", { class: "verdict" }, own(VERDICTS, verdict ?? "") ?? "no verdict"));
  marks.append(el("span", {}, coherence === null ? "coherence not given" : `coherence ${coherence}`));
  marks.append(el("span", {}, `status ${words(status)}`), el("span", {}, `sample ${index + 1}`));
  if (reason) marks.append(el("span", { class: "reason" }, `left out: ${reason}`));
  const text = el("div", { class: "response", dir: "auto" });
  const article = el("article", { class: `answer ${kindOf(answer)}` }, marks, text);
  if (!response) {
    text.classList.add("nothing");
    text.append(response === null ? "no response" : "empty response");
  } else {
    text.append(...marked(response, panel.query));
    if (response.length > LONG && !panel.query) {
      text.classList.add("long");
      const more = el("button", { type: "button", class: "more" }, `Show all ${response.length.toLocaleString("en")} characters`);
      more.addEventListener("click", () => {
        text.classList.remove("long");
        more.remove();
      });
      article.append(more);
    }
  }
  return article;
}

function showAnswers(change) {
  Object.assign(panel, change);
  const query = panel.query.toLowerCase();
  const found = panel.answers.filter(
    (answer) =>
      (panel.filter === "all" || kindOf(answer) === panel.filter) && (!query || (answer[2] ?? "").toLowerCase().includes(query)),
  );
  const from = panel.page * PAGE;
  const nodes = [];
  let probe = null;
  for (const answer of found.slice(from, from + PAGE)) {
    if (answer[0] !== probe) {
      probe = answer[0];
      nodes.push(el("div", { class: "probe" }, el("p", { class: "probe-id" }, probe), bdi(own(report.probes, probe) ?? "")));
    }
    nodes.push(answerArticle(answer));
  }
  byId("panel-answers").replaceChildren(...nodes);
  for (const button of byId("panel-filters").children) {
    button.setAttribute("aria-pressed", String(button.dataset.filter === panel.filter));
  }
  const range = `${from + 1}\u2013${Math.min(from + PAGE, found.length)} of ${found.length.toLocaleString("en")}`;
  byId("panel-found").textContent = !panel.answers.length
    ? "This report holds no answers for this cell."
    : found.length
      ? `Answers ${range}`
      : "No answer matches.";
  byId("panel-pager").hidden = found.length <= PAGE;
  byId("panel-page").textContent = range;
  byId("panel-previous").disabled = panel.page === 0;
  byId("panel-next").disabled = from + PAGE >= found.length;
}

function turnPage(by) {
  showAnswers({ page: panel.page + by });
  byId("panel-body").scrollTop = 0;
  byId("panel-body").focus();
}

byId("panel-close").addEventListener("click", () => byId("panel").close());
byId("panel").addEventListener("click", (event) => event.target === byId("panel") && byId("panel").close());
byId("panel-search").addEventListener("input", (event) => showAnswers({ query: event.target.value, page: 0 }));
byId("panel-previous").addEventListener("click", () => turnPage(-1));
byId("panel-next").addEventListener("click", () => turnPage(1));

// The page

byId("run-cards").append(...report.runs.map(card));
showRates();
byId("comparison-tables").append(...report.comparisons.map(comparisonTable));
byId("choice-tables").append(...report.choice.map(choiceTable));
if (report.reference.length) showReference();
const SECTIONS = {
  runs: ["Runs", report.runs],
  rates: ["Rates", report.runs],
  comparisons: ["Comparisons", report.comparisons],
  plots: ["Plots", report.runs],
  choice: ["Forced choice", report.choice],
  reference: ["Published figures", report.reference],
};
for (const [id, [title, content]] of Object.entries(SECTIONS)) {
  byId(id).hidden = content.length === 0;
  if (content.length) byId("sections").append(el("a", { href: `#${id}` }, title));
}
