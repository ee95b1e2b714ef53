"""``gmm1d fit``: one mixture, or one for every column or group."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gmm1d import exits
from gmm1d.commands.options import (
    OUTPUT,
    Numbers,
    check_outputs,
    climbing,
    labelling,
    meaning,
    opened,
    printing,
    reading,
    rules,
    weighing,
)
from gmm1d.commands.showing import left_out, say_left_out, say_written, show
from gmm1d.errors import Ending, InputError
from gmm1d.formatting import text_table

if TYPE_CHECKING:
    from gmm1d.readers import Data
    from gmm1d.result import Fit

EPILOG = """\b
Examples:
  gmm1d fit waiting.txt -k 2 --plot waiting.png -o model.json
  gmm1d fit measures.csv -c length -k 3 --missing drop
  gmm1d fit 'year=*/part-*.parquet' -c price -k 4
  gmm1d fit fish.csv -c length --by species,sex -k 2 -o fits.parquet
  gmm1d fit shop.duckdb --sql "select ln(price) from sales" -k 3
  gmm1d fit north.sketch south.sketch -k 3
  sort -n waiting.txt | gmm1d fit - -k 2 --json
"""
ALONE = ("start", "exact", "random", "seed", "plot")  # options for a single data set


@click.command("fit", epilog=EPILOG)
@click.option("-k", type=Numbers(several=False), required=True, help="Number of components.")
@reading()
@weighing
@meaning
@click.option(
    "--by", help="Columns whose values tell groups apart; each group gets a mixture of its own."
)
@climbing
@labelling
@click.option(
    "--random",
    type=click.IntRange(min=0),
    default=0,
    help="So many random starts in addition to the search; they need --seed.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the random starts.")
@click.option(
    "-o",
    "--output",
    type=OUTPUT,
    help="Write the fit to this JSON file; several to this .csv, .tsv, .parquet or .arrow file.",
)
@click.option("--plot", type=OUTPUT, help="Draw to this file: .png, .pdf or .svg.")
@printing
def fit(k: tuple[int], random: int, seed: int | None, **options: Any) -> int:
    """Fit a mixture of K Gaussians to DATA.

    DATA are files or patterns of files (text, CSV, TSV, Parquet, Arrow, JSON, .npy; compressed or not),
    folders of them, DuckDB or SQLite databases, sketches, or - for the standard input.
    """
    check_outputs(options)
    if random and seed is None:
        raise click.UsageError("--random needs --seed, any whole number")
    with opened(options) as data:
        columns = data.split(options["column"])
        if options["by"] or len(columns) > 1:
            _refuse({**options, "random": random, "seed": seed})
            return _fit_many(data, columns, k[0], options)
        if Path(options["output"] or "").suffix.lower() in (".csv", ".tsv", ".parquet", ".arrow"):
            raise InputError(
                f"{options['output']}: a single fit is written as JSON, not as a table"
            )
        result = _fit_one(data, k[0], random, seed, options)
        name = options["xlabel"] or data.name_of(options["column"])
    if options["as_json"]:
        click.echo(result.to_json())
    elif not options["quiet"]:
        show(f"{result.summary()}\n\n{result.mixture.formula()}", *result.table())
    if options["output"]:
        result.save(options["output"])
    if options["plot"]:
        from gmm1d.plots import plot_fit, save_figure

        save_figure(plot_fit(result, xlabel=name), options["plot"])
    say_written(options)
    return exits.DONE


def _fit_one(data: Data, k: int, random: int, seed: int | None, options: dict[str, Any]) -> Fit:
    from gmm1d.fitting import fit
    from gmm1d.readers.gathering import KEPT

    kept = None if options["exact"] else KEPT
    gathering = data.gather(options["column"], options["weights"], kept=kept)
    x, weights = gathering.data()
    progress = False if options["quiet"] else None
    result = fit(
        x,
        k,
        sample_weight=weights,
        weights_are=options["weights_are"],
        **rules(options),
        n_random=random,
        rng=seed,
        progress=progress,
    )
    if result.status is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    if gathering.n_missing:
        result = replace(result, notes=(*result.notes, left_out(gathering.n_missing)))
    return result


def _refuse(options: dict[str, Any]) -> None:
    for name in ALONE:
        if options[name]:
            raise click.UsageError(f"--{name} is for one column and no groups")


def _fit_many(data: Data, columns: list[str | None], k: int, options: dict[str, Any]) -> int:
    from gmm1d.several import fit_groups
    from gmm1d.writers import check_table, write_batches

    if options["output"]:
        check_table(options["output"])
    by = data.split(options["by"]) if options["by"] else []
    found = fit_groups(
        data,
        columns,
        [label for label in by if label is not None],
        k,
        weights=options["weights"],
        weights_are=options["weights_are"],
        equal_variances=options["equal_variances"],
        method=options["method"],
        tol=options["tol"],
        max_iter=options["max_iter"],
        progress=False if options["quiet"] else None,
    )
    say_left_out(data.n_missing, options)
    if options["as_json"]:
        click.echo(json.dumps(found.records(), indent=2, allow_nan=False))
    elif not options["quiet"]:
        show(f"{text_table(*found.cells())}\n\n{found.summary()}", *found.cells())
    if options["output"]:
        write_batches([found.columns.items()], options["output"])
    say_written(options)
    if not found.n_fitted:
        return exits.complain("none of the data sets could be fitted", exits.FAILED)
    return exits.DONE
