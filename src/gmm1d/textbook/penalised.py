"""The objective S, which the search climbs, and the M-step that raises it: EM for it is the E-step with this M-step.

S(theta) = l(theta) + c sum_j log sigma_j + d sum_j log pi_j   with c = 3/2 and d = 1.

There is no scale in it: S of a x at the transformed theta is (k c - n) log|a| higher than that of x, for all theta
alike. A component that shrinks onto m values which lie close by chance gains about m log(1 / sigma), and pays
c log(1 / sigma). With c = 1 the M-step would have the unbiased variance, of divisor N_j - 1, which maximises the
likelihood of a Gaussian after its mean is integrated out; d keeps all weights above zero (Chen and Kalbfleisch 1996).
Why the likelihood of a mixture needs a penalty at all: Ciuperca, Ridolfi and Idier (2003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gmm1d.textbook.arrays import column, floats, parameters, rows
from gmm1d.textbook.equations import log_likelihood, m_step

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from gmm1d.textbook.arrays import Number, Parameters

C, D = 1.5, 1.0  # what log sigma_j and log pi_j count


def penalised_log_likelihood(
    x: ArrayLike,
    weights: ArrayLike,
    means: ArrayLike,
    variances: ArrayLike,
    sample_weight: ArrayLike = 1,
) -> Number:
    """Return S(theta) = l(theta) + c sum_j log sigma_j + d sum_j log pi_j, in nats; -inf where a weight is zero.

    It is bounded above while all values differ and no sigma_j is wider than their range.

    Parameters
    ----------
    x : array_like (n,)
    weights, means, variances : array_like (k,)
    sample_weight : array_like (n,), optional

    Raises
    ------
    InputError
        If the parameters are not those of k Gaussians.

    References
    ----------
    Ciuperca, Ridolfi and Idier (2003), Penalized maximum likelihood estimator for normal mixtures, Scand. J. Stat. 30.
    Chen and Kalbfleisch (1996), Penalized minimum-distance estimates in finite mixture models, Can. J. Stat. 24.
    """
    pi, _, var = parameters(weights, means, variances)
    with np.errstate(divide="ignore"):  # log 0 = -inf
        penalty: Number = C * np.sum(np.log(var)) / 2 + D * np.sum(np.log(pi))
    return log_likelihood(x, weights, means, variances, sample_weight) + penalty


def penalised_m_step(
    x: ArrayLike, responsibilities: ArrayLike, sample_weight: ArrayLike = 1
) -> Parameters:
    """Return the weights, means and variances (k,) that maximise Q + S - l at responsibilities (n, k).

    N_j = sum_i gamma_ij,   pi_j = (N_j + d) / (n + k d),   mu_j = sum_i gamma_ij x_i / N_j,
    var_j = sum_i gamma_ij (x_i - mu_j)^2 / (N_j - c)   with the new mu_j,

    but no sigma_j is wider than the range of the data: that of a component with N_j <= c, which would grow for ever,
    is the range.

    Raises
    ------
    InputError
        If a component is responsible for nothing at all.
    """
    points = column(x, "x")[:, None]
    gammas = rows(sample_weight) * floats(responsibilities, "responsibilities")
    counts = np.sum(gammas, axis=0)
    _, means, _ = m_step(x, responsibilities, sample_weight)
    weights = (counts + D) / (np.sum(counts) + counts.size * D)
    squares = np.sum(gammas * (points - means) ** 2, axis=0)
    many = counts > C
    widest = np.ptp(points) ** 2
    variances = np.where(many, squares / np.where(many, counts - C, 1), widest)
    return weights, means, np.minimum(variances, widest)
