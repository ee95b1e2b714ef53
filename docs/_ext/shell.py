"""Where pages are executed: a scratch folder with the examples. ``{shell}`` runs commands in one of the page's own.

    ```{shell}
    :picture: fit.png
    :alt: two bumps
    gmm1d fit examples/data/faithful_waiting.txt -k 2 --plot fit.png
    ```

shows each command, one a line, with what it prints, then a picture that they wrote. The last one must end with `:code:`
(0 without it), those before it with 0 or that code; else the build fails.
"""

from __future__ import annotations

import base64
import html
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

EXAMPLES = Path(__file__).parents[2] / "examples"
KERNEL = """\
c = get_config()
c.HistoryManager.enabled = False
c.IPKernelApp.log_level = 40  # no word about unencrypted ports of this machine
c.InteractiveShellApp.exec_lines = [
    "import os, warnings",
    "os.chdir({folder!r})",
    "warnings.formatwarning = lambda message, kind, *_: f'{{kind.__name__}}: {{message}}' + chr(10)",
    "del os, warnings",
]
c.InlineBackend.figure_formats = {{"svg"}}
c.InlineBackend.rc = {{"figure.dpi": 72, "svg.hashsalt": "gmm1d"}}
"""


def scratch(app: Sphinx) -> Path:
    """Return the folder, beside Sphinx's own."""
    return app.doctreedir.parent / "scratch"


def furnish(folder: Path) -> Path:
    """Put the examples into a folder, if they are not there."""
    if not folder.exists():
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(EXAMPLES, folder / "examples", ignore=ignored)
    return folder


def prepare(app: Sphinx) -> None:
    """Make the folder, and tell IPython, which executes the pages, of it."""
    shutil.rmtree(scratch(app), ignore_errors=True)
    folder = furnish(scratch(app))
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    config = KERNEL.format(folder=str(folder))
    (profile / "ipython_kernel_config.py").write_text(config, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(folder / "ipython")


class Shell(SphinxDirective):
    """Run commands, one a line; a line that ends with a backslash goes on."""

    has_content = True
    option_spec: ClassVar = {
        "code": int,
        "picture": directives.path,
        "alt": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Return the commands with what they print, and the picture."""
        folder = furnish(scratch(self.env.app) / self.env.docname.replace("/", "-"))
        shown = []
        commands = "\n".join(self.content).replace("\\\n", "\0").splitlines()
        code = self.options.get("code", 0)
        for i, command in enumerate(each.replace("\0", "\\\n") for each in commands):
            done = subprocess.run(
                command,
                shell=True,
                check=False,
                cwd=folder,
                capture_output=True,
                text=True,
                encoding="utf-8",
            )
            if done.returncode not in ({code} if i + 1 == len(commands) else {0, code}):
                raise self.error(f"{command}: exit code {done.returncode}\n{done.stderr}")
            shown.append(f"$ {command}\n{done.stdout}{done.stderr}".rstrip())
        text = "\n\n".join(shown)
        return [nodes.literal_block(text, text, language="console"), *self.picture(folder)]

    def picture(self, folder: Path) -> list[nodes.Node]:
        """Return the picture, within the page."""
        if "picture" not in self.options:
            return []
        data = base64.b64encode((folder / self.options["picture"]).read_bytes()).decode()
        alt = html.escape(self.options["alt"])
        tag = f'<img class="output" alt="{alt}" src="data:image/png;base64,{data}">'
        return [nodes.raw("", tag, format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Offer the directive."""
    app.connect("builder-inited", prepare)
    app.add_directive("shell", Shell)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
