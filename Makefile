# The targets a person calls; CI calls the same ones.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo test test-lifecycle test-all lint programs bench-data bench-drift bench-models bench-serving bench-platform reliability up down status lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY)  ## make .venv with the pinned packages

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "CineMatch needs Python 3.11: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY)  ## the whole story on the shipped sample, then its measured values
	$(BIN)/cinematch demo

test: $(READY) lint $(if $(CI),programs)  ## lint, types and the test suite (some ten minutes on two cores)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n 3 --dist loadfile --no-loadscope-reorder --durations=25

test-lifecycle: $(READY) $(if $(CI),programs)  ## the platform as a whole: demo, rollback, faults, backfill (some twenty minutes)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m lifecycle --hypothesis-profile=lifecycle \
		-n 2 --dist loadfile --no-loadscope-reorder --durations=25

test-all: $(READY) lint  ## the test suite with its long tests, and more examples of properties
	$(BIN)/python -m pytest --hypothesis-profile=thorough

lint: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Debian's package, then the names of the program that some tests need: without one of them they are
# skipped, or fail in CI. Where root has apt-get, what is missing is installed.
programs:
	@for program in "chromium chromium chromium-browser google-chrome" "openssl openssl" "curl curl" \
		"nginx nginx /usr/sbin/nginx" "pgbouncer pgbouncer /usr/sbin/pgbouncer" \
		"postgresql postgres /usr/lib/postgresql/*/bin/postgres"; do \
		set -- $$program; package=$$1; shift; \
		for name; do command -v $$name >/dev/null && continue 2; done; missing="$$missing $$package"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq --no-install-recommends $$missing >/dev/null; fi

# Options that all of them have: PARTS, ROWS, and AGAIN=1 to measure what is known already, too.
BENCH = $(BIN)/python -m benchmarks.$(1) $(if $(PARTS),--parts $(PARTS)) $(if $(ROWS),--rows $(ROWS)) $(if $(AGAIN),--again)

bench-data: $(READY)  ## how fast data goes in and out: docs/benchmarks.md (ROWS="1000000 25000000", AGAIN=1)
	$(call BENCH,data)

bench-drift: $(READY)  ## how often the drift tests are right: docs/drift-calibration.md (ML_1M=folder, AGAIN=1)
	$(call BENCH,drift) $(if $(ML_1M),--ml-1m $(ML_1M))

bench-models: $(READY)  ## how good and fast the models are: docs/benchmarks.md (ML_LATEST_SMALL=zip, ML_1M=folder, SEEDS=3, AGAIN=1)
	$(call BENCH,models) --seeds $(or $(SEEDS),3) \
		$(if $(ML_LATEST_SMALL),--ml-latest-small $(ML_LATEST_SMALL)) $(if $(ML_1M),--ml-1m $(ML_1M))

bench-serving: $(READY)  ## how fast and large the API is beside others: docs/benchmarks.md (PARTS="ml-1m ml-25m growth", AGAIN=1)
	$(call BENCH,serving)

bench-platform: $(READY)  ## start-up, memory, seconds for each week: docs/benchmarks.md (AGAIN=1)
	$(call BENCH,platform)

reliability: $(READY)  ## try every fault: docs/reliability.md (TRIES=1; about half an hour each)
	$(BIN)/python -m benchmarks.reliability --again --rounds $(or $(TRIES),1) $(if $(PARTS),--parts $(PARTS))

up: $(READY)  ## Dagster, MLflow and the API until Ctrl-C
	$(BIN)/cinematch up

down: $(READY)  ## stop what `make up` started
	$(BIN)/cinematch down

status: $(READY)  ## what is running, loaded and in production
	$(BIN)/cinematch status

lock: $(READY)  ## pin the newest versions again: hashes, no addresses (needs pip-tools)
	pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--no-header --strip-extras --allow-unsafe --extra dev --upgrade -o requirements.lock pyproject.toml

clean: down  ## remove the state of local runs (var/, data/raw, data/prepared*)
	rm -rf var data/raw data/prepared*
