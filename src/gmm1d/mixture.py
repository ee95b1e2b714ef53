"""``Mixture``: a frozen mixture of Gaussians in one dimension, a distribution; refuses to fit."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, cast

import numpy as np

from gmm1d import arguments, components, conversions, frames, landmarks
from gmm1d.components import Components, in_blocks
from gmm1d.errors import InputError
from gmm1d.frozen import guarded, made
from gmm1d.quantiles import Quantiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.intp]
    Function = Callable[[Components, FloatArray], FloatArray]


class Mixture:
    """A mixture of k Gaussians, p(x) = Σ_j w_j N(x | mu_j, s_j²), in order of the means.

    Functions of x or of probabilities take a number or an array of any shape, and return a float or
    an array of that shape; what is no real number raises InputError.

    Parameters
    ----------
    weights : array-like (k,)
        Not negative, with the sum 1 up to 1e-8; divided by their sum unless that is rounding.
    means : array-like (k,)
    stds, variances : array-like (k,)
        One of the two. Squares of stds must be normal float64: about 1.5e-154 to 1.3e154.

    Attributes
    ----------
    weights, means, stds : ndarray (k,)
        Read-only, sorted by mean, ties by standard deviation, then by weight.

    Raises
    ------
    InputError
        If the parameters are not those of a mixture; the sentence names the first offending index.
    ScaleError
        If a standard deviation or a mean is out of range.

    Examples
    --------
    >>> m = Mixture([0.6, 0.4], [3, -2], [1.5, 1])
    >>> m.means.tolist(), round(m.mean(), 12)
    ([-2.0, 3.0], 1.0)
    """

    weights: FloatArray
    means: FloatArray
    stds: FloatArray

    def __init__(
        self,
        weights: ArrayLike,
        means: ArrayLike,
        stds: ArrayLike | None = None,
        *,
        variances: ArrayLike | None = None,
    ) -> None:
        columns = arguments.parameters(weights, means, stds, variances)
        order = self.sorting(*columns)
        for name, column in zip(("weights", "means", "stds"), columns, strict=True):
            self.__dict__[name] = guarded(column[order])

    @classmethod
    def _trusted(cls, weights: FloatArray, means: FloatArray, stds: FloatArray) -> Mixture:
        """Build one of what `arguments.parameters` would return, in order and read-only, without a look at it."""
        return made(cls, weights=weights, means=means, stds=stds)

    @staticmethod
    def sorting(weights: ArrayLike, means: ArrayLike, stds: ArrayLike) -> IntArray:
        """Order (k,) in which a Mixture keeps its components: by mean, then std, then weight."""
        return np.lexsort((np.asarray(weights), np.asarray(stds), np.asarray(means)))

    # parameters

    @property
    def k(self) -> int:
        """Number of components."""
        return self.weights.size

    @cached_property
    def variances(self) -> FloatArray:
        """Squares (k,) of the standard deviations, read-only."""
        values: FloatArray = guarded(np.square(self.stds))
        return values

    @cached_property
    def _present(self) -> NDArray[np.bool_]:
        return self.weights > 0

    @cached_property
    def _components(self) -> Components:
        return Components(*(a[self._present, None] for a in (self.weights, self.means, self.stds)))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Mixture is frozen, {name} cannot be set: build a new one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Mixture is frozen, {name} cannot be deleted")

    def __reduce__(self) -> tuple[type[Mixture], tuple[FloatArray, FloatArray, FloatArray]]:
        return type(self), (self.weights, self.means, self.stds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mixture) and self._bits() == other._bits()

    def __hash__(self) -> int:
        return hash(self._bits())

    # evaluation

    def _map(self, function: Function, x: ArrayLike) -> FloatArray:
        return self._shaped(partial(function, self._components), arguments.numbers("x", x))

    def _shaped(self, function: Callable[[FloatArray], FloatArray], x: FloatArray) -> FloatArray:
        values = in_blocks(function, x.ravel(), self.k).reshape(x.shape)
        return values if values.ndim else cast("FloatArray", float(values))

    def pdf(self, x: ArrayLike) -> FloatArray:
        """Density p(x)."""
        return self._map(components.density, x)

    def logpdf(self, x: ArrayLike) -> FloatArray:
        """Logarithm of the density, by log-sum-exp."""
        return self._map(components.log_density, x)

    def cdf(self, x: ArrayLike) -> FloatArray:
        """P(X <= x) = Σ_j w_j Φ(z_j), z_j = (x - mu_j) / s_j."""
        return self._map(components.cumulative, x)

    def sf(self, x: ArrayLike) -> FloatArray:
        """P(X > x) = Σ_j w_j Φ(-z_j)."""
        return self._map(partial(components.cumulative, side=-1), x)

    def logcdf(self, x: ArrayLike) -> FloatArray:
        """Logarithm of `cdf`, to full relative accuracy in both tails."""
        return self._map(components.log_cumulative, x)

    def logsf(self, x: ArrayLike) -> FloatArray:
        """Logarithm of `sf`, to full relative accuracy in both tails."""
        return self._map(partial(components.log_cumulative, side=-1), x)

    def ppf(self, q: ArrayLike) -> FloatArray:
        """Quantiles: x with cdf(x) = q; -inf for q = 0 and inf for q = 1.

        Raises
        ------
        InputError
            If a probability is NaN or outside [0, 1].
        """
        return self._shaped(self._quantiles.ppf, arguments.probabilities("q", q))

    def isf(self, q: ArrayLike) -> FloatArray:
        """Upper quantiles: x with sf(x) = q, right for the smallest q; raises as `ppf` does."""
        return self._shaped(self._quantiles.isf, arguments.probabilities("q", q))

    # statistics

    def rvs(self, size: int | tuple[int, ...] | None = None, *, rng: object) -> FloatArray:
        """Draw values of a given shape (a float for None), the same for the same seed.

        Raises
        ------
        InputError
            If `rng` is neither a seed nor a numpy Generator, or `size` is not a shape.
        """
        shape, draw = arguments.shape(size), arguments.generator(rng)
        c = self._components
        shares = np.cumsum(c.w)
        label = np.searchsorted(shares[:-1] / shares[-1], draw.random(shape), side="right")
        values = c.mu[label, 0] + c.s[label, 0] * draw.standard_normal(shape)
        return values if shape else cast("FloatArray", float(values))

    @cached_property
    def _quantiles(self) -> Quantiles:
        return Quantiles(self._components)

    @cached_property
    def _moments(self) -> components.Moments:
        return components.moments(self._components)

    def mean(self) -> float:
        """Σ_j w_j mu_j."""
        return self._moments.mean

    def var(self) -> float:
        """Σ_j w_j (s_j² + (mu_j - mean)²); inf beyond float64, which `std` survives."""
        with np.errstate(over="ignore"):
            return float(np.square(self._moments.std))

    def std(self) -> float:
        """Square root of the variance."""
        return self._moments.std

    def skewness(self) -> float:
        """Third central moment over std³."""
        return self._moments.skewness

    def kurtosis(self) -> float:
        """Fourth central moment over std⁴, less 3: excess kurtosis."""
        return self._moments.kurtosis

    def median(self) -> float:
        """Quantile of 1/2."""
        return float(self.ppf(0.5))

    def entropy(self) -> float:
        """-∫ p log p in nats, by quadrature, to 1e-10."""
        return components.entropy(self._components)

    def interval(self, p: float) -> tuple[float, float]:
        """Central interval of probability p, with (1 - p) / 2 on either side; p in [0, 1]."""
        tail = 0.5 * (1 - float(arguments.probabilities("p", p)))
        return float(self.ppf(tail)), float(self.isf(tail))

    # landmarks

    @cached_property
    def _levels(self) -> landmarks.Levels:
        return landmarks.Levels(self._components)

    def modes(self) -> FloatArray:
        """All local maxima of the density, ascending."""
        return self._levels.modes.copy()

    def antimodes(self) -> FloatArray:
        """All local minima of the density, ascending: one between two neighbouring modes."""
        return self._levels.antimodes.copy()

    def hdr(self, p: float) -> FloatArray:
        """Highest-density region: intervals (m, 2), the smallest set of probability 0 < p <= 1."""
        content = float(arguments.probabilities("p", p))
        if content == 0:
            raise InputError("p = 0 has no region: choose 0 < p <= 1")
        if content == 1:
            return np.array([[-np.inf, np.inf]])
        tail = (1 - content) / 4
        return self._levels.hdr(content, float(self.ppf(tail)), float(self.isf(tail)))

    # classification

    def responsibilities(self, x: ArrayLike) -> FloatArray:
        """γ_j = w_j N(x | mu_j, s_j²) / p(x), of the shape (*x.shape, k); rows have the sum 1.

        Raises
        ------
        InputError
            If x holds NaN or an infinity.
        """
        points = arguments.finite_numbers("x", x)
        shares = np.zeros((points.size, self.k))
        shares[:, self._present] = in_blocks(
            lambda x: components.responsibilities(self._components, x).T, points.ravel(), self.k
        )
        return shares.reshape(*points.shape, self.k)

    def predict(self, x: ArrayLike) -> IntArray:
        """Most likely component of x, the first of equals; raises as `responsibilities` does."""
        points = arguments.finite_numbers("x", x)
        likely = partial(components.most_likely, self._components)
        best = in_blocks(likely, points.ravel(), self.k).reshape(points.shape)
        names = np.flatnonzero(self._present)[best]
        return names if names.ndim else cast("IntArray", int(names))

    def boundaries(self) -> FloatArray:
        """Every point, ascending, where the most likely component changes."""
        return landmarks.boundaries(self._components)

    # in other words

    formula = conversions.formula
    _bits = conversions.bits
    to_json = conversions.to_json
    from_json = classmethod(conversions.from_json)
    save = conversions.save
    load = classmethod(conversions.load)
    to_scipy = conversions.to_scipy
    to_sklearn = conversions.to_sklearn
    from_sklearn = classmethod(conversions.from_sklearn)
    to_frame = frames.of_mixture

    def __repr__(self) -> str:
        return conversions.short(self)

    def _repr_html_(self) -> str:
        return conversions.html(self)
