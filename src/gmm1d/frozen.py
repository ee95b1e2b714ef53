"""Frozen state: instances made at once, and copied and pickled so that they stay frozen."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def made(cls: type[T], **fields: object) -> T:
    """Return an instance with these fields, all that have no default, without a look at them.

    The `__init__` of a frozen dataclass takes many times as long, for it sets field by field.
    """
    instance = object.__new__(cls)
    instance.__dict__.update(fields)
    return instance


class Frozen:
    """A frozen dataclass that is copied and pickled by its fields, and whose arrays come back read-only.

    What was computed from the fields is left behind; arrays of memory-mapped files and of other types come
    back as plain ones. A pickle holds whatever the fields hold, the data of a fit among them, and is for
    the same version of gmm1d: to keep something, save it.
    """

    def __getstate__(self) -> dict[str, Any]:
        named = (field.name for field in fields(self))  # type: ignore[arg-type]  # of a dataclass
        return {name: guarded(getattr(self, name)) for name in named}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({name: guarded(value) for name, value in state.items()})


def guarded(value: Any) -> Any:
    """Return a plain view of an array, through which nothing can be modified, and of each in a tuple; else the value."""
    if isinstance(value, np.ndarray):
        value = value.view(np.ndarray)
        value.flags.writeable = False
    elif isinstance(value, tuple):
        value = tuple(map(guarded, value))
    return value
