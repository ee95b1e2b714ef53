"""``{figures} NAME``: what ``make bench`` wrote about NAME into benchmarks.md, so that a page quotes what was measured.

``:rows:`` shows only the rows that begin with a regular expression.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


class Figures(SphinxDirective):
    """Show one section, without its heading."""

    required_arguments = 1
    option_spec: ClassVar = {"rows": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return its sentence and its table; a section that is not there fails the build."""
        file = Path(self.env.srcdir) / "benchmarks.md"
        self.env.note_dependency(str(file))
        parts = re.split(r"^## (\w+)\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        name = self.arguments[0]
        if name not in sections:
            raise self.error(f"benchmarks.md has no section {name!r}, only {', '.join(sections)}")
        lines = sections[name].rstrip().splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("| ---")) + 1
        wanted = re.compile(rf"\| {self.options.get('rows', '')}")
        rows = [line for line in lines[first:] if wanted.match(line)]
        if not rows:
            raise self.error(f"{name} has no row that begins with {wanted.pattern}")
        return self.parse_text_to_nodes("\n".join([*lines[:first], *rows, ""]))


def setup(app: Sphinx) -> dict[str, Any]:
    """Offer the directive."""
    app.add_directive("figures", Figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
