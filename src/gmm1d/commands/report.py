"""``gmm1d report``: a comparison written up, to be handed in or mailed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from gmm1d import exits
from gmm1d.commands.comparing import compared, comparing, values
from gmm1d.commands.options import OUTPUT, check_outputs
from gmm1d.commands.showing import say_written

if TYPE_CHECKING:
    from gmm1d.commands.comparing import Values
    from gmm1d.report import Writeup

EPILOG = """\b
Examples:
  gmm1d report waiting.txt -k 2..6 -o writeup.pdf
  gmm1d report measures.csv -c length -k 1..8 -o writeup.html -o writeup.pdf
  gmm1d report waiting.txt -k 2..6 --families unequal --start spread --method em --tol 1 -o homework.pdf

Where --tol or --max-iter stop a climb before its maximum, the same climb is made to its end as well:
the write-up shows both, and the choice goes by the ends.
"""


@click.command("report", epilog=EPILOG)
@comparing
@click.option(
    "-o",
    "--output",
    type=OUTPUT,
    multiple=True,
    required=True,
    help="Write to this file: .html or .pdf. May be given several times.",
)
@click.option("--title", help="Title of the write-up.")
@click.option("-q", "--quiet", is_flag=True, help="Print no text and no progress.")
@click.pass_context
def report(context: click.Context, /, **options: Any) -> int:
    """Fit mixtures of several K to DATA, with unequal and equal variances, choose one, and write it all up.

    How many groups and why, thresholds with their errors, formulas, plots, what the log-likelihoods do as k
    grows, the evidence, and where the data come from.
    """
    check_outputs(options)
    from gmm1d.report import check_format, write

    for path in options["output"]:
        check_format(path)
    words = ["gmm1d", *(context.obj or context.command_path.split()[1:])]
    made = _written_up(values(options), shlex.join(words), options)
    for path in options["output"]:
        write(made, path)
    if made.found.k is None:
        return exits.complain(made.found.reason, exits.FAILED)
    if not options["quiet"]:
        click.echo(made.found.reason)
    say_written(options)
    return exits.DONE


def _written_up(read: Values, command: str, options: dict[str, Any]) -> Writeup:
    """Compare, to the ends as well where the climbs are stopped before."""
    from gmm1d.report import Source, stopped_keys, writeup

    found = compared(read, options)
    ended = None
    if stopped_keys(found):
        ended = compared(read, {**options, "tol": None, "max_iter": None})
    source = Source(
        read.files,
        column=read.column,
        weights=options["weights"] or "",
        query=options["sql"] or "",
        n_missing=read.n_missing,
    )
    return writeup(
        found,
        ended=ended,
        xlabel=read.name,
        title=options["title"],
        source=source,
        command=command,
    )
