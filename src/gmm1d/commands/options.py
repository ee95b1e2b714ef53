"""Options that several commands share, and what they mean: data to read, how to climb, where to write."""

from __future__ import annotations

import os
import re
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gmm1d import exits
from gmm1d.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gmm1d.readers import Data
    from gmm1d.readers.relations import Source

    Command = Callable[..., int]

MOST = 1000  # numbers of components in one command; more is a slip of the keyboard
OUTPUT = click.Path(dir_okay=False)
CLIMBING = ("start", "method", "tol", "max_iter", "equal_variances", "exact")


class Numbers(click.ParamType[tuple[int, ...]]):
    """Numbers of components: 3, and where several are meant 1..6 or 2,3,5 or 1..3,8."""

    def __init__(self, *, several: bool) -> None:
        self.several = several
        self.name = "NUMBERS" if several else "NUMBER"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """Return them in ascending order, without repeats."""
        found: set[int] = set()
        for part in str(value).split(","):
            limits = re.fullmatch(r"([1-9][0-9]{0,9})(?:\.\.([1-9][0-9]{0,9}))?", part.strip())
            if limits is None:
                ways = (
                    "positive whole numbers: 3, 1..6 or 2,3,5" if self.several else "one, such as 3"
                )
                self.fail(f"{value!r} is no positive whole number ({ways})", param, ctx)
            first, last = int(limits[1]), int(limits[2] or limits[1])
            if last < first:
                self.fail(f"{part!r} runs backwards: write {last}..{first}", param, ctx)
            if last - first >= MOST:
                self.fail(f"{part!r} is more than {MOST} numbers", param, ctx)
            found.update(range(first, last + 1))
        if len(found) > 1 and not self.several:
            self.fail(f"{value!r} is more than one number: use `gmm1d compare`", param, ctx)
        return tuple(sorted(found))


def _columns(ctx: click.Context, _: Any, incomplete: str) -> list[str]:
    """Offer the names of the columns to a shell that completes a word."""
    from gmm1d.readers import Data

    try:
        names = [name for name in (*ctx.params.get("data", ()), *ctx.args) if Path(name).exists()]
        with Data(names, columns=True) as data:
            names = [name for source in data.sources for name in source.names]
    except (InputError, ImportError, OSError):
        return []
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def joined(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Make one decorator of several, in their order."""
    return lambda command: reduce(lambda decorated, add: add(decorated), reversed(options), command)


def reading(*, policies: Sequence[str] = ("error", "drop")) -> Callable[[Command], Command]:
    """Add the argument DATA and the options that say what to read of it."""
    return joined(
        click.argument("data", nargs=-1, type=click.Path()),
        click.option(
            "-c",
            "--column",
            shell_complete=_columns,
            help="Name of the column, or its number from 1.",
        ),
        click.option(
            "--sql",
            help="Read what this query gives; DATA are its table `data`, or a database with tables.",
        ),
        click.option(
            "--decimal",
            type=click.Choice([".", ","]),
            default=".",
            show_default=True,
            help="The mark before the fractional part of numbers in text.",
        ),
        click.option("--table", help="Table of a DuckDB or SQLite file that has several."),
        click.option(
            "--missing",
            type=click.Choice(list(policies)),
            default="error",
            show_default=True,
            help="What to do with empty cells, NULL, NA and NaN; those left out are counted.",
        ),
    )


labelling = click.option(
    "--xlabel",
    help="What the values are, with their unit, on pictures; by default the name of the column.",
)
weighing = click.option(
    "-w", "--weights", shell_complete=_columns, help="Column with the weights of the values."
)
meaning = click.option(
    "--weights-are",
    type=click.Choice(["counts", "importance"]),
    help="What weights are; by default counts if all are whole numbers, else importance weights.",
)

climbing = joined(
    click.option(
        "--start",
        type=click.Choice(["spread", "quantile", "kmeans"]),
        help="Climb from this start alone; by default a search finds the best optimum.",
    ),
    click.option(
        "--method",
        type=click.Choice(["newton", "em", "squarem"]),
        default="newton",
        show_default=True,
        help="How to climb.",
    ),
    click.option(
        "--tol",
        type=click.FloatRange(min=0),
        help="Stop when the log-likelihood changes by less; by default at a certified optimum.",
    ),
    click.option("--max-iter", type=click.IntRange(min=1), help="Stop after so many steps."),
    click.option("--equal-variances", is_flag=True, help="One variance for all components."),
    click.option(
        "--exact",
        is_flag=True,
        help="End with passes over the data themselves where they were compressed.",
    ),
)

printing = joined(
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text."),
    click.option("-q", "--quiet", is_flag=True, help="Print no text and no progress."),
)


def rules(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a climb."""
    return {name: options[name] for name in CLIMBING}


def opened(options: dict[str, Any]) -> Data:
    """Open what is named as data.

    Raises
    ------
    click.UsageError
        If nothing is.
    InputError
        If something cannot be read.
    """
    from gmm1d.readers import Data

    if not options["data"] and options["sql"] is None:
        raise click.UsageError("Missing argument 'DATA...': a file, or - for the standard input")
    if list(options["data"]).count("-") > 1:
        raise click.UsageError("the standard input can be read only once")
    data = Data(
        options["data"],
        sql=options["sql"],
        table=options["table"],
        missing="error" if options["missing"] == "error" else "drop",
        columns=options["column"] is not None or bool(options.get("by")),
        decimal=options["decimal"],
        watch=partial(_watched, progress=False if options.get("quiet") else None),
    )
    try:
        _refuse_overwriting(options, data.paths)
    except InputError:
        data.close()
        raise
    return data


def _watched(batches: Iterable[Any], source: Source, progress: bool | None) -> Iterator[Any]:
    """Follow batches with a bar, and stop at a signal."""
    from gmm1d.progress import metered

    for batch in metered(batches, Path(source.name).name, source.rows, progress):
        exits.heed()
        yield batch
    exits.heed()


def outputs(options: dict[str, Any], names: Sequence[str] = ("output", "plot")) -> list[Path]:
    """Return the files that shall be written; an option holds one or several."""
    values = [options.get(name) or () for name in names]
    return [Path(p) for value in values for p in ((value,) if isinstance(value, str) else value)]


def check_outputs(options: dict[str, Any], names: Sequence[str] = ("output", "plot")) -> None:
    """Refuse outputs that cannot be written, before the work begins.

    Raises
    ------
    InputError
        Naming the path and what is wrong with it.
    MissingExtraError
        If a picture is wanted and matplotlib is not installed.
    """
    wanted = outputs(options, names)
    for path in wanted:
        if path.name == "-":
            raise InputError("-: this is no file; without --output the standard output is written")
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.parent}")
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: this is no regular file, and is not replaced")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise InputError(f"{path}: permission denied")
    _refuse_overwriting(options, filter(None, (*options.get("data", ()), options.get("model"))))
    if len({path.resolve() for path in wanted}) < len(wanted):
        raise InputError(f"{wanted[0]}: two outputs cannot be one file")
    if options.get("plot"):
        from gmm1d.plots import figure_format

        figure_format(options["plot"])


def _refuse_overwriting(options: dict[str, Any], sources: Iterable[str]) -> None:
    """Refuse outputs that are files which are read, or which a query names."""
    given = [Path(source) for source in sources]
    for path in filter(Path.exists, outputs(options)):
        if any(source.exists() and path.samefile(source) for source in given):
            raise InputError(f"{path}: this would overwrite the data")
        if path.name in (options.get("sql") or ""):
            raise InputError(f"{path}: the query names this file, which would be overwritten")
