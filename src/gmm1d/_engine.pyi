"""
The passes over data and the optimiser's inner loop. Data are seen as (value - centre) * factor.
"""

from typing import Annotated

import numpy
from numpy.typing import NDArray


def em(values: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], sample_weight: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)] | None, centre: float, factor: float, weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], means: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], stds: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], *, tol: float, gradient_tol: float, max_iter: int, penalty: float = 0.0, penalty_variance: float = 1.0, threads: int = 1, instruction_set: str = '') -> tuple[str, int, Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]:
    """
    Climb by EM: why it stopped, the component that collapsed or -1, and the trace, a row for every point of the
    climb: objective, weights, means, stds.
    """

def derivatives(values: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], sample_weight: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)] | None, centre: float, factor: float, weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], means: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], stds: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], *, penalty: float = 0.0, penalty_variance: float = 1.0, threads: int = 1, instruction_set: str = '') -> tuple[float, Annotated[NDArray[numpy.float64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]:
    """
    Log-likelihood, expected counts, gradient and Hessian in (log-odds of weights, mean / std, log std).
    """

def em_sums(values: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], sample_weight: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)] | None, centre: float, factor: float, weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], means: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], stds: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], *, threads: int = 1, instruction_set: str = '') -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]:
    """
    One E+M pass: log-likelihood, then for every component sum w r, sum w r z, sum w r z^2.
    """

def kmeans(values: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], k: int) -> list[int]:
    """
    The globally optimal k-means partition of ascending values: the first index of every cluster.
    """

def instruction_sets() -> list[str]:
    """The copies of the kernel that run here, the fastest first."""

def exp(x: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], instruction_set: str = '') -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]:
    """The kernel's exp, for x <= 709."""

def log(x: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], instruction_set: str = '') -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]:
    """The kernel's log, for normal positive x."""
