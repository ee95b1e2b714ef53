"""``gmm1d predict``: the component of every value, beside the columns of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gmm1d import exits
from gmm1d.commands.options import OUTPUT, check_outputs, opened, reading
from gmm1d.commands.showing import say_left_out
from gmm1d.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gmm1d.mixture import Mixture
    from gmm1d.readers import Data

EPILOG = """\b
Examples:
  gmm1d predict model.json measures.csv -c length > labelled.csv
  gmm1d predict model.json 'part-*.parquet' -c price -o labelled.parquet
"""


@click.command("predict", epilog=EPILOG)
@click.argument("model", type=click.Path(dir_okay=False))
@reading(policies=("error", "drop", "blank"))
@click.option(
    "-o",
    "--output",
    type=OUTPUT,
    help="Write to this .csv, .tsv, .parquet or .arrow file; by default CSV to the standard output.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print no notes and no progress.")
def predict(model: str, **options: Any) -> int:
    """Add the most likely component of MODEL, and the probability of each, to the rows of DATA.

    Components are counted from 1, in the order of their means. With --missing drop, rows without a value
    are left out; with --missing blank, what is added to them is empty.
    """
    check_outputs({**options, "model": model})
    from gmm1d.mixture import Mixture
    from gmm1d.writers import check_table, write_batches

    if options["output"]:
        check_table(options["output"])
    mixture = Mixture.load(model)
    with opened(options) as data:
        blank = options["missing"] == "blank"
        write_batches(_labelled(mixture, data, options["column"], blank=blank), options["output"])
    say_left_out(0 if blank else data.n_missing, options)
    return exits.DONE


def _labelled(
    mixture: Mixture, data: Data, column: str | None, *, blank: bool
) -> Iterator[list[tuple[str, Any]]]:
    """Yield the columns of each batch, with those that are added."""
    import numpy as np

    added = ["component", *(f"responsibility_{j}" for j in range(1, mixture.k + 1))]
    for source in data.sources:
        for name in (name for name in added if name in source.names):
            raise InputError(
                f"{source.name}: there is a column {name!r} already: rename it by --sql"
            )
    for columns, x in data.rows(column):
        fine = np.isfinite(x)
        if not (blank or fine.all()):
            columns = [(name, values.filter(fine)) for name, values in columns]
            x, fine = x[fine], fine[fine]
        known = np.where(fine, x, mixture.mean())
        found = (1 + mixture.predict(known), *mixture.responsibilities(known).T)
        masked = (np.ma.array(values, mask=~fine) for values in found)
        yield [*columns, *zip(added, masked, strict=True)]
