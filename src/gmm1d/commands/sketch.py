"""``gmm1d sketch``: data compressed into a small file, which is fitted like them."""

from __future__ import annotations

from typing import Any

import click

from gmm1d import exits
from gmm1d.commands.options import OUTPUT, check_outputs, opened, reading, weighing
from gmm1d.commands.showing import say_left_out

EPILOG = """\b
Examples:
  gmm1d sketch part1.parquet -c price -o part1.sketch
  gmm1d sketch part1.sketch part2.sketch -o both.sketch
  gmm1d fit both.sketch -k 3
"""


@click.command("sketch", epilog=EPILOG)
@reading()
@weighing
@click.option("-o", "--output", type=OUTPUT, required=True, help="Write the sketch to this file.")
@click.option("-q", "--quiet", is_flag=True, help="Print no text and no progress.")
def sketch(**options: Any) -> int:
    """Compress DATA into one sketch of bounded size.

    Sketches of parts of the data, made on different days or machines, give the fit of the whole when they
    are handed to `gmm1d fit` together.
    """
    check_outputs(options)
    with opened(options) as data:
        gathering = data.gather(options["column"], options["weights"], kept=0)
    made = gathering.sketch()
    made.save(options["output"])
    say_left_out(gathering.n_missing, options)
    if not options["quiet"]:
        click.echo(f"{made!r}\nwrote {options['output']}")
    return exits.DONE
