# Everything a developer runs; each target creates the environment it needs.
PYTHON ?= python3
VENV := .venv
DEMO_VENV := demo/.venv
READY := $(VENV)/.ready
DEMO_READY := $(DEMO_VENV)/.ready
PIP_FLAGS := --quiet --disable-pip-version-check -c constraints.txt
SPEECH ?=

.DEFAULT_GOAL := help
.PHONY: help test lint demo proto model constraints clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "LiveTalker needs Python 3.11 or newer: make PYTHON=python3.11")'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install $(PIP_FLAGS) -e ".[cpu,demo,dev,mic,train]"
	@touch $@

$(DEMO_READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "LiveTalker needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo "creating $(DEMO_VENV) (once, without torch)"
	@test -x $(DEMO_VENV)/bin/python || $(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_VENV)/bin/python -m pip install $(PIP_FLAGS) -e ".[cpu,demo]"
	@touch $@

lint: $(READY) ## ruff and mypy --strict
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

test: lint ## lint, then every test
	$(VENV)/bin/python -m pytest

demo: $(DEMO_READY) ## stream a bundled clip through the service; writes demo/demo.csv and demo/demo.png
	@$(DEMO_VENV)/bin/python demo/run.py

proto: $(READY) ## regenerate service/livetalker/v1 from proto/
	$(VENV)/bin/python proto/generate.py

model: $(READY) ## regenerate corpus, checkpoint and ONNX files (SPEECH=DIR adds recordings)
	$(VENV)/bin/diffusiontalker model $(if $(SPEECH),--speech $(SPEECH))

constraints: $(READY) ## pin what .venv holds now
	@{ head -n 1 constraints.txt; $(VENV)/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.new
	@mv constraints.new constraints.txt

clean: ## remove both environments and caches
	rm -rf $(VENV) $(DEMO_VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
