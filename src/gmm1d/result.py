"""`Fit`: a mixture with the evidence for it. Holds, shows and saves; computes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d.errors import Ending, InputError
from gmm1d.files import write_text
from gmm1d.formatting import html_table, number, text_table
from gmm1d.mixture import Mixture

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from gmm1d.climbing import Trace
    from gmm1d.sample import Sample

SCHEMA = "gmm1d.fit"
VERSION = 1
EVIDENCE = (
    "log_likelihood",
    "n",
    "gradient_norm",
    "newton_decrement",
    "smallest_eigenvalue",
    "entropy",
    "start",
)


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """A fitted mixture and how it was reached.

    Attributes
    ----------
    mixture : Mixture
    log_likelihood : float
        Of `mixture`, in nats.
    n : float
        The sum of the sample weights: the number of values where there are none.
    status : Ending
        How the fit ended; ``str(status)`` is a sentence.
    gradient_norm, newton_decrement, smallest_eigenvalue : float or None
        The certificate that this is a stationary point and a maximum (see `Certificate`); None if interrupted.
    entropy : float or None
        Of the responsibilities, in nats: 0 where every value belongs to one component for sure.
    covariance : ndarray, shape (3k, 3k), or None
        Of (log-odds of the weights, means, log stds) from the observed information, in the mixture's order.
    order : ndarray of int, shape (k,)
        Component j of the mixture is component ``order[j]`` of the start and of the trace.
    start : str
        The start that led here.
    notes : tuple of str
        What must be known about single components, a sentence each.
    trace : Trace or None
        The climb; None after loading.
    sample : Sample or None
        The data; None after loading.
    """

    mixture: Mixture
    log_likelihood: float
    n: float
    status: Ending
    gradient_norm: float | None
    newton_decrement: float | None
    smallest_eigenvalue: float | None
    entropy: float | None
    covariance: NDArray[np.float64] | None
    order: NDArray[np.intp]
    start: str
    notes: tuple[str, ...]
    trace: Trace | None = field(default=None)
    sample: Sample | None = field(default=None)

    @property
    def k(self) -> int:
        """The number of components."""
        return self.mixture.k

    @property
    def n_parameters(self) -> int:
        """The number of free parameters, 3k − 1."""
        return 3 * self.k - 1

    @property
    def n_iter(self) -> int | None:
        """The number of steps of the climb."""
        return None if self.trace is None else len(self.trace) - 1

    @property
    def aic(self) -> float:
        """Akaike's criterion −2ℓ + 2p; lower is better."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion −2ℓ + p log n; lower is better."""
        return self.n_parameters * float(np.log(self.n)) - 2 * self.log_likelihood

    @property
    def icl(self) -> float | None:
        """The integrated completed likelihood, BIC plus twice the entropy (Biernacki et al., 2000); lower is better."""
        return None if self.entropy is None else self.bic + 2 * self.entropy

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the data, the weighted components and their sum (see `gmm1d.plots.plot_fit`)."""
        from gmm1d.plots import plot_fit

        return plot_fit(self, ax)

    def summary(self) -> str:
        """Return the fit as a few lines of text."""
        header, rows = self._components()
        return "\n".join(
            [self._title(), *self._facts(), "", text_table(header, rows), *self._remarks()]
        )

    def __repr__(self) -> str:
        return (
            f"<Fit of {self.k} Gaussian{'s' * (self.k > 1)} to {number(self.n, 12)} values: {self.status.name}, "
            f"log-likelihood {number(self.log_likelihood, 10)}>"
        )

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{escape(line)}</p>" for line in [*self._facts(), *self._remarks()])
        return f"<div>{html_table(*self._components(), caption=self._title())}{lines}</div>"

    def _title(self) -> str:
        return f"Mixture of {self.k} Gaussian{'s' * (self.k > 1)} fitted to {number(self.n, 12)} values"

    def _facts(self) -> list[str]:
        criteria = [
            ("log-likelihood", self.log_likelihood),
            ("AIC", self.aic),
            ("BIC", self.bic),
            ("ICL", self.icl),
        ]
        facts = [
            self.status.value,
            ", ".join(
                f"{name} {number(value, 10)}" for name, value in criteria if value is not None
            ),
        ]
        if self.gradient_norm is not None and self.newton_decrement is not None:
            facts.append(
                f"gradient {number(self.gradient_norm, 2)}, Newton decrement {number(self.newton_decrement, 2)}, "
                f"smallest eigenvalue {number(self.smallest_eigenvalue or 0.0, 3)}"
            )
        if self.n_iter is not None:
            facts.append(
                f"{self.n_iter} EM step{'s' * (self.n_iter != 1)} from the start {self.start!r}"
            )
        return facts

    def _components(self) -> tuple[list[str], list[list[str]]]:
        m = self.mixture
        rows = [
            [str(j + 1), number(w), number(mean), number(std), number(w * self.n)]
            for j, (w, mean, std) in enumerate(zip(m.weights, m.means, m.stds, strict=True))
        ]
        return ["component", "weight", "mean", "std", "expected count"], rows

    def _remarks(self) -> list[str]:
        return [f"note: {note}" for note in self.notes]

    def to_json(self) -> str:
        """Write mixture, status, evidence and covariance as JSON; data and trace are left out."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "version": VERSION,
                "mixture": json.loads(self.mixture.to_json()),
                "status": self.status.name,
                **{name: getattr(self, name) for name in EVIDENCE},
                "criteria": {"aic": self.aic, "bic": self.bic, "icl": self.icl},
                "order": self.order.tolist(),
                "covariance": None if self.covariance is None else self.covariance.tolist(),
                "notes": list(self.notes),
            },
            indent=2,
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Fit:
        """Read what `to_json` wrote.

        Raises
        ------
        InputError
            If the text is no fit, or one written by a newer version.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            if data["schema"] != SCHEMA:
                raise InputError(f"this is {data['schema']!r}, not a {SCHEMA}")
            if data["version"] > VERSION:
                raise InputError(
                    f"this fit has schema version {data['version']}, newer than {VERSION}: update gmm1d"
                )
            covariance = data["covariance"]
            return cls(
                mixture=Mixture.from_json(json.dumps(data["mixture"])),
                status=Ending[data["status"]],
                **{name: data[name] for name in EVIDENCE},
                covariance=None if covariance is None else np.array(covariance, dtype=float),
                order=np.array(data["order"], dtype=np.intp),
                notes=tuple(data["notes"]),
            )
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(f"this is not a fit saved by gmm1d: {error!r}") from error

    def save(self, path: str | PathLike[str]) -> None:
        """Write `to_json` to a file, whole or not at all."""
        write_text(path, self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Fit:
        """Read a file written by `save`.

        Raises
        ------
        InputError
            If the file holds no fit.
        """
        return cls.from_json(Path(path).read_text(encoding="utf-8"))
