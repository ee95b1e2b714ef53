"""`Fit`: a mixture with the evidence for it. Holds, shows and saves; computes nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import conversions, documents, frames, thumbnails
from gmm1d.certificate import Certificate
from gmm1d.errors import Ending, InputError, UncertaintyError
from gmm1d.files import write_text
from gmm1d.formatting import count, estimate, html, location, number, residue, steps, text_table
from gmm1d.frozen import Frozen, guarded
from gmm1d.mixture import Mixture

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from gmm1d.climbing import Trace
    from gmm1d.replays import Replay
    from gmm1d.sample import Sample
    from gmm1d.uncertainty import ConfidenceIntervals, StandardErrors

SUMMATION = 1e-13  # of |log-likelihood| + n, what the rounding of sums leaves open
MEASURES = ("gradient_norm", "newton_decrement", "smallest_eigenvalue", "entropy")


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Frozen):
    """A fitted mixture and how it was reached.

    Attributes
    ----------
    mixture : Mixture
    log_likelihood : float
        Of `mixture`, in nats.
    n : float
        The number of values, or the sum of their weights as counts; of importance weights Kish's effective number.
    status : Ending
        How the fit ended; ``str(status)`` is a sentence.
    certificate : Certificate or None
        Gradient and Hessian there, in a few numbers; None if the climb was interrupted.
    order : ndarray of int, shape (k,)
        Component j of the mixture is component ``order[j]`` of the start and of the trace.
    start : str
        The start that led here.
    notes : tuple of str
        What must be known about single components, a sentence each.
    n_parameters : int
        The number of free parameters, 3k − 1 without constraints.
    reason : {"support", "ties"} or None
        Why a fit is PENALISED: the data support fewer components, or one sits on tied values.
    compression_error : float
        An estimate of what compressing the data adds to `log_likelihood`, in nats; 0 where they were not, or `exact`.
    trace : Trace or None
        The climb; None after loading.
    sample : Sample or None
        The data; None after loading.
    """

    mixture: Mixture
    log_likelihood: float
    n: float
    status: Ending
    certificate: Certificate | None
    order: NDArray[np.intp]
    start: str
    notes: tuple[str, ...]
    n_parameters: int
    reason: str | None = None
    compression_error: float = 0.0
    trace: Trace | None = field(default=None)
    sample: Sample | None = field(default=None)

    @property
    def k(self) -> int:
        """The number of components."""
        return self.mixture.k

    @property
    def n_iter(self) -> int | None:
        """The number of steps of the climb."""
        return None if self.trace is None else len(self.trace) - 1

    @property
    def gradient_norm(self) -> float | None:
        """The largest component of the gradient, scaled (see `Certificate`)."""
        return None if self.certificate is None else self.certificate.gradient_norm

    @property
    def newton_decrement(self) -> float | None:
        """The distance to the optimum in standard errors (see `Certificate`)."""
        return None if self.certificate is None else self.certificate.newton_decrement

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
        return None if self.certificate is None else self.bic + 2 * self.certificate.entropy

    def plot(self, ax: Axes | None = None, *, data: object = None, xlabel: str = "x") -> Axes:
        """Draw the data, the weighted components and their sum (see `gmm1d.plots.plot_fit`)."""
        from gmm1d.plots import plot_fit

        return plot_fit(self, ax, data=data, xlabel=xlabel)

    def replay(self, *, data: object = None, most: int = 200) -> Replay:
        """Return the climb, point by point (see `gmm1d.replays.replay`)."""
        from gmm1d.replays import replay

        return replay(self, data=data, most=most)

    def standard_errors(self) -> StandardErrors:
        """Return the standard errors of parameters and boundaries (see `gmm1d.uncertainty.standard_errors`)."""
        from gmm1d.uncertainty import standard_errors

        return standard_errors(self)

    def confidence_intervals(self, level: float = 0.95) -> ConfidenceIntervals:
        """Return confidence intervals of parameters and boundaries (see `gmm1d.uncertainty.confidence_intervals`)."""
        from gmm1d.uncertainty import confidence_intervals

        return confidence_intervals(self, level)

    def summary(self) -> str:
        """Return the fit as a few lines of text."""
        parts = [[self._title(), *self._facts()], [text_table(*self.table())], self._remarks()]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def __repr__(self) -> str:
        return (
            f"<Fit of {self.k} Gaussian{'s' * (self.k > 1)} to {count(self.n)} values: {self.status.name}, "
            f"log-likelihood {number(self.log_likelihood, 10)}>"
        )

    def _repr_html_(self) -> str:
        title, lines = self._title(), [*self._facts(), *self._remarks()]
        return html(*self.table(), caption=title, lines=lines, pictures=thumbnails.fit(self))

    def _title(self) -> str:
        return f"Mixture of {self.k} Gaussian{'s' * (self.k > 1)} fitted to {count(self.n)} values"

    def _facts(self) -> list[str]:
        values = (self.log_likelihood, self.aic, self.bic, self.icl)
        named = zip(("log-likelihood", "AIC", "BIC", "ICL"), values, strict=True)
        criteria = [f"{name} {number(value, 10)}" for name, value in named if value is not None]
        facts = [self.status.value, ", ".join(criteria)]
        if self.certificate is not None:
            facts.append(
                f"gradient {residue(self.certificate.gradient_norm)}, "
                f"Newton decrement {residue(self.certificate.newton_decrement)}, "
                f"smallest eigenvalue {number(self.certificate.smallest_eigenvalue, 3)}"
            )
        if self.trace is not None:
            facts.append(f"{steps(self.trace.kind)} from {self._origin(self.trace.kind[0])}")
        if self.compression_error:
            rounding = SUMMATION * (abs(self.log_likelihood) + self.n)
            error = max(abs(self.compression_error), rounding)
            facts.append(f"compressed: the log-likelihood is known to ± {number(error, 2)}")
        return facts

    def _origin(self, kind: str) -> str:
        if kind == "optimum":
            return "the optimum of the compressed data"
        named = {"search": "where the search led", "given": "the given start"}
        return named.get(self.start, f"the start {self.start!r}")

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the header and the rows of the components, with standard errors where there are any, formatted."""
        m, zero = self.mixture, np.zeros(self.k)
        errors = [zero, zero, zero]
        with suppress(UncertaintyError):
            known = self.standard_errors()
            errors = [known.weights, known.means, known.stds]
        columns = zip(m.weights, m.means, m.stds, *errors, strict=True)
        rows = [
            [
                str(j),
                estimate(weight, weight_error),
                estimate(mean, mean_error) if mean_error else location(mean, std),
                estimate(std, std_error),
                number(weight * self.n),
            ]
            for j, (weight, mean, std, weight_error, mean_error, std_error) in enumerate(columns, 1)
        ]
        return ["component", "weight", "mean", "std", "expected count"], rows

    def _remarks(self) -> list[str]:
        from gmm1d.uncertainty import report

        return [*report(self), *(f"note: {note}" for note in self.notes)]

    def to_json(self) -> str:
        """Write mixture, status and evidence as JSON; data and trace are left out.

        Its schema is ``schemas/gmm1d.fit.json`` in the package.

        Raises
        ------
        InputError
            If there are too many components to be read again: more than 512 with their covariances.
        """
        certificate = None
        if self.certificate is not None:
            covariance = self.certificate.covariance
            certificate = {name: getattr(self.certificate, name) for name in MEASURES}
            certificate["covariance"] = None if covariance is None else covariance.tolist()
        content = {
            "mixture": conversions.content(self.mixture),
            "status": self.status.name,
            "log_likelihood": self.log_likelihood,
            "n": self.n,
            "criteria": {"aic": self.aic, "bic": self.bic, "icl": self.icl},
            "certificate": certificate,
            "start": self.start,
            "order": self.order.tolist(),
            "notes": list(self.notes),
            "n_parameters": self.n_parameters,
            **({} if self.reason is None else {"reason": self.reason}),
            "compression_error": self.compression_error,
        }
        return documents.write(conversions.FIT, content)

    @classmethod
    def from_json(cls, text: str | bytes) -> Fit:
        """Read what `to_json` wrote.

        Raises
        ------
        InputError
            If the text is no fit, or one written by a newer version.
        """
        data = documents.read(text, conversions.FIT)
        mixture = conversions.from_content(Mixture, data["mixture"])
        if sorted(data["order"]) != list(range(mixture.k)):
            raise InputError(f'"order" of this fit must hold 0 to {mixture.k - 1}, each once')
        return cls(
            mixture=mixture,
            log_likelihood=float(data["log_likelihood"]),
            n=float(data["n"]),
            status=Ending[data["status"]],
            certificate=_certificate(data["certificate"], mixture.k),
            order=guarded(np.array(data["order"], dtype=np.intp)),
            start=data["start"],
            notes=tuple(data["notes"]),
            n_parameters=data.get("n_parameters", 3 * mixture.k - 1),
            reason=data.get("reason"),
            compression_error=float(data.get("compression_error", 0.0)),
        )

    to_frame = frames.of_fit

    def save(self, path: str | PathLike[str]) -> None:
        """Write `to_json` to a file, whole or not at all.

        Raises
        ------
        InputError
            As `to_json` does.
        OSError
            If the file cannot be written.
        """
        write_text(documents.named(path), self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Fit:
        """Read a file written by `save`.

        Raises
        ------
        ReadError
            If the file cannot be read or holds no fit; the message names it.
        """
        with documents.reading(path) as data:
            return cls.from_json(data)


def _certificate(data: dict[str, Any] | None, k: int) -> Certificate | None:
    if data is None:
        return None
    rows = data["covariance"]
    if rows is not None and {len(rows), *map(len, rows)} != {3 * k}:
        raise InputError(f'"covariance" of this fit must be {3 * k} lists of {3 * k} numbers')
    covariance = None if rows is None else guarded(np.array(rows, dtype=float))
    return Certificate(**{name: float(data[name]) for name in MEASURES}, covariance=covariance)
