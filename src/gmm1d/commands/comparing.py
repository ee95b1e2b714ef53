"""What commands that compare several k share: their options, what is read of the data, the comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gmm1d.commands.options import (
    Numbers,
    climbing,
    joined,
    labelling,
    meaning,
    opened,
    reading,
    rules,
    weighing,
)

if TYPE_CHECKING:
    from gmm1d.comparison import Comparison

comparing = joined(
    click.option(
        "-k",
        type=Numbers(several=True),
        default="1..6",
        show_default=True,
        help="Numbers of components: 1..6 or 2,3,5.",
    ),
    click.option(
        "--criterion",
        type=click.Choice(["bic", "aic", "icl"]),
        default="bic",
        show_default=True,
        help="What the choice goes by.",
    ),
    click.option(
        "--families",
        type=click.Choice(["both", "unequal", "equal"]),
        help="Mixtures of unequal variances, of equal ones (as by --equal-variances), or both, as by default.",
    ),
    reading(),
    weighing,
    meaning,
    climbing,
    labelling,
)


class Values(NamedTuple):
    """What was read: values and weights, what they are called, how many are missing, from which column of which files."""

    x: Any
    weights: Any
    name: str
    n_missing: int
    column: str
    files: list[str]


def values(options: dict[str, Any]) -> Values:
    """Read the column that is meant; raises as `opened` and `Data.gather` do."""
    from gmm1d.readers.gathering import KEPT

    with opened(options) as data:
        kept = None if options["exact"] else KEPT
        gathering = data.gather(options["column"], options["weights"], kept=kept)
        named = data.name_of(options["column"])
    column = named if named != "x" else options["column"] or ""
    name = options["xlabel"] or named
    return Values(*gathering.data(), name, gathering.n_missing, column, data.files)


def compared(read: Values, options: dict[str, Any]) -> Comparison:
    """Compare the k and families that are meant; raises as `gmm1d.compare` does."""
    from gmm1d.comparing import compare

    families = options["families"]
    return compare(
        read.x,
        options["k"],
        families=("unequal", "equal") if families == "both" else families,
        criterion=options["criterion"],
        sample_weight=read.weights,
        weights_are=options["weights_are"],
        **rules(options),
        progress=False if options["quiet"] else None,
    )
