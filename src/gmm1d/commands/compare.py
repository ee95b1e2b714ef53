"""``gmm1d compare``: mixtures of several k, and a choice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from gmm1d import exits
from gmm1d.commands.comparing import compared, comparing, values
from gmm1d.commands.options import OUTPUT, check_outputs, printing
from gmm1d.commands.showing import left_out, say_written, show

EPILOG = """\b
Examples:
  gmm1d compare waiting.txt -k 1..6 -o best.json --plot waiting.png
  gmm1d compare scores.parquet -c score -k 1..4,8 --criterion icl
  gmm1d compare waiting.txt -k 1..6 --families unequal
"""


@click.command("compare", epilog=EPILOG)
@comparing
@click.option("-o", "--output", type=OUTPUT, help="Write the chosen fit to this JSON file.")
@click.option("--plot", type=OUTPUT, help="Draw to this file: .png, .pdf or .svg.")
@printing
def compare(**options: Any) -> int:
    """Fit mixtures of several K to DATA, with unequal and with equal variances, and choose one."""
    check_outputs(options)
    read = values(options)
    found = compared(read, options)
    if read.n_missing:
        found = replace(found, reason=f"{found.reason}; {left_out(read.n_missing)}")
    if options["as_json"]:
        click.echo(found.to_json())
    elif not options["quiet"]:
        show(found.summary(), *found.table(), -1 if found.row is None else found.row)
    if options["plot"]:
        from gmm1d.plots import plot_comparison, save_figure

        save_figure(plot_comparison(found, xlabel=read.name), options["plot"])
    if found.k is None:
        return exits.complain(found.reason, exits.FAILED)
    if options["output"]:
        found.best.save(options["output"])
    say_written(options)
    return exits.DONE
