"""
The passes over data and the optimiser's inner loop. Data are seen as (value - centre) * factor.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy
import numpy.typing
from numpy.typing import NDArray


def quantile_start(values: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], counts: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], k: int) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None,))]]:
    """
    Weights, means and stds of k groups of consecutive values of equal weight.
    """

def derivatives(values: numpy.typing.NDArray[Any], sample_weight: numpy.typing.NDArray[Any] | None, centre: float, factor: float, weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], means: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], stds: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], *, penalised: bool = False, equal_stds: bool = False, fixed: Sequence[bool] = [], threads: int = 1) -> tuple[float, Annotated[NDArray[numpy.float64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]:
    """
    The objective, its gradient and its Hessian in what is free of (log-odds of weights, mean / std, log std).
    """

def em_sums(values: numpy.typing.NDArray[Any], sample_weight: numpy.typing.NDArray[Any] | None, centre: float, factor: float, weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], means: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], stds: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], *, threads: int = 1, instruction_set: str = '') -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]:
    """
    One E+M pass: log-likelihood, then for every component sum w r, sum w r z, sum w r z^2.
    """

def instruction_sets() -> list[str]:
    """The copies of the kernel that run here, the fastest first."""

def exp(x: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], instruction_set: str = '') -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]:
    """The kernel's exp, for x <= 709."""

def log(x: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], instruction_set: str = '') -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]:
    """The kernel's log, for normal positive x."""

def climb(values: numpy.typing.NDArray[Any], sample_weight: numpy.typing.NDArray[Any] | None, centre: float, factor: float, weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], means: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], stds: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], *, method: str, tol: float, max_iter: int, penalised: bool = False, equal_stds: bool = False, fixed: Sequence[bool] = [], units: tuple[float, float, float] = (0.0, 1.0, 0.0), threads: int = 1, instruction_set: str = '') -> tuple[str, int, str, Annotated[NDArray[numpy.float64], dict(shape=(None, None))], tuple[float, float, float, float, float] | None, Annotated[NDArray[numpy.float64], dict(shape=(None, None))] | None]:
    """
    Climb from a start: why it stopped, the component that collapsed or -1, the kinds of steps (s start, e EM,
    q SQUAREM, n Newton), the trace, a row for every point of the climb: objective, weights, means, stds; then
    log-likelihood, gradient norm, Newton decrement, smallest eigenvalue and entropy at the end; and the covariance
    of log weights, means and log stds. All in units of the caller's: centre, unit, and n log(unit).
    Penalised: of distinct values in ascending order, S is climbed, from near its optimum.
    """

class Search:
    """
    The search for the best mixture, kept from one number of components to the next.
    """

    def __init__(self, values: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], counts: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], equal_stds: bool, units: tuple[float, float, float], threads: int) -> None: ...

    def look(self, k: int) -> None:
        """Search on the path to k components."""

    def best(self, k: int, starts: Sequence[tuple[Sequence[float], Sequence[float], Sequence[float]]], fixed: Sequence[bool], values: tuple[Sequence[float], Sequence[float], Sequence[float]], method: str, tol: float, max_iter: int) -> tuple[tuple[str, int, str, Annotated[NDArray[numpy.float64], dict(shape=(None, None))], tuple[float, float, float, float, float] | None, Annotated[NDArray[numpy.float64], dict(shape=(None, None))] | None], str | None, list[int], float]:
        """
        The best climb as `climb` returns it, why it is penalised or None, which components are held, and S.
        """

def exact(values: numpy.typing.NDArray[Any], sample_weight: numpy.typing.NDArray[Any] | None, centre: float, factor: float, node_values: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], node_counts: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], means: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], stds: Annotated[NDArray[numpy.float64], dict(shape=(None,), device='cpu', writable=False)], *, weight_scale: float, equal_stds: bool, fixed: Sequence[bool], units: tuple[float, float, float], threads: int) -> tuple[str, int, str, Annotated[NDArray[numpy.float64], dict(shape=(None, None))], tuple[float, float, float, float, float] | None, Annotated[NDArray[numpy.float64], dict(shape=(None, None))] | None]:
    """
    From an optimum of the nodes to that of the data, as `climb` returns it.
    """

def fit_rows(data: numpy.typing.NDArray[Any], sample_weight: numpy.typing.NDArray[Any] | None, k: int, equal_stds: bool, method: str, tol: float, max_iter: int, threads: int, weights_are: str = '') -> Annotated[NDArray[numpy.float64], dict(shape=(None, None))]:
    """
    The best mixture for every row: n, unit, whether tol stopped it, why it is penalised (0: not, 1: support, 2: ties), log-likelihood of the
    standardised values, gradient norm, Newton decrement, smallest eigenvalue, entropy; then weights, means and stds
    by mean. NaN where a row cannot be fitted.
    """

def fit_list(data: list[object], sample_weight: list[object] | None, k: int, equal_stds: bool, method: str, tol: float, max_iter: int, threads: int, weights_are: str = '') -> Annotated[NDArray[numpy.float64], dict(shape=(None, None))]:
    """The same for every column of a list."""

class Sketch:
    """
    Moments of many points on dyadic cells; gmm1d.Sketch is what people use.
    """

    def __init__(self, most_leaves: int) -> None: ...

    def add(self, values: numpy.typing.NDArray[Any], sample_weight: numpy.typing.NDArray[Any] | None, threads: int = 1, instruction_set: str = '') -> bool:
        """
        Add points; false, and nothing is added, if one or its weight is at fault.
        """

    def merge(self, other: Sketch) -> None:
        """Add what another holds."""

    def copy(self) -> Sketch: ...

    def coarse(self, most_leaves: int) -> Sketch:
        """The same with fewer leaves, for a rough look."""

    def scaled(self, factor: float) -> Sketch:
        """The same of weights that are so many times as large."""

    def weigh(self, weights_are: str) -> tuple[bool, float]:
        """
        Whether these are importance weights, and what scales them to counts; no normal number if nothing can.
        """

    def nodes(self, centre: float, unit: float) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None,))]]:
        """Standardised nodes, ascending, and their counts."""

    def error(self, weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], means: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], stds: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> float:
        """Estimate of the log-likelihood of the nodes minus that of the points."""

    def finer(self, weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], means: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], stds: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], tolerance: float) -> Sketch:
        """An empty sketch with cells narrow enough for the mixture."""

    def again(self) -> Sketch | None:
        """
        An empty sketch for narrow groups that the leaves do not resolve, if there are any.
        """

    def leaves(self) -> tuple[Annotated[NDArray[numpy.int64], dict(shape=(None,))], Annotated[NDArray[numpy.int64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None, None))]]:
        """Indices, exponents and sums of the leaves."""

    def exact(self) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None,))]]:
        """Values kept as they are, and their weights."""

    @staticmethod
    def restore(most_leaves: int, indices: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], exponents: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], sums: Annotated[NDArray[numpy.float64], dict(shape=(None, 8), order='C', device='cpu', writable=False)], values: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: int, low: float, high: float, coarsened: bool, squares: float, exponent: int, whole: bool) -> Sketch:
        """What leaves() and exact() gave, unchecked."""

    @property
    def n(self) -> float: ...

    @property
    def size(self) -> int: ...

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...

    @property
    def coarsened(self) -> bool: ...

    @property
    def squares(self) -> tuple[float, int]:
        """
        S and e: the squares of the weights as they came add up to S 4^e; NaN if nobody knows.
        """

    @property
    def whole(self) -> bool: ...

    @property
    def most_leaves(self) -> int: ...

    @property
    def n_leaves(self) -> int: ...

def standardise(values: numpy.typing.NDArray[Any], sample_weight: numpy.typing.NDArray[Any] | None, weights_are: str) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None,))], float, float, float, float, float, bool, float] | int:
    """
    Distinct values of positive weight, ascending, as (value - centre) / unit, and their counts; then the sum of the
    counts, the lowest and the highest value, centre and unit; whether the weights are importance weights, and what
    scaled them, no normal number if nothing can. Or the first index of a fault.
    """

def scale(sample_weight: numpy.typing.NDArray[Any], total: float) -> float:
    """
    What takes weights with this total to counts; no normal number if nothing can.
    """

SMALLEST: float = 1.4916681462400413e-154

LARGEST: float = 6.703903964971299e+153

def moments(values: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], counts: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[float, float]:
    """Mean and standard deviation of ascending values."""

def kmeans(values: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], counts: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], k: int) -> list[int]:
    """
    The globally optimal k-means partition of ascending values: the first index of every cluster.
    """
