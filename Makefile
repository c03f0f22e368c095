# The targets that people type, and that CI runs. `make help` prints them.

PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
.DEFAULT_GOAL := help
.PHONY: help setup system run test check fix seed tour bench torture shots clean distclean lock

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## ?/\1\t/' | sort | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: .venv/.ready build/.ready ## everything that the project needs, into .venv, node_modules and build

system: ## Debian packages: ClamAV, its test files, Chromium (says what is missing where it may not install)
	@sh ops/debian-packages

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

build/.ready: .venv/.ready package-lock.json src/guardia/ui/third_party.py $(shell find src/guardia/ui/locale -name '*.po') $(shell find src/guardia -name '*.html')
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --silent --ignore-scripts
	$(BIN)/python -m guardia.ui.third_party
	$(BIN)/python -m guardia.ui.translations compile
	@mkdir -p build && touch $@

run: system setup ## start everything and print URLs and sign-ins (Ctrl-C stops it)
	@exec $(BIN)/guardia run

seed: system setup ## make database, keys, sample data, corpus and baseline, and start nothing
	$(BIN)/guardia run --prepare-only

tour: setup ## drive the main job on the running server
	$(BIN)/guardia tour

test: system setup ## every test: unit, property, database, browser, engines, mail, phone
	$(BIN)/pytest -n 2 --dist loadgroup --ignore tests/doors/voice
	$(BIN)/pytest -n 4 --dist loadgroup tests/doors/voice  # calls last as long as they last: these wait more than they work

check: setup ## format, lint, types, import contracts, migrations, translations, docs: under a minute
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo >/dev/null || $(BIN)/lint-imports
	$(BIN)/python -m guardia.ui.translations check
	$(BIN)/pytest -q -n 2 --dist loadgroup tests/architecture

fix: setup ## format, and repair what the linter can
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --quiet --fix .

bench: setup ## every benchmark; tables on screen, JSON under var/benchmarks
	for file in benchmarks/*.py; do $(BIN)/python $$file; done

torture: setup ## the tests that kill and race, ten times over, 10,000 mails through 200 kills, 5,000 calls
	GUARDIA_TORTURE=1 $(BIN)/pytest -q -s tests/torture/test_mail_kill.py tests/doors/voice/test_many_calls.py tests/doors/voice/test_hostile_line.py
	for round in 1 2 3 4 5 6 7 8 9 10; do $(BIN)/pytest -q -n 2 -k "kill or concurrent or race" || exit 1; done

shots: setup ## take docs/screenshots anew, from a server of its own
	$(BIN)/python -m tests.browser.take_screenshots

lock: ## write requirements.lock and package-lock.json anew
	$(BIN)/pip-compile --quiet --extra dev --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --allow-unsafe -o requirements.lock pyproject.toml
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm install --package-lock-only

clean: ## remove what can be made again; keep data, keys and .venv
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

distclean: clean ## remove the development server's data and keys too
	rm -rf .venv node_modules var private
