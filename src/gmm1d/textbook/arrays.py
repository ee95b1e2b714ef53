"""Takes what callers hand in as arrays of at least float64, and refuses what is no sample or no mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gmm1d.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]
    Number: TypeAlias = np.floating[Any]
    Parameters: TypeAlias = tuple[Floats, Floats, Floats]


def floats(values: ArrayLike, name: str) -> Floats:
    """Return finite numbers in their own precision, at least float64."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name} must be real numbers, not of type {array.dtype}")
    floats: Floats = array.astype(np.result_type(array, np.float64))
    if not np.all(np.isfinite(floats)):
        raise InputError(
            f"{name} must be finite, which value {np.isfinite(floats).argmin()} is not"
        )
    return floats


def rows(sample_weight: ArrayLike) -> Floats:
    """Return weights of points as a column that goes with (n, k); a single number is for all."""
    weights: Floats = np.reshape(floats(sample_weight, "sample_weight"), (-1, 1))
    return weights


def column(values: ArrayLike, name: str) -> Floats:
    """Take (n,) or a column vector (n, 1) as its n values."""
    x = floats(values, name)
    if x.size == 0 or x.shape not in ((x.size, 1), (x.size,)):
        raise InputError(f"{name} must be a column of n numbers, (n,) or (n, 1), not {x.shape}")
    return x.reshape(-1)


def parameters(weights: ArrayLike, means: ArrayLike, variances: ArrayLike) -> Parameters:
    """Check that these are a mixture: k weights >= 0 of sum 1, k means, k variances > 0."""
    pi, mu = column(weights, "weights"), column(means, "means")
    var = column(variances, "variances")
    if not pi.size == mu.size == var.size:
        raise InputError(
            f"{pi.size} weights, {mu.size} means and {var.size} variances do not match"
        )
    if np.any(pi < 0) or abs(np.sum(pi) - 1) > 1e-6:
        raise InputError(f"weights must be >= 0 and add up to 1, not {pi}")
    if not np.all(var > 0):
        raise InputError(f"variances must be positive, not {var}")
    return pi, mu, var
