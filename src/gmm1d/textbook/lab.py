"""`GMM1D`: the equations as the class of a lab exercise, on top of the functions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.errors import FitWarning, InputError
from gmm1d.textbook.arrays import column
from gmm1d.textbook.equations import e_step, em, log_likelihood, m_step

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from gmm1d.textbook.arrays import Floats, Parameters


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
        x = column(X, "X")
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
