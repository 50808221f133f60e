# The front door.  `make` lists the recipes; each one sets up what it needs in a private environment
# (.venv), so a machine with Python >= 3.11 and make is enough.

VENV ?= .venv
BIN := $(VENV)/bin
# A compiled build is tested where it is installed, apart from the environment that imports src.
COMPILED ?= .venv-compiled
PYTEST_ARGS ?= -n auto --dist loadgroup
# The test group installs these at the versions that the table of packages was made from.
SAMPLE := anyio httpx-sse types-aiofiles

# A candidate is used when it starts, is new enough and can make virtual environments.
CANDIDATES := $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14 python)
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

.DEFAULT_GOAL := help
.PHONY: help demo test check lint generated generate stdlib packages coverage bench-recall bench-cold
.PHONY: bench comparison precision wheel compiled test-compiled clean

help: ## list the recipes
	@echo "make <recipe>, where the recipes are:"
	@sed -n 's/^\([a-z-]*\):.*## /\1:/p' Makefile | while IFS=: read -r recipe what; do \
		printf '  %-13s %s\n' "$$recipe" "$$what"; done

demo: $(VENV)/.installed ## lint the example service in examples/chatbot, which is full of mistakes
	@echo '$$ awaitlint check examples/chatbot'
	@$(BIN)/awaitlint check examples/chatbot || test $$? -eq 1
	@echo
	@echo '(The findings are what the demo is for, so this recipe succeeds; awaitlint itself exits with 1.)'

test: $(VENV)/.test ## run the tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: lint generated coverage ## everything that CI runs: lint, generated files, tests with the coverage gate

lint: $(VENV)/.dev ## ruff, mypy, the layers' import contract, and awaitlint on itself
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/awaitlint check src scripts benchmarks

generated: $(VENV)/.dev ## are the generated files up to date?
	$(BIN)/python scripts/rule_table.py --check
	$(BIN)/python scripts/option_reference.py --check
	$(BIN)/python scripts/generate_stdlib.py --check
	$(BIN)/python scripts/generate_packages.py --check --installed --only $(SAMPLE)

generate: $(VENV)/.dev ## write the generated files again
	$(BIN)/python scripts/rule_table.py
	$(BIN)/python scripts/option_reference.py
	$(BIN)/python scripts/generate_stdlib.py

stdlib: $(VENV)/.test ## make the table of the standard library again, after a change of the facts
	$(BIN)/python scripts/generate_stdlib.py

packages: $(VENV)/.test ## make the table of third-party packages again; downloads them into build/packages
	$(BIN)/python scripts/generate_packages.py

coverage: $(VENV)/.test ## run the tests with the coverage gate
	$(BIN)/python -m pytest $(PYTEST_ARGS) --cov --cov-report=term:skip-covered

bench-recall: $(VENV)/.installed ## how many deleted awaits are found in released packages (BENCH_ARGS='--set dev')
	$(BIN)/python -m benchmarks.recall $(BENCH_ARGS)

bench: $(VENV)/.installed ## how fast it is, beside other tools; writes docs/benchmarks.md (BENCH_ARGS=--quick)
	$(BIN)/python -m benchmarks.speed $(BENCH_ARGS)

bench-cold: $(VENV)/.installed ## what a run without a cache costs (BENCH_ARGS='--peers DIR')
	$(BIN)/python -m benchmarks.cold $(BENCH_ARGS)

comparison: $(VENV)/.installed ## what linters find on marked lines (BENCH_ARGS='--peers DIR' runs the others again)
	$(BIN)/python -m benchmarks.comparison $(BENCH_ARGS)

precision: $(VENV)/.installed ## how much of what is reported in released packages is right (BENCH_ARGS=--todo)
	$(BIN)/python -m benchmarks.precision $(BENCH_ARGS)

wheel: $(VENV)/.test ## build the source distribution and the wheel for every platform into dist/
	$(BIN)/python -m hatchling build -d dist

compiled: $(VENV)/.test ## build the compiled wheel for this platform into dist/; needs a C compiler and a minute
	rm -rf build/compiled
	$(BIN)/python -m hatchling build -t sdist -d build/compiled
	@# from a copy, for what is compiled is put beside the sources, and would be imported in their place
	tar -xzf build/compiled/awaitlint-*.tar.gz -C build/compiled
	HATCH_BUILD_HOOKS_ENABLE=1 $(BIN)/python -m pip wheel --quiet --no-deps -w build/compiled build/compiled/awaitlint-*/
	@mkdir -p dist
	cp build/compiled/*.whl dist/

test-compiled: compiled ## run the tests on the compiled wheel
	$(BIN)/python -m venv --clear $(COMPILED)
	$(COMPILED)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(COMPILED)/bin/python -m pip install --quiet build/compiled/*.whl
	$(COMPILED)/bin/python -m pip install --quiet --group test
	$(COMPILED)/bin/awaitlint version | grep -F '(compiled)'
	$(COMPILED)/bin/python -m pytest $(PYTEST_ARGS)

clean: ## remove the environments, caches and build output
	rm -rf $(VENV) $(COMPILED) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -rf .awaitlint_cache

# pip >= 25.1 reads dependency groups.
$(VENV)/.created:
	@python=; for candidate in $(CANDIDATES); do \
		if $$candidate -c '$(USABLE)' >/dev/null 2>&1; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "make: no usable Python among: $(CANDIDATES)" >&2; \
		echo "make: Python 3.11 or newer with the venv module is needed (on Debian: python3-venv);" >&2; \
		echo "make: name one with \`make PYTHON=/path/to/python3 ...\`" >&2; \
		exit 1; \
	fi; \
	echo "$$python -m venv $(VENV)"; $$python -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group test
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@
