# Everything a fresh Debian machine needs beside this checkout: Python 3.11 or later with venv, git, make, apt.
#
#   make demo                     the main job, from an empty machine to reconciled debts
#   make test PYTEST_ARGS='-k x'  all tests, with a real RabbitMQ and a real PostgreSQL
#   make bench BENCH='decode'     benchmarks by name, all without one
#   make … PYTHON=/path/python3   with this Python

VENV ?= .venv
PYTHON ?=
PYTEST_ARGS ?=
BENCH ?=
FUZZ_SECONDS ?= 60
FAULT_MESSAGES ?= 100000
SOAK_SECONDS ?= 1800

INSTALLED := $(VENV)/.installed
BIN := $(VENV)/bin
CANDIDATES := $(or $(PYTHON),python3.11 python3.12 python3.13 python3)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help install demo demo-transfer test test-faults test-rabbit4 soak lint format docs bench bench-decode \
	bench-benefits bench-messages bench-payments bench-transfer report-accuracy fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## the locked dependencies and the hub in $(VENV)

# A shim of a version manager may stand on the PATH for a Python that is not there: each candidate is run, not looked up.
$(INSTALLED): requirements.lock pyproject.toml
	@python=''; for candidate in $(CANDIDATES); do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'No Python 3.11 or later found (tried: $(CANDIDATES)). Install it: apt-get install python3 python3-venv' >&2; exit 1; \
	fi; \
	if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "$$python lacks venv or ensurepip. Install them: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $$python -m venv --clear $(VENV)
	@echo 'Installing the locked dependencies into $(VENV) …'
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(INSTALLED) ## the main job end to end on the embedded default
	$(BIN)/integrationhub demo

test: $(INSTALLED) ## all tests; installs RabbitMQ and PostgreSQL with apt where they are missing
	$(BIN)/python -m tests.services install
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

test-rabbit4: $(INSTALLED) ## the broker's tests on Debian 13's RabbitMQ 4.0, in a chroot (as root; installs nothing)
	$(BIN)/python -m tests.services rabbit4 build/debian13
	INTEGRATIONHUB_TEST_RABBITMQ_CHROOT=build/debian13 $(BIN)/python -m pytest tests/contract/transport tests/contract/intake -k 'not embedded' $(PYTEST_ARGS)

lint: $(INSTALLED) ## ruff, mypy strict, the layers; all of them, whichever fails first
	@status=0; for check in 'ruff check .' 'ruff format --check .' mypy lint-imports; do \
	  echo "$$check"; $(BIN)/$$check || status=1; \
	done; exit $$status

format: $(INSTALLED) ## let ruff set the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(INSTALLED) ## write docs/reference anew from the code
	$(BIN)/python -m docs.generate

bench: $(INSTALLED) ## speed, as ratios to limits measured in the same run
	$(BIN)/python -m benchmarks $(BENCH)

report-accuracy: $(INSTALLED) ## how right judged arrears are on a generated estate, as build/accuracy/accuracy.{md,svg}
	$(BIN)/integrationhub estate accuracy --groups 2000 --out build/accuracy

bench-decode: $(INSTALLED) ## speed and memory of the decoder
	$(BIN)/python -m benchmarks decode decode_memory

# Atheris has no place among the hub's own dependencies: it gets an environment of its own, with the hub in it.
fuzz: $(INSTALLED) ## look for bytes and copybooks that break the decoder, FUZZ_SECONDS each
	$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS)

bench-mapping: $(INSTALLED) ## the mapping alone, by batch size
	$(BIN)/python -m benchmarks mapping

demo-transfer: $(INSTALLED) ## a national transfer in small, scripted, with everything that goes wrong
	$(BIN)/python -m tests.drills.national_rehearsal --groups 2000 --dir build/national-rehearsal

bench-transfer: $(INSTALLED) ## moving case groups on PostgreSQL, and what 1.4 million cases would take
	$(BIN)/python -m benchmarks transfer --records 200000

bench-benefits: $(INSTALLED) ## a book of a million benefit debts, and what a delta of one per cent costs
	$(BIN)/python -m benchmarks benefits

bench-messages: $(INSTALLED) ## messages from queue to commit, against task queues; idle latency
	$(BIN)/python -m benchmarks messages

bench-payments: $(INSTALLED) ## a bank statement of 200,000 entries, against bare expat and xmllint
	$(BIN)/python -m benchmarks payments

test-faults: $(INSTALLED) ## the fault tests in their long form: FAULT_MESSAGES messages, every fault, accounts printed
	$(BIN)/python -m tests.services install
	FAULT_MESSAGES=$(FAULT_MESSAGES) $(BIN)/python -m pytest -q -s tests/faults/messages $(PYTEST_ARGS)

soak: $(INSTALLED) ## SOAK_SECONDS of full load: memory flat, no connection or thread leaked; build/soak
	$(BIN)/python -m tests.services install
	$(BIN)/python -m tests.load.soak $(SOAK_SECONDS) build/soak

clean: ## remove the environment and everything that was generated
	rm -rf $(VENV) build dist hub-data demo .fuzz .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
