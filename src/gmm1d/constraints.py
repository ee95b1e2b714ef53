"""``Constraints``: what a fit may not change, validated, as the engine takes it and as parameters are counted."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.arguments import ROUNDING, SUM_TOLERANCE, real, shown
from gmm1d.errors import InputError
from gmm1d.families import EQUAL, FAMILIES, UNEQUAL, keys
from gmm1d.formatting import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gmm1d.families import Key

    Array = NDArray[np.float64]

KINDS = ("weights", "means", "stds")


@dataclass(frozen=True, eq=False)
class Constraints:
    """Equal variances, and fixed weights, means and stds.

    Attributes
    ----------
    equal_variances : bool
    values : ndarray, shape (3, k), or None
        Fixed weights, means and stds in the caller's order and units, NaN where free; None where nothing is fixed.
    """

    equal_variances: bool = False
    values: Array | None = None

    @classmethod
    def of(cls, k: int, equal_variances: object, fixed: object) -> Constraints:
        """Validate what the caller asked for.

        Raises
        ------
        InputError
            If `fixed` is no mapping of k values each, or asks for what cannot be.
        """
        if not isinstance(equal_variances, bool | np.bool_):
            raise InputError(f"equal_variances must be True or False, not {shown(equal_variances)}")
        if fixed is None:
            return cls(bool(equal_variances)) if equal_variances else FREE
        if not isinstance(fixed, Mapping) or not set(fixed) <= {*KINDS, "variances"}:
            raise InputError(
                "fixed must be a dict of weights, means, stds or variances, such as "
                f"dict(means=[None, 3.0]), not {shown(fixed)}"
            )
        if "variances" in fixed and "stds" in fixed:
            raise InputError("fixed has both stds and variances: give one of them")
        values = np.array([_row(kind, fixed.get(kind), k) for kind in KINDS])
        if "variances" in fixed:
            values[2] = np.sqrt(_row("variances", fixed["variances"], k))
        if equal_variances and not np.isnan(values[2]).all():
            raise InputError("equal_variances=True and fixed stds exclude each other: drop one")
        values[0] = _checked_weights(values[0])
        return cls(bool(equal_variances), None if np.isnan(values).all() else values)

    @property
    def fixed(self) -> list[bool]:
        """Which of k weights, k means and k stds are fixed, as the engine takes it; empty where none is."""
        if self.values is None:
            return []
        found: list[bool] = (~np.isnan(self.values)).ravel().tolist()
        return found

    def kept(self, parameters: Array) -> Array:
        """Return weights, means and stds (3, ..., k) with what is fixed in its place."""
        if self.values is None:
            return parameters
        values = self.values.reshape(3, *[1] * (parameters.ndim - 2), -1)
        return np.where(np.isnan(values), parameters, values)

    def n_parameters(self, k: int) -> int:
        """Count the free parameters of a mixture of k components."""
        free = [k, k, k] if self.values is None else np.isnan(self.values).sum(axis=1).tolist()
        return max(free[0] - 1, 0) + free[1] + (1 if self.equal_variances else free[2])


FREE = Constraints()


def constrained(
    numbers: Sequence[int], families: tuple[str, ...] | None, fixed: object
) -> tuple[tuple[str, ...], dict[Key, Constraints]]:
    """Return the families, and the constraints of every fit; components beyond the end of a list in `fixed` are free.

    Where nothing says which families are meant, it is both; but only unequal variances where stds are fixed.

    Raises
    ------
    InputError
        If `fixed` cannot be for one of the k, or fixes stds that shall be equal.
    """
    held = _lists(fixed)
    free = {k: Constraints.of(k, False, _padded(held, k)) for k in numbers}
    stds = any(c.values is not None and np.isfinite(c.values[2]).any() for c in free.values())
    if families is not None and EQUAL in families and stds:
        raise InputError(
            "equal variances and fixed stds exclude each other: drop one of them, as by "
            'families=("unequal",)'
        )
    named = families or (FAMILIES[:1] if stds else FAMILIES)
    return named, {
        (k, family): free[k] if family == UNEQUAL else Constraints.of(k, True, _padded(held, k))
        for k, family in keys(numbers, named)
    }


def _lists(fixed: object) -> object:
    """Return what is fixed in lists, which can be read more than once; what is no list is left for others to refuse."""
    if not isinstance(fixed, Mapping):
        return fixed
    return {
        kind: list(given)
        if np.iterable(given) and not isinstance(given, str | bytes | Mapping | AbstractSet)
        else given
        for kind, given in fixed.items()
    }


def _padded(fixed: object, k: int) -> object:
    if not isinstance(fixed, Mapping):
        return fixed
    for kind, given in fixed.items():
        if isinstance(given, list) and len(given) > k:
            raise InputError(
                f"fixed {kind} has {len(given)} entries, more than k = {k} has components: "
                "leave that k out, or fix fewer"
            )
    return {
        kind: [*given, *[None] * (k - len(given))] if isinstance(given, list) else given
        for kind, given in fixed.items()
    }


def _row(kind: str, given: object, k: int) -> Array:
    """Return k values of one kind, NaN where the caller gave None."""
    if given is None:
        return np.full(k, np.nan)
    if isinstance(given, str | bytes | Mapping | AbstractSet) or not np.iterable(given):
        raise InputError(f"fixed {kind} must be a list of {k} numbers or None, not {shown(given)}")
    listed = list(given)
    if len(listed) != k:
        raise InputError(
            f"fixed {kind} has {len(listed)} entries, but k is {k}: use None for free ones"
        )
    row = np.full(k, np.nan)
    for j, value in enumerate(listed):
        if value is None:
            continue
        row[j] = real(value)
        if not np.isfinite(row[j]) or (kind != "means" and row[j] <= 0):
            what = "a finite number" if kind == "means" else "a positive number"
            raise InputError(f"fixed {kind}[{j}] must be {what} or None, not {shown(value)}")
    return row


def _checked_weights(weights: Array) -> Array:
    """Return the weights, with the sum 1 if none is free; what cannot be is refused."""
    held = float(np.nansum(weights))
    for j in np.flatnonzero(weights <= ROUNDING):
        raise InputError(
            f"fixed weights[{j}] = {number(weights[j])} cannot be told from 0: leave that component out"
        )
    if np.isnan(weights).any():
        if held >= 1 - ROUNDING:
            raise InputError(
                f"fixed weights add up to {number(held, 12)}, which leaves nothing for the free ones"
            )
        return weights
    if abs(held - 1) > SUM_TOLERANCE:
        raise InputError(
            f"fixed weights add up to {number(held, 12)}, not to 1: divide them by their sum"
        )
    return weights if abs(held - 1) <= ROUNDING else weights / held
