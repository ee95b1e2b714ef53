"""The equations as NumPy, line for line: E-step, M-step, log-likelihood, EM; it refuses to be fast.

The model is p(x) = sum_j pi_j N(x | mu_j, var_j) with
N(x | mu, var) = exp(-(x - mu)^2 / (2 var)) / sqrt(2 pi var)
(Dempster, Laird and Rubin 1977; Bishop 2006, section 9.2). Arrays run over points i = 1 … n and
components j = 1 … k, which stay in the caller's order; `sample_weight` w_i says how often a point
counts. Data are (n,) or a column (n, 1).

float64 is the least precision: ``numpy.longdouble`` data or parameters stay long doubles, so
that these functions can judge the engine. ``python -m gmm1d.textbook`` checks them and prints
what it checked.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from gmm1d.errors import CollapseError, FitWarning, InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]
    Number: TypeAlias = np.floating[Any]
    Parameters: TypeAlias = tuple[Floats, Floats, Floats]


def e_step(x: ArrayLike, weights: ArrayLike, means: ArrayLike, variances: ArrayLike) -> Floats:
    """Return the responsibilities, the posterior probabilities of the components.

    gamma_ij = pi_j N(x_i | mu_j, var_j) / sum_l pi_l N(x_i | mu_l, var_l)

    Parameters
    ----------
    x : array_like (n,)
    weights, means, variances : array_like (k,)

    Returns
    -------
    ndarray (n, k)
        Each row is a probability mass function, however far the point is from every component.

    Raises
    ------
    InputError
        If the parameters are not those of k Gaussians; so do the functions below.
    """
    log_joint = log_joint_density(x, weights, means, variances)
    joint = np.exp(log_joint - np.max(log_joint, axis=1, keepdims=True))  # the row's largest is 1
    gammas: Floats = joint / np.sum(joint, axis=1, keepdims=True)
    return gammas


def m_step(x: ArrayLike, responsibilities: ArrayLike, sample_weight: ArrayLike = 1) -> Parameters:
    """Return the weights, means and variances (k,) that maximise Q at responsibilities (n, k).

    N_j = sum_i gamma_ij,   pi_j = N_j / n,   mu_j = sum_i gamma_ij x_i / N_j,
    var_j = sum_i gamma_ij (x_i - mu_j)^2 / N_j   with the new mu_j.

    Raises
    ------
    InputError
        If a component is responsible for nothing at all.
    """
    points = _column(x, "x")[:, None]
    gammas = _rows(sample_weight) * _floats(responsibilities, "responsibilities")
    counts = np.sum(gammas, axis=0)
    if not np.all(counts > 0):
        raise InputError(f"component {np.argmin(counts)} is responsible for no point: leave it out")
    weights = counts / np.sum(counts)
    means = np.sum(gammas * points, axis=0) / counts
    variances = np.sum(gammas * (points - means) ** 2, axis=0) / counts
    return weights, means, variances


def log_likelihood(
    x: ArrayLike,
    weights: ArrayLike,
    means: ArrayLike,
    variances: ArrayLike,
    sample_weight: ArrayLike = 1,
) -> Number:
    """Return l(theta) = sum_i log sum_j pi_j N(x_i | mu_j, var_j), in nats."""
    log_density = log_sum_exp(log_joint_density(x, weights, means, variances))
    return np.sum(_rows(sample_weight)[:, 0] * log_density)


def lower_bound(
    x: ArrayLike,
    responsibilities: ArrayLike,
    weights: ArrayLike,
    means: ArrayLike,
    variances: ArrayLike,
    sample_weight: ArrayLike = 1,
) -> Number:
    """Return Q(theta) - sum_ij gamma_ij log gamma_ij, where 0 log 0 = 0.

    Q(theta) = sum_ij gamma_ij log(pi_j N(x_i | mu_j, var_j)) is the expected complete-data
    log-likelihood. The bound lies below l(theta) and touches it when gamma is the E-step at theta
    (Jensen).
    """
    gammas = _floats(responsibilities, "responsibilities")
    log_joint = log_joint_density(x, weights, means, variances)
    used = gammas > 0
    q = gammas * np.where(used, log_joint, 0)
    entropy = -gammas * np.log(np.where(used, gammas, 1))
    return np.sum(_rows(sample_weight) * (q + entropy))


def log_joint_density(
    x: ArrayLike, weights: ArrayLike, means: ArrayLike, variances: ArrayLike
) -> Floats:
    """Return log(pi_j N(x_i | mu_j, var_j)), shape (n, k)."""
    points = _column(x, "x")[:, None]
    pi, mu, var = _parameters(weights, means, variances)
    distances = (points - mu) ** 2 / (2 * var)
    two_pi = 8 * np.arctan(np.ones((), distances.dtype))  # in the precision of the data
    with np.errstate(divide="ignore"):  # log 0 = -inf: a component without weight
        return np.log(pi) - np.log(two_pi * var) / 2 - distances


def log_sum_exp(terms: Floats) -> Floats:
    """Return log sum_j exp(a_ij) for each row i; with the largest taken out, not all underflow."""
    largest = np.max(terms, axis=1, keepdims=True)
    sums: Floats = largest[:, 0] + np.log(np.sum(np.exp(terms - largest), axis=1))
    return sums


class Step(NamedTuple):
    """A point theta_t of a climb and its log-likelihood l_t."""

    log_likelihood: Number
    weights: Floats
    means: Floats
    variances: Floats


def em(
    x: ArrayLike,
    weights: ArrayLike,
    means: ArrayLike,
    variances: ArrayLike,
    tol: float,
    max_iter: int = 10_000,
    sample_weight: ArrayLike = 1,
) -> list[Step]:
    """Repeat E-step and M-step until |l_t - l_(t-1)| < tol, or `max_iter` times.

    Returns
    -------
    list of Step
        theta_0, the start, up to theta_t, the result.

    Raises
    ------
    CollapseError
        If a variance reaches zero, where the likelihood is unbounded.
    """
    theta = _parameters(weights, means, variances)
    steps = [Step(log_likelihood(x, *theta, sample_weight), *theta)]
    while len(steps) <= max_iter:
        theta = m_step(x, e_step(x, *theta), sample_weight)
        if not np.all(theta[2] > 0):
            j = np.argmin(theta[2])
            raise CollapseError(
                f"component {j} has collapsed onto {theta[1][j]}, where the likelihood is "
                "unbounded: try another start"
            )
        steps.append(Step(log_likelihood(x, *theta, sample_weight), *theta))
        if abs(steps[-1].log_likelihood - steps[-2].log_likelihood) < tol:
            break
    return steps


class GMM1D:
    """A mixture of any number of Gaussians, fitted step by step to a column vector X (n, 1).

    Attributes
    ----------
    num_gaussians : int
    weights, means, variances : ndarray (num_gaussians,)
        The current parameters; weights are the priors.
    history : list of float
        The log-likelihood of the start and after every step of the last `fit`.
    """

    weights: Floats
    means: Floats
    variances: Floats

    def __init__(self, num_gaussians: int) -> None:
        if num_gaussians < 1:
            raise InputError(f"num_gaussians must be a whole number from 1 on, not {num_gaussians}")
        self.num_gaussians = num_gaussians
        self.history: list[float] = []

    def start(self, X: ArrayLike) -> Parameters:
        """Cut the ordered points into equal groups; set and return the parameters of these."""
        x = _column(X, "X")
        ranks = np.argsort(np.argsort(x, kind="stable"), kind="stable")
        groups = ranks * self.num_gaussians // x.size
        _, _, variances = self.mstep(X, np.eye(self.num_gaussians)[groups])
        if not np.ptp(x) > 0:
            raise InputError("all values are equal: a Gaussian needs at least two distinct values")
        self.variances = np.where(variances > 0, variances, np.var(x) / self.num_gaussians**2)
        return self.weights, self.means, self.variances

    def estep(self, X: ArrayLike) -> Floats:
        """Return the responsibilities (n, num_gaussians) under the current parameters."""
        return e_step(X, *self._theta(X))

    def mstep(self, X: ArrayLike, gammas: ArrayLike) -> Parameters:
        """Set and return the priors, means and variances that maximise Q at `gammas`."""
        self.weights, self.means, self.variances = m_step(X, gammas)
        return self.weights, self.means, self.variances

    def fit(self, X: ArrayLike, tol: float = 1e-8, max_iter: int = 10_000) -> GMM1D:
        """Climb by EM from the current parameters, and keep the `history`."""
        steps = em(X, *self._theta(X), tol, max_iter)
        self.weights, self.means, self.variances = steps[-1][1:]
        self.history = [float(step.log_likelihood) for step in steps]
        if len(steps) == 1 or not abs(self.history[-1] - self.history[-2]) < tol:
            sentence = f"EM was stopped by max_iter={max_iter}, before tol={tol}"
            warnings.warn(sentence, FitWarning, stacklevel=2)
        return self

    def log_likelihood(self, X: ArrayLike) -> float:
        """Return the log-likelihood of X under the current parameters."""
        return float(log_likelihood(X, *self._theta(X)))

    def _theta(self, X: ArrayLike) -> Parameters:
        """Return the current parameters; without any, those of `start`."""
        if not hasattr(self, "weights"):
            self.start(X)
        return self.weights, self.means, self.variances


def _floats(values: ArrayLike, name: str) -> Floats:
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


def _rows(sample_weight: ArrayLike) -> Floats:
    """Return weights of points as a column that goes with (n, k); a single number is for all."""
    weights: Floats = np.reshape(_floats(sample_weight, "sample_weight"), (-1, 1))
    return weights


def _column(values: ArrayLike, name: str) -> Floats:
    """Take (n,) or a column vector (n, 1) as its n values."""
    x = _floats(values, name)
    if x.size == 0 or x.shape not in ((x.size, 1), (x.size,)):
        raise InputError(f"{name} must be a column of n numbers, (n,) or (n, 1), not {x.shape}")
    return x.reshape(-1)


def _parameters(weights: ArrayLike, means: ArrayLike, variances: ArrayLike) -> Parameters:
    """Check that these are a mixture: k weights >= 0 of sum 1, k means, k variances > 0."""
    pi, mu = _column(weights, "weights"), _column(means, "means")
    var = _column(variances, "variances")
    if not pi.size == mu.size == var.size:
        raise InputError(
            f"{pi.size} weights, {mu.size} means and {var.size} variances do not match"
        )
    if np.any(pi < 0) or abs(np.sum(pi) - 1) > 1e-6:
        raise InputError(f"weights must be >= 0 and add up to 1, not {pi}")
    if not np.all(var > 0):
        raise InputError(f"variances must be positive, not {var}")
    return pi, mu, var


if __name__ == "__main__":
    from gmm1d.textbook_checks import main

    raise SystemExit(main())
