# Everything below needs Python 3.11 to 3.13; tests need Java 17 or 21 too, and nights without it run on Sail. No root.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.9
BUSINESS ?= grocer
AIRFLOW := apache-airflow==3.3.2

# workers of the suites whose tests wait more than they compute
SIDE_BY_SIDE := -n 2 --dist loadscope --no-loadscope-reorder

UV := .venv-uv/bin/uv
BIN := .venv/bin
READY := .venv/.ready
UV_READY := .venv-uv/.ready-$(UV_VERSION)
# each recipe runs in the project's own environment, whatever is active outside
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME
# a night starts some hundred Pythons: each would compile all it imports
unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never

.PHONY: help install run run-restaurant airflow test test-unit test-input test-faults test-cluster test-sail test-report test-docker check format bench validation generate lock java clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY)  ## the environment in .venv, as locked

run: $(READY)  ## the example grocer: real purchases, four nights through Airflow, published tables
	@$(BIN)/python -m jobs.sample.demo grocer

run-restaurant: $(READY)  ## the same with a generated restaurant chain (synthetic)
	@$(BIN)/python -m jobs.sample.demo restaurant

airflow: $(READY)  ## Airflow in the foreground, with address and password (BUSINESS=grocer or restaurant)
	@$(BIN)/python -m jobs.sample.demo $(BUSINESS) --airflow

test: $(READY) java  ## all tests but those of input, faults, other engines and containers
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit tests/spark tests/conventions tests/dags tests/e2e --ignore tests/e2e/input

test-unit: $(READY)  ## tests that need no JVM and no Airflow: seconds
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit tests/conventions

test-input: $(READY) java  ## late, corrected, refunded, replayed and foreign input, night by night
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/e2e/input

test-faults: $(READY) java  ## kills, full disks, damaged files
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/faults

test-cluster: $(READY) java  ## nights on a Spark cluster of two workers, one of which dies: ten minutes
	$(BIN)/pytest tests/engines/test_cluster.py

test-sail: $(READY) java  ## nights on Sail against the same on Spark: ten minutes
	$(BIN)/pytest tests/engines/test_sail.py

test-report: $(READY)  ## the quality page in a real browser (Chromium): nothing asked, nothing run, all readable
	@$(BIN)/python -c 'from tests.browser.devtools import executable; executable()' 2>/dev/null || \
		{ printf 'error: no Chromium found\n next: apt-get install chromium (as root), or make test-report CHROMIUM=/path/to/chromium\n' >&2; exit 3; }
	$(BIN)/pytest tests/browser

test-docker:  ## the containers: images, compose, a night in them
	docker/test.sh

check: $(READY)  ## lint, format, types, import contracts, generated files, rules that can never hold
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy dags/nightly.py dags/refresh.py dags/dag_defaults.py dags/approval.py dags/regulars_command.py dags/failure_notifier.py
	$(BIN)/lint-imports
	$(BIN)/python -m expectations.structural --check
	$(BIN)/python -m jobs.dictionary --check
	$(BIN)/python -m jobs.reachable

format: $(READY)  ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) java  ## how long nights and their parts take, some hours; docs/benchmarks.md
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench --customers --lines 20000000 --runs 1 --memory 6g
	$(BIN)/python -m tests.bench.split
	$(BIN)/python -W ignore -m tests.bench.linking
	$(BIN)/python -m tests.bench.features --lines 1000000 5000000 20000000 --write
	$(BIN)/python -m tests.bench.features --lines 50000000 --memory 6g --histories 365 --runs 1 --write
	$(BIN)/python -m tests.bench.segments

validation: $(READY)  ## how well dirt is found, by kind: docs/validation.md
	$(BIN)/python -m tests.validation

generate: $(READY)  ## suites and the data dictionary, from the definitions
	$(BIN)/python -m expectations.structural
	$(BIN)/python -m jobs.dictionary

lock: $(UV_READY)  ## requirements.lock from pyproject.toml
	$(UV) pip compile --universal --generate-hashes --extra sail --extra postgres --group dev pyproject.toml -o requirements.lock

clean:  ## what make and the examples made: environments, businesses, warehouses, caches
	rm -rf .venv .venv-uv .venv-airflow .airflow business warehouse warehouse-restaurant dist
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

java: $(READY)
	@$(BIN)/python -c 'import os, sys; from jobs.engine import java_problem; \
		problem = None if os.environ.get("REGULARS_ENGINE", "local").startswith(("sail", "sc:")) else java_problem(); \
		sys.exit(f"error: {problem}\n next: install it; make run needs none" if problem else 0)'

$(UV_READY):
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info < (3, 14); \
		sys.exit(None if ok else f"error: Python 3.11 to 3.13 is needed, this is {sys.version.split()[0]}\n next: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(READY): requirements.lock pyproject.toml $(UV_READY)
	test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) .venv
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

# an Airflow that holds nothing of ours, for the test that dags/ needs no more
.PHONY: .venv-airflow
.venv-airflow: .venv-airflow/.ready

.venv-airflow/.ready: requirements.lock $(UV_READY)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-airflow
	sed -E '/^ +(--hash=|#)/d; s/ *\\$$//' requirements.lock > .venv-airflow/constraints.txt
	$(UV) pip install --quiet --compile-bytecode --python .venv-airflow/bin/python $(AIRFLOW) --constraints .venv-airflow/constraints.txt
	@touch $@
