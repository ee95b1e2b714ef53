"""``gmm1d score``: how likely data are under a model."""

from __future__ import annotations

import json
from typing import Any

import click

from gmm1d import exits
from gmm1d.commands.options import opened, printing, reading, weighing
from gmm1d.commands.showing import say_left_out
from gmm1d.formatting import number

EPILOG = """\b
Example:
  gmm1d score model.json held_out.csv -c length
"""


@click.command("score", epilog=EPILOG)
@click.argument("model", type=click.Path(dir_okay=False))
@reading()
@weighing
@printing
def score(model: str, **options: Any) -> int:
    """Print the log-likelihood of DATA under MODEL, in nats."""
    from gmm1d.mixture import Mixture
    from gmm1d.scoring import log_likelihood

    mixture = Mixture.load(model)
    with opened(options) as data:
        total, n = log_likelihood(mixture, data.numbers(options["column"], options["weights"]))
    say_left_out(data.n_missing, options)
    facts = {"n": n, "log_likelihood": total, "mean_log_density": total / n}
    if options["as_json"]:
        click.echo(json.dumps(facts, indent=2))
    elif not options["quiet"]:
        click.echo(f"log-likelihood of {number(n, 12)} values: {number(total, 10)}")
        click.echo(f"mean log density: {number(total / n, 10)}")
    return exits.DONE
