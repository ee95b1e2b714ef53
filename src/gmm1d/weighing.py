"""The weights of observations: how often each of them counts, or how much each of them matters; it reads no points.

Whole numbers are counts: a weight of 2 is the value twice, and n is their sum. Others are importance weights, which tell
how much values matter beside each other, but not in which unit. They are scaled to counts, so that their sum is Kish's
effective number of observations,

    n = n_eff = (sum_i w_i)**2 / sum_i w_i**2   (Kish, 1965, Survey Sampling, section 11.7),

as many values without weights would tell their mean as exactly; of equal weights each value counts once.
Whole numbers whose sum a float64 cannot count, more than 2**53, are importance weights, too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.arguments import shown
from gmm1d.columns import column
from gmm1d.errors import InputError
from gmm1d.formatting import number

if TYPE_CHECKING:
    from gmm1d.columns import Column

COUNTS, IMPORTANCE = MEANINGS = ("counts", "importance")
LEAST, MOST = 2.0, 2.0**53  # of n, where it can tell a maximum
UNKNOWN = (
    "importance weights need the sum of their squares, which a file of an older gmm1d does not hold: "
    'make the sketch again, or say weights_are="counts"'
)
TINY = float(np.finfo(np.float64).tiny)


def check_meaning(weights_are: object) -> str:
    """Return what weights are said to be, as the engine takes it: nothing for None, which lets them show it.

    Raises
    ------
    InputError
        If it is neither "counts" nor "importance".
    """
    if weights_are is None:
        return ""
    if isinstance(weights_are, str) and weights_are in MEANINGS:
        return weights_are
    raise InputError(f'weights_are={shown(weights_are)}: use "counts" or "importance", or neither')


def weights_column(sample_weight: object, m: int) -> Column:
    """Turn the weights of m points into a `column`; its values are judged by whoever reads them.

    Raises
    ------
    InputError
        If it is no column, or not of m values.
    """
    weights = column(sample_weight, "sample_weight")
    if weights.size != m:
        raise InputError(
            f"sample_weight of {weights.size} values for {m} points: give one per point"
        )
    return weights


def check_total(n: float, m: int, scale: float = 1.0) -> None:
    """Refuse m weights whose sum n, or what scales them, is no normal float64.

    Raises
    ------
    InputError
        If it is none.
    """
    if n == 0:
        raise InputError(f"sample_weight is zero for all {m} points: give some of them weight")
    if not (TINY <= n < math.inf and TINY <= scale < math.inf):
        n = math.inf if math.isnan(n) else n  # of a sum that keeps its rounding errors
        where = "no normal float64" if not TINY <= n < math.inf else "at the end of float64"
        raise InputError(f"sample_weight adds up to {number(n)}, {where}: rescale it")


def check_sums(n: float, m: int) -> None:
    """Refuse m points of weight n, perhaps none, that cannot be counted.

    Raises
    ------
    InputError
        If they are more than 2**53, or n is neither zero nor a normal float64.
    """
    if m > 2**53:
        raise InputError("more than 2**53 points, which a Sketch cannot count: split them")
    if n != 0:
        check_total(n, m)


def are_alike(weights: Column, asked: str) -> bool:
    """Say whether these are equal importance weights, which is to have none."""
    first = float(weights[0])
    if weights[-1] != first or asked == COUNTS or not TINY <= first < math.inf:
        return False
    fractional = asked == IMPORTANCE or not first.is_integer()
    return fractional and bool(weights.min() == weights.max())


def remarks(meaning: str | None, n: float) -> list[str]:
    """Say what weights were taken for, and what stands in the way of a fit if they are not that."""
    if meaning is None:
        return []
    if meaning == IMPORTANCE:
        few = "" if n >= LEAST else ", so few because nearly all weight is on one value"
        return [f"the weights are taken as importance weights, scaled to n_eff = {number(n)}{few}"]
    said = f"the weights are taken as counts, and add up to {number(n, 12)}"
    if n < LEAST:
        advice = "multiply them by the number of observations"
        return [f"{said}, but they say how often each value counts: {advice}"]
    if n > MOST:
        advice = "divide them by a power of ten"
        return [f"{said}, and beyond 2**53 rounding may hide where the optimum is: {advice}"]
    return [said]
