"""A mixture in other words: formula, display, JSON, and the models of SciPy and scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import documents, formatting, thumbnails
from gmm1d.arguments import numbers
from gmm1d.errors import InputError, MissingExtraError, require
from gmm1d.files import write_text
from gmm1d.formatting import location, number

if TYPE_CHECKING:
    from os import PathLike

    from gmm1d.mixture import Mixture

SCHEMA, FIT = "gmm1d.mixture", "gmm1d.fit"
FIELDS = ("weights", "means", "stds")
STYLES = ("text", "latex")
SHOWN = 6  # components that a short text spells out


def formula(m: Mixture, style: str = "text", digits: int = 6) -> str:
    """Write p(x) = Σ_j w_j N(x | mu_j, s_j²) as "text" or "latex", to so many significant digits.

    A mean far from zero gets as many more as show it to its std.

    Raises
    ------
    InputError
        If the style is unknown.
    """
    if style not in STYLES:
        raise InputError(f"style={style!r} is unknown: use 'text' or 'latex'")
    rows = zip(m.weights, m.means, m.stds, strict=True)
    term = _latex_term if style == "latex" else _text_term
    return "p(x) = " + " + ".join(
        term(number(weight, digits), location(mean, std, digits), number(std, digits))
        for weight, mean, std in rows
    )


def _text_term(weight: str, mean: str, std: str) -> str:
    return f"{weight} N(x | {mean}, {f'({std})' if 'e' in std else std}²)"


def _latex_term(weight: str, mean: str, std: str) -> str:
    weight, mean, power = _latex(weight), _latex(mean), _latex(std)
    base = power if power == std else rf"\left({power}\right)"
    return rf"{weight}\,\mathcal{{N}}(x \mid {mean},\, {base}^2)"


def _latex(value: str) -> str:
    mantissa, _, exponent = value.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


def short(m: Mixture) -> str:
    """Write the parameters in one line, at most six components of them."""
    cut = ", …" if m.k > SHOWN else ""
    lists = (
        f"{name}=[{', '.join(map(number, getattr(m, name)[:SHOWN].tolist()))}{cut}]"
        for name in FIELDS
    )
    return f"Mixture({', '.join(lists)})"


def html(m: Mixture) -> str:
    """Write the parameters as an HTML table below a small picture."""
    rows = zip(m.weights, m.means, m.stds, strict=True)
    cells = [
        [str(j), number(w), location(mu, s), number(s)] for j, (w, mu, s) in enumerate(rows, 1)
    ]
    title = f"Mixture of {m.k} Gaussian{'s' * (m.k > 1)}"
    header = ["component", "weight", "mean", "std"]
    return formatting.html(header, cells, caption=title, pictures=thumbnails.mixture(m))


def to_json(m: Mixture) -> str:
    """Write the parameters, every bit of them, as JSON; its schema is ``schemas/gmm1d.mixture.json`` in the package.

    Raises
    ------
    InputError
        If there are more than 500 000 components.
    """
    return documents.write(SCHEMA, content(m))


def content(m: Mixture) -> dict[str, list[float]]:
    """Return the parameters as they stand in a document."""
    return {name: getattr(m, name).tolist() for name in FIELDS}


def bits(m: Mixture) -> bytes:
    """Return what equal mixtures have in common, and no others."""
    return b"".join(getattr(m, name).tobytes() for name in FIELDS)


def from_json(cls: type[Mixture], text: str | bytes) -> Mixture:
    """Read what `to_json` wrote, of a mixture or of a fit.

    Raises
    ------
    InputError
        If it is no such JSON, of a newer version, or its numbers are not those of a mixture.
    """
    data = documents.read(text, SCHEMA, FIT)
    return from_content(cls, data if data["schema"] == SCHEMA else data["mixture"])


def from_content(cls: type[Mixture], data: dict[str, Any]) -> Mixture:
    """Return the mixture of what stands in a document."""
    return cls(**{name: data[name] for name in FIELDS})


def save(m: Mixture, path: str | PathLike[str]) -> None:
    """Write `to_json` to a file, whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_text(documents.named(path), to_json(m) + "\n")


def load(cls: type[Mixture], path: str | PathLike[str]) -> Mixture:
    """Read a file written by `save`, of a mixture or of a fit.

    Raises
    ------
    ReadError
        If the file cannot be read or holds neither; the message names it.
    """
    with documents.reading(path) as data:
        return from_json(cls, data)


def to_scipy(m: Mixture) -> Any:
    """Return the same distribution as a scipy.stats.Mixture.

    Raises
    ------
    MissingExtraError
        If SciPy is older than 1.15.
    """
    stats = require("scipy.stats", "all")
    if not hasattr(stats, "Mixture"):
        raise MissingExtraError(
            "this needs scipy.stats.Mixture of SciPy 1.15 or newer: pip install 'scipy>=1.15'"
        )
    parts = [stats.Normal(mu=mu, sigma=s) for mu, s in zip(m.means, m.stds, strict=True)]
    return stats.Mixture(parts, weights=m.weights)


def to_sklearn(m: Mixture) -> Any:
    """Return a fitted sklearn.mixture.GaussianMixture of the same components in the same order.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """
    model = require("sklearn.mixture", "sklearn", (1, 6)).GaussianMixture(
        m.k, covariance_type="full"
    )
    model.weights_ = m.weights.copy()
    model.means_ = m.means[:, None].copy()
    model.covariances_ = m.variances[:, None, None].copy()
    model.precisions_cholesky_ = 1 / m.stds[:, None, None]
    model.precisions_ = np.square(model.precisions_cholesky_)
    model.converged_, model.n_iter_, model.lower_bound_ = True, 0, -np.inf
    model.n_features_in_ = 1
    return model


def from_sklearn(cls: type[Mixture], model: Any) -> Mixture:
    """Return the mixture of a fitted sklearn.mixture.GaussianMixture or BayesianGaussianMixture of one column.

    Its components are sorted by mean, and their weights divided by their sum.

    Raises
    ------
    InputError
        If it is not fitted, of another kind, or of more than one column.
    """
    if not all(hasattr(model, name) for name in ("weights_", "means_", "covariances_")):
        raise InputError(
            f"this {type(model).__name__} has no weights_, means_ and covariances_: "
            "hand in a GaussianMixture of scikit-learn after its fit"
        )
    weights, means = numbers("weights_", model.weights_), numbers("means_", model.means_)
    if means.shape != (weights.size, 1):
        raise InputError(
            f"this {type(model).__name__} has means of the shape {means.shape}: "
            "gmm1d takes a mixture of one column"
        )
    variances = numbers("covariances_", model.covariances_).ravel()
    if variances.size == 1:  # "tied"
        variances = np.repeat(variances, weights.size)
    return cls(weights / weights.sum(), means[:, 0], variances=variances)
