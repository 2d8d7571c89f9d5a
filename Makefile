# Two commands for a newcomer: `make demo` and `make test`. Both set up what they need; the second time that is nothing.

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RIVALS := .venv-rivals
FORGE := cd contracts && ../node_modules/@foundry-rs/forge-linux-amd64/bin/forge
SOURCES := src tests benchmarks examples

.PHONY: setup third-party demo test test-python test-contracts prove simulate parity check format bench lock clean

demo: setup
	@$(BIN)/headrace demo $(ARGS)

test: setup test-contracts test-python

test-python: setup third-party
	@echo "tests: Python"
	@$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report

# Thousands of further seeds of the simulations; minutes, so no part of `make test`.
simulate: setup
	@$(BIN)/python -m pytest -n 2 -m slow tests/simulation $(ARGS)

test-contracts: setup
	@echo "tests: contracts"
	@$(FORGE) test --quiet || { $(FORGE) test; exit 1; }
	@$(FORGE) snapshot --quiet --match-contract Gas --check .gas-snapshot

# Ten million acts of a malicious operator, and the bugs that it must find: hours, and it can be gone on with.
prove: setup
	@$(BIN)/python -m pytest -n 2 -m slow tests/contracts
	@$(BIN)/python -m tests.contracts $(ARGS)

check: setup
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(FORGE) fmt --check

format: setup
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

parity: setup
	@$(BIN)/python -m tests.parity $(ARGS)

bench: setup $(RIVALS)/.installed
	@$(BIN)/python -m benchmarks $(ARGS)

third-party: setup
	@$(BIN)/python -m headrace.devnet.third_party

setup: $(VENV)/.installed node_modules/.installed contracts/out/.built

$(VENV)/.installed: requirements/uv.txt requirements/development.txt pyproject.toml
	@echo "setup: Python packages into $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "headrace needs Python 3.11: run make PYTHON=/path/to/python3.11")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) # also one that was interrupted
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt 2> >(grep -v "^WARNING: Location" >&2)
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements/development.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

node_modules/.installed: package.json package-lock.json .npmrc
	@echo "setup: local chain, Solidity tools and protocol bytecode into node_modules"
	@npm ci --silent --no-progress
	@touch $@

contracts/out/.built: node_modules/.installed contracts/foundry.toml $(shell find contracts/src contracts/test contracts/tools -type f 2>/dev/null)
	@echo "setup: contracts"
	@$(FORGE) build --quiet
	@touch $@

# What benchmarks are measured against: its pins contradict ours, so it runs in an environment and a process of its own.
$(RIVALS)/.installed: requirements/rivals.txt | $(VENV)/.installed
	@echo "setup: rivals of the benchmarks into $(RIVALS)"
	@$(BIN)/python -m venv --without-pip $(RIVALS)
	@$(BIN)/uv pip sync --quiet --python $(RIVALS)/bin/python --require-hashes --compile-bytecode requirements/rivals.txt
	@touch $@

# New pins: edit requirements/*.in or package.json, then this.
lock: $(VENV)/.installed
	@for f in uv runtime development rivals; do $(BIN)/uv pip compile requirements/$$f.in --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet -o requirements/$$f.txt; done
	@npm install --package-lock-only --silent

clean:
	@rm -rf $(VENV) $(RIVALS) node_modules contracts/out contracts/cache
