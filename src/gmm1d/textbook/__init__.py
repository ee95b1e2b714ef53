"""The equations as NumPy, line for line: E-step, M-step, log-likelihood, EM, the objective S; it refuses to be fast.

The model is p(x) = sum_j pi_j N(x | mu_j, var_j) with
N(x | mu, var) = exp(-(x - mu)^2 / (2 var)) / sqrt(2 pi var)
(Dempster, Laird and Rubin 1977; Bishop 2006, section 9.2). Arrays run over points i = 1 … n and
components j = 1 … k, which stay in the caller's order; `sample_weight` w_i says how often a point
counts. Data are (n,) or a column (n, 1).

float64 is the least precision: ``numpy.longdouble`` data or parameters stay long doubles, so
that these functions can judge the engine. ``python -m gmm1d.textbook`` checks them and prints
what it checked.
"""

from gmm1d.textbook.equations import (
    Step,
    e_step,
    em,
    log_joint_density,
    log_likelihood,
    log_sum_exp,
    lower_bound,
    m_step,
)
from gmm1d.textbook.lab import GMM1D
from gmm1d.textbook.penalised import C, D, penalised_log_likelihood, penalised_m_step

__all__ = [
    "e_step",
    "m_step",
    "log_likelihood",
    "lower_bound",
    "log_joint_density",
    "log_sum_exp",
    "Step",
    "em",
    "penalised_log_likelihood",
    "penalised_m_step",
    "C",
    "D",
    "GMM1D",
]
