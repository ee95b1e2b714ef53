"""Pages from templates: Jinja2 with autoescape, the scripts and styles of ``static/``, Vega's runtime."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gmm1d.errors import require
from gmm1d.pages import charts

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
STATIC = HERE / "static"
EXPORT = "window.vegaEmbed = vegaEmbed;"
BUNDLE = f"""
import sys, vl_convert
sys.stdout.buffer.write(vl_convert.javascript_bundle({EXPORT!r}).encode())
"""


@cache
def begin() -> subprocess.Popen[bytes] | None:
    """Begin to make what `vega` returns, in a process of its own: for a second, it would hold up every thread of this one."""
    require("vl_convert", "report")
    command = [sys.executable, "-P", "-c", BUNDLE]
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except (OSError, TypeError):  # where Python is part of another program
        return None


@cache
def vega() -> str:
    """Return Vega's runtime as one script.

    Raises
    ------
    MissingExtraError
        If vl-convert, which holds it, is not installed.
    """
    process = begin()
    made = b"" if process is None else process.communicate()[0]
    if process is not None and process.returncode == 0:
        bundle = made.decode()
    else:
        bundle = require("vl_convert", "report").javascript_bundle(EXPORT)
    return f"(() => {{{bundle}}})();"  # its names are its own


@cache
def static(name: str) -> str:
    """Return the text of a script or a style."""
    return (STATIC / name).read_text("utf-8")


def page(template: str, folder: Path | None = None, **content: Any) -> str:
    """Return a page made from a template of this package, or of another `folder`.

    Templates find there `script(name)`, `style(name)` and `specs(names)`, of charts. What is put into a page is
    escaped, as text or by the filter `tojson`; ``| safe`` is for scripts, styles and drawings only.

    Raises
    ------
    MissingExtraError
        If a library is not installed.
    """
    jinja = require("jinja2", "report")
    folders = [folder, HERE / "templates"] if folder else [HERE / "templates"]
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "script": lambda name: _closed(vega() if name == "vega.js" else static(name)),
        "style": static,
        "specs": specs,
    }
    return cast("str", environment.get_template(template).render(**content))


def specs(names: Sequence[str]) -> dict[str, Any]:
    """Return the specifications of charts, by name."""
    return {name: charts.compiled(name) for name in names}


def all_specs() -> str:
    """Return the specifications of all charts as JSON."""
    return json.dumps(specs(charts.NAMES))


def _closed(script: str) -> str:
    """Keep a script from ending its own element."""
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--")
