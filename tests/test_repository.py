"""The repository agrees with itself: one version, importable names, documented files, no large data."""

import ast
import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import gmm1d

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "gmm1d"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "engine").glob("*pp"))]


def test_one_version_everywhere() -> None:
    assert gmm1d.__version__ == version("gmm1d")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [gmm1d.__version__]
    assert gmm1d.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_public_names_exist_and_are_documented() -> None:
    assert sorted(gmm1d.__all__) == gmm1d.__all__
    for name in gmm1d.__all__:
        assert getattr(gmm1d, name).__doc__, name
        assert name in dir(gmm1d)
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        gmm1d.fitt  # noqa: B018  # reading it is the test


def test_no_public_function_hides_its_module() -> None:
    assert not {path.stem for path in PACKAGE.glob("*.py")} & set(gmm1d.__all__)


def test_modules_and_functions_stay_short() -> None:
    long = [path.name for path in SOURCES if len(path.read_text("utf-8").splitlines()) > 300]
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                text = ast.get_docstring(node, clean=False) or ""
                lines = (node.end_lineno or 0) - node.lineno + 1 - len(text.splitlines())
                if lines > 40:
                    long.append(f"{path.name}: {node.name}")
    assert not long


def test_core_imports_only_numpy_and_special_functions() -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "gmm1d", "click"}
    found = set()
    for path in MODULES:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            found |= {f"{path.name}: {name}" for name in names if name.split(".")[0] not in allowed}
    assert {entry for entry in found if not re.search(r": scipy(\.special|$)", entry)} == set()


def test_example_data_are_small_and_described() -> None:
    data = ROOT / "examples" / "data"
    described = (data / "README.md").read_text(encoding="utf-8")
    for path in data.iterdir():
        assert path.stat().st_size < 1_000_000
        assert path.name == "README.md" or path.name in described


def test_no_machine_paths() -> None:
    found = re.compile(r"(?<![A-Za-z0-9_.])/(?:home|root|work|tmp|Users)/\w")
    suffixes = {".py", ".md", ".toml", ".hpp", ".cpp", ".yml", ".yaml", ".ipynb", ".json", ".txt"}
    folders = ["src", "engine", "tests", "examples", "benchmarks", "docs", ".github"]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    for path in files:
        if path.suffix in suffixes or path.name == "Makefile":
            assert not found.search(path.read_text("utf-8", "replace")), path


def test_every_make_verb_is_described() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    described = set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))
    assert described == set(phony[1].split()) - {"tools"}
    assert described == {"help", "demo", "test", "check", "docs", "bench", "clean"}
