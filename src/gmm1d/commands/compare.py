"""``gmm1d compare``: mixtures of several k, and a choice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from gmm1d import exits
from gmm1d.commands.options import (
    OUTPUT,
    Numbers,
    check_outputs,
    climbing,
    opened,
    printing,
    reading,
    rules,
    weighing,
)
from gmm1d.commands.showing import left_out, say_written, show

EPILOG = """\b
Examples:
  gmm1d compare waiting.txt -k 1..6 -o best.json --plot waiting.png
  gmm1d compare scores.parquet -c score -k 1..4,8 --criterion icl
"""


@click.command("compare", epilog=EPILOG)
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
@reading()
@weighing
@climbing
@click.option("-o", "--output", type=OUTPUT, help="Write the chosen fit to this JSON file.")
@click.option("--plot", type=OUTPUT, help="Draw to this file: .png, .pdf or .svg.")
@printing
def compare(k: tuple[int, ...], criterion: str, **options: Any) -> int:
    """Fit mixtures of several K to DATA and choose one."""
    check_outputs(options)
    from gmm1d.comparison import compare
    from gmm1d.readers.gathering import KEPT

    with opened(options) as data:
        kept = None if options["exact"] else KEPT
        gathering = data.gather(options["column"], options["weights"], kept=kept)
        name = data.name_of(options["column"])
    x, weights = gathering.data()
    progress = False if options["quiet"] else None
    found = compare(
        x, k, criterion=criterion, sample_weight=weights, **rules(options), progress=progress
    )
    if gathering.n_missing:
        note = left_out(gathering.n_missing)
        found = replace(found, reason=f"{found.reason}; {note}")
    if options["as_json"]:
        click.echo(found.to_json())
    elif not options["quiet"]:
        show(found.summary(), *found.table(), -1 if found.k is None else k.index(found.k))
    if options["plot"]:
        from gmm1d.plots import plot_comparison, save_figure

        save_figure(plot_comparison(found, xlabel=name), options["plot"])
    if found.k is None:
        return exits.complain(found.reason, exits.FAILED)
    if options["output"]:
        found.best.save(options["output"])
    say_written(options)
    return exits.DONE
