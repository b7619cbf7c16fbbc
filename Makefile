# Everything a newcomer needs: `make demo` and `make test`. Python 3.11 or newer is all they ask for.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2

.PHONY: demo test check lint types bench soak docs clean help

help:
	@echo "make demo    run a recipe on the embedded sandbox and show the files that it made"
	@echo "make test    run every test"
	@echo "make check   tests, ruff, mypy strict"
	@echo "make bench   speed against the peers and the physical limit, as ratios"
	@echo "make soak    the tests that take long"
	@echo "make docs    write the generated parts of the documentation"

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("nanorecipes needs Python 3.11 or newer, found " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(BIN)/python -m compileall -q nanorecipes
	@touch $@

demo: $(READY)
	@$(BIN)/python docs/demo.py

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) -m 'not soak'

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy
	$(BIN)/mypy tests/typing/api.py

check: lint types test

bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	$(BIN)/python -m bench

soak: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,soak]'
	$(BIN)/python -m pytest -n $(WORKERS) -m soak

docs: $(READY)
	$(BIN)/python -m docs.generate

clean:
	rm -rf $(VENV) demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
