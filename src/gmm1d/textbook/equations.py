"""E-step, M-step, log-likelihood, lower bound and EM, line for line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gmm1d.errors import CollapseError, InputError
from gmm1d.textbook.arrays import column, floats, parameters, rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from gmm1d.textbook.arrays import Floats, Number, Parameters


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
    points = column(x, "x")[:, None]
    gammas = rows(sample_weight) * floats(responsibilities, "responsibilities")
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
    return np.sum(rows(sample_weight)[:, 0] * log_density)


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
    gammas = floats(responsibilities, "responsibilities")
    log_joint = log_joint_density(x, weights, means, variances)
    used = gammas > 0
    q = gammas * np.where(used, log_joint, 0)
    entropy = -gammas * np.log(np.where(used, gammas, 1))
    return np.sum(rows(sample_weight) * (q + entropy))


def log_joint_density(
    x: ArrayLike, weights: ArrayLike, means: ArrayLike, variances: ArrayLike
) -> Floats:
    """Return log(pi_j N(x_i | mu_j, var_j)), shape (n, k)."""
    points = column(x, "x")[:, None]
    pi, mu, var = parameters(weights, means, variances)
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
    theta = parameters(weights, means, variances)
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
