"""The paper: a write-up as PDF, typeset by typst from ``paper.typ``, with pictures by matplotlib. It decides nothing that is said."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gmm1d.errors import require
from gmm1d.files import replacing
from gmm1d.plots import plot_criteria, plot_fit, plot_multiples, plot_pit, save_figure
from gmm1d.plots.canvas import INSIDE, figure, for_documents
from gmm1d.report.blocks import Picture

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gmm1d.report.blocks import Block, Writeup
    from gmm1d.result import Fit

TEMPLATE = "paper.typ"
STANDARD = "ua-1"  # PDF/UA, for screen readers: typst refuses what breaks it
NARROW, WIDE = (4.2, 3.1), (7.6, 3.2)  # inches of a picture that stands beside another, or alone
LINE = 0.2  # inches of a line in a legend
KNOWN = "\u052f"  # the last letter that typst's own fonts surely have: of Latin, Greek and Cyrillic
SYMBOLS = (
    "\u1e00",
    "\u22ff",
)  # accented letters, punctuation, arrows and mathematics, which they have


def write(made: Writeup, path: str | os.PathLike[str]) -> None:
    """Write the PDF, whole or not at all.

    Raises
    ------
    MissingExtraError
        If typst or matplotlib is not installed.
    OSError
        If the file cannot be written.
    """
    content = typeset(made)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def typeset(made: Writeup) -> bytes:
    """Return the PDF; raises as `write` does."""
    typst = require("typst", "report")
    matplotlib = require("matplotlib", "plot")
    with tempfile.TemporaryDirectory(prefix="gmm1d") as name:
        root = Path(name)
        shutil.copy(Path(__file__).with_name(TEMPLATE), root)
        with for_documents():
            text = json.dumps(_content(made, root), ensure_ascii=False)
        options = {
            "root": root,
            "sys_inputs": {"writeup": text},
            "ignore_system_fonts": not _has_rare_letters(text),
            "font_paths": [Path(matplotlib.get_data_path()) / "fonts" / "ttf"],  # of the pictures
            "timestamp": made.date,
            "format": "pdf",
        }
        try:
            found = typst.compile(root / TEMPLATE, pdf_standards=[STANDARD], **options)
        except typst.TypstError:  # as of letters that no font has; then what is missing is seen
            found = typst.compile(root / TEMPLATE, **options)
    return cast("bytes", found)


def _drawable(text: str) -> str:
    """Replace letters that matplotlib's own font lacks by boxes; in the text they are typeset."""
    manager = require("matplotlib.font_manager", "plot")
    font = manager.get_font(manager.findfont("DejaVu Sans"))
    return "".join(c if font.get_char_index(ord(c)) else "□" for c in text)


def _has_rare_letters(text: str) -> bool:
    """Say whether the fonts of this machine are needed, which make the paper depend on it."""
    return any(c > KNOWN and not SYMBOLS[0] <= c <= SYMBOLS[1] for c in text)


def _content(made: Writeup, root: Path) -> dict[str, Any]:
    """Return the write-up as JSON, with its pictures drawn into a folder."""
    sections = [
        {"title": section.title, "blocks": _blocks(section.blocks, made, root)}
        for section in made.sections
    ]
    return {
        "title": made.title,
        "summary": made.summary,
        "subtitle": f"{made.date:%Y-%m-%d}",
        "version": made.version,
        "sections": sections,
    }


def _blocks(blocks: Sequence[Block], made: Writeup, root: Path) -> list[dict[str, Any]]:
    """Return blocks as JSON; pictures of one width that follow each other are one."""
    out: list[dict[str, Any]] = []
    for block in blocks:
        content = {"type": type(block).__name__, **asdict(block)}
        if isinstance(block, Picture):
            content |= _drawn(block, made, root)
        out.append(content)
    grouped: list[dict[str, Any]] = []
    for wide, group in groupby(out, key=lambda content: content.get("wide")):
        each = list(group)
        grouped += each if wide is None else [{"type": "Pictures", "pictures": each}]
    return grouped


def _drawn(picture: Picture, made: Writeup, root: Path) -> dict[str, Any]:
    """Draw a picture; return where it is and whether it needs the whole width."""
    name = f"{picture.kind}-{picture.k or 0}-{picture.family or 'all'}.svg"
    drawing, wide = _drawing(picture, made, _drawable(made.xlabel))
    save_figure(drawing, root / name)
    return {"file": name, "wide": wide}


def _drawing(picture: Picture, made: Writeup, label: str) -> tuple[Axes | Figure, bool]:
    found = made.found
    if picture.kind == "multiples":
        assert made.stopped is not None
        return plot_multiples(made.stopped, xlabel=label), True
    if picture.kind == "criteria":
        return plot_criteria(found, figure(*WIDE).subplots()), True
    fit = found.candidates.fits[picture.key]
    if picture.kind == "check":
        return plot_pit(fit, figure(*_beside(fit.k)).subplots(), xlabel=label), True
    return _fit(fit, label, made.span)


def _fit(fit: Fit, label: str, span: tuple[float, float]) -> tuple[Axes, bool]:
    """Draw a fit, over the whole width if the legend stands beside it or remarks above."""
    drawn = figure(*NARROW)
    ax = plot_fit(fit, drawn.subplots(), xlabel=label, xlim=span)
    wide = fit.k + 1 > INSIDE or bool(ax.get_title("left"))
    if wide:
        drawn.set_size_inches(_beside(fit.k))
    return ax, wide


def _beside(k: int) -> tuple[float, float]:
    """Return the size of a picture with a legend of k components beside it."""
    return WIDE[0], max(WIDE[1], LINE * (k + 4))
