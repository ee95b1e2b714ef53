"use strict";
// The interactive page: asks gmm1d (the questions stand in gmm1d.explore.routes) and shows what it answers.

const $ = (id) => document.getElementById(id);
const COUNTS = ["auto", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const FILES = { "model.json": "Model (JSON)", "picture.png": "Picture (PNG)", "picture.svg": "Picture (SVG)", "labels.csv": "Labels (CSV)", "code.py": "Code (Python)" };
const state = { specs: null, data: null, k: "auto", fit: null, start: null };
const turns = {}; // the last question of each kind: what answers an earlier one comes too late

// Ask, and return the answer; null if a later question of the same kind was asked meanwhile.
async function ask(path, question, { kind = path, method = "POST" } = {}) {
  const turn = (turns[kind] = (turns[kind] ?? 0) + 1);
  const body = question instanceof Blob || typeof question === "string" ? question : JSON.stringify(question);
  const wait = setTimeout(() => ($("busy").textContent = "Working …"), 250);
  try {
    const answer = await fetch(path, method === "GET" ? {} : { method, body }).catch(() => {
      throw new Error("gmm1d does not answer any more: is the command still running?");
    });
    const content = await answer.json().catch(() => ({ error: `the answer cannot be read (${answer.status})` }));
    if (turn !== turns[kind]) return null;
    if (!answer.ok) throw new Error(content.error);
    $("problem").hidden = true;
    return content;
  } finally {
    clearTimeout(wait);
    if (turn === turns[kind]) $("busy").textContent = "";
  }
}

// Do something that may fail, and say so where everybody sees it.
const doing = (work) => async (...args) => {
  try {
    return await work(...args);
  } catch (error) {
    $("problem").textContent = error.message;
    $("problem").hidden = false;
    $("problem").scrollIntoView({ block: "nearest" });
  }
};

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), { textContent: text });
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function fillTable(table, { header, rows }, chosen = -1) {
  const row = (cells, name) => {
    const made = element("tr", "");
    made.append(...cells.map((cell, i) => element(name === "th" || !i ? "th" : "td", cell, name === "th" ? { scope: "col" } : i ? {} : { scope: "row" })));
    return made;
  };
  table.tHead.replaceChildren(row(header, "th"));
  table.tBodies[0].replaceChildren(...rows.map((cells) => row(cells, "td")));
  table.tBodies[0].rows[chosen]?.classList.add("chosen");
}

// data

async function load(data) {
  if (!data) return;
  state.data = data;
  $("loaded").hidden = false;
  const missing = data.n_missing ? `; ${data.n_missing} missing values were left out` : "";
  const kept = data.compressed ? "; compressed into a sketch" : "";
  $("about").textContent = `${data.name}: ${data.n.toLocaleString("en")} values of ${data.column.name}, from ${shown(data.low, 6)} to ${shown(data.high, 6)}${missing}${kept}.`;
  $("columns").hidden = data.columns.length < 2;
  $("column").replaceChildren(...data.columns.map(({ number, name }) => element("option", name, { value: number })));
  $("column").value = data.column.number;
  const picture = await Picture.in($("picture"), state.specs, data.scene);
  state.picture = picture;
  state.threshold = new Threshold($("cut"), picture, () => mode() === "fit");
  state.replay ??= await Replay.in($("replay"), state.specs, picture);
  state.replay.use(picture);
  grips(picture);
  state.start = data.start;
  if (data.start) {
    document.querySelector("[name=mode][value=climb]").checked = true;
    setK(data.start.means.length);
  } else {
    document.querySelector("[name=mode][value=fit]").checked = true;
    setK("auto");
  }
  await refresh();
}

const upload = doing(async (body, name) => {
  const about = new URLSearchParams({ name, decimal: $("decimal").value });
  await load(await ask(`data?${about}`, body, { kind: "data" }));
});

// the mixture

const mode = () => document.querySelector("[name=mode]:checked").value;

function setK(k) {
  state.k = k;
  const input = document.querySelector(`[name=k][value="${k}"]`);
  if (input) input.checked = true;
}

const refresh = doing(async () => {
  const climbing = mode() === "climb";
  $("climbing").hidden = !climbing;
  $("cut").hidden = climbing;
  if (!climbing) return best();
  const k = state.k === "auto" ? (state.fit?.k ?? 2) : state.k;
  if (state.start?.means.length !== k) return named($("named").value || "quantile", k);
  return climb();
});

// The best fit of k components, or of as many as the criterion chooses.
async function best() {
  const question = { id: state.data.id, k: state.k, equal_variances: $("equal").checked, criterion: $("criterion").value };
  for (const thorough of [false, true]) {
    const fit = await ask("fit", { ...question, thorough });
    if (!fit) return;
    show(fit);
    state.picture.fit(fit.mixture);
    state.picture.show(fit.mixture, { boundaries: fit.boundaries });
    state.threshold.start(fit.boundaries);
    if (fit.thorough) return;
  }
}

function show(fit) {
  state.fit = fit;
  const sentence = fit.status.sentence;
  $("status").textContent = `${sentence[0].toUpperCase()}${sentence.slice(1)}. Log-likelihood ${shown(fit.log_likelihood, 9)}, AIC ${shown(fit.aic, 8)}, BIC ${shown(fit.bic, 8)}, ICL ${shown(fit.icl, 8)}.`;
  fillTable($("parameters"), fit.table);
  const errors = fit.no_errors ? [`no standard errors: ${fit.no_errors}`] : [];
  $("remarks").replaceChildren(...[...fit.remarks, ...errors, ...fit.notes].map((text) => element("li", text)));
  $("formula").textContent = fit.formula;
  $("choice").hidden = !fit.comparison;
  if (fit.comparison) choice(fit.comparison);
  const about = new URLSearchParams({ id: state.data.id, fit: fit.fit });
  $("downloads").replaceChildren(...Object.entries(FILES)
    .filter(([name]) => name !== "labels.csv" || state.data.has_values)
    .map(([name, title]) => element("a", title, { href: `download/${name}?${about}`, download: "" })));
  if ($("code").open) code();
}

async function choice({ criterion, k, reason, criteria, table }) {
  $("reason").textContent = reason;
  fillTable($("criteria"), table, criteria.findIndex((row) => row.k === k));
  const figure = document.querySelector("[data-chart=criteria]");
  state.criteria ??= await Chart.in(figure, state.specs.criteria, figure.parentElement.dataset.label);
  const rows = criteria.flatMap((row) =>
    ["aic", "bic", "icl"].filter((name) => row[name] !== null).map((name) => ({ ...row, criterion: name.toUpperCase(), y: row[name] })));
  drawCriteria(state.criteria, rows, rows.filter((row) => row.k === k && row.criterion === criterion.toUpperCase()));
}

const code = doing(async () => {
  const about = new URLSearchParams({ id: state.data.id, fit: state.fit.fit });
  const answer = await fetch(`download/code.py?${about}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(JSON.parse(text).error);
  $("code").querySelector("pre").textContent = text;
});

// the climb

async function named(name, k) {
  $("named").value = name;
  const start = await ask("start", { id: state.data.id, k, name });
  if (!start) return;
  state.start = start;
  await climb();
}

// Climb from the start as it is, and by Newton's method beside it.
async function climb() {
  tabulate();
  const question = { id: state.data.id, start: state.start };
  const method = $("method").value;
  const found = await ask("climb", { ...question, method });
  if (!found) return;
  const other = method === "newton" ? null : await ask("climb", { ...question, method: "newton" }, { kind: "other" }).catch(() => null);
  show(found.end);
  state.replay.load(found.replay, other?.replay ?? null);
  const told = ({ method, milliseconds, end }) =>
    `${method === "em" ? "EM" : method === "newton" ? "Newton" : "SQUAREM"}: ${end.steps}, log-likelihood ${shown(end.log_likelihood, 10)}, ${end.status.name.toLowerCase()}, ${shown(milliseconds, 2)} ms`;
  $("race").textContent = [found, other].filter(Boolean).map(told).join(" · ") + (other ? ". The orange line above is Newton's." : ".");
}

function tabulate() {
  const digits = (value) => String(Number(value.toPrecision(6)));
  const rows = state.start.means.map((_, j) => {
    const row = element("tr", "");
    row.append(element("th", j + 1, { scope: "row" }));
    for (const part of ["weights", "means", "stds"]) {
      const cell = element("td", "");
      const input = element("input", "", { type: "number", step: "any", "aria-label": `${part.slice(0, -1)} of component ${j + 1}`, value: digits(state.start[part][j]) });
      input.addEventListener("change", doing(async () => {
        state.start[part][j] = Number(input.value);
        await own();
      }));
      cell.append(input);
      row.append(cell);
    }
    return row;
  });
  $("start").tBodies[0].replaceChildren(...rows);
}

// The start was changed by hand.
async function own() {
  $("named").value = "";
  const total = mixture.sum(state.start.weights);
  if (total > 0) state.start.weights = state.start.weights.map((weight) => weight / total);
  await climb();
}

// Let the components of the start be dragged: sideways the mean, up and down the standard deviation.
function grips(picture) {
  const near = ({ px, py }) => {
    if (mode() !== "climb" || state.replay.at !== 0) return null;
    const { view } = picture.density;
    const far = state.start.means.map((mean, j) =>
      Math.hypot(view.scale("x")(mean) - px, view.scale("y")(picture.peak(state.start, j)) - py));
    const j = far.indexOf(Math.min(...far));
    return far[j] < 24 ? { j, y: picture.peak(state.start, j), std: state.start.stds[j] } : null;
  };
  const move = ({ j, y, std }, place) => {
    const [low, high] = picture.scene.view;
    const least = picture.scene.top / 50; // near the axis, where heights say little
    state.start.means[j] = Math.min(Math.max(place.x, low), high);
    state.start.stds[j] = std * Math.min(Math.max(y / Math.max(place.y, least), 1e-3), 1e3);
    picture.show(state.start, { handles: true });
    tabulate();
  };
  draggable(picture.density, near, move, doing(own));
}

// the page

function droppable() {
  const body = document.body;
  body.addEventListener("dragover", (event) => { event.preventDefault(); body.classList.add("dropping"); });
  body.addEventListener("dragleave", () => body.classList.remove("dropping"));
  body.addEventListener("drop", (event) => {
    event.preventDefault();
    body.classList.remove("dropping");
    const file = event.dataTransfer.files[0];
    const text = event.dataTransfer.getData("text/plain");
    if (file) upload(file, file.name);
    else if (text) upload(text, "");
  });
}

const begin = doing(async () => {
  const [specs, hello] = await Promise.all([
    ask("static/specs.json", null, { method: "GET" }),
    ask("hello", null, { method: "GET" }),
  ]);
  state.specs = specs;
  $("example").append(...hello.examples.map(({ name, title, n }) => element("option", `${title} (${n})`, { value: name })));
  $("ks").replaceChildren(...COUNTS.map((k) => {
    const label = element("label", "");
    label.append(Object.assign(element("input", "", { type: "radio", name: "k", value: k }), { checked: k === "auto" }), ` ${k}`);
    return label;
  }));
  $("ks").addEventListener("change", (event) => { state.k = event.target.value === "auto" ? "auto" : Number(event.target.value); refresh(); });
  $("example").addEventListener("change", doing(async () => $("example").value && load(await ask("example", { name: $("example").value }, { kind: "data" }))));
  $("file").addEventListener("change", () => $("file").files[0] && upload($("file").files[0], $("file").files[0].name));
  $("use").addEventListener("click", () => upload($("text").value, ""));
  $("column").addEventListener("change", doing(async () => load(await ask("column", { id: state.data.id, number: Number($("column").value) }, { kind: "data" }))));
  for (const id of ["criterion", "equal", "method"]) $(id).addEventListener("change", refresh);
  for (const input of document.querySelectorAll("[name=mode]")) input.addEventListener("change", refresh);
  $("named").addEventListener("change", doing(async () => $("named").value && named($("named").value, state.start.means.length)));
  $("code").addEventListener("toggle", () => $("code").open && code());
  $("replay").addEventListener("step", (event) => event.detail.at === 0 && state.picture.show(state.start, { handles: true }));
  droppable();
  if (hello.data) await load(hello.data);
});

document.addEventListener("DOMContentLoaded", begin);
