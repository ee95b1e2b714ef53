"""Equations as MathML, which browsers draw without a script; a command that is unknown fails the build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

CONVERTER = LatexToMathML(macros={"N": r"\mathcal{N}"}, fancy_error=False)


def convert(node: nodes.Element, *, display: bool) -> str:
    """Return the MathML of a node."""
    try:
        return CONVERTER.convert_with_local_state(node.astext(), displaystyle=display)
    except LatexError as error:
        place = f"{node.source}, line {node.line}"
        raise ExtensionError(f"{place}: {error} in {node.astext()!r}", modname="mathml") from error


def visit_inline(translator: HTML5Translator, node: nodes.math) -> NoReturn:
    """Write an equation within a sentence."""
    translator.body.append(convert(node, display=False))
    raise nodes.SkipNode


def visit_display(translator: HTML5Translator, node: nodes.math_block) -> NoReturn:
    """Write an equation on lines of its own, with its number where it has one."""
    translator.body.append(translator.starttag(node, "div", CLASS="equation"))
    translator.body.append(convert(node, display=True))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({node["number"]})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Offer the renderer, and choose it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
