"""Does a mixture fit the data: probability integral transform and quantiles, with bands. Draws nothing.

Every distinct value x_i of weight w_i is met by its mid-distribution p_i = (Σ_{j<i} w_j + w_i / 2) / n
(Parzen, 2004, Statistical Science 19). Without ties this is (i − ½)/n; with them it is where the value
itself lies, so that rounded data show no false steps; and the nodes that stand for many values are met
like values. Where the mixture is the truth, cdf(x_i) follows Beta(n p_i + ½, n (1 − p_i) + ½), the law of
an order statistic of n uniform numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import special
from gmm1d.errors import InputError
from gmm1d.sample import Sample
from gmm1d.views import distinct

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gmm1d.result import Fit

    Array = NDArray[np.float64]

OUTSIDE = 0.05  # of one order statistic, or of samples with any of them, beyond the band
# The level of one order statistic at which 5 % of the samples of n have any of them beyond (40 000
# samples of each size; 20 000 from n = 1000 on): "equal local levels".
SIZES = 1, 2, 5, 10, 30, 100, 300, 1e3, 1e4, 1e5, 1e6, 1e8
LEVELS = 0.05, 0.0259, 0.0121, 0.0077, 0.00386, 0.00214, 1.5e-3, 1.05e-3, 8e-4, 6e-4, 4.6e-4, 3.2e-4


@dataclass(frozen=True, eq=False)
class Agreement:
    """The data beside the mixture, value by value.

    Attributes
    ----------
    values : ndarray (d,)
        The distinct values, ascending: the nodes of the `Sample`.
    positions : ndarray (d,)
        Which part of the data lies below each, with half of its own weight: p_i.
    transforms : ndarray (d,)
        Which part of the mixture lies below each: cdf(x_i), the probability integral transform.
    quantiles : ndarray (d,)
        Where the mixture has its quantile of p_i: ppf(p_i).
    n : float
        The number of values, or the sum of their weights as counts.
    """

    values: Array
    positions: Array
    transforms: Array
    quantiles: Array
    n: float

    @property
    def residuals(self) -> Array:
        """The differences (d,) p_i − cdf(x_i): positive where more data lie below than the mixture has."""
        return self.positions - self.transforms


def agreement(fit: Fit, data: object = None) -> Agreement:
    """Compare a fit with its data, or with others.

    Parameters
    ----------
    fit : Fit
    data : column of m numbers, Sketch or Sample, optional
        For a fit that was loaded from a file, which holds none.

    Raises
    ------
    InputError
        If there are no data, or `data` is no column of numbers.
    """
    sample = fit.sample if data is None else Sample.of(data)
    if sample is None:
        raise InputError("this fit holds no data, files do not hold them: hand them in as data=")
    values, weights = distinct(sample)
    ends = np.cumsum(weights)
    positions = (ends - weights / 2) / ends[-1]
    m = fit.mixture
    return Agreement(values, positions, m.cdf(values), m.ppf(positions), sample.n)


def pointwise_band(positions: ArrayLike, n: float) -> Array:
    """Return where cdf(x_i) lies with probability 95 %, for each p_i by itself: ndarray (2, d).

    For a mixture that was fitted to the same data, the probability is higher.
    """
    return _band(np.asarray(positions, dtype=float), n, OUTSIDE)


def simultaneous_band(positions: ArrayLike, n: float) -> Array:
    """Return where all cdf(x_i) together lie with probability 95 %: ndarray (2, d).

    Every p_i has the same small probability to be beyond ("equal local levels"), which sees tails that
    Kolmogorov's band of one width overlooks. For a mixture that was fitted to the same data, the
    probability to lie within is higher.

    References
    ----------
    Aldor-Noiman, Brown, Buja, Rolke and Stine (2013), The power to see: a new graphical test of
    normality, The American Statistician 67; Weine, McPeek and Abney (2023), Application of equal local
    levels to improve Q-Q plot testing bands, Journal of Statistical Software 106.
    """
    level = np.exp(np.interp(np.log(n), np.log(SIZES), np.log(LEVELS)))
    return _band(np.asarray(positions, dtype=float), n, float(level))


def _band(p: Array, n: float, outside: float) -> Array:
    ends = [
        special.betaincinv(n * p + 0.5, n * (1 - p) + 0.5, q)
        for q in (outside / 2, 1 - outside / 2)
    ]
    return np.array(ends)
