"""Every way in which gmm1d fails or ends, each with its name and one sentence."""

from __future__ import annotations

import enum
import importlib
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


class InputError(ValueError):
    """What was handed in cannot be used; the message says what, where and what to do."""


class ReadError(InputError):
    """A file cannot be read; the message names the file and, where there is one, line and column."""


class ScaleError(InputError):
    """A standard deviation whose square is no normal float64: rescale the data."""


class CollapseError(InputError):
    """The climb from an explicit start ran into a spike, where the likelihood is unbounded."""


class UncertaintyError(InputError):
    """A fit that has no standard errors, because it is no maximum of the likelihood; the message says why not."""


class MissingExtraError(ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


class FitWarning(UserWarning):
    """A fit was returned, but something about it must be known before it is used."""


class Ending(enum.StrEnum):
    """How a fit ended; the value is the sentence that every report quotes.

    The conditions are those of `gmm1d.climbing`: g is the gradient in (log-odds, mean / std, log std),
    B' the observed information in units of the complete-data information.
    """

    CONVERGED = "converged: a local maximum, certified by gradient, Newton decrement and Hessian"
    TOLERANCE = (
        "stopped by tol: the log-likelihood changed by less than tol, nothing more is claimed"
    )
    FLAT = (
        "flat: stationary, but the information is singular; a component is a duplicate or vanishes, "
        "k may exceed what the data show"
    )
    PENALISED = (
        "penalised: no maximum of the likelihood with as many living components is here; "
        "the optimum of the penalised likelihood S is returned"
    )
    MAX_ITER = "stopped by max_iter before convergence; the last point is returned"
    INTERRUPTED = "interrupted before convergence; the last point is returned"


PACKAGES = {"sklearn": "scikit-learn"}  # where the package to install has another name


def require(module: str, extra: str, least: tuple[int, ...] = ()) -> ModuleType:
    """Import an optional `module`, or say which `extra` of gmm1d brings it.

    Raises
    ------
    MissingExtraError
        If the module is not installed, or older than the version `least`.
    """
    library = module.split(".")[0]
    package = PACKAGES.get(library, library)
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise MissingExtraError(
            f"this needs {package}, which is not installed: pip install 'gmm1d[{extra}]'"
        ) from error
    if not least:
        return found
    version = str(getattr(sys.modules[library], "__version__", ""))
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[: len(least)])
    if numbers < least:
        wanted = ".".join(map(str, least))
        raise MissingExtraError(
            f"this needs {package} {wanted} or newer, not {version}: "
            f"pip install --upgrade 'gmm1d[{extra}]'"
        )
    return found
