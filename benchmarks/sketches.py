"""The sketch against the points that it stands for, sketches of parts against one of all, and their reading against NumPy's.

The error of a sketch is below rounding; its estimate is judged by rougher ones, of fewer and fewer leaves until there is an
error.
"""

from __future__ import annotations

import resource
import warnings
from typing import TYPE_CHECKING

import numpy as np
from figures import Figure, seconds

import gmm1d
from gmm1d import Sketch, _engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Normals = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

N = 10**6
MANY = 10**8
ROUGHER = (1600, 800, 400, 200, 100, 50, 25, 15)  # leaves
ROUNDING = 1e-12  # nats per point
PARTS, TREES = 1000, 3
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


def samples() -> Iterator[tuple[str, NDArray[np.float64], Normals]]:
    """Draw from each problem; yield its name, the sample and the true weights, means and stds."""
    for seed, (name, problem) in enumerate(PROBLEMS.items()):
        rng = np.random.default_rng(seed)
        weights, means, stds = (np.array(column, float) for column in problem)
        weights /= weights.sum()
        which = rng.choice(weights.size, N, p=weights)
        yield name, rng.normal(means[which], stds[which]), (weights, means, stds)


def accuracy() -> list[Figure]:
    """Compare log-likelihoods at the true parameters, of nodes and of points."""
    figures = []
    for name, x, mixture in samples():
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


def fits() -> list[Figure]:
    """Compare the fit of a sketch with that which ends on the points.

    The latter may be the same point, found to be near enough; its Newton decrement, from passes over the points, bounds in
    standard errors how far any function of the parameters is from its optimum.
    """
    figures = []
    for name, x, (weights, _, _) in samples():
        ours, exact = (gmm1d.fit(x, weights.size, exact=way) for way in (False, True))
        gap = abs(ours.log_likelihood - exact.log_likelihood) / N
        errors = exact.standard_errors()
        apart = [
            np.abs(getattr(ours.mixture, what) - getattr(exact.mixture, what))
            / getattr(errors, what)
            for what in ("weights", "means", "stds")
        ]
        far = float(np.max(apart)) + (exact.newton_decrement or 0.0)
        note = f"n = {N}, k = {weights.size}, {ours.status.name}"
        figures += [
            Figure(
                f"fit against exact=True, {name}: log-likelihood per point",
                gap,
                at_most=1e-9,
                note=note,
            ),
            Figure(
                f"fit against exact=True, {name}: standard errors", far, at_most=1e-4, note=note
            ),
        ]
    return figures


def merged() -> list[Figure]:
    """Promise 7: sketches of parts, added in random trees, are fitted like the whole."""
    rng = np.random.default_rng(2)
    bumps = rng.normal(4.0 * rng.integers(3, size=N), 1.0)
    heavy = rng.standard_cauchy(N)
    figures = []
    for name, x, most_leaves in (
        ("three Gaussians", bumps, 2**16),
        ("Cauchy", heavy, 2**16),
        ("Cauchy, at most 2 048 leaves", heavy, 2048),
        ("Cauchy, at most 256 leaves", heavy, 256),
    ):
        all_of_it = Sketch(most_leaves).add(x)
        parts = [Sketch(most_leaves).add(part) for part in np.array_split(x, PARTS)]
        trees = [_tree(parts, rng) for _ in range(TREES)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gmm1d.errors.FitWarning)
            whole, *found = (gmm1d.fit(sketch, 3) for sketch in (all_of_it, *trees))
        coarsened = any(sketch.coarsened for sketch in (all_of_it, *trees))
        note = f"{PARTS} parts in {TREES} random trees, {trees[0].n_leaves} leaves"
        note += ", coarsened" if coarsened else ""
        if not coarsened:
            far = max(_far(one.mixture, whole.mixture) for one in found)
            figures.append(Figure(f"merged, {name}: parameters", far, at_most=1e-9, note=note))
        ratio = max(_gap(one, whole) for one in found)
        title = f"merged, {name}: log-likelihood / (compression errors + rounding)"
        figures.append(Figure(title, ratio, at_most=1, note=note))
    return figures


def _tree(parts: list[Sketch], rng: np.random.Generator) -> Sketch:
    """Add any two until one is left."""
    parts = list(parts)
    while len(parts) > 1:
        one = parts.pop(int(rng.integers(len(parts))))
        other = int(rng.integers(len(parts)))
        parts[other] = parts[other] + one
    return parts[0]


def _far(one: gmm1d.Mixture, other: gmm1d.Mixture) -> float:
    """Return the largest distance in means (of stds), log stds and log weights."""
    apart = [
        (one.means - other.means) / other.stds,
        np.log(one.stds / other.stds),
        np.log(one.weights / other.weights),
    ]
    return float(np.abs(apart).max())


def _gap(one: gmm1d.Fit, other: gmm1d.Fit) -> float:
    """Return how far the log-likelihoods are apart, in what the compression of both allows."""
    allowed = abs(one.compression_error) + abs(other.compression_error) + ROUNDING * one.n
    return abs(one.log_likelihood - other.log_likelihood) / allowed


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
    return [*accuracy(), *fits(), *merged(), *adding(), *speed()]
