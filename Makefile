# The few things one does here. `make demo` installs everything and grows a film; `make test` tests.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CORE   := $(wildcard ext/*.c ext/*.h ext/*.pyx ext/*.pxd ext/*.pxi)

.PHONY: demo test lint bench torture thirdparty clean

demo: $(VENV)/ready
	$(BIN)/lbl run bacteriorhodopsin-200

test: $(VENV)/ready
	$(BIN)/python -m pytest -n 3 -q  # three for two cores: many wait for real time

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(BIN):$$PATH" $(BIN)/cython-lint ext
	$(BIN)/python -m mypy.stubtest lbl._core
	$(BIN)/lint-imports

bench: $(VENV)/ready
	$(BIN)/python -m tests.bench

torture: $(VENV)/ready
	$(BIN)/python -m tests.torture

thirdparty: $(VENV)/ready .venv-thirdparty/ready
	$(BIN)/python -m pytest -n 2 -q tests/thirdparty

.venv-thirdparty/ready: tests/thirdparty/requirements.txt
	test -x .venv-thirdparty/bin/python || $(PYTHON) -m venv .venv-thirdparty
	.venv-thirdparty/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	command -v npm >/dev/null && npm install --silent --no-audit --no-fund --prefix .venv-thirdparty yaml-language-server@1.25.0 || echo "no npm: the editor server is not tested"
	touch $@

$(VENV)/ready: pyproject.toml setup.py $(CORE)
	$(PYTHON) -c 'import sys; sys.exit("lbl needs Python 3.11 or newer; try: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m compileall -q lbl drivers sim recipes
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info lbl/*.so .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
