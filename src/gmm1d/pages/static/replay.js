"use strict";
// EM forward and back: the E-step lifts the lower bound to the log-likelihood, the M-step climbs the bound.

const STEPS = { em: "M-step", newton: "Newton step", squarem: "SQUAREM step", optimum: "start", start: "start" };
const PACE = 700; // milliseconds between half steps

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
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    const acts = {
      first: () => this.go(0),
      back: () => this.go(this.at - 1),
      play: () => (this.timer ? this.stop() : this.play()),
      forward: () => this.go(this.at + 1),
      last: () => this.go(this.last),
    };
    for (const button of element.querySelectorAll("[data-do]")) {
      if (acts[button.dataset.do]) button.addEventListener("click", () => {
        if (button.dataset.do !== "play") this.stop();
        acts[button.dataset.do]();
      });
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
    this.last = 2 * (climb.iterations.length - 1);
    this.slider.max = this.last;
    const [least, most] = climb.window;
    this.range = [least, Math.max(most, least + 1e-9 * (Math.abs(least) + 1))];
    this.go(at);
  }

  mixtureAt(frame) {
    const { weights, means, stds } = this.frames;
    return { weights: weights[frame], means: means[frame], stds: stds[frame] };
  }

  // Show half step s: after the M-step of frame s / 2 if s is even, after the E-step there if it is odd.
  go(s) {
    this.at = Math.min(Math.max(s, 0), this.last);
    const frame = Math.floor(this.at / 2);
    const lifted = this.at % 2 === 1;
    this.slider.value = this.at;
    const now = this.mixtureAt(frame);
    const given = lifted ? now : frame ? this.mixtureAt(frame - 1) : null;
    this.picture.show(now, { shares: given && ((x) => mixture.responsibilities(given, x)) });
    this.drawClimb(frame, lifted);
    this.drawBound(frame, lifted);
    const text = this.said(frame, lifted);
    this.output.textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
    this.element.dispatchEvent(new CustomEvent("step", { detail: { at: this.at } }));
    if (this.at === this.last) this.stop();
  }

  drawClimb(frame, lifted) {
    const { iterations, log_likelihood: ell, bound } = this.frames;
    const upto = iterations.slice(0, frame + 1);
    const stairs = upto.flatMap((x, f) => (f && bound[f] !== null ? [{ x, y: bound[f] }] : []).concat(
      f < frame || lifted || f === 0 ? [{ x, y: ell[f] }] : []));
    const height = lifted || bound[frame] === null ? ell[frame] : bound[frame];
    const [floor, end] = this.range;
    const pad = 0.08 * (end - floor);
    const other = this.other ? this.other.iterations.map((x, f) => ({ x, y: this.other.log_likelihood[f] })) : [];
    this.climb.draw(
      {
        climb: upto.map((x, f) => ({ x, y: ell[f] })),
        stairs: stairs.map((row, i) => ({ ...row, i })),
        here: [{ x: iterations[frame], y: Math.max(height, floor - pad / 2), colour: COLOURS[0] }],
        other,
      },
      { last: Math.min(Math.max(1, iterations.at(-1)), Math.max(20, 1.25 * iterations[frame])), floor: floor - pad, ceiling: end + pad },
    );
  }

  drawBound(frame, lifted) {
    const along = this.frames.along;
    const which = lifted || frame === 0 ? frame : frame - 1;
    const slice = this.frames.slices[which];
    if (!slice) return this.bound.draw({ bound: [], likelihood: [], here: [] });
    const curve = (name) => along.map((x, i) => ({ x, y: slice[name][i] }));
    const at = lifted || frame === 0 ? 0 : 1;
    const nearest = along.findIndex((x) => x >= at);
    const onBound = this.at > 0;
    const inner = along.flatMap((x, i) => (x >= 0 && x <= 1 ? [slice.bound[i], slice.log_likelihood[i]] : []));
    const [least, most] = [Math.min(...inner), Math.max(...inner)];
    const pad = 0.6 * (most - least) || 1e-9 * (Math.abs(most) + 1);
    this.bound.draw(
      {
        likelihood: curve("log_likelihood"),
        bound: onBound ? curve("bound") : [],
        here: [{ x: at, y: onBound ? slice.bound[nearest] : slice.log_likelihood[nearest], colour: COLOURS[0] }],
      },
      { floor: least - pad, ceiling: most + pad / 2 },
    );
  }

  said(frame, lifted) {
    const { iterations, kinds, log_likelihood: ell, bound } = this.frames;
    const n = iterations[frame];
    const digits = (value) => shown(value, Math.abs(value) < 1e6 ? 8 : 12);
    if (this.at === 0) return `Start: the log-likelihood is ${digits(ell[0])}.`;
    if (lifted) {
      return `E-step ${n + 1}: every point is shared out among the components; the lower bound rises to the log-likelihood, ${digits(ell[frame])}, and touches it.`;
    }
    const name = STEPS[kinds[frame]] ?? kinds[frame];
    const height = bound[frame] === null ? "" : ` on the bound, to ${digits(bound[frame])}`;
    return `${name} ${n}: weights, means and standard deviations move${height}; the log-likelihood is now ${digits(ell[frame])}.`;
  }

  play() {
    if (this.at === this.last) this.go(0);
    this.timer = setInterval(() => this.go(this.at + 1), PACE);
    this.button.textContent = "Pause";
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = "Play";
  }
}
