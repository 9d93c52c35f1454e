# Two commands, each alone on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup demo test check soak lock clean

setup: $(READY)

# uv only makes the installation quick; the lock holds exact versions and no addresses.
$(READY): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.lock --editable '.[diarise,train,postgres,dev]'
	@command -v cc >/dev/null && $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.lock meeteval \
		|| echo "no C compiler: cpWER (the extra 'meetings') is left out, its tests skip"
	touch $@

demo: setup
	$(BIN)/boli demo

test: setup
	$(BIN)/python -m pytest

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Long forms: hours, not minutes. Each goes on where it stopped.
soak: setup
	$(BIN)/python -m pytest -m soak

lock:
	$(BIN)/uv pip compile --quiet --all-extras --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
		--output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv boli-demo
