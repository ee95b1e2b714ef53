"""How Sphinx makes the documentation: pages in MyST Markdown, executed; docstrings; equations as MathML."""

import logging
import os
import sys
from pathlib import Path

from gmm1d import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "gmm1d"
author = "The gmm1d developers"
copyright = author
version = release = __version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_click",
    "sphinx_copybutton",
    "docstrings",
    "figures",
    "mathml",
    "shell",
    "source",
]
exclude_patterns = ["_ext"]
nitpicky = True
nitpick_ignore_regex = [("py:obj", ".*")]  # a name in a docstring may be that of a parameter

# Pages are executed in a scratch folder; an exception, and a warning that nobody expects, fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_show_tb = True
nb_output_stderr = "warn"
nb_merge_streams = True
nb_render_markdown_format = "myst"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

autodoc_typehints = "none"  # the docstrings have them in words
autodoc_member_order = "bysource"
autosummary_generate = False
default_role = "py:obj"
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

smartquotes = False  # they spoil --options
html_theme = "furo"
pygments_dark_style = "monokai"
html_title = f"gmm1d {release}"
html_static_path = ["_static"]
html_css_files = ["gmm1d.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072B2", "color-brand-content": "#0072B2"},
    "dark_css_variables": {"color-brand-primary": "#56B4E9", "color-brand-content": "#56B4E9"},
}
copybutton_exclude = ".linenos, .gp, .go"

# The gmm1d beside the running interpreter is the one that the pages call.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
logging.getLogger("traitlets").setLevel(logging.WARNING)
