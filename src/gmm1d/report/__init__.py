"""Write-ups of comparisons, to be handed in or mailed: one HTML page, or a PDF (extra ``report``).

`facts` decides what is said; the renderers of the two formats decide nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gmm1d.errors import InputError, require
from gmm1d.report.blocks import Writeup
from gmm1d.report.choosing import stopped_keys
from gmm1d.report.facts import writeup
from gmm1d.report.provenance import NOTHING, Source

if TYPE_CHECKING:
    from gmm1d.comparison import Comparison

NEEDED = {
    ".html": ("jinja2", "altair", "vl_convert", "matplotlib"),
    ".pdf": ("typst", "matplotlib"),
}
FORMATS = tuple(NEEDED)  # the suffixes of the formats; what their writers import

__all__ = [
    "FORMATS",
    "Source",
    "Writeup",
    "check_format",
    "stopped_keys",
    "write",
    "write_report",
    "writeup",
]


def write_report(
    found: Comparison,
    path: str | os.PathLike[str],
    *,
    ended: Comparison | None = None,
    xlabel: str = "x",
    title: str | None = None,
    source: Source = NOTHING,
    command: str = "",
) -> None:
    """Write what was found as a page or as a paper, whole or not at all.

    Parameters
    ----------
    found : Comparison
    path : path-like
        Ends in .html or .pdf.
    ended, xlabel, title, source, command
        As in `gmm1d.report.writeup`.

    Raises
    ------
    InputError
        If the suffix of `path` is another, or as `gmm1d.report.writeup` does.
    MissingExtraError
        If what writes this format is not installed.
    OSError
        If the file cannot be written.
    """
    check_format(path)
    made = writeup(found, ended=ended, xlabel=xlabel, title=title, source=source, command=command)
    write(made, path)


def check_format(path: str | os.PathLike[str]) -> str:
    """Return ".html" or ".pdf", by the suffix of the path.

    Raises
    ------
    InputError
        If the suffix is another.
    MissingExtraError
        If what writes this format is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"{os.fspath(path)}: write-ups are written as {' or '.join(FORMATS)}, not {suffix!r}"
        )
    for module in NEEDED[suffix]:
        require(module, "report")
    return suffix


def write(made: Writeup, path: str | os.PathLike[str]) -> None:
    """Write a write-up in the format that the suffix of the path names; raises as `write_report` does."""
    if check_format(path) == ".pdf":
        from gmm1d.report import paper

        paper.write(made, path)
    else:
        from gmm1d.report import page

        page.write(made, path)
