"use strict";
// EM forward and back: the E-step lifts the lower bound to the log-likelihood, the M-step climbs the bound.
// Pictures and their sentences are those of gmm1d.replays.

const PACE = { first: 700, last: 100, quicker: 0.97 }; // milliseconds between pictures, and how they shrink
const SEEN = 1e-11; // of |log-likelihood| + n: lower rises would be rounding

class Replay {
  // element holds charts "climb" and "bound", a slider and buttons; picture shows the mixture.
  static async in(element, specs, picture) {
    const find = (name) => element.querySelector(`[data-chart=${name}]`);
    const own = new Replay(element);
    own.use(picture);
    own.climb = await Chart.in(find("climb"), specs.climb, "Log-likelihood and lower bound against the iteration");
    own.bound = await Chart.in(find("bound"), specs.bound, "Log-likelihood and lower bound along the step");
    return own;
  }

  constructor(element) {
    this.element = element;
    this.slider = element.querySelector("[type=range]");
    this.output = element.querySelector("[data-step]");
    this.button = element.querySelector("[data-do=play]");
    const acts = {
      first: () => this.go(0),
      back: () => this.go(this.at - 1),
      forward: () => this.go(this.at + 1),
      last: () => this.go(this.last),
    };
    const by = (hand) => () => {
      this.stop();
      hand();
    };
    this.slider.addEventListener("input", by(() => this.go(Number(this.slider.value))));
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    for (const [name, act] of Object.entries(acts)) {
      element.querySelector(`[data-do=${name}]`).addEventListener("click", by(act));
    }
  }

  use(picture) {
    this.picture = picture;
  }

  // Take a climb as gmm1d.replays gives it, and another one to compare with, if there is.
  load(climb, other = null, at = 0) {
    this.stop();
    this.frames = climb;
    this.other = other;
    this.last = climb.halves.length - 1;
    this.slider.max = this.last;
    const [least, most] = climb.window;
    this.range = [least, Math.max(most, least + 1e-9 * (Math.abs(least) + 1))];
    this.go(at);
  }

  mixtureAt(point) {
    const { weights, means, stds } = this.frames;
    return { weights: weights[point], means: means[point], stds: stds[point] };
  }

  // Show picture s.
  go(s) {
    this.at = Math.min(Math.max(s, 0), this.last);
    const [what, point] = this.frames.halves[this.at];
    this.slider.value = this.at;
    const now = this.mixtureAt(point);
    const given = { start: null, optimum: null, em: point && this.mixtureAt(point - 1) }[what];
    const belonging = given === undefined ? now : given;
    this.picture.show(now, { shares: belonging && ((x) => mixture.responsibilities(belonging, x)) });
    this.drawClimb(what, point);
    this.drawBound(what, point);
    const text = this.said(what, point);
    this.output.textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
    this.element.dispatchEvent(new CustomEvent("step", { detail: { at: this.at } }));
    if (this.at === this.last) this.stop();
  }

  // The corners of the bound in the pictures until now; where steps do not climb it, the line is broken.
  stairs() {
    const { iterations, halves, log_likelihood: ell, bound } = this.frames;
    return halves.slice(0, this.at + 1).flatMap(([what, point], i) => {
      const x = iterations[point];
      if (what === "em") return [{ x, y: bound[point] }];
      if (what !== "E") return [{ x, y: null }];
      const before = halves[i - 1][0] === "em" ? [] : [{ x, y: null }, { x, y: bound[point] }];
      return [...before, { x, y: ell[point] }];
    });
  }

  drawClimb(what, point) {
    const { iterations, log_likelihood: ell, bound } = this.frames;
    const [floor, end] = this.range;
    const pad = 0.08 * (end - floor);
    const height = what === "em" ? bound[point] : ell[point];
    const line = ({ iterations, log_likelihood }, most) =>
      iterations.slice(0, most).map((x, t) => ({ x, y: log_likelihood[t] }));
    this.climb.draw(
      {
        climb: line(this.frames, point + 1),
        stairs: this.stairs().map((row, i) => ({ ...row, i })),
        here: [{ x: iterations[point], y: Math.max(height, floor - pad / 2) }],
        other: this.other ? line(this.other) : [],
      },
      { last: Math.min(Math.max(1, iterations.at(-1)), Math.max(20, 1.25 * iterations[point])), floor: floor - pad, ceiling: end + pad },
    );
  }

  // Draw the line from the point where the step begins, as differences from there; nothing of a step that is not shown.
  drawBound(what, point) {
    const { along, iterations, slices, n, log_likelihood: ell } = this.frames;
    const begins = what === "E" || point === 0;
    const from = begins ? point : point - 1;
    const slice = slices[from];
    if (!slice || (!begins && iterations[point] > iterations[from] + 1)) {
      return this.bound.draw({ bound: [], likelihood: [], here: [] });
    }
    const rise = (name) => along.map((x, i) => ({ x, y: slice[name][i] - ell[from] }));
    const [bound, likelihood] = [rise("bound"), rise("log_likelihood")];
    const onBound = what === "E" || what === "em";
    const at = (onBound ? bound : likelihood).find(({ x }) => x === (begins ? 0 : 1));
    const inner = [...bound, ...likelihood].filter(({ x }) => x >= 0 && x <= 1).map(({ y }) => y);
    const [least, most] = [Math.min(...inner), Math.max(...inner)];
    const pad = 0.6 * Math.max(most - least, SEEN * (Math.abs(ell[from]) + n));
    this.bound.draw(
      { likelihood, bound: onBound ? bound : [], here: [{ ...at }] },
      { floor: least - pad, ceiling: most + pad / 2 },
    );
  }

  said(what, point) {
    const { sentences, log_likelihood: ell, bound } = this.frames;
    const digits = (value) => shown(value, Math.abs(value) < 1e6 ? 8 : 12);
    const text = sentences[this.at].replaceAll(/(?<=\s)-(?=\d)/g, "−");
    if (["start", "optimum", "end"].includes(what)) return `${text}.`;
    return `${text}. ${what === "em" ? `Lower bound ${digits(bound[point])}, log-likelihood` : "Log-likelihood"} ${digits(ell[point])}.`;
  }

  // Show the pictures one by one, ever quicker, to the end.
  play() {
    if (this.at === this.last) this.go(0);
    let wait = PACE.first;
    const next = () => {
      this.timer = setTimeout(() => {
        next();
        this.go(this.at + 1);
      }, wait);
      wait = Math.max(PACE.last, PACE.quicker * wait);
    };
    next();
    this.button.textContent = "Pause";
    this.output.setAttribute("aria-live", "off"); // nobody can listen so quickly
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.button.textContent = "Play";
    this.output.setAttribute("aria-live", "polite");
  }
}
