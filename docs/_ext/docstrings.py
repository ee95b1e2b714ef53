"""Docstrings and help are written as text that reads well in a terminal; here they become reStructuredText."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LITERAL = re.compile(r"(``.*?``|`.*?`)")
MARKUP = re.compile(r"\*(?=\w)|(?<=\w)_(?=\W|$)|\|")  # as in *args, name_ and |x|
COLON = "\uf03a"  # stands for one that napoleon would take for the end of a type


def escape(line: str) -> str:
    """Keep reStructuredText from taking for markup what is none."""
    parts = LITERAL.split(line)
    parts[::2] = [MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def prepare(
    _app: Sphinx, what: str, _name: str, _obj: object, _options: object, lines: list[str]
) -> None:
    """Change the lines of one docstring in place; what is indented, code and output stay as they are."""
    text: list[str] = []
    if what == "property":
        lines[0] = lines[0].replace(":", COLON)
    code = block = sections = False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        sections = sections or set(following.strip()) == {"-"}
        indented = line.startswith(" ") and not sections
        if indented and not block:
            text += [".. code-block:: text", ""]
        block = indented or (block and not line.strip())
        code = line.lstrip().startswith((">>>", "...")) or (code and bool(line.strip()))
        text.append(line if code or block else escape(line))
    lines[:] = text


def plain_types(
    _app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]
) -> None:
    """Make each of several attributes findable, and show types as the words that they are, not as names of classes."""
    for i, line in enumerate(lines):
        if option := re.match(r"( +):type: (.*)", line):
            lines[i] = f"\n{option[1]}*{option[2]}*\n"
        elif line.startswith(".. attribute:: "):
            lines[i] = line.replace(", ", "\n" + " " * len(".. attribute:: "))
    lines[:] = "\n".join(lines).replace(COLON, ":").replace(" -- ", " – ").split("\n")


def unsigned(
    _app: Sphinx, what: str, _name: str, obj: object, *_: object
) -> tuple[str, str] | None:
    """Leave out the signatures of results and endings, which nobody calls."""
    made = what == "class" and (is_dataclass(obj) or issubclass(obj, Enum))
    return ("", "") if made else None


def undocumented(
    _app: Sphinx, _what: str, _name: str, obj: object, _skip: bool, _options: object
) -> bool | None:
    """Leave out the fields of named tuples, of which Python says only their number."""
    return True if str(getattr(obj, "__doc__", "")).startswith("Alias for field") else None


def epilogue(_app: Sphinx, _context: object, lines: list[str]) -> None:
    """Show the examples of a command, which are indented, as code; sphinx-click has put bars before such lines."""
    text: list[str] = []
    for line in (line.removeprefix("| ") for line in lines):
        before = text[-1] if text else ""
        if line.startswith(" ") and not before.startswith(" "):
            text += ["", ".. code-block:: sh", ""]
        text.append(f"   {line}" if line.startswith(" ") else escape(line))
    lines[:] = text


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen, before napoleon does, and after."""
    app.connect("autodoc-process-signature", unsigned)
    app.connect("autodoc-skip-member", undocumented)
    app.connect("sphinx-click-process-epilog", epilogue)
    app.connect("autodoc-process-docstring", prepare, priority=400)
    app.connect("autodoc-process-docstring", plain_types, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
