"""Data for the page: uploads, what the command named, arrays and examples, as `DataSet`; every error names the user's file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmm1d.errors import InputError, ReadError
from gmm1d.explore.fits import Fitter
from gmm1d.explore.store import DataSet
from gmm1d.files import replacing
from gmm1d.options import check_k
from gmm1d.readers.data import Data, index_of
from gmm1d.readers.tables import HEAD
from gmm1d.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gmm1d.readers.relations import Source

EXAMPLES = Path(__file__).with_name("examples.json")
KEPT = 1 << 24  # values that are kept as they are, 128 MiB of them
LONGEST_NAME, LONGEST = 100, 400  # letters of a file's name and of a sentence
SHORT = 1 << 20  # bytes of a text that may be one line of a list
UPLOADED = "pasted.txt"
_NONE: tuple[tuple[int, str], ...] = ()
ADVICE = {  # of the readers, in words of the page
    "--missing drop leaves them out, or replace them": "remove or replace them",
    "convert it by --sql": "convert it",
    "or say --decimal ,": "or choose the decimal comma",
}


@dataclass(frozen=True)
class Origin:
    """Where values were read: what `Data` was opened with, and under which names users know it."""

    names: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    called: str = ""
    column: str | None = None
    uploaded: bool = False

    def open(self, **options: Any) -> Data:
        """Open the data again."""
        return Data(self.names, **{**self.options, **options})


def shown_name(name: str) -> str:
    """Return how an uploaded file is called: no folders, no control characters, not too long."""
    last = re.split(r"[\\/]", name)[-1]
    kept = "".join(letter if letter.isprintable() else " " for letter in last).strip()
    return kept[:LONGEST_NAME] or UPLOADED


def of_array(x: object, name: str = "array") -> DataSet:
    """Take what `gmm1d.fit` takes.

    Raises
    ------
    InputError
        If it does not, or all values are equal.
    """
    sample = Sample.of(x)
    check_k(1, sample)
    return DataSet(name, "x", sample, Fitter(sample))


def of_file(path: Path, name: str, *, decimal: str = ".") -> DataSet:
    """Read an uploaded file, whose first column of numbers is taken; it belongs to the data set if it has several.

    Raises
    ------
    InputError
        If it cannot be read; the sentence calls it `name`.
    """
    origin = Origin((str(path),), {"decimal": decimal, "missing": "drop"}, name, uploaded=True)
    try:
        found = _of_file(path, origin)
    except InputError as error:
        raise ReadError(renamed(str(error), str(path), name)) from error
    if len(found.columns) > 1:
        found.file = path
    return found


def _of_file(path: Path, origin: Origin) -> DataSet:
    _break_lines(path, decimal=origin.options["decimal"])
    with origin.open() as data:
        if not _is_list(data, path):
            return taken(data, origin)
        _, cells = next(data.sources[0].text.rows())  # type: ignore[union-attr]  # as _is_list saw
    path.write_text("\n".join(cells), "utf-8")
    with origin.open() as data:
        return taken(data, origin)


def again(data: DataSet, number: object) -> DataSet:
    """Read another column of the same data.

    Raises
    ------
    InputError
        If there is none of this number, from 1, or the data cannot be read again.
    """
    if data.origin is None or number not in [each for each, _ in data.columns]:
        raise InputError(f"{data.name}: there is no column {number!r} of numbers to choose")
    origin = data.origin
    if "-" in origin.names:
        raise InputError("the standard input can be read only once: start again with -c NAME")
    try:
        with origin.open(columns=True) as opened:
            wanted = _wanted(opened.sources[0], int(str(number)) - 1)
            found = taken(opened, replace(origin, column=wanted))
    except InputError as error:
        raise ReadError(renamed(str(error), origin.names[0], origin.called)) from error
    found.file = data.file
    return found


def taken(data: Data, origin: Origin) -> DataSet:
    """Take a column of what is open: that of the origin, or the first that may hold numbers.

    Raises
    ------
    InputError
        If there is none, or all values are equal.
    """
    wanted, number, columns = origin.column, 1, _NONE
    if data.sources:
        first = data.sources[0]
        columns = tuple((j + 1, _name(first, j)) for j in first.possible)
        if wanted is None and len(columns) > 1:
            wanted = _wanted(first, first.possible[0])
            origin = replace(origin, column=wanted)
        number = index_of(first, wanted) + 1
    gathering = data.gather(wanted, kept=KEPT)
    try:
        found = of_array(gathering.data()[0], origin.called)
    except InputError as error:
        raise ReadError(f"{origin.called}: {error}") from error
    found.column, found.number = data.name_of(wanted), number
    found.columns, found.n_missing, found.origin = columns, gathering.n_missing, origin
    return found


def renamed(sentence: str, path: str, name: str) -> str:
    """Call a temporary file as the user does, and give advice for the page."""
    text = sentence.replace(path, name)
    for said, meant in ADVICE.items():
        text = text.replace(said, meant)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def examples() -> dict[str, dict[str, Any]]:
    """Return the data sets that come with the page, by their names."""
    found: dict[str, dict[str, Any]] = json.loads(EXAMPLES.read_text("utf-8"))
    return found


def of_example(name: object) -> DataSet:
    """Load an example.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    known = examples()
    if not isinstance(name, str) or name not in known:
        raise InputError(f"there is no example {name!r}: use one of {', '.join(known)}")
    about = known[name]
    found = of_array(about["values"], about["title"])
    found.column, found.start = about["column"], about.get("start")
    return found


def _break_lines(path: Path, *, decimal: str) -> None:
    """Write one number per line where a first line has no end in sight: as a row of a table it would be refused."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if len(head) < HEAD or b"\n" in head or not head.isascii() or head.lstrip()[:1] in b"[{":
        return
    marks = b" \t;," if decimal == "." else b" \t;"
    table = bytes.maketrans(marks, b"\n" * len(marks))
    with (
        replacing(path) as broken,
        path.open("rb") as stream,
        broken.open("wb") as out,
    ):
        while block := stream.read(HEAD):
            out.write(block.translate(table))


def _is_list(data: Data, path: Path) -> bool:
    """Say whether a text is one line of numbers between commas: one sample, not columns of one value each."""
    source = data.sources[0] if data.sources else None
    if source is None or source.text is None or source.named or len(source.columns) < 2:
        return False
    return path.stat().st_size <= SHORT and len(list(islice(source.text.rows(), 2))) == 1


def _name(source: Source, j: int) -> str:
    return source.columns[j].name if source.named else f"column {j + 1}"


def _wanted(source: Source, j: int) -> str:
    """Return what `choose` takes for column j: its name, or its number where the name means no or another column."""
    for wanted in (source.columns[j].name, str(j + 1)):
        try:
            if index_of(source, wanted) == j:
                return wanted
        except ReadError:  # two of this name
            continue
    raise ReadError(
        f"{source.name}: rename column {j + 1}, {source.columns[j].name!r} is ambiguous"
    )
