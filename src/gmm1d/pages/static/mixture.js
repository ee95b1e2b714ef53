"use strict";
// The mixture under the mouse. What need not follow a hand is computed by gmm1d, not here.

const mixture = (() => {
  const each = (m, f) => m.weights.map((_, j) => f(j));
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  // log(w_j N(x | mu_j, s_j^2))
  const log = (m, j, x) =>
    Math.log(m.weights[j]) - Math.log(m.stds[j]) - Math.log(2 * Math.PI) / 2 -
    ((x - m.means[j]) / m.stds[j]) ** 2 / 2;
  const component = (m, j, x) => Math.exp(log(m, j, x));
  const density = (m, x) => sum(each(m, (j) => component(m, j, x)));

  function responsibilities(m, x) {
    const logs = each(m, (j) => log(m, j, x));
    const most = Math.max(...logs);
    if (most === -Infinity) return logs.map(() => 1 / logs.length); // so far out that all are zero
    const terms = logs.map((each) => Math.exp(each - most));
    const total = sum(terms);
    return terms.map((term) => term / total);
  }

  // Ascending points at which curves look smooth, however narrow a component.
  function grid(m, low, high) {
    const line = Array.from({ length: 257 }, (_, i) => low + ((high - low) * i) / 256);
    const near = each(m, (j) => Array.from({ length: 97 }, (_, i) => m.means[j] + m.stds[j] * (i / 8 - 6)));
    const all = line.concat(...near).filter((x) => x >= low && x <= high);
    return Float64Array.from(new Set(all)).sort();
  }

  return { each, component, density, responsibilities, grid, sum };
})();
