"""SciPy's special functions, imported when the first is used: that takes as long as importing NumPy."""

from typing import Any


def __getattr__(name: str) -> Any:
    from scipy import special

    return getattr(special, name)
