"""The command line: parse, call, print; no arithmetic.

The libraries that do the work are imported by the command that needs them, so that ``--help`` is quick.
How a command ends, in every way, stands in `gmm1d.exits`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

try:
    import click
except ModuleNotFoundError as missing:  # the command exists without its extra, too
    raise SystemExit("gmm1d: the command line needs click: pip install 'gmm1d[cli]'") from missing

from gmm1d import documents, exits
from gmm1d.errors import Ending, InputError
from gmm1d.formatting import text_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gmm1d.comparison import Comparison
    from gmm1d.result import Fit

MOST = 1000  # numbers of components in one command; more is a slip of the keyboard

EPILOG = """\b
Examples:
  gmm1d compare waiting.txt -k 1..6 --plot waiting.png
  gmm1d fit measures.csv --column length -k 3 -o model.json
  sort -n waiting.txt | gmm1d fit - -k 2 --json

\b
Exit codes: 0 done, 1 could not fit or write, 2 wrong use or unusable data,
130 interrupted, 143 terminated.

\b
Completion in bash (zsh, fish: put that name for bash):
  eval "$(_GMM1D_COMPLETE=bash_source gmm1d)"
"""


class Numbers(click.ParamType[tuple[int, ...]]):
    """Numbers of components: 3, and where several are meant 1..6 or 2,3,5 or 1..3,8."""

    name = "number"

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


def climbing(command: Callable[..., int]) -> Callable[..., int]:
    """Add the argument and the options that `fit` and `compare` share."""
    output = click.Path(dir_okay=False)
    shared = [
        click.argument("data"),
        click.option("-c", "--column", help="Name of the column in the header, or number from 1."),
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
        click.option(
            "-o", "--output", type=output, help="Write the (chosen) fit to this JSON file."
        ),
        click.option("--plot", type=output, help="Draw to this file: .png, .pdf or .svg."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text."),
        click.option("-q", "--quiet", is_flag=True, help="Print no text."),
    ]
    return reduce(lambda decorated, add: add(decorated), reversed(shared), command)


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gmm1d", prog_name="gmm1d", message="%(prog)s %(version)s")
def program() -> None:
    """Mixtures of Gaussians in one dimension: fit, compare, draw.

    DATA is a text file of numbers, a CSV or TSV file, or - for the standard input.
    """


@program.command("fit", epilog="\b\nExample:\n  gmm1d fit waiting.txt -k 2 --plot waiting.png")
@click.option("-k", type=Numbers(several=False), required=True, help="Number of components.")
@click.option(
    "--random",
    type=click.IntRange(min=0),
    default=0,
    help="So many random starts in addition to the search; they need --seed.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the random starts.")
@climbing
def fit_command(k: tuple[int], random: int, seed: int | None, **options: Any) -> int:
    """Fit a mixture of K Gaussians to DATA."""
    check_outputs(options)
    from gmm1d.fitting import fit

    if random and seed is None:
        raise click.UsageError("--random needs --seed, any whole number")
    result = fit(_read(options), k[0], **_rules(options), n_random=random, rng=seed)
    if result.status is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    if options["as_json"]:
        click.echo(result.to_json())
    elif not options["quiet"]:
        _show(result)
        click.echo(f"\n{result.mixture.formula()}")
    if options["output"]:
        result.save(options["output"])
    if options["plot"]:
        from gmm1d.plots import plot_fit, save_figure

        save_figure(plot_fit(result), options["plot"])
    _say_written(options)
    return exits.DONE


@program.command("compare", epilog="\b\nExample:\n  gmm1d compare waiting.txt -k 1..6 -o best.json")
@click.option(
    "-k",
    type=Numbers(several=True),
    default="1..6",
    show_default=True,
    help="Numbers of components: 1..6 or 2,3,5.",
)
@click.option(
    "--criterion",
    type=click.Choice(["bic", "aic", "icl"]),
    default="bic",
    show_default=True,
    help="What the choice goes by.",
)
@climbing
def compare_command(k: tuple[int, ...], criterion: str, **options: Any) -> int:
    """Fit mixtures of several K to DATA and choose one."""
    check_outputs(options)
    from gmm1d.comparison import compare

    comparison = compare(_read(options), k, criterion=criterion, **_rules(options))
    if options["as_json"]:
        click.echo(_comparison_json(comparison))
    elif not options["quiet"]:
        _show(comparison, None if comparison.k is None else k.index(comparison.k))
    if options["plot"]:
        from gmm1d.plots import plot_comparison, save_figure

        save_figure(plot_comparison(comparison), options["plot"])
    if comparison.k is None:
        return exits.complain(comparison.reason, exits.FAILED)
    if options["output"]:
        comparison.best.save(options["output"])
    _say_written(options)
    return exits.DONE


def check_outputs(options: dict[str, Any]) -> None:
    """Refuse outputs that cannot be written, before the work begins.

    Raises
    ------
    InputError
        Naming the path and what is wrong with it.
    MissingExtraError
        If a picture is wanted and matplotlib is not installed.
    """
    wanted = [Path(options[name]) for name in ("output", "plot") if options[name]]
    for path in wanted:
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.parent}")
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: this is no regular file, and is not replaced")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise InputError(f"{path}: permission denied")
        if path.exists() and Path(options["data"]).exists() and path.samefile(options["data"]):
            raise InputError(f"{path}: this would overwrite the data")
    if len({path.resolve() for path in wanted}) < len(wanted):
        raise InputError(f"{wanted[0]}: model and picture cannot be one file")
    if options["plot"]:
        from gmm1d.plots import figure_format

        figure_format(options["plot"])


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    exits.run(lambda: program.main(args, "gmm1d", standalone_mode=False))


def _read(options: dict[str, Any]) -> Any:
    from gmm1d.readers import read_column

    return read_column(options["data"], options["column"])


def _rules(options: dict[str, Any]) -> dict[str, Any]:
    names = ("start", "method", "tol", "max_iter", "equal_variances", "exact")
    return {name: options[name] for name in names}


def _say_written(options: dict[str, Any]) -> None:
    if not options["as_json"] and not options["quiet"]:
        for name in ("plot", "output"):
            if options[name]:
                click.echo(f"wrote {options[name]}")


def _comparison_json(comparison: Comparison) -> str:
    fits = {str(k): json.loads(fit.to_json()) for k, fit in comparison.fits.items()}
    collapsed = {str(k): sentence for k, sentence in comparison.collapsed.items()}
    chosen = {"criterion": comparison.criterion, "k": comparison.k, "reason": comparison.reason}
    return documents.write("gmm1d.comparison", 1, {**chosen, "fits": fits, "collapsed": collapsed})


def _show(result: Fit | Comparison, chosen: int | None = None) -> None:
    """Print a result: as plain text, or with its table in colours on a terminal."""
    if not sys.stdout.isatty():
        click.echo(result.summary())
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    header, rows = result.table()
    table = Table(*header, box=box.SIMPLE_HEAD)
    for column in table.columns:
        column.justify = "right"
    for i, row in enumerate(rows):
        table.add_row(*row, style="bold green" if i == chosen else "")
    above, _, below = result.summary().partition(text_table(header, rows))
    for part in filter(None, (above.strip(), table, below.strip())):
        Console(highlight=False, soft_wrap=True).print(part, markup=False)
