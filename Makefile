# Few verbs, one place: the same on a laptop and in CI. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
XLABEL := --xlabel "waiting time (minutes)"
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
# Folders are newer than what was built when a file is new in them.
SOURCES := pyproject.toml CMakeLists.txt src/gmm1d/__init__.py $(wildcard engine/*) \
  src/gmm1d $(filter-out %__pycache__/,$(wildcard src/gmm1d/*/))
.DEFAULT_GOAL := help
.PHONY: help demo test check docs bench clean tools

help: ## List these verbs
	@echo "make VERB, where VERB is one of"
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST)

demo: $(VENV)/gmm1d.stamp ## Build gmm1d, compare mixtures of the Old Faithful waiting times, write them up
	@mkdir -p out
	@$(BIN)/gmm1d compare examples/data/faithful_waiting.txt -k 1..6 $(XLABEL) \
	  --plot out/faithful.png -o out/faithful.json
	@$(BIN)/gmm1d report examples/data/faithful_waiting.txt -k 1..6 $(XLABEL) -q \
	  --title "How many kinds of waits has Old Faithful?" -o out/writeup.html -o out/writeup.pdf
	@echo "wrote out/writeup.html and out/writeup.pdf"

test: $(VENV)/dev.stamp ## Run the tests (make test ARGS="-k sample" for some)
	@$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp ## Check style, types, layers and the engine's stub
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m nanobind.stubgen -q -m gmm1d._engine -o $(VENV)/_engine.pyi
	@diff -u src/gmm1d/_engine.pyi $(VENV)/_engine.pyi || \
	  { echo "src/gmm1d/_engine.pyi is out of date: cp $(VENV)/_engine.pyi src/gmm1d/"; exit 1; }

docs: $(VENV)/dev.stamp ## Write the documentation to site/
	@rm -rf site build/docs
	@$(BIN)/sphinx-build -q -W --keep-going -j auto -d build/docs/doctrees docs build/docs/site
	@mv build/docs/site site
	@echo "wrote site/index.html"

bench: $(VENV)/bench.stamp ## Measure speed and accuracy against others (ARGS=--slow for all)
	@$(BIN)/python benchmarks/run.py $(ARGS)

clean: ## Remove everything that make has made
	rm -rf $(VENV) build dist out site .*_cache .hypothesis

# The virtual environment grows on demand; each stamp is newer than what it was made from.

$(VENV)/made.stamp: | tools
	@echo "making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade "pip>=25.1"
	@touch $@

$(VENV)/gmm1d.stamp: $(SOURCES) $(VENV)/made.stamp | tools
	@echo "building gmm1d"
	@$(PIP) install -e ".[cli,report]"
	@touch $@

$(VENV)/dev.stamp: $(VENV)/gmm1d.stamp
	@echo "installing what checks, tests and documentation need"
	@$(PIP) install -e ".[all,dask,spark]" --group dev
	@touch $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp
	@echo "installing what the benchmarks need"
	@$(PIP) install --group bench
	@touch $@

# What pip cannot install: each is named with its Debian package.
tools:
	@missing=; \
	lack() { echo "missing: $$1"; missing="$$missing $$2"; }; \
	if $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || lack "the venv module" python3-venv; \
	  $(PYTHON) -c 'import os, sysconfig as s; os.stat(s.get_path("include") + "/Python.h")' \
	    2>/dev/null || lack "Python.h" python3-dev; \
	else lack "$(PYTHON), version 3.11 or later" "python3 python3-venv python3-dev"; fi; \
	command -v $(CXX) >/dev/null || lack "a C++ compiler" g++; \
	if [ -n "$$missing" ]; then echo "on Debian: apt-get install$$missing"; exit 1; fi
