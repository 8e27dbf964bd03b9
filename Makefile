# Sekisho. `make` lists what can be done; every target works alone on a machine that has Python 3.11 and make.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8470
WORKERS ?= 2
JAPANESE_FONT := /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc

VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-ready
DEV := $(VENV)/.dev-ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

.PHONY: help setup run test lint check bench lock screenshots clean

help: ## say what can be done here
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(RUNTIME) ## make .venv and install what Sekisho runs on, from the hashed lock
	@echo "Ready: $(BIN)/sekisho"

run: $(RUNTIME) ## start the service and the live page, and play an attack against them (PORT=8470)
	$(BIN)/sekisho up --demo --port $(PORT)

test: $(DEV) ## run every test, those with a real PostgreSQL, nginx and browser too
	./tools/debian_packages.sh nginx=nginx chromium=chromium fonts-noto-cjk=$(JAPANESE_FONT)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: $(DEV) ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: lint ## lint, types, layers, and the tests that need no server
	./tools/debian_packages.sh fonts-noto-cjk=$(JAPANESE_FONT)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not server"

bench: $(DEV) ## measure decisions, replay, HTTP and hunt, side by side
	$(BIN)/sekisho bench

lock: $(DEV) ## write the hashed locks anew from pyproject.toml
	@$(COMPILE) --extra dev --extra postgres pyproject.toml -o requirements/dev.lock
	@$(COMPILE) -c requirements/dev.lock pyproject.toml -o requirements/runtime.lock
	@$(COMPILE) -c requirements/dev.lock --group build -o requirements/build.lock

screenshots: $(DEV) ## photograph the pages in a real browser, light and dark
	./tools/debian_packages.sh chromium=chromium fonts-noto-cjk=$(JAPANESE_FONT)
	$(BIN)/python tools/screenshots.py
	$(BIN)/python tools/member_screenshots.py
	$(BIN)/python tools/lender_screenshots.py

clean: ## remove what was built here, .venv and the data of `make run` included
	rm -rf $(VENV) var dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	./tools/virtual_environment.sh "$(PYTHON)" $(VENV)

# The project itself is installed without build isolation, so that its build tools come from a hashed lock as well.
$(RUNTIME): requirements/runtime.lock requirements/build.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Sekisho runs on (a minute or two the first time)."
	@$(PIP) install --require-hashes -r requirements/build.lock
	@$(PIP) install --require-hashes -r requirements/runtime.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.lock $(RUNTIME)
	@echo "Installing what the tests and checks need."
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@
