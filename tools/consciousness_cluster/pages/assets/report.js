// The report: sorts the table of rates, and opens its cells.

const PAGE = 25; // answers shown at once
const LONG = 1200; // characters of an answer that are shown before "Show all"

// The table of rates

const bodies = [...(byId("rates-table")?.tBodies ?? [])].map((body) => ({ body, rows: [...body.rows] }));

/** The rows by group, or sorted: means, then the others, and what is outside the cluster below the headings of its kinds. */
function sortBy(button) {
  const table = byId("rates-table");
  const direction = nextDirection(button, button.parentElement.getAttribute("aria-sort"));
  markSorted(table, button, direction);
  for (const { body } of bodies) body.remove();
  if (!direction) {
    for (const { body, rows } of bodies) body.replaceChildren(...rows);
    table.append(...bodies.map(({ body }) => body));
    return;
  }
  const groups = (apart) => bodies.filter(({ body }) => body.classList.contains("apart") === apart).map(({ rows }) => rows);
  const [isRow, isMean] = [(row) => row.dataset.row, (row) => row.classList.contains("mean")];
  const inside = groups(false).flat().filter(isRow);
  for (const group of [inside.filter(isMean), inside.filter((row) => !isMean(row)), ...groups(true)]) {
    const found = ordered(group.filter(isRow), button, direction === "ascending" ? 1 : -1);
    const heading = group.filter((row) => !isRow(row));
    if (found.length) table.append(el("tbody", {}, ...heading, ...found));
  }
}

// The panel of answers. An answer is [probe id, sample index, response, status, verdict, coherence, why it is left out].

const read = {}; // blocks of data that have been read
let panel = { answers: [], filter: "all", query: "", page: 0 };

function blockOf(id) {
  read[id] ??= JSON.parse(byId(id).textContent);
  return read[id];
}

const kindOf = ([, , , , verdict, , leftOut]) => (leftOut === null ? verdict : "failed");

function openPanel(button) {
  const row = button.closest("tr");
  const answers = button.dataset.answers.split(" ").filter(Boolean);
  panel = { answers: answers.flatMap((id) => blockOf(button.dataset.block)[id]), filter: "all", query: "", page: 0 };
  byId("panel-title").textContent = row.cells[0].dataset.value;
  const run = row.closest("table").tHead.rows[0].cells[button.closest("td").cellIndex];
  byId("panel-run").replaceChildren(el("bdi", {}, run.textContent));
  byId("panel-numbers").replaceChildren(button.parentElement.querySelector("template").content.cloneNode(true));
  byId("panel-search").value = "";
  byId("panel-controls").hidden = panel.answers.length === 0;
  for (const filter of byId("panel-filters").children) {
    const { filter: kind, title } = filter.dataset;
    filter.textContent = `${title} ${panel.answers.filter((answer) => kind === "all" || kindOf(answer) === kind).length}`;
  }
  byId("panel").showModal();
  showAnswers({});
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
  const [, index, response, status, verdict, coherence, leftOut] = answer;
  const marks = el("p", { class: "marks" }, el("span", { class: "verdict" }, words(verdict ?? "no verdict")));
  marks.append(el("span", {}, coherence === null ? "coherence not given" : `coherence ${coherence}`));
  marks.append(el("span", {}, `status ${words(status)}`), el("span", {}, `sample ${index + 1}`));
  if (leftOut) marks.append(el("span", { class: "reason" }, `left out: ${leftOut}`));
  const text = el("div", { class: "response", dir: "auto" });
  const article = el("article", { class: `answer ${kindOf(answer)}` }, marks, text);
  if (!response) {
    text.classList.add("nothing");
    text.append(response === null ? "no response" : "empty response");
    return article;
  }
  text.append(...marked(response, panel.query));
  if (response.length > LONG && !panel.query) {
    text.classList.add("long");
    const more = el("button", { type: "button", class: "more" }, `Show all ${grouped(response.length)} characters`);
    more.addEventListener("click", () => {
      text.classList.remove("long");
      more.remove();
    });
    article.append(more);
  }
  return article;
}

function showAnswers(change) {
  Object.assign(panel, change);
  const query = panel.query.toLowerCase();
  const fits = (answer) => panel.filter === "all" || kindOf(answer) === panel.filter;
  const found = panel.answers.filter((answer) => fits(answer) && (!query || (answer[2] ?? "").toLowerCase().includes(query)));
  const from = panel.page * PAGE;
  const nodes = [];
  let probe = null;
  for (const answer of found.slice(from, from + PAGE)) {
    if (answer[0] !== probe) {
      probe = answer[0];
      const asked = el("bdi", {}, own(blockOf("probes"), probe) ?? "");
      nodes.push(el("div", { class: "probe" }, el("p", { class: "probe-id" }, probe), asked));
    }
    nodes.push(answerArticle(answer));
  }
  byId("panel-answers").replaceChildren(...nodes);
  for (const button of byId("panel-filters").children) {
    button.setAttribute("aria-pressed", String(button.dataset.filter === panel.filter));
  }
  const range = `${from + 1}\u2013${Math.min(from + PAGE, found.length)} of ${grouped(found.length)}`;
  const nothing = panel.answers.length ? "No answer matches." : "This report holds no answers for this cell.";
  byId("panel-found").textContent = found.length ? `Answers ${range}` : nothing;
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

for (const table of document.querySelectorAll("table.rates")) {
  table.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) (button.closest("thead") ? sortBy : openPanel)(button);
  });
}
byId("panel-filters").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) showAnswers({ filter: button.dataset.filter, page: 0 });
});
byId("panel-close").addEventListener("click", () => byId("panel").close());
byId("panel").addEventListener("click", (event) => event.target === byId("panel") && byId("panel").close());
byId("panel-search").addEventListener("input", (event) => showAnswers({ query: event.target.value, page: 0 }));
byId("panel-previous").addEventListener("click", () => turnPage(-1));
byId("panel-next").addEventListener("click", () => turnPage(1));
