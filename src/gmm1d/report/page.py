"""A write-up as one HTML file that needs no network: text, typeset formulas, pictures to be played with."""

from __future__ import annotations

import base64
import io
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmm1d.choice import CRITERIA
from gmm1d.errors import CollapseError, FitWarning
from gmm1d.families import EQUAL
from gmm1d.files import write_text
from gmm1d.fitting import fit as climb
from gmm1d.pages import assets, charts, scenes
from gmm1d.plots import plot_pit
from gmm1d.plots.canvas import for_documents
from gmm1d.replays import replay

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from gmm1d.comparison import Comparison
    from gmm1d.families import Key
    from gmm1d.report.blocks import Picture, Writeup
    from gmm1d.result import Fit

HERE = Path(__file__).parent
WIDTH = 640  # of a picture that stands still, in pixels
FRAMES = 80  # of the climb that can be replayed
TOLD = 3  # EM steps that make a climb worth replaying


def write(writeup: Writeup, path: str | PathLike[str]) -> None:
    """Write the page, whole or not at all.

    Raises
    ------
    MissingExtraError
        If a library is not installed.
    OSError
        If the file cannot be written.
    """
    write_text(path, rendered(writeup))


def rendered(writeup: Writeup) -> str:
    """Return the page."""
    assets.begin()
    found = writeup.found
    every = found.candidates.fits
    sample = next(iter(every.values())).sample if every else None
    content: dict[str, Any] = {}
    if sample is not None:
        mixtures = [f.mixture for f in every.values()]
        scene = scenes.scene(sample, mixtures, writeup.xlabel, writeup.span)
        content = {
            "scene": scene,
            "fits": {_label(key): scenes.drawing(f) for key, f in every.items()},
            "choices": _choices(found),
            "shown": _label(next(iter(every)) if found.chosen is None else found.chosen),
            "criteria": _criteria(found),
            "chosen": _chosen(found),
            "replay": None if found.k is None else _replay(found),
        }
    return assets.page(
        "page.html",
        HERE,
        writeup=writeup,
        content=content,
        picture=lambda block: _picture(block, writeup, content),
        parts_of=_parts,
    )


def _picture(block: Picture, writeup: Writeup, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the pictures that stand still for a block: SVG to be inlined, or an address of one."""
    if block.kind == "check":
        return [{"address": _address(writeup.found.candidates.fits[block.key], writeup.xlabel)}]
    if block.kind == "fit":
        return [_still(writeup.found.candidates.fits[block.key], content, block.alt)]
    if block.kind == "multiples":
        assert writeup.stopped is not None
        found = writeup.stopped.candidates
        return [
            {**_still(f, content, f"{block.alt} {name}."), "caption": name}
            for key, f in found.fits.items()
            if (name := found.name(key))
        ]
    return []


def _still(fit: Fit, content: Mapping[str, Any], alt: str) -> dict[str, Any]:
    data, values = scenes.rows(content["scene"], fit.mixture)
    svg = charts.drawn("density", data, WIDTH, content["scene"]["name"], alt, **values)
    return {"svg": svg, "keys": scenes.keys(fit.mixture)}


def _address(fit: Fit, xlabel: str) -> str:
    """Return a picture by matplotlib, which has its own white ground, as an address that holds it."""
    stream = io.BytesIO()
    with for_documents():
        drawn: Any = plot_pit(fit, xlabel=xlabel).figure
        drawn.savefig(stream, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _label(key: Key) -> str:
    """Name a fit in scripts."""
    return " ".join(map(str, key))


def _choices(found: Comparison) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return what can be looked at: of every family the fits, with their labels, their k, and what they are called."""
    choices = []
    for family in found.families:
        own = [key for key in found.candidates.fits if key[1] == family]
        names = [str(key[0]) if family == found.families[0] else found.name(key) for key in own]
        fits = [(_label(key), str(key[0]), name) for key, name in zip(own, names, strict=True)]
        choices.append((family, fits))
    return [each for each in choices if each[1]]


def _criteria(found: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "k": k,
            "family": family,
            "criterion": name.upper(),
            "y": getattr(f, name),
            "left_out": found.left_out.get((k, family)),
        }
        for name in CRITERIA
        for (k, family), f in found.candidates.fits.items()
        if getattr(f, name) is not None
    ]


def _chosen(found: Comparison) -> list[dict[str, Any]]:
    return [] if found.k is None else [{"k": found.k, "y": getattr(found.best, found.criterion)}]


def _replay(found: Comparison) -> dict[str, Any] | None:
    """Return a climb of EM to the chosen k: its own, or where that was no EM, one from the start "quantile"."""
    fit = found.best
    if fit.k == 1 or fit.trace is None:
        return None
    told, own = fit, fit.trace.kind.count("em") >= TOLD
    if not own:
        with suppress(CollapseError), warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)  # however it ends, it is an illustration
            told = climb(
                fit.sample,  # type: ignore[arg-type]  # a fit with a trace has one
                fit.k,
                start="quantile",
                method="em",
                equal_variances=found.family == EQUAL,
            )
    if told is fit and not own:
        return None
    return {"climb": replay(told, most=FRAMES).content(), "own": own}


def _parts(number: str) -> tuple[str, str]:
    """Split a number as text into mantissa and power of ten, which is empty without one."""
    mantissa, _, power = number.replace("-", "−").partition("e")
    return mantissa, power.replace("+", "").replace("−0", "−").lstrip("0")
