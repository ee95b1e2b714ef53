"use strict";
// Charts of gmm1d: Vega draws them, from the specifications of gmm1d.pages.charts.

const NEUTRAL = "currentColor";

const [ACROSS, UPWARDS] = [640, 800]; // what a picture tells apart

// The points of a curve that are told apart: where it moves, and not two in one place.
function told(rows, column, height) {
  const ys = rows.map(({ y }) => Math.min(y, 2 * height));
  const step = height / UPWARDS;
  let last = 0;
  return rows.filter(({ x }, i) => {
    const rise = Math.abs(ys[i] - ys[last]);
    const moves = rise > step || Math.abs(ys[i + 1] - ys[i]) > step;
    const apart = x - rows[last].x > column || rise > 10 * step;
    if (i > 0 && i < rows.length - 1 && !(moves && apart)) return false;
    last = i;
    return true;
  });
}

// Numbers as people read them: so many significant digits.
function shown(value, digits = 4) {
  if (value === null || !Number.isFinite(value)) return "–";
  return String(Number(value.toPrecision(digits))).replaceAll("-", "−");
}

const percent = (share) => `${shown(100 * share, 3)} %`;

// A number to the digits that tell it from its neighbours on an axis of such a length.
function placed(value, length) {
  const digits = Math.ceil(Math.log10(Math.abs(value) / length + 1)) + 4;
  return shown(value, Math.min(digits, 17));
}

// One Vega view in an element; made by `await Chart.in(…)`.
class Chart {
  static async in(element, spec, label) {
    const own = JSON.parse(JSON.stringify(spec));
    own.description = label;
    own.signals.push({ name: "xlabel", value: "x" });
    for (const axis of own.axes ?? []) if (axis.title === "x") Object.assign(axis, { title: { signal: "xlabel" }, titleLimit: { signal: "width" } });
    // ast: expressions are interpreted, so that the page's policy need not allow eval.
    const { view } = await vegaEmbed(element, own, { mode: "vega", renderer: "svg", actions: false, defaultStyle: false, ast: true });
    return Object.assign(new Chart(), { element, view });
  }

  // The colour and the dashes of component j.
  look(j) {
    return { stroke: this.view.scale("color")(j), "stroke-dasharray": this.view.scale("strokeDash")(j) };
  }

  // Put in data sets and parameters, by name, and draw.
  draw(data, values = {}) {
    for (const [name, value] of Object.entries(values)) this.view.signal(name, value);
    for (const [name, rows] of Object.entries(data)) this.view.data(name, rows);
    this.view.run();
  }

  // Where an event is, in the chart's own units; null outside of its frame.
  at(event, { anywhere = false } = {}) {
    const frame = this.element.querySelector("svg").getBoundingClientRect();
    const [left, top] = this.view.origin().map((o, i) => o + Object.values(this.view.padding())[i]);
    const [px, py] = [event.clientX - frame.left - left, event.clientY - frame.top - top];
    const inside = px >= 0 && px <= this.view.width() && py >= 0 && py <= this.view.height();
    if (!inside && !anywhere) return null;
    return { px, py, x: this.view.scale("x").invert(px), y: this.view.scale("y").invert(py) };
  }
}

// The data under a mixture, and below it the probability of every component: the picture of all pages.
class Picture {
  // element holds elements with data-chart "density" and maybe "posterior", and maybe an <output>;
  // without a scene, use must be called before show.
  static async in(element, specs, scene = null) {
    const own = Object.assign(new Picture(), { element, output: element.querySelector("[data-readout]") });
    const find = (name) => element.querySelector(`[data-chart=${name}]`);
    own.density = await Chart.in(find("density"), specs.density, element.dataset.label);
    own.charts = [own.density];
    if (find("posterior")) {
      own.posterior = await Chart.in(find("posterior"), specs.posterior, "Probability of every component");
      own.charts.push(own.posterior);
    }
    for (const chart of own.charts) {
      chart.element.addEventListener("pointermove", (event) => own.point(chart.at(event)));
      chart.element.addEventListener("pointerleave", () => own.point(null));
    }
    if (scene) own.use(scene);
    return own;
  }

  // Take data, or other ones.
  use(scene) {
    Object.assign(this, { scene, top: scene.top });
    for (const chart of this.charts) chart.draw({ threshold: [] }, { xlabel: scene.name });
  }

  // The mean colour of the components, weighted by the shares.
  blended(shares) {
    const rgb = [1, 3, 5].map((at) =>
      mixture.sum(shares.map((share, j) => share * parseInt(this.density.look(j).stroke.slice(at, at + 2), 16))),
    );
    return `rgb(${rgb.map(Math.round).join(",")})`;
  }

  // Make room for a mixture, unless it is a spike.
  fit(m) {
    const { view: [low, high], top } = this.scene;
    const peak = Math.max(...Array.from(mixture.grid(m, low, high), (x) => mixture.density(m, x)));
    this.top = peak < 4 * top ? Math.max(top, 1.05 * peak) : top;
  }

  // Draw a mixture; shares(x) colours the data, and is null where they have no colour yet.
  show(m, { boundaries = [], shares = null, handles = false } = {}) {
    this.mixture = m;
    this.name(m);
    const { view: [low, high], bars, points } = this.scene;
    const top = this.top;
    const xs = Array.from(mixture.grid(m, low, high));
    const colour = (x) => (shares ? this.blended(shares(x)) : NEUTRAL);
    const seen = boundaries.filter(({ at }) => at >= low && at <= high);
    const at = seen.map(({ at }) => ({ x: at }));
    const intervals = seen
      .filter(({ low }) => low !== null)
      .map((ends) => ({ x: Math.max(ends.low, low), x2: Math.min(ends.high, high) }));
    const within = (x) => Math.min(Math.max(x, low), high);
    this.handles = handles ? mixture.each(m, (j) => ({ j, x: within(m.means[j]), y: this.peak(m, j) })) : null;
    this.element.classList.toggle("placing", handles);
    const line = (of, height) => told(xs.map((x) => ({ x, y: of(x) })), (high - low) / ACROSS, height);
    const lines = (of, height) => mixture.each(m, (j) => line((x) => of(j, x), height).map((row) => ({ ...row, j }))).flat();
    this.density.draw(
      {
        bars: bars.map(([x, x2, y]) => ({ x, x2, y, colour: colour((x + x2) / 2) })),
        points: shares || !bars.length ? points.map(([x]) => ({ x, colour: colour(x) })) : [],
        intervals,
        boundaries: at,
        curves: lines((j, x) => mixture.component(m, j, x), top),
        total: line((x) => mixture.density(m, x), top),
        handles: (this.handles ?? []).map((row) => ({ ...row })),
      },
      { low, high, top },
    );
    if (!this.posterior) return;
    const all = new Map(xs.map((x) => [x, mixture.responsibilities(m, x)]));
    this.posterior.draw(
      { intervals: intervals.map((row) => ({ ...row })), boundaries: at.map((row) => ({ ...row })), shares: lines((j, x) => all.get(x)[j], 1) },
      { low, high },
    );
  }

  // Where the handle of component j is: on its peak, if that is not above the picture.
  peak(m, j) {
    return Math.min(mixture.component(m, j, m.means[j]), 0.97 * this.top);
  }

  // Name the components beside their colours, and say what the picture leaves out.
  name(m) {
    const keys = this.element.querySelector("[data-keys]");
    if (!keys) return;
    const { view: [low, high] } = this.scene;
    const outside = document.createElement("li");
    outside.textContent = this.scene.outside;
    keys.replaceChildren(
      ...mixture.each(m, (j) => {
        const item = document.createElement("li");
        const text = `${j + 1}: ${percent(m.weights[j])} around ${placed(m.means[j], high - low)}, std ${shown(m.stds[j], 3)}`;
        item.append(drawnKey(this.density.look(j)), text);
        return item;
      }),
      ...(outside.textContent ? [outside] : []),
    );
  }

  // Say what lies under the mouse.
  point(place) {
    for (const chart of this.charts) chart.draw({ hover: place ? [{ x: place.x }] : [] });
    if (!this.output || !this.mixture) return;
    if (!place) return void (this.output.textContent = this.output.dataset.rest ?? "");
    const { view: [low, high], name } = this.scene;
    const shares = mixture.responsibilities(this.mixture, place.x).map((share, j) => `${j + 1}: ${percent(share)}`);
    this.output.textContent =
      `${name} = ${placed(place.x, high - low)}: density ${shown(mixture.density(this.mixture, place.x))}; ` +
      `probability of component ${shares.join(", ")}`;
  }

  // The part of component j below x, which Vega computes.
  below(j, x) {
    const { view } = this.density;
    const { means, stds } = this.mixture;
    return view.signal("z", (x - means[j]) / stds[j]).run().signal("below");
  }

  mark(x) {
    for (const chart of this.charts) chart.draw({ threshold: x === null ? [] : [{ x }] });
  }
}

// A short line of some look, as in parts.html.
function drawnKey(look) {
  const [key, line] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  for (const [name, value] of Object.entries({ class: "key", viewBox: "0 0 24 6", "aria-hidden": true })) key.setAttribute(name, value);
  for (const [name, value] of Object.entries({ d: "M0 3h24", "stroke-width": 3, ...look })) line.setAttribute(name, value);
  key.append(line);
  return key;
}

// AIC, BIC and ICL against k: rows of {k, family, criterion, y, left_out}, and the point that is chosen.
function drawCriteria(chart, rows, chosen) {
  const ks = rows.map(({ k }) => k);
  const ys = rows.map(({ y }) => y);
  const pad = 0.08 * (Math.max(...ys) - Math.min(...ys)) || 1;
  const colour = chart.view.scale("color");
  chart.draw(
    {
      criteria: rows.map((row) => ({ ...row, inside: row.left_out ? "transparent" : colour(row.criterion) })),
      chosen: chosen.map((row) => ({ ...row })),
    },
    { low: Math.min(...ks) - 0.3, high: Math.max(...ks) + 0.3, floor: Math.min(...ys) - pad, ceiling: Math.max(...ys) + pad },
  );
}

// Let a pointer drag on a chart: grab(place) says what is dragged, or null; move(what, place) moves it, and
// release() ends it.
function draggable(chart, grab, move, release = () => {}) {
  let held = null;
  chart.element.addEventListener("pointerdown", (event) => {
    const place = chart.at(event);
    held = place && grab(place);
    if (!held) return;
    chart.element.setPointerCapture(event.pointerId);
    event.preventDefault();
    move(held, place);
  });
  chart.element.addEventListener("pointermove", (event) => {
    if (held) move(held, chart.at(event, { anywhere: true }));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    chart.element.addEventListener(end, () => {
      if (held) release();
      held = null;
    });
  }
}
