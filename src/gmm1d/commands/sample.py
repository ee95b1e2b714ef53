"""``gmm1d sample``: random numbers from a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gmm1d import exits
from gmm1d.commands.options import OUTPUT, check_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gmm1d.mixture import Mixture

BLOCK = 1 << 20
EPILOG = """\b
Example:
  gmm1d sample model.json -n 1000 --seed 1 > made_up.txt
"""


@click.command("sample", epilog=EPILOG)
@click.argument("model", type=click.Path(dir_okay=False))
@click.option("-n", type=click.IntRange(min=1), required=True, help="How many numbers.")
@click.option(
    "--seed", type=click.IntRange(min=0), required=True, help="The same seed, the same numbers."
)
@click.option(
    "-o",
    "--output",
    type=OUTPUT,
    help="Write to this .csv, .tsv, .parquet or .arrow file; by default one number per line.",
)
def sample(model: str, n: int, seed: int, **options: Any) -> int:
    """Draw random numbers from MODEL: as `Mixture.rvs` does, a million at a time."""
    check_outputs({**options, "data": (), "model": model})
    from gmm1d.mixture import Mixture
    from gmm1d.writers import check_table, write_batches

    if options["output"]:
        check_table(options["output"])
    drawn = _drawn(Mixture.load(model), n, seed)
    if options["output"]:
        write_batches(([("x", values)] for values in drawn), options["output"])
        return exits.DONE
    for values in drawn:
        click.echo("\n".join(map(repr, values.tolist())))
    return exits.DONE


def _drawn(mixture: Mixture, n: int, seed: int) -> Iterator[Any]:
    import numpy as np

    rng = np.random.default_rng(seed)
    for begin in range(0, n, BLOCK):
        yield mixture.rvs(min(BLOCK, n - begin), rng=rng)
