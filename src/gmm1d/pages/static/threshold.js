"use strict";
// A threshold between groups: dragged on the picture, or moved by its slider; says what lies on either side.

class Threshold {
  // element holds input[type=range], input[type=number] and an <output>; picture is what it is drawn on, and
  // free says whether the pointer moves the threshold there.
  constructor(element, picture, free = () => true) {
    this.picture = picture;
    [this.slider, this.number, this.output] = ["[type=range]", "[type=number]", "output"].map((one) =>
      element.querySelector(one),
    );
    for (const input of [this.slider, this.number]) {
      input.addEventListener("input", () => this.set(Number(input.value)));
    }
    draggable(picture.density, () => (free() ? this : null), (_, place) => this.set(place.x));
  }

  // Begin at the boundary that is nearest to the middle.
  start(boundaries) {
    const [low, high] = this.picture.scene.view;
    for (const input of [this.slider, this.number]) Object.assign(input, { min: low, max: high, step: "any" });
    const middle = (low + high) / 2;
    const inside = boundaries.map(({ at }) => at).filter((at) => at > low && at < high);
    inside.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    this.set(inside[0] ?? middle);
  }

  set(x) {
    const [low, high] = this.picture.scene.view;
    this.x = Math.min(Math.max(x, low), high);
    this.slider.value = this.x;
    if (document.activeElement !== this.number) this.number.value = placed(this.x, high - low).replaceAll("−", "-");
    this.slider.setAttribute("aria-valuetext", placed(this.x, high - low));
    this.picture.mark(this.x);
    this.say();
  }

  say() {
    const m = this.picture.mixture;
    const shares = mixture.each(m, (j) => this.picture.below(j, this.x));
    const share = (j) => shares[j];
    const left = mixture.sum(mixture.each(m, (j) => m.weights[j] * share(j)));
    const parts = mixture.each(m, (j) => `${percent(share(j))} of component ${j + 1}`);
    const wrong = mixture.sum(
      mixture.each(m, (j) => m.weights[j] * (m.means[j] < this.x ? 1 - share(j) : share(j))),
    );
    this.output.textContent =
      `Below it lie ${percent(left)} of the mixture (${parts.join(", ")}). ` +
      (m.weights.length > 1 ? `A cut here puts ${percent(wrong)} on the side where their component's mean is not.` : "");
  }
}
