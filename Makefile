# Two commands do everything: `make demo` and `make test`. The README shows the plain commands behind them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test one travel lint format ci check lock bench faults screenshots clean

demo: $(VENV)/.runtime
	$(BIN)/python manage.py demo $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m tests.run

# Some tests, quickly: make one T=tests/profiles, or one test at another moment: AT=2028-02-29T23:59 (UTC).
one: $(VENV)/.dev
	$(BIN)/python -m pytest -q $(if $(AT),--at $(AT)) $(T)

travel: $(VENV)/.dev
	$(BIN)/python -m tests.travel $(ARGS)
# Ours only: vendor CSS stays as it came.
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

screenshots: $(VENV)/.dev
	$(BIN)/python docs/screenshots.py

# Hashed, for every platform, and without any index address. ARGS="--upgrade-package django" moves one package.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra postgres
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	$(COMPILE) $(ARGS) pyproject.toml -o requirements.lock
	$(COMPILE) $(ARGS) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "samsaas needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# A stamp for each lock: packages are installed once per change of it. What is there already is left alone by pip.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
$(VENV)/.runtime: requirements.lock | $(BIN)/python
	$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(BIN)/python
	$(INSTALL) -r requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage*
