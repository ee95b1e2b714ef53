"""``{source}``: a piece of the code itself, found by its name, so that a page cannot outlive what it speaks of.

    ```{source} gmm1d.textbook.e_step
    ```
    ```{source} engine/model.cpp add_gradient
    ```

shows a Python function without its docstring, or a C++ function with the comment above it, folded. `:from:` and `:to:` cut it,
by texts of its first and last line. What is not found fails the build.
"""

from __future__ import annotations

import ast
import html
import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.directives.code import container_wrapper
from sphinx.util.docutils import SphinxDirective

import gmm1d

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PACKAGE = Path(gmm1d.__file__).resolve().parent.parent


def python_source(name: str) -> tuple[Path, int, list[str]]:
    """Return the file, the number of the first line, and the lines of a function, method or property."""
    path, _, attribute = name.rpartition(".")
    try:
        owner = importlib.import_module(path)
    except ModuleNotFoundError:
        outer, _, inner = path.rpartition(".")
        owner = getattr(importlib.import_module(outer), inner)
    thing = inspect.getattr_static(owner, attribute)
    thing = getattr(thing, "fget", None) or getattr(thing, "func", None) or thing
    lines, first = inspect.getsourcelines(thing)
    code = inspect.cleandoc("\n" + "".join(lines))
    definition = ast.parse(code).body[0]
    body = definition.body
    if ast.get_docstring(definition) is not None and len(body) > 1:
        del lines[body[0].lineno - 1 : body[0].end_lineno]
    return Path(inspect.getsourcefile(thing)), first, lines


def engine_source(path: str, name: str) -> tuple[Path, int, list[str]]:
    """Return the file, the number of the first line, and the lines of a C++ function, its comment first."""
    file = ROOT / path
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    head = re.compile(rf"( *)(?!return|//)\w[^;=]*\b{re.escape(name)}\(")
    start, match = next((i, m) for i, line in enumerate(lines) if (m := head.match(line)))
    last = re.compile(match[1] + r"\}")
    end = next(i for i in range(start, len(lines)) if last.match(lines[i]) or "}" in lines[start])
    while lines[start - 1].lstrip().startswith("//"):
        start -= 1
    return file, start + 1, lines[start : end + 1]


class Source(SphinxDirective):
    """Show a piece of code with a caption that says where it stands."""

    required_arguments = 1
    optional_arguments = 1
    option_spec: ClassVar = {"from": directives.unchanged, "to": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Return the code block."""
        found = engine_source if len(self.arguments) > 1 else python_source
        try:
            file, first, lines = found(*self.arguments)
            begin = self.place(lines, "from", 0)
            end = self.place(lines, "to", len(lines) - 1, begin)
        except (StopIteration, AttributeError, ImportError, OSError, TypeError) as error:
            raise self.error(f"no source of {' '.join(self.arguments)}: {error!r}") from error
        self.env.note_dependency(str(file))
        text = inspect.cleandoc("\n" + "".join(lines[begin : end + 1]))
        block = nodes.literal_block(
            text, text, language="python" if file.suffix == ".py" else "cpp"
        )
        home = PACKAGE if file.suffix == ".py" else ROOT
        where = file.resolve().relative_to(home).as_posix()
        name = self.arguments[-1].rpartition(".")[2]
        caption = f"{name} in {where}, line {first + begin}"
        if file.suffix == ".py":
            return [container_wrapper(self, block, caption)]
        summary = html.escape(caption)
        return [
            nodes.raw("", f"<details class='source'><summary>{summary}</summary>", format="html"),
            block,
            nodes.raw("", "</details>", format="html"),
        ]

    def place(self, lines: list[str], option: str, default: int, start: int = 0) -> int:
        """Return the number of the line that has the option's text."""
        if option not in self.options:
            return default
        return next(i for i in range(start, len(lines)) if self.options[option] in lines[i])


def setup(app: Sphinx) -> dict[str, Any]:
    """Offer the directive."""
    app.add_directive("source", Source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
