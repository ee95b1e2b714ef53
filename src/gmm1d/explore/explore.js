"use strict";
// The interactive page: asks gmm1d (the questions stand in gmm1d.explore.routes) and shows what it answers.

const COUNTS = ["auto", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const FILES = { "model.json": "Model (JSON)", "picture.png": "Picture (PNG)", "picture.svg": "Picture (SVG)", "labels.csv": "Labels (CSV)", "code.py": "Code (Python)" };
const METHODS = { em: "EM", squarem: "SQUAREM", newton: "Newton" };
const PARTS = ["weights", "means", "stds"];
const NOTHING = { weights: [], means: [], stds: [] };
const state = { data: null, example: "", upload: null, k: "auto", fit: null, start: null };

const about = (question) => ({ id: state.data.id, ...question }); // a question about these data

// data

async function load(data) {
  Object.assign(state, { data, fit: null, start: structuredClone(data.start) });
  origin();
  const missing = data.n_missing ? `; ${data.n_missing.toLocaleString("en")} missing left out` : "";
  const kept = data.compressed ? "; compressed into a sketch" : "";
  $("about").replaceChildren(
    element("bdi", data.name), `: ${data.n.toLocaleString("en")} values of `, element("bdi", data.column.name),
    `, from ${placed(data.low, data.high - data.low)} to ${placed(data.high, data.high - data.low)}${missing}${kept}.`,
  );
  $("columns").hidden = data.columns.length < 2;
  $("given").hidden = $("given").disabled = !data.start;
  $("named").value = data.start ? "given" : "quantile";
  reveal("loaded");
  state.picture.use(data.scene);
  document.querySelector(`[name=mode][value=${data.start ? "climb" : "fit"}]`).checked = true;
  setK(data.start?.means.length ?? "auto");
  await refresh();
}

// Let the controls say where the data come from.
function origin() {
  $("example").value = state.example;
  const { columns, column } = state.data ?? { columns: [], column: {} };
  $("column").replaceChildren(...columns.map(({ number, name }) => element("option", name, { value: number })));
  $("column").value = column.number;
}

const taking = (work) => doing("data", async (...args) => load(await work(...args)), origin);

const upload = taking(async (signal, body, name) => {
  state.upload = [body, name];
  await body.slice(0, 1).arrayBuffer().catch(() => {
    throw new Error("this file cannot be read: is it a folder, or was it changed meanwhile?");
  });
  const kind = new URLSearchParams({ name, decimal: $("decimal").value });
  const answer = await reach(signal, `data?${kind}`, { method: "POST", body });
  const data = await answer.json();
  state.example = "";
  return data;
});

const choose = taking(async (signal, name) => {
  const data = await ask(signal, "example", { name });
  Object.assign(state, { example: name, upload: null });
  return data;
});

const turn = taking((signal, number) => ask(signal, "column", about({ number })));

const paste = (text) => upload(new Blob([text]), "");

// the mixture

const mode = () => document.querySelector("[name=mode]:checked").value;

function setK(k) {
  state.k = k;
  for (const input of document.querySelectorAll("[name=k]")) input.checked = input.value === String(k);
}

const refresh = doing("view", async (signal) => {
  const climbing = mode() === "climb";
  if (climbing && state.k === "auto") setK(state.fit?.k ?? 2);
  if (climbing) reveal("climbing");
  else $("climbing").hidden = true;
  $("equal").disabled = document.querySelector("[name=k]").disabled = climbing;
  $("criterion").disabled = state.k !== "auto";
  if (!climbing) return best(signal);
  if (state.start?.means.length !== state.k) {
    if (!["kmeans", "spread"].includes($("named").value)) $("named").value = "quantile";
    state.start = await ask(signal, "start", about({ k: state.k, name: $("named").value }));
  }
  return climb(signal);
}, blank);

// Show what was hidden; charts in it find their width.
function reveal(id) {
  if (!$(id).hidden) return;
  $(id).hidden = false;
  window.dispatchEvent(new Event("resize"));
}

// Show no numbers where there is no answer.
function blank() {
  for (const id of ["outcome", "cut", "steps"]) $(id).hidden = true;
  const { means = [], stds = [], weights = [] } = state.start ?? {};
  const sound = mode() === "climb" && [means, stds, weights].flat().every(Number.isFinite) && Math.min(...stds, ...weights) > 0;
  state.picture.mark(null);
  state.picture.show(sound ? state.start : NOTHING, { handles: sound });
}

// The best fit of k components, or of as many as the criterion chooses.
async function best(signal) {
  const question = { k: state.k, equal_variances: $("equal").checked, criterion: $("criterion").value };
  const fit = await ask(signal, "fit", about(question));
  show(fit);
  $("cut").hidden = false;
  state.picture.fit(fit.mixture);
  state.picture.show(fit.mixture, { boundaries: fit.boundaries });
  state.threshold.start(fit.boundaries);
}

function show(fit) {
  state.fit = fit;
  reveal("outcome");
  const sentence = `${fit.status.sentence[0].toUpperCase()}${fit.status.sentence.slice(1)}.`;
  const numbers = { "Log-likelihood": fit.log_likelihood, AIC: fit.aic, BIC: fit.bic, ICL: fit.icl };
  const told = Object.entries(numbers).map(([name, value]) => `${name} ${shown(value, 9)}`).join(", ");
  $("status").textContent = `${sentence} ${told}.`;
  fillTable($("parameters"), fit.table);
  const errors = fit.no_errors ? [`no standard errors: ${fit.no_errors}`] : [];
  $("remarks").replaceChildren(...[...fit.remarks, ...errors, ...fit.notes].map((text) => element("li", text)));
  $("formula").textContent = fit.formula;
  if (fit.comparison) choice(fit.comparison);
  else $("choice").hidden = true;
  const which = new URLSearchParams(about({ fit: fit.fit }));
  $("downloads").replaceChildren(...Object.entries(FILES)
    .filter(([name]) => name !== "labels.csv" || state.data.has_values)
    .map(([name, title]) => element("a", title, { href: `download/${name}?${which}`, download: "" })));
  $("code").querySelector("pre").textContent = "";
  if ($("code").open) code();
}

function choice({ criterion, row: chosen, reason, criteria, table }) {
  reveal("choice");
  $("reason").textContent = reason;
  fillTable($("criteria"), table, chosen ?? -1);
  const rows = criteria.flatMap((row) =>
    ["aic", "bic", "icl"].filter((name) => row[name] !== null).map((name) => ({ ...row, criterion: name.toUpperCase(), y: row[name] })));
  const { k, family } = criteria[chosen];
  const here = (row) => row.k === k && row.family === family && row.criterion === criterion.toUpperCase();
  drawCriteria(state.criteria, rows, rows.filter(here));
}

// files

// A file by way of the page, where a failure is seen.
const download = doing("file", async (signal, link) => {
  const answer = await reach(signal, link.getAttribute("href"));
  const [, name] = answer.headers.get("content-disposition").match(/filename\*=UTF-8''(.*)/);
  const address = URL.createObjectURL(await answer.blob());
  element("a", "", { href: address, download: decodeURIComponent(name) }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
});

const code = doing("code", async (signal) => {
  const which = new URLSearchParams(about({ fit: state.fit.fit }));
  $("code").querySelector("pre").textContent = await (await reach(signal, `download/code.py?${which}`)).text();
});

// the climb

// Climb from the start as it is, and by Newton's method beside it.
async function climb(signal) {
  $("cut").hidden = true;
  state.picture.mark(null);
  tabulate();
  const method = $("method").value;
  const by = (method) => ask(signal, "climb", about({ start: state.start, method }));
  const found = await by(method);
  const other = method === "newton" ? null : await by("newton").catch((error) => ({ method: "newton", error }));
  signal.throwIfAborted();
  show(found.end);
  reveal("steps");
  state.picture.fit(found.end.mixture);
  state.replay.load(found.replay, other?.replay);
  const told = ({ method, milliseconds, end, error }) =>
    `${METHODS[method]}: ${error ? error.message : `${end.steps}, log-likelihood ${shown(end.log_likelihood, 10)}, ${end.status.name.toLowerCase()}, ${shown(milliseconds, 2)} ms`}`;
  $("race").textContent = `${[found, other].filter(Boolean).map(told).join(" · ")}.${other?.replay ? " The orange line is Newton's." : ""}`;
}

// Write the start into its table; a field that is being written in stays as it is.
function tabulate() {
  const body = $("start").tBodies[0];
  while (body.rows.length > state.start.means.length) body.lastChild.remove();
  while (body.rows.length < state.start.means.length) body.append(line(body.rows.length));
  const [low, high] = state.data.scene.view;
  for (const input of body.querySelectorAll("input")) {
    const { part, j } = input.dataset;
    const value = state.start[part][j];
    if (value !== null && Number(input.value) !== value) input.value = (part === "means" ? placed(value, high - low) : shown(value, 6)).replaceAll("−", "-");
  }
}

function line(j) {
  const row = element("tr", "");
  row.append(element("th", j + 1, { scope: "row" }));
  for (const part of PARTS) {
    const cell = element("td", "");
    const input = element("input", "", { type: "number", step: "any", "aria-label": `${part.slice(0, -1)} of component ${j + 1}`, "data-part": part, "data-j": j });
    input.addEventListener("change", () => put(part, j, input.value === "" ? null : Number(input.value)));
    cell.append(input);
    row.append(cell);
  }
  return row;
}

// Take a number of the start that was written; other weights make room for a new one.
function put(part, j, value) {
  const { weights } = state.start;
  const rest = mixture.sum(weights) - weights[j];
  if (part === "weights" && value > 0 && value < 1 && rest > 0) {
    weights.forEach((weight, i) => (weights[i] = (weight * (1 - value)) / rest));
  }
  state.start[part][j] = value;
  own();
}

// The start was changed by hand.
function own() {
  $("named").value = "";
  refresh();
}

// Let the components of the start be dragged: sideways the mean, up and down the standard deviation.
function grips(picture) {
  const near = (place) => {
    if (!place || !picture.handles?.length) return null;
    const { view } = picture.density;
    const far = picture.handles.map(({ x, y }) => Math.hypot(view.scale("x")(x) - place.px, view.scale("y")(y) - place.py));
    const j = far.indexOf(Math.min(...far));
    return far[j] < 24 ? { j, y: picture.handles[j].y, std: state.start.stds[j] } : null;
  };
  const move = ({ j, y, std }, place) => {
    const { view: [low, high], top } = picture.scene;
    const least = top / 50; // near the axis, where heights say little
    state.start.means[j] = Math.min(Math.max(place.x, low), high);
    state.start.stds[j] = std * Math.min(Math.max(y / Math.max(place.y, least), 1e-3), 1e3);
    picture.show(state.start, { handles: true });
    tabulate();
  };
  draggable(picture.density, near, move, own);
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
    else if (text) paste(text);
  });
}

function listen() {
  const on = (id, what, act) => $(id).addEventListener(what, () => act($(id).value, $(id)));
  on("example", "change", (name) => name && choose(name));
  on("file", "click", (_, file) => (file.value = "")); // so that the same file can be chosen again
  on("file", "change", (_, { files: [file] }) => file && upload(file, file.name));
  on("use", "click", () => paste($("text").value));
  on("decimal", "change", () => state.upload && upload(...state.upload));
  on("column", "change", (number) => turn(Number(number)));
  for (const id of ["criterion", "equal", "method"]) on(id, "change", refresh);
  for (const input of document.querySelectorAll("[name=mode]")) input.addEventListener("change", refresh);
  $("ks").addEventListener("change", ({ target: { value } }) => {
    state.k = value === "auto" ? value : Number(value);
    refresh();
  });
  on("named", "change", (name) => {
    if (!name) return;
    state.start = name === "given" ? structuredClone(state.data.start) : null;
    if (state.start) setK(state.start.means.length);
    refresh();
  });
  $("downloads").addEventListener("click", (event) => {
    if (!event.target.href) return;
    event.preventDefault();
    download(event.target);
  });
  on("code", "toggle", () => $("code").open && code());
  $("replay").addEventListener("step", (event) => event.detail.at === 0 && state.picture.show(state.start, { handles: true }));
  droppable();
}

const begin = doing("data", async (signal) => {
  const [specs, hello] = await Promise.all([get(signal, "static/specs.json"), get(signal, "hello")]);
  $("example").append(...hello.examples.map(({ name, title, n }) => element("option", `${title} (${n})`, { value: name })));
  $("ks").append(...COUNTS.map((k) => {
    const label = element("label", "");
    label.append(element("input", "", { type: "radio", name: "k", value: k }), ` ${k}`);
    return label;
  }));
  const criteria = document.querySelector("[data-chart=criteria]");
  state.picture = await Picture.in($("picture"), specs);
  state.threshold = new Threshold($("cut"), state.picture, () => mode() === "fit");
  state.replay = await Replay.in($("replay"), specs, state.picture);
  state.criteria = await Chart.in(criteria, specs.criteria, criteria.parentElement.dataset.label);
  grips(state.picture);
  listen();
  $("workbench").inert = false;
  if (hello.data) await load(hello.data);
});

document.addEventListener("DOMContentLoaded", begin);
