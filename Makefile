# `make demo` shows the product, `make setup` prepares a clone for work, `make test` tests it. The README has the plain
# commands behind demo and test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo setup test one travel lint format ci check lock bench faults prove screenshots clean

demo: $(VENV)/.runtime
	$(BIN)/python manage.py demo $(ARGS)

setup: $(VENV)/.dev
	$(BIN)/pre-commit install

test: $(VENV)/.dev
	$(BIN)/python -m tests.run

# Some tests, quickly: make one T=tests/profiles, or one test at another moment: AT=2028-02-29T23:59 (UTC).
one: $(VENV)/.dev
	$(BIN)/python -m pytest -q $(if $(AT),--at $(AT)) $(T)

travel: $(VENV)/.dev
	$(BIN)/python -m tests.travel $(ARGS)

# Only our own CSS: vendor files stay as they are.
STYLES := $(wildcard samsaas/static/samsaas/*.css)
BEAUTIFY := $(BIN)/css-beautify --indent-size 2 --space-around-combinator --end-with-newline

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	for file in $(STYLES); do $(BEAUTIFY) $$file | diff -u $$file - || exit 1; done
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	for file in $(STYLES); do $(BEAUTIFY) --replace $$file || exit 1; done

check: $(VENV)/.dev
	$(BIN)/python -m tests.deployment

ci: lint check test

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/download.py $(ARGS)

faults: $(VENV)/.dev
	$(BIN)/python -m tests.faults.report $(ARGS)

prove: $(VENV)/.dev
	$(BIN)/python -m tests.proofs.report $(ARGS)

screenshots: $(VENV)/.dev
	$(BIN)/python docs/screenshots.py

# Hashed, for every platform, and without any index address. ARGS="--upgrade-package django" moves one package. Packages
# that are locked already stay as they are, so the files agree; tests/test_packaging.py checks it. SAML stands apart: it
# brings two C libraries, which only installations with such an identity provider need.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra postgres
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	$(COMPILE) $(ARGS) pyproject.toml -o requirements.lock
	$(COMPILE) $(ARGS) --extra saml pyproject.toml -o requirements-saml.lock
	$(COMPILE) $(ARGS) --extra saml --group dev pyproject.toml -o requirements-dev.lock

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "samsaas needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# A stamp for each lock: pip runs only after the lock has changed, and leaves installed packages alone.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
$(VENV)/.runtime: requirements.lock | $(BIN)/python
	$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(BIN)/python
	$(INSTALL) -r requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
