"""``gmm1d explore``: the interactive page, on this machine only."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

import click

from gmm1d import exits
from gmm1d.commands.options import opened, reading

EPILOG = """\b
Examples:
  gmm1d explore
  gmm1d explore waiting.txt
  gmm1d explore measures.csv -c length --missing drop
"""


@click.command("explore", epilog=EPILOG)
@reading()
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the page; by default one that is free."
)
def explore(no_browser: bool, port: int | None, **options: Any) -> int:
    """Show a page in the browser where mixtures are fitted to DATA, or to what is dropped there.

    It can be reached from this machine only, by the address that is printed. Ctrl-C ends it.
    """
    from gmm1d import explore
    from gmm1d.explore.requests import working

    code = exits.DONE
    with tempfile.TemporaryDirectory(prefix="gmm1d", ignore_cleanup_errors=True) as folder:
        before, tempfile.tempdir = tempfile.tempdir, folder  # of all that the page needs
        try:
            explore.serve(_first(options), port=port or 0, browser=not no_browser, say=_say)
        except SystemExit:  # the server passes SIGTERM on
            code = exits.TERMINATED
        finally:
            tempfile.tempdir = before
    if working():  # a thread that computes would hold up the end, or abort it
        sys.stdout.flush()
        os._exit(code)
    return code


def _first(options: dict[str, Any]) -> Any:
    """Read the data that are named, if any."""
    if not options["data"] and options["sql"] is None:
        return None
    from gmm1d.explore.loading import Origin, taken

    names, column = tuple(options["data"]), options["column"]
    read = {name: options[name] for name in ("sql", "table", "decimal", "missing")}
    called = ", ".join(os.path.basename(name) for name in names) or "query"  # noqa: PTH119  # or a pattern
    with opened(options) as data:
        return taken(data, Origin(names, read, called, column))


def _say(address: str) -> None:
    click.echo(f"{address}\nCtrl-C ends the page")
    sys.stdout.flush()
