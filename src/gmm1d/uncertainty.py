"""Standard errors and confidence intervals of a fit, by the delta method. Refuses points that are no maximum.

They rest on `Certificate.covariance`, the inverse of the observed information (Louis, 1982), in
θ = (log-odds of the weights, means, log stds), and hold for large samples from such a mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import arguments, frames
from gmm1d.errors import Ending, InputError, UncertaintyError
from gmm1d.formatting import between, estimate, number
from gmm1d.frozen import Frozen
from gmm1d.mixture import Mixture

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from gmm1d.result import Fit

    Array = NDArray[np.float64]

NEAR = 0.01  # standard errors: closer to the optimum than this, nobody can tell a point from it
ROUNDING = 1e-13  # a variance that is so small beside its terms is that of a constant
STEP = 1e-3  # of a standard error, for the derivatives of any function
ENOUGH_VALUES, ENOUGH_CURVATURE, ENOUGH_COUNT = 500, 0.01, 20  # where normal intervals are good


@dataclass(frozen=True, eq=False)
class StandardErrors(Frozen):
    """Standard errors, in the mixture's order; 0 for what is fixed.

    Attributes
    ----------
    weights, means, stds : ndarray, shape (k,)
    boundaries : ndarray, shape (b,)
        Of ``mixture.boundaries()``; inf where two components only touch.
    library : str or None
        What `to_frame` makes frames of, as in `Sample`.
    """

    weights: Array
    means: Array
    stds: Array
    boundaries: Array
    library: str | None = None

    to_frame = frames.of_errors


@dataclass(frozen=True, eq=False)
class ConfidenceIntervals(Frozen):
    """Lower and upper ends, in the mixture's order.

    Attributes
    ----------
    level : float
    weights, means, stds : ndarray, shape (k, 2)
    boundaries : ndarray, shape (b, 2)
        Of ``mixture.boundaries()``; from -inf to inf where two components only touch.
    library : str or None
        What `to_frame` makes frames of, as in `Sample`.
    """

    level: float
    weights: Array
    means: Array
    stds: Array
    boundaries: Array
    library: str | None = None

    to_frame = frames.of_intervals


def standard_errors(fit: Fit) -> StandardErrors:
    """Return the standard errors of the parameters and of the decision boundaries.

    Sample weights are frequencies, and n is their sum.

    Raises
    ------
    UncertaintyError
        If the fit is not at a maximum of the likelihood; the message says why not.

    References
    ----------
    Louis (1982), Finding the observed information matrix when using the EM algorithm, JRSS B 44.
    """
    c, k, w = _covariance(fit), fit.k, fit.mixture.weights
    _, means, logs = np.split(np.sqrt(np.maximum(np.diag(c), 0)), 3)
    # ∂π_i / ∂η_j = π_i (δ_ij − π_j), ∂σ / ∂log σ = σ
    return StandardErrors(
        weights=_propagate(np.diag(w) - np.outer(w, w), c[:k, :k]),
        means=means,
        stds=fit.mixture.stds * logs,
        boundaries=_boundaries(fit, c)[1],
        library=frames.library_of_fit(fit),
    )


def confidence_intervals(fit: Fit, level: float = 0.95) -> ConfidenceIntervals:
    """Return confidence intervals of the parameters and of the decision boundaries.

    They are normal intervals of log(π_j / (1 − π_j)), of the means, of log σ_j and of the boundaries,
    transformed back.

    Raises
    ------
    UncertaintyError
        If the fit is not at a maximum of the likelihood; the message says why not.
    InputError
        If the level is not between 0 and 1.
    """
    level = arguments.single("level", arguments.probabilities("level", level))
    if not 0 < level < 1:
        raise InputError(f"level = {level:g} gives no interval: choose one between, such as 0.95")
    m, errors = fit.mixture, standard_errors(fit)
    reach = -NormalDist().inv_cdf((1 - level) / 2) * np.array([-1.0, 1.0])
    rest = (1 - np.eye(m.k)) @ m.weights  # 1 − π_j, without rounding
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        odds = np.log(m.weights) - np.log(rest)
        logit = odds[:, None] + np.outer(errors.weights / (m.weights * rest), reach)
        factor = np.exp(np.outer(errors.stds / m.stds, reach))
        return ConfidenceIntervals(
            level=level,
            weights=_around(m.weights, errors.weights, 1 / (1 + np.exp(-logit))),
            means=m.means[:, None] + np.outer(errors.means, reach),
            stds=_around(m.stds, errors.stds, m.stds[:, None] * factor),
            boundaries=m.boundaries()[:, None] + np.outer(errors.boundaries, reach),
            library=errors.library,
        )


def standard_error(fit: Fit, function: Callable[[Mixture], ArrayLike]) -> Array:
    """Return the standard error of any smooth function of the mixture, such as ``lambda m: m.ppf(0.9)``.

    Cov = Σ_d v_d v_dᵀ, so that the variance is the sum of the squared derivatives along the v_d. They are central
    differences over a thousandth of a standard error; means closer than that may change places.

    Parameters
    ----------
    fit : Fit
    function : callable
        Takes a `Mixture`, returns a number or an array of numbers.

    Returns
    -------
    float or ndarray
        In the shape of what the function returns.

    Raises
    ------
    UncertaintyError
        If the fit is not at a maximum of the likelihood; the message says why not.
    InputError
        If the function returns arrays of different shapes close to the fit.
    """
    c, m = _covariance(fit), fit.mixture
    scale = np.sqrt(np.maximum(np.diag(c), 0))
    unit = np.where(scale > 0, scale, 1)
    values, vectors = np.linalg.eigh(c / unit / unit[:, None])
    along = (vectors * np.sqrt(np.maximum(values, 0))).T * scale
    moves = STEP * along[values > ROUNDING]
    pairs = [[function(m)] * 2, *([function(_moved(m, v)), function(_moved(m, -v))] for v in moves)]
    try:
        ends = np.asarray(pairs, dtype=float)
    except ValueError as error:
        raise InputError(
            "the function returns arrays of different shapes close to the fit: "
            "let it return as many numbers for every mixture"
        ) from error
    slopes = (ends[:, 0] - ends[:, 1]) / (2 * STEP)
    return np.asarray(np.sqrt(np.square(slopes).sum(axis=0)))[()]


def refusal(fit: Fit) -> str | None:
    """Say why the fit has no standard errors, or None if it has.

    The Newton decrement bounds how far any function of the parameters is from its value at the optimum, in its own
    standard errors: what stopped early, but NEAR, has standard errors like what converged.
    """
    certificate = fit.certificate
    remedy = "fit without tol" if fit.status is Ending.TOLERANCE else "raise max_iter"
    if fit.status is Ending.INTERRUPTED or certificate is None:
        return "the fit was interrupted before an optimum: fit again"
    if fit.status is Ending.PENALISED:
        why = (
            "a component sits on tied values" if fit.reason == "ties" else "the data support fewer"
        )
        return f"no maximum of the likelihood with {fit.k} components is near, {why}: choose a smaller k"
    if fit.status is Ending.FLAT:
        return "the information is singular, the data do not determine all parameters: choose a smaller k"
    if certificate.covariance is None:
        return f"the information is not positive definite at this point, it is no maximum: {remedy}"
    if certificate.newton_decrement > NEAR:
        far = number(certificate.newton_decrement, 2)
        return f"the climb was stopped {far} standard errors from the optimum: {remedy}"
    return None


def report(fit: Fit) -> list[str]:
    """Return what a summary says of boundaries and of intervals, a line each."""
    reason = refusal(fit)
    if reason is not None:
        return [f"no standard errors: {reason}"]
    x, errors, reach = _boundaries(fit, _covariance(fit))
    ends = confidence_intervals(fit).boundaries
    known = ends[:, 1] - x < reach
    lines = [
        f"boundary {estimate(at, error)}, 95 % interval {between(low, high, error)}"
        for at, error, (low, high) in zip(x[known], errors[known], ends[known], strict=True)
    ]
    if not known.all():
        lines.append(
            f"boundaries that the data do not determine: {', '.join(map(number, x[~known]))}"
        )
    doubts = _doubts(fit)
    return [*lines, f"intervals are rough: {', '.join(doubts)}"] if doubts else lines


def _doubts(fit: Fit) -> list[str]:
    """Name what makes normal intervals doubtful."""
    doubts = []
    if fit.k > 1 and fit.n < ENOUGH_VALUES:
        doubts.append(f"fewer than {ENOUGH_VALUES} values")
    if fit.certificate is not None and fit.certificate.smallest_eigenvalue < ENOUGH_CURVATURE:
        doubts.append(f"smallest eigenvalue below {ENOUGH_CURVATURE}")
    few = np.flatnonzero(fit.mixture.weights * fit.n < ENOUGH_COUNT) + 1
    if few.size:
        who = f"component{'s' * (few.size > 1)} {', '.join(map(str, few))}"
        doubts.append(f"expected count below {ENOUGH_COUNT} in {who}")
    return doubts


def _covariance(fit: Fit) -> Array:
    reason, certificate = refusal(fit), fit.certificate
    if reason is None and certificate is not None and certificate.covariance is not None:
        return certificate.covariance
    raise UncertaintyError(f"no standard errors: {reason}")


def _propagate(gradient: Array, covariance: Array) -> Array:
    """Return √(g C gᵀ) for every row g."""
    terms = gradient @ covariance * gradient
    size = np.abs(gradient) @ np.abs(covariance) * np.abs(gradient)
    variance = terms.sum(axis=1)
    return np.sqrt(np.where(variance > ROUNDING * size.sum(axis=1), variance, 0))


def _boundaries(fit: Fit, covariance: Array) -> tuple[Array, Array, Array]:
    """Return the boundaries, their standard errors, and how far the linear approximation reaches.

    Where components i and j change hands, D = a_i − a_j = 0, with a_j = η_j − log σ_j − z_j²/2, so that
    dx/dθ = −(∂D/∂θ) / D'(x) and D'(x) = −z_i/σ_i + z_j/σ_j. D is a parabola in x: beyond its vertex, where D' = 0,
    stands the other root, or x is no root at all. The vertex is |D' / D''| away, D'' = 1/σ_j² − 1/σ_i².
    """
    m, k = fit.mixture, fit.k
    x = m.boundaries()
    pairs = np.argsort(m.responsibilities(x), axis=1)[:, -2:]
    rows = np.arange(len(x))
    gradient = np.zeros((len(x), 3 * k))
    slope, bend = np.zeros(len(x)), np.zeros(len(x))
    # ∂a/∂η = 1, ∂a/∂μ = z/σ, ∂a/∂log σ = z² − 1, all in units of the first one's σ.
    unit = m.stds[pairs[:, 0]]
    for j, sign in zip(pairs.T, (1, -1), strict=False):
        z, rho = (x - m.means[j]) / m.stds[j], unit / m.stds[j]
        gradient[rows, j] = sign
        gradient[rows, k + j] = sign * z / m.stds[j]
        gradient[rows, 2 * k + j] = sign * (z * z - 1)
        slope -= sign * z * rho
        bend -= sign * rho * rho
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(
            slope == 0, np.inf, _propagate(gradient, covariance) * unit / np.abs(slope)
        )
        reach = np.where(bend == 0, np.inf, np.abs(slope / bend) * unit)
    return x, errors, reach


def _around(value: Array, error: Array, ends: Array) -> Array:
    """Return the ends, which rounding may not take past the value; what is fixed is its own interval."""
    value = value[:, None]
    ends = np.where(error[:, None] == 0, value, ends)
    return np.concatenate([np.minimum(ends[:, :1], value), np.maximum(ends[:, 1:], value)], axis=1)


def _moved(m: Mixture, step: Array) -> Mixture:
    """Return the mixture at θ + step."""
    odds, shift, stretch = np.split(step, 3)
    weights = m.weights * np.exp(odds)
    return Mixture(weights / weights.sum(), m.means + shift, m.stds * np.exp(stretch))
