"""What commands print: results as plain text, or with their table in colours on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from gmm1d.commands.options import outputs
from gmm1d.formatting import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence


def show(text: str, header: Sequence[str], rows: Sequence[Sequence[str]], chosen: int = -1) -> None:
    """Print a text that contains a table; in colours on a terminal, with the chosen row in bold.

    On a terminal NO_COLOR switches colours off, as everywhere.
    """
    if not sys.stdout.isatty():
        click.echo(text)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    if console.width < max(map(len, text_table(header, rows).splitlines())) + len(header):
        click.echo(text)  # a table that is too wide is wrapped, not cut
        return

    table = Table(*header, box=box.SIMPLE_HEAD)
    for column in table.columns:
        column.justify = "right"
    for i, row in enumerate(rows):
        table.add_row(*row, style="bold green" if i == chosen else "")
    above, _, below = text.partition(text_table(header, rows))
    for part in filter(None, (above.strip(), table, below.strip())):
        console.print(part, markup=False)


def say_written(options: dict[str, Any], names: Sequence[str] = ("plot", "output")) -> None:
    """Name the files that were written."""
    if not options.get("as_json") and not options["quiet"]:
        for path in outputs(options, names):
            click.echo(f"wrote {path}")


def say_left_out(n_missing: int, options: dict[str, Any]) -> None:
    """Say on the standard error how many values were left out, where no result can."""
    if n_missing and not options["quiet"]:
        click.echo(f"gmm1d: note: {left_out(n_missing)}", err=True)


def left_out(n_missing: int) -> str:
    """Write how many values are missing."""
    return f"{n_missing} missing value{'s were' if n_missing > 1 else ' was'} left out"
