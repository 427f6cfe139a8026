# Besnik. `make` alone says what there is; every target makes what it needs.
# PYTHON names another interpreter (3.11 or later); nothing here needs root.

# A shop has its distribution's Python, so that is what is tested. It is also built for speed, which
# one that is compiled at home mostly is not.
PYTHON ?= $(or $(filter $(wildcard /usr/bin/python3.1[1-9]),$(realpath /usr/bin/python3)),python3)
BIN := .venv/bin
READY := $(PYTHON) host_tools/bootstrap.py
DEVICE_TYPES := --config-file host_tools/checks/device_mypy.ini

.DEFAULT_GOAL := help
.PHONY: help run test test-slow check format firmware flash bench lock clean

help: ## say what there is
	@echo "Besnik: an NFC loyalty reader and the CRM behind it."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{printf "%-18s %s\n", $$1, $$2}'
	@echo "  make run ONCE=1    present five cards, say what happened, exit 0 if all is right"

run: ## start the whole shop on this machine, with a reader that needs no board
	@$(READY) run && exec $(BIN)/besnik run $(if $(ONCE),--once)

test: ## run all tests, four at a time where that can be (TESTS=path runs some, one by one)
	@$(READY) dev
ifneq ($(strip $(TESTS)),)
	@$(BIN)/python -m pytest $(TESTS)
else
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not alone"; beside=$$?; \
	$(BIN)/python -m pytest -m alone && exit $$beside
endif

test-slow: ## run the tests on big CRMs: Directus (npm), BottleCRM (PostgreSQL), shapes (Prism)
	@$(READY) dev
	@$(BIN)/python -m pytest --slow -rs -m slow tests/slow tests/system/test_big_crms.py

check: ## style, types of host and device, bytecode of every device file, import directions
	@$(READY) dev && $(READY) stubs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy $(DEVICE_TYPES) boot.py start.py main.py firmware lib
	@$(BIN)/python host_tools/checks/bytecode.py
	@$(BIN)/python -m pytest -q tests/unit/test_imports.py

format: ## lay out the sources as `make check` wants them
	@$(READY) dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

firmware: ## compile the firmware to build/firmware and show its sizes
	@$(READY) run
	@$(BIN)/python -m besnik.fleet.build

flash: ## make a reader of a connected board: [READER=id] [PORT=…] [IMAGE=file] [OPTIONS=…]
	@$(READY) run
	@$(BIN)/besnik fleet flash $(READER) $(if $(PORT),--port $(PORT)) \
		$(if $(IMAGE),--image $(IMAGE)) $(OPTIONS)

bench: ## measure the numbers of docs/figures.md
	@$(READY) dev
	@$(BIN)/python tests/bench

lock: ## pin the newest versions that requirements/*.in allow
	@$(PYTHON) host_tools/lock.py

clean: ## remove everything that make made, the demo shop too
	@rm -rf .venv .besnik build typings .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -rf host_tools/*.egg-info
