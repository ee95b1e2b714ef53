"""The worked problem: five points, two Gaussians, everything that is asked for by hand.

Run it: ``python examples/worked_problem.py``. Components keep the order of the start.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import gmm1d
from gmm1d.textbook import e_step, log_likelihood, lower_bound, m_step

Floats: TypeAlias = npt.NDArray[np.floating[Any]]

X = np.array([-1.0, 0.0, 4.0, 5.0, 6.0])
WEIGHTS, MEANS, VARIANCES = START = np.array([0.5, 0.5]), np.array([6.0, 7.0]), np.array([1.0, 4.0])


def climb() -> gmm1d.Fit:
    """Fit from the problem's own start: the likelihood is unbounded, this is a local maximum."""
    return gmm1d.fit(X, 2, start={"weights": WEIGHTS, "means": MEANS, "variances": VARIANCES})


def boundaries() -> Floats:
    """Return where the posterior changes sides at the start."""
    return gmm1d.Mixture(WEIGHTS, MEANS, variances=VARIANCES).boundaries()


def mistake(steps: int = 300) -> Floats:
    """Return the means that EM ends at when it takes each new variance for a standard deviation."""
    weights, means, variances = START
    for _ in range(steps):
        weights, means, variances = m_step(X, e_step(X, weights, means, variances))
        variances = variances**2
    return means


def written(values: Floats, digits: int = 8) -> str:
    """Write numbers with so many decimals."""
    return ", ".join(f"{value:.{digits}f}" for value in values)


def show(weights: Floats, means: Floats, stds: Floats, digits: int) -> None:
    """Print parameters in the order of the start."""
    print(f"  weights {written(weights, digits)}")
    print(f"  means {written(means, digits)}")
    print(f"  standard deviations {written(stds, digits)}")


def main() -> None:
    """Print the answers in the order of the questions."""
    gammas = e_step(X, *START)
    print(f"log-likelihood of the start: {log_likelihood(X, *START):.9f}")
    print("E-step, a row for each point:")
    for x, row in zip(X, gammas, strict=True):
        print(f"  x = {x:2g}: {written(row, 6)}; most likely is component {np.argmax(row) + 1}")
    low, high = boundaries()
    print(f"component 1 is more likely between {low:.8f} and {high:.8f}, component 2 outside")

    first = m_step(X, gammas)
    print("after the first M-step:")
    show(first[0], first[1], np.sqrt(first[2]), 8)
    bound, raised = lower_bound(X, gammas, *START), lower_bound(X, gammas, *first)
    print(f"the lower bound is the log-likelihood at the E-step, {bound:.9f};")
    print(f"  the M-step raises it to {raised:.9f}, below {log_likelihood(X, *first):.9f}")

    fit = climb()
    trace = fit.trace
    assert trace is not None
    print(f"after {fit.n_iter} steps, {fit.status}:")
    show(trace.weights[-1], trace.means[-1], trace.stds[-1], 9)
    print(f"  log-likelihood {fit.log_likelihood:.12f}")
    print(f"a variance taken for a standard deviation would end at means {written(mistake(), 3)}")


if __name__ == "__main__":
    main()
