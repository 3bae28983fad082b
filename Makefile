# hamload needs git, make, python3 and the package index; everything else is made here, in .tools and .venv.
.PHONY: help demo install test lint types docs picture wheel bench nights readers cluster notebooks clean
.DEFAULT_GOAL := help

UV := .tools/bin/uv
RUN := $(UV) run --locked --no-sync

help:
	@echo "make demo    a night of hamload on a year of a simulated runner"
	@echo "make install the command hamload, into ~/.local/bin, in an environment of its own"
	@echo "make test    style, types and tests"
	@echo "make test-long  the tests, with all that are one of many of their kind"
	@echo "make docs    the documentation, as a site in build/site; a broken link is an error"
	@echo "make wheel   the wheel, installed into an empty environment, runs its demo (two minutes)"
	@echo "make bench   every figure beside its peer and its limit, into docs/benchmarks.md (about twenty minutes)"
	@echo "make cluster the same archive by one process, two, and Dask workers: tables, seconds, costs a session"
	@echo "make readers a writer in a loop and ten readers, for a minute"
	@echo "make notebooks  the notebooks as HTML and for Jupyter"
	@echo "make audit   whether any locked package has a known vulnerability, where somebody can be asked"
	@echo "make sbom    everything that hamload runs on, as CycloneDX, in dist/"
	@echo "make messages  the catalogue of every sentence, for translators"
	@echo "make torture PART=kills|inputs|nights  what it survives, into docs/torture.md (SEED=, N=; up to half an hour each)"
	@echo "make mutants  how many small changes of the pure parts the tests notice"
	@echo "make nights  requests at each service, over the nights that a history of 3,000 runs takes"

$(UV):
	@echo "== Fetching uv, the installer, into .tools"
	@python3 -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.8"

.venv/.made: $(UV) pyproject.toml uv.lock .python-version
	@echo "== Making .venv from uv.lock (first time: a minute or two)"
	@$(UV) sync --locked --quiet --compile-bytecode
	@touch $@

demo: .venv/.made
	@echo "== The nightly flow on a year of a simulated runner"
	@$(RUN) hamload demo --home .demo

install: $(UV)
	@echo "== Installing the command hamload (a minute)"
	@$(UV) tool install --quiet --force --python "$$(cat .python-version)" .
	@command -v hamload >/dev/null || echo "   Put $$($(UV) tool dir --bin) on your PATH; until then: $$($(UV) tool dir --bin)/hamload"

lint: .venv/.made
	@echo "== Style: ruff"
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

types: .venv/.made
	@echo "== Types: mypy --strict"
	@$(RUN) mypy

# The pages are looked at in a real browser. Where there is none and nobody may install one, those tests say why they skip.
.PHONY: browser
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null && command -v npm >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "== Installing chromium, and npm for axe-core, for the tests that look at the pages"; \
	  npm=$$(command -v npm >/dev/null || echo npm); \
	  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    chromium chromium-driver $$npm fonts-noto-core fonts-noto-color-emoji) >/dev/null 2>&1 \
	    || echo "   It could not be installed; those tests will skip."; \
	else echo "== No chromium or npm here, and no right to install it: the tests that look at the pages will skip"; fi

# One more than there are processors: many a test waits for a server or a process of its own.
WORKERS = $$(expr $$(getconf _NPROCESSORS_ONLN) + 1)
test: lint types browser
	@echo "== Tests"
	@$(RUN) pytest -n $(WORKERS) --dist worksteal -m "not long" --durations=25

# What make test leaves out: every fault at every endpoint, more generated histories, further cases of a kind.
.PHONY: test-long
test-long: .venv/.made browser
	@HAMLOAD_LONG=1 $(RUN) pytest -n $(WORKERS) --dist worksteal

docs: .venv/.made
	@echo "== The documentation"
	@$(RUN) python docsite/build.py

picture: demo
	@$(RUN) python docsite/picture.py .demo

wheel: .venv/.made
	@echo "== The wheel in an empty environment"
	@HAMLOAD_WHOLE_WHEEL=1 $(RUN) pytest tests/test_packaging.py

bench: .venv/.made
	@echo "== Every figure beside its peer"
	@$(UV) run --locked --group bench python bench/run.py

nights: .venv/.made
	@echo "== Requests over the nights of a long history"
	@$(RUN) python bench/nights.py

readers: .venv/.made
	@echo "== A writer in a loop and ten readers, for a minute"
	@$(RUN) python bench/readers.py 60

# RUNS=3 ACTIVITIES=600: as many runs of each way, and simulated recordings besides the real ones.
cluster: .venv/.made
	@echo "== The same archive by one process, two, and Dask workers"
	@$(RUN) python bench/cluster.py $(or $(ACTIVITIES),600) $(or $(RUNS),3)

# What it survives, at length: kills, hostile inputs, a year of bad nights. Repeatable by its seed.
.PHONY: torture
SEED ?= 1
N ?= 0
PART ?= all
torture: .venv/.made
	@echo "== Torture: $(PART), seed $(SEED)"
	@PYTHONPATH=bench $(RUN) python -m torture $(PART) --seed $(SEED) --count $(N)

# How many small changes of load/ and advice/ the tests notice: a sample by the seed, N= of them (all take hours).
.PHONY: mutants
mutants: .venv/.made
	@echo "== Mutants of the pure parts"
	@$(UV) run --locked --group mutation python bench/mutants.py --seed $(SEED) --count $(N)

notebooks: .venv/.made
	@echo "== The notebooks as HTML and for Jupyter, into artifacts/notebooks (your home, or a simulated year)"
	@mkdir -p artifacts/notebooks && cp notebooks/*.py artifacts/notebooks
	@# Of the copies, because marimo keeps what it showed beside the file, and the wheel takes all of notebooks/.
	@for name in explore backtest model; do \
	  $(RUN) marimo --quiet export html --force artifacts/notebooks/$$name.py -o artifacts/notebooks/$$name.html && \
	  $(RUN) marimo --quiet export ipynb --force --include-outputs artifacts/notebooks/$$name.py -o artifacts/notebooks/$$name.ipynb || exit 1; \
	done
	@ls -l artifacts/notebooks
	@echo "   The HTML pages load their viewer from cdn.jsdelivr.net when they are opened; hamload notebook loads nothing."

# The catalogue of everything that is said: translators begin from it, and a test holds it against the source.
.PHONY: messages
messages: .venv/.made
	@$(RUN) python tests/language/messages.py

# Of every version in uv.lock. Where no advisory source can be reached, that is said plainly, and is no failure.
.PHONY: audit sbom
audit: .venv/.made
	@echo "== Known vulnerabilities of the locked packages"
	@$(UV) lock --check --quiet
	@$(RUN) python supply/audit.py

sbom: .venv/.made
	@echo "== What hamload runs on"
	@$(RUN) python supply/sbom.py

clean:
	rm -rf .venv .tools .demo dist artifacts build docs/reference
