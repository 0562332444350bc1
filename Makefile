# `make demo` and `make test` need python3.11+, gcc and make, and install everything else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: all install demo test test-browser slow check fix recipes bench readme docs clean

all: check test

# torch first and pinned: another package must never choose a build with CUDA
$(VENV)/.torch: constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) torch numpy
	touch $@

$(VENV)/.demo: $(VENV)/.torch pyproject.toml
	$(PIP) --editable ".[grid,control]"
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(PIP) --editable ".[grid,control,minari,evolution,tracking,peers,studio,docs,dev]"
	touch $@

install: $(VENV)/.demo ## the library and the packages the demonstration needs

demo: install ## collect, fit, dream, test, report: about four minutes
	$(BIN)/mindseye train

test: $(VENV)/.dev ## the fast tests, one process per core
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test-browser: $(VENV)/.dev ## the studio's pages in a real browser; installs one where there is none
	command -v chromium || command -v google-chrome || (apt-get update && apt-get install --yes chromium) \
		|| $(BIN)/playwright install chromium
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/studio/browser -rs

slow: $(VENV)/.dev ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.dev ## style, types, floors, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md docs mindseye tests

fix: $(VENV)/.dev ## what can be mended without thinking
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

recipes: $(VENV)/.dev ## cpu presets of all built recipes, one seed
	$(BIN)/mindseye recipes --built | xargs -n 1 -I NAME $(BIN)/mindseye run NAME --preset cpu --seed 0

bench: $(VENV)/.dev ## the project's own benchmarks
	$(BIN)/mindseye bench

readme: $(VENV)/.dev ## the README's table, from results/
	$(BIN)/python docs/hooks.py

docs: $(VENV)/.dev ## build the site into site/
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) site build .pytest_cache .ruff_cache .hypothesis
