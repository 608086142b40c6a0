# Everything runs in .venv, with the exact versions of constraints.txt. PYTHON chooses the interpreter: make test PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
TESTS = not slow or e2e
# Much of the tests is waiting: two cores have work for three processes.
WORKERS ?= 3
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test test-all durability lint format install constraints system clean

help: ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: .venv/installed ## install, start everything on this machine, and send a simulated week of traffic through it
	$(BIN)/distillwatch demo

test: .venv/installed-dev .venv-litellm/installed .venv-clients/installed system lint ## install with the tools for development, lint, and run the tests; in about a quarter of an hour
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "$(TESTS)"

test-all: TESTS = slow or not slow
test-all: test ## the same with the slow tests: every operation of the API, kills under load, outages

durability: .venv/installed-dev ## kill API and worker fifty times under load, on each database; takes about half an hour
	KILL_ROUNDS=50 $(BIN)/python -m pytest -s tests/api/test_durability.py

lint: .venv/installed-dev ## ruff, mypy and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/installed-dev ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: .venv/installed ## install into .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is {v.major}.{v.minor}. Choose one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e '.[dev,bench]'
	@touch .venv/installed $@

.venv-litellm/installed: tests/e2e/litellm-requirements.txt # the proxy of the end-to-end test; its pins differ from ours
	$(PYTHON) -m venv .venv-litellm
	.venv-litellm/bin/python -m pip --disable-pip-version-check install --quiet -r tests/e2e/litellm-requirements.txt
	@touch $@

CLIENTS := tests/e2e/clients
.venv-clients/installed: $(CLIENTS)/requirements.txt $(wildcard $(CLIENTS)/beside/*.txt) $(CLIENTS)/portkey/package-lock.json # of the end-to-end tests
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip --disable-pip-version-check install --quiet -r $(CLIENTS)/requirements.txt
	rm -rf .venv-clients/beside # other versions of some, each in a folder that a test puts first
	for pins in $(CLIENTS)/beside/*.txt; do \
	  .venv-clients/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
	    --target .venv-clients/beside/$$(basename $$pins .txt) -r $$pins || exit 1; \
	done
	@if command -v npm >/dev/null; then \
	  mkdir -p .venv-clients/portkey && cp $(CLIENTS)/portkey/package*.json .venv-clients/portkey && \
	  npm ci --prefix .venv-clients/portkey --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null; \
	else echo "not found: npm; the test with Portkey's gateway is skipped. Debian: sudo apt-get install nodejs npm"; fi
	@touch $@

system: # a browser and a database server for the tests that use them; without, those tests are skipped
	@need=""; \
	command -v chromium >/dev/null || need="chromium"; \
	command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need="$$need postgresql"; \
	if [ -z "$$need" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing $$need"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$need >/dev/null; \
	else \
	  echo "not found: $$need; the tests that need it are skipped. Debian: sudo apt-get install $$need"; \
	fi

constraints: ## write the versions of .venv to constraints.txt, after an upgrade that passed the tests
	{ head -n 2 constraints.txt; $(PIP) freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.new
	mv constraints.new constraints.txt

clean: ## remove the environments and caches; databases and logs stay
	rm -rf .venv .venv-litellm .venv-clients build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
