"""The documentation keeps up with the code: its examples run, every name has a place, no link points nowhere.

`make docs` builds the site with warnings as errors and runs its pages; here is what must hold without Sphinx.
"""

import doctest
import importlib
import pkgutil
import re
import runpy
from pathlib import Path

import pytest

import gmm1d

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXT = {page: page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *PAGES]}
EVERYTHING = "\n".join(TEXT.values())
MODULES = [
    module.name
    for module in pkgutil.walk_packages(gmm1d.__path__, "gmm1d.")
    if not module.name.endswith(("__main__", "_engine"))
]


@pytest.mark.filterwarnings("ignore::gmm1d.errors.FitWarning")
@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0


def test_there_are_examples_of_docstrings_to_run():
    finder = doctest.DocTestFinder(exclude_empty=True)
    having = {
        name
        for name in gmm1d.__all__
        for test in finder.find(getattr(gmm1d, name), name)
        if test.examples
    }
    assert {"fit", "fit_many", "Mixture", "Sketch"} <= having


def test_ten_lines_of_the_readme_run(tmp_path, monkeypatch, capsys):
    (block,) = re.findall(r"```python\n(.*?)```", TEXT[ROOT / "README.md"], re.DOTALL)
    monkeypatch.chdir(tmp_path)
    data = f"{(ROOT / 'examples' / 'data').as_posix()}/"
    Path("ten_lines.py").write_text(block.replace("examples/data/", data), encoding="utf-8")
    runpy.run_path("ten_lines.py")
    assert "k = 2 with equal variances is chosen" in capsys.readouterr().out
    assert gmm1d.Fit.load("faithful.json").k == 2


@pytest.mark.parametrize("name", gmm1d.__all__)
def test_every_public_name_has_its_reference_in_one_place(name):
    reference = rf"^\.\. auto(?:class|function):: gmm1d\.{name}$"
    assert len(re.findall(reference, EVERYTHING, re.MULTILINE)) == 1
    assert f"   gmm1d.{name}\n" in TEXT[DOCS / "api.md"]


def test_every_ending_says_what_to_do():
    sections = re.split(r"^## ", TEXT[DOCS / "endings.md"], flags=re.MULTILINE)
    told = {section.split("\n")[0]: section for section in sections}
    for ending in gmm1d.Ending:
        assert "**To do:**" in told[ending.name], ending


@pytest.mark.parametrize("page", TEXT, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_and_images_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", TEXT[page], flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        target = link.split("#")[0]
        if target and not re.match(r"[a-z]+:", target) and target not in ("genindex", "search"):
            assert (page.parent / target).exists(), link


def test_every_page_is_in_a_table_of_contents():
    entries = set()
    for page, text in TEXT.items():
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            for line in tree.splitlines():
                entry = re.sub(r".*<(.*)>", r"\1", line)
                if entry and not entry.startswith(":"):
                    entries.add((page.parent / f"{entry}.md").resolve())
    assert entries == set(PAGES) - {DOCS / "index.md"}


def test_pieces_of_code_that_pages_show_exist():
    """The build fails without them, too; this says so sooner."""
    for target, name in re.findall(r"```\{source\} (\S+)(?: (\w+))?", EVERYTHING):
        if name:
            assert re.search(rf"\b{name}\(", (ROOT / target).read_text("utf-8")), (target, name)
            continue
        path = target.split(".")
        thing = importlib.import_module(".".join(path[:2]) if path[1].islower() else path[0])
        for part in path[2:] if path[1].islower() else path[1:]:
            thing = getattr(thing, part)
