"""The sketch against the points that it stands for, and its reading against NumPy's histogram.

    python benchmarks/sketches.py

The error of a sketch is below rounding; its estimate is judged by rougher ones, of fewer and fewer
leaves until there is an error.
"""

from __future__ import annotations

import resource

import numpy as np
from figures import Figure, seconds

from gmm1d import _engine
from gmm1d.sketch import Sketch

N = 10**6
MANY = 10**8
ROUGHER = (1600, 800, 400, 200, 100, 50, 25, 15)  # leaves
ROUNDING = 1e-12  # nats per point
PROBLEMS = {
    "Marron-Wand 6": ([1, 1], [-1, 1], [2 / 3, 2 / 3]),
    "claw": ([0.5] + [0.1] * 5, [0, -1, -0.5, 0, 0.5, 1], [1] + [0.1] * 5),
    "comb": (
        [1 / 2**j for j in range(6)],
        [(65 - 96 / 2**j) / 21 for j in range(6)],
        [32 / 63 / 2**j for j in range(6)],
    ),
    "1.5 sd apart": ([1, 1], [0, 1.5], [1, 1]),
    "10 sd apart": ([1, 1], [0, 10], [1, 1]),
    "stds 1 and 1/20": ([1, 1], [0, 0], [1, 0.05]),
}


def accuracy() -> list[Figure]:
    """Compare log-likelihoods at the true parameters, of nodes and of points."""
    figures = []
    for seed, (name, problem) in enumerate(PROBLEMS.items()):
        rng = np.random.default_rng(seed)
        weights, means, stds = (np.array(column, float) for column in problem)
        weights /= weights.sum()
        which = rng.choice(weights.size, N, p=weights)
        x = rng.normal(means[which], stds[which])
        mixture = (weights, means, stds)
        exact = _engine.em_sums(x, None, 0.0, 1.0, *mixture)[0]
        sketch = Sketch().add(x)
        nodes = sketch.nodes()
        error = (_engine.em_sums(*nodes, 0.0, 1.0, *mixture)[0] - exact) / N
        note = f"{sketch.n_leaves} leaves, {nodes[0].size} nodes; nats per point"
        figures.append(Figure(f"error, {name}", abs(error), at_most=1e-9, note=note))
        for most in ROUGHER:
            rough = sketch._sums.coarse(most)
            error = (_engine.em_sums(*rough.nodes(0.0, 1.0), 0.0, 1.0, *mixture)[0] - exact) / N
            if abs(error) > ROUNDING:
                break
        ratio = rough.error(*mixture) / N / error
        note = f"error {error:.1e} per point, {rough.n_leaves} leaves"
        figures.append(Figure(f"estimate / error, {name}", ratio, 0.5, 2, note))
    return figures


def speed() -> list[Figure]:
    """Time the reading of 10^8 points, and see how much memory it takes."""
    x = np.random.default_rng(1).normal(size=MANY)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours = seconds(lambda: Sketch().add(x, threads=2).nodes(), 5)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    alone = seconds(lambda: Sketch().add(x, threads=1).nodes(), 3)
    histogram = seconds(lambda: np.histogram(x, 2048), 3)
    return [
        Figure(
            "10^8 points, two threads",
            ours / histogram,
            at_most=0.2,
            note=f"times np.histogram(x, 2048): {ours:.3f} s and {histogram:.3f} s",
        ),
        Figure("10^8 points, one thread", alone / histogram, at_most=0.5, note=f"{alone:.3f} s"),
        Figure("memory beyond 10^8 points", memory, at_most=64, note="MB"),
    ]


def adding() -> list[Figure]:
    """Time the sum of many sketches."""
    rng = np.random.default_rng(1)
    parts = [Sketch().add(rng.normal(size=50_000)) for _ in range(100)]
    each = seconds(lambda: sum(parts), 3) / len(parts)
    return [Figure("adding a sketch", 1e3 * each, note="ms each, 100 of 50 000 points")]


def measure() -> list[Figure]:
    return [*accuracy(), *adding(), *speed()]


if __name__ == "__main__":
    for figure in measure():
        print("  ".join(figure.row()))
