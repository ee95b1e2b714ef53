"""The command line: its verbs, and how they are found; what each does stands in `gmm1d.commands`.

The libraries that do the work are imported by the command that needs them, so that ``--help`` is quick.
How a command ends, in every way, stands in `gmm1d.exits`.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

try:
    import click
except ModuleNotFoundError as missing:  # the command exists without its extra, too
    raise SystemExit("gmm1d: the command line needs click: pip install 'gmm1d[cli]'") from missing

from gmm1d import exits

if TYPE_CHECKING:
    from collections.abc import Sequence

# In the order in which they are listed; each in the module of `gmm1d.commands` that has its name.
VERBS = ("fit", "compare", "report", "explore", "predict", "score", "sample", "sketch")

EPILOG = """\b
Examples:
  gmm1d compare waiting.txt -k 1..6 --plot waiting.png
  gmm1d fit measures.csv -c length -k 3 -o model.json
  gmm1d report waiting.txt -k 1..6 -o writeup.pdf
  gmm1d predict model.json measures.csv -c length > labelled.csv
  gmm1d COMMAND --help

\b
Exit codes: 0 done, 1 could not fit or write, 2 wrong use or unusable data,
130 interrupted, 143 terminated.

\b
Completion in bash (zsh, fish: put that name for bash):
  eval "$(_GMM1D_COMPLETE=bash_source gmm1d)"
"""


class Program(click.Group):
    """The group of all verbs, which keeps their order."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the verbs as they are listed."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb that is meant."""
        if cmd_name not in VERBS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(f"gmm1d.commands.{cmd_name}"), cmd_name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the verb; a similar one is suggested, and `help` is one."""
        if args[:1] == ["help"]:
            args = [*args[1:2], "--help"]
        if args[0] == "--help":
            click.echo(ctx.get_help())
            ctx.exit()
        if args[0] not in VERBS:
            hint = "".join(
                f" Did you mean {name!r}?" for name in get_close_matches(args[0], VERBS, 1)
            )
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.command(cls=Program, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gmm1d", prog_name="gmm1d", message="%(prog)s %(version)s")
def program() -> None:
    """Mixtures of Gaussians in one dimension: fit, compare, draw, use.

    DATA are text, CSV, TSV, Parquet, Arrow, JSON or .npy files, DuckDB or SQLite databases, sketches, or -
    for the standard input.
    """


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    words = list(sys.argv[1:] if args is None else args)
    exits.run(lambda: program.main(words, "gmm1d", standalone_mode=False, obj=words))
