"""Files that the page gives away: the model, pictures, labels, and the Python code that makes the fit again."""

from __future__ import annotations

import os
import re
import tempfile
import textwrap
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import numpy as np

from gmm1d.errors import InputError, require
from gmm1d.explore.fits import arguments
from gmm1d.explore.loading import UPLOADED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gmm1d.explore.store import DataSet, Made

ROWS = 1 << 17  # labelled at a time
MOST_INLINE = 5000  # values that are written into the code where there is no file to read them from
WIDTH = 96
FORMULA = tuple("=+-@\t\r")  # what a spreadsheet takes for the beginning of a formula


class Kind(NamedTuple):
    """A file that can be had: its media type, and who writes it to a path."""

    media: str
    write: Callable[[DataSet, Made, Path], None]


def _model(_: DataSet, made: Made, path: Path) -> None:
    made.fit.save(path)


def _picture(data: DataSet, made: Made, path: Path) -> None:
    from gmm1d.plots import plot_fit, save_figure

    save_figure(plot_fit(made.fit, data=data.sample, xlabel=data.column), path)


def _labels(data: DataSet, made: Made, path: Path) -> None:
    """Write each value with its most likely component, from 1, and the probability of each, as `gmm1d predict` does."""
    from gmm1d.writers import write_batches

    if data.sample.points is None:
        raise InputError(
            f"{data.name}: these values are not kept one by one, save the model and use `gmm1d predict`"
        )
    write_batches(_labelled(data, made), path)


def _labelled(data: DataSet, made: Made) -> Iterator[list[tuple[str, Any]]]:
    points, mixture = data.sample.points, made.fit.mixture
    assert points is not None
    added = ["component", *(f"responsibility_{j}" for j in range(1, mixture.k + 1))]
    name = "value" if data.column in added else data.column
    name = f"'{name}" if name.startswith(FORMULA) else name
    for begin in range(0, points.size, ROWS):
        x = np.ascontiguousarray(points[begin : begin + ROWS], dtype=float)
        found = (1 + mixture.predict(x), *mixture.responsibilities(x).T)
        yield [(name, x), *zip(added, map(np.ascontiguousarray, found), strict=True)]


def _code(data: DataSet, made: Made, path: Path) -> None:
    path.write_text(code(data, made), "utf-8")


def code(data: DataSet, made: Made) -> str:
    """Write the Python code that makes the fit again."""
    origin, values = data.origin, ""
    if origin is None or (origin.called == UPLOADED and data.sample.size <= MOST_INLINE):
        points = data.sample.points
        if points is not None and points.size <= MOST_INLINE:
            values = textwrap.fill(", ".join(map(repr, np.asarray(points, float).tolist())), WIDTH)
    recipe = {**made.recipe}
    ks = recipe.pop("ks", None)
    names = [] if origin is None else [origin.called] if origin.uploaded else list(origin.names)
    options = {} if origin is None else _options(origin.options)
    written: str = _template().render(
        name=data.name,
        values=values,
        names=names,
        options=options,
        simple=len(names) == 1 and not options and data.sample.points is not None,
        column=None if origin is None else origin.column,
        n_missing=data.n_missing,
        call="compare" if ks else "fit",
        ks=f"range({ks[0]}, {ks[-1] + 1})" if ks else None,
        arguments=arguments(recipe),
    )
    return written


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `Data` needs and `read_column` does not know."""
    usual = {"decimal": ".", "sql": None, "table": None}
    return {name: options[name] for name in usual if options.get(name, usual[name]) != usual[name]}


@cache
def _template() -> Any:
    jinja2 = require("jinja2", "explore")
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(  # Python, not HTML: every value is written by repr
        loader=folder,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["repr"] = repr
    return environment.get_template("script.py.jinja")


KINDS = {
    "model.json": Kind("application/json", _model),
    "picture.png": Kind("image/png", _picture),
    "picture.svg": Kind("image/svg+xml", _picture),
    "labels.csv": Kind("text/csv; charset=utf-8", _labels),
    "code.py": Kind("text/x-python; charset=utf-8", _code),
}


def written(kind: str, data: DataSet, made: Made) -> Path:
    """Write a file of one of the `KINDS` into a temporary one, which is the caller's to remove.

    Raises
    ------
    InputError
        If these data cannot be written so.
    MissingExtraError
        If an optional dependency is not installed.
    OSError
        If there is no room.
    """
    handle, name = tempfile.mkstemp(prefix="gmm1d", suffix=Path(kind).suffix)
    os.close(handle)
    path = Path(name)
    try:
        KINDS[kind].write(data, made, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def disposition(data: DataSet, made: Made, kind: str) -> str:
    """Return the header that names the file: in ASCII for all, in Unicode for those who can (RFC 6266)."""
    stem = Path(data.name).stem.strip(". ") or "data"
    name = f"{stem}-k{made.fit.k}-{kind}"
    simple = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{simple}\"; filename*=UTF-8''{quote(name, safe='')}"
