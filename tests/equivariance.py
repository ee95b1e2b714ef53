"""Promise 1 as a distance: how far fit(fl(a x + b)) is from the transformed fit, in units of what is allowed."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import gmm1d

FOLDER = Path(__file__).parent / "data" / "public"
FACTORS = (1e-150, 1e-6, -1.0, 1e3, 1e150)
SHIFTS = (0.0, 1e6, -1e6)  # in standard deviations of the transformed data
CASES = tuple(itertools.product(FACTORS, SHIFTS))


def datasets() -> dict[str, NDArray[np.float64]]:
    """The ten public data sets by name."""
    return {path.stem: np.loadtxt(path) for path in sorted(FOLDER.glob("*.txt"))}


def distance(
    x: NDArray[np.float64], k: int, a: float, shift: float, **options: Any
) -> tuple[float, float]:
    """Return the distance in parameters and in log-likelihood, 1 being the most that is allowed."""
    b = float(shift * abs(a) * np.std(x))
    y = a * x + b
    recovered = gmm1d.fit((y - b) / a, k, **options)
    fitted = gmm1d.fit(y, k, **options)
    expected = recovered.log_likelihood - recovered.n * np.log(abs(a))
    gap = float(abs(fitted.log_likelihood - expected))
    return _parameters(fitted, recovered, a, b), gap / (
        1e-12 * recovered.n * (1 + abs(np.log(abs(a))))
    )


def _parameters(fitted: gmm1d.Fit, recovered: gmm1d.Fit, a: float, b: float) -> float:
    m, mirror = recovered.mixture, slice(None, None, -1 if a < 0 else 1)
    weights, means, stds = m.weights[mirror], a * m.means[mirror] + b, abs(a) * m.stds[mirror]
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = [
            np.abs(fitted.mixture.means - means) / stds,
            np.abs(np.log(fitted.mixture.stds / stds)),
            np.nan_to_num(np.abs(np.log(fitted.mixture.weights / weights))),
        ]
    worst = float(np.max(apart))
    assert recovered.certificate is not None
    return worst / (1e-9 * max(1.0, 1e-3 / max(recovered.certificate.smallest_eigenvalue, 1e-300)))
