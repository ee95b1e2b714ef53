"""Where the numbers of a write-up come from: files with their checksums, what was read of them, versions, date, command."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import gmm1d
from gmm1d.errors import ReadError
from gmm1d.families import FAMILIES
from gmm1d.formatting import count, number
from gmm1d.report.blocks import Code, Facts, Section, Text, plain, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gmm1d.comparison import Comparison
    from gmm1d.sample import Sample

MOST = 12  # files that are listed one by one


@dataclass(frozen=True)
class Source:
    """What was read.

    Attributes
    ----------
    names : sequence of path-like
        Files, which get a checksum; other names, such as addresses, are only told.
    column, weights, query : str
        The column, that of the weights, and the query; "" where there was none.
    n_missing : int
        How many missing values were left out.
    """

    names: Sequence[str | os.PathLike[str]] = ()
    column: str = ""
    weights: str = ""
    query: str = ""
    n_missing: int = 0


NOTHING = Source()


def date() -> datetime:
    """Return the date of the write-up, that of SOURCE_DATE_EPOCH if it is set."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return (
        datetime.fromtimestamp(int(fixed), UTC)
        if fixed.isdigit()
        else datetime.now(UTC).replace(microsecond=0)
    )


def section(found: Comparison, source: Source, command: str, made: datetime) -> Section:
    """Return what is known of the data, and how to make the write-up again."""
    fit = next(iter(found.fits.values()))
    rows = [*_read(source), *([] if fit.sample is None else _values(fit.sample))]
    if fit.sample is None:
        rows.append(("Values", f"{number(fit.n, 12)}, which the fits do not hold"))
    if source.n_missing:
        rows.append(("Missing", f"{source.n_missing}, left out"))
    versions = (
        f"gmm1d {gmm1d.__version__}, Python {platform.python_version()}, NumPy {np.__version__}"
    )
    rows += [("Made with", versions), ("Date", f"{made:%Y-%m-%d %H:%M} UTC")]
    again = Text(
        "The same write-up is made again by:"
        if command
        else "The fits are made again by this call, with the options of their climbs such as tol, if there were any:"
    )
    code = Code(plain(command) if command else _call(found))
    return Section("data", "The data, and how to reproduce this", (Facts(tuple(rows)), again, code))


def _read(source: Source) -> list[tuple[str, str]]:
    """Return what was read of what."""
    rows = _files(source.names)
    if source.query and not source.names:
        rows.append(("Source", "what the query names; no checksum is made of it"))
    said = [("Column", source.column), ("Weights", source.weights), ("Query", source.query)]
    return rows + [(label, plain(text)) for label, text in said if text]


def _files(names: Sequence[str | os.PathLike[str]]) -> list[tuple[str, str]]:
    """Return names, sizes and checksums of files, and the names of what is none."""
    found = [_File.of(name) for name in names]
    files = [each for each in found if each.checksum]
    if len(files) > MOST:
        # as of: sha256sum FILES | cut -c 1-64 | sha256sum
        digest = hashlib.sha256("".join(f"{each.checksum}\n" for each in files).encode())
        ends = f"{files[0].name} to {files[-1].name}, {_bytes(sum(f.size for f in files))}"
        rows = [
            ("Files", f"{len(files)}, from {ends}"),
            ("SHA-256", f"{digest.hexdigest()}, of the lines of their SHA-256"),
        ]
    else:
        rows = [
            row
            for each in files
            for row in (
                ("File", f"{each.name}, {_bytes(each.size)}"),
                ("SHA-256", each.checksum),
            )
        ]
    others = [f"{each.name}: no file, so it has no checksum" for each in found if not each.checksum]
    return rows + [("Source", other) for other in others]


class _File(NamedTuple):
    """A file that was read; no checksum if it is none."""

    name: str
    size: int = 0
    checksum: str = ""

    @classmethod
    def of(cls, name: str | os.PathLike[str]) -> _File:
        path = Path(name)
        try:
            if not path.is_file():
                return cls(plain(os.fspath(name)))
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return cls(plain(path.name), path.stat().st_size, digest)
        except (OSError, ValueError) as error:
            raise ReadError(f"{name}: {getattr(error, 'strerror', None) or error}") from error


def _bytes(size: int) -> str:
    return f"{size:,} bytes".replace(",", "\u202f")


def _values(sample: Sample) -> list[tuple[str, str]]:
    """Return how many values there are, and between what limits."""
    rows = [("Values", number(sample.size, 12))]
    if sample.n != sample.size:
        worth = sample.weights_are == "importance"
        rows.append(("Effective number" if worth else "Sum of weights", count(sample.n)))
    rows.append(("Range", signed(f"from {number(sample.low, 12)} to {number(sample.high, 12)}")))
    if sample.sketch is None:
        rows.append(("Distinct values", str(sample.nodes[0].size)))
    else:
        rows.append(("Compressed", f"a sketch with {sample.nodes[0].size} nodes stands for them"))
    return rows


def _call(found: Comparison) -> str:
    """Write the call of Python that compares again, as far as a comparison knows it."""
    fits = list(found.fits.values())
    ks = sorted({k for k, _ in found.candidates.keys})
    start = "" if fits[0].start == "search" else f", start={fits[0].start!r}"
    families = "" if found.families == FAMILIES else f", families={found.families}"
    return f"gmm1d.compare(x, {ks}, criterion={found.criterion!r}{start}{families})"
