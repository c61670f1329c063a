# Everything a developer runs; each target creates the environment it needs.
PYTHON ?= python3
VENV := .venv
DEMO_VENV := demo/.venv
READY := $(VENV)/.ready
DEMO_READY := $(DEMO_VENV)/.ready
PIP_FLAGS := --quiet --disable-pip-version-check -c constraints.txt
SPEECH ?=
VERSION ?=
KERNELS := $(wildcard service/kernels/*.*)
COMMA := ,

.DEFAULT_GOAL := help
.PHONY: help test test-clients lint demo proto model constraints clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# $(call environment,FOLDER,EXTRAS)
define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
@test -x $(1)/bin/pip || $(PYTHON) -m venv $(1)
$(1)/bin/python -m pip install $(PIP_FLAGS) -e ".[$(2)]"
@touch $@
endef

$(READY): pyproject.toml constraints.txt $(KERNELS)
	$(call environment,$(VENV),bench$(COMMA)cpu$(COMMA)demo$(COMMA)dev$(COMMA)mic$(COMMA)train)

$(DEMO_READY): pyproject.toml constraints.txt $(KERNELS)
	@echo "preparing $(DEMO_VENV), once: about 300 MB, without torch"
	$(call environment,$(DEMO_VENV),cpu$(COMMA)demo)

lint: $(READY) ## ruff and mypy --strict
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

test: lint ## lint, then every Python test
	$(VENV)/bin/python -m pytest

test-clients: $(READY) ## the Unity and the Unreal client, without an engine, against the real server
	$(MAKE) --no-print-directory -C unity_client test PYTHON=$(abspath $(VENV))/bin/python
	$(MAKE) --no-print-directory -C unreal_client test LIVETALKER_PYTHON=$(abspath $(VENV))/bin/python

demo: $(DEMO_READY) ## stream a bundled clip through the service; writes demo/demo.csv and demo/demo.png
	@$(DEMO_VENV)/bin/python demo/run.py

proto: $(READY) ## regenerate the Python code of proto/
	$(VENV)/bin/python proto/generate.py

model: $(READY) ## train a model and put it in the shipped one's place (SPEECH=DIR adds recordings, VERSION=V names it)
	$(VENV)/bin/diffusiontalker model --bundle models/diffusiontalker/pretrained --name diffusiontalker-compact \
		$(if $(VERSION),--model-version $(VERSION)) $(if $(SPEECH),--speech $(SPEECH))

constraints: $(READY) ## pin what .venv holds now
	@{ head -n 1 constraints.txt; $(VENV)/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.new
	@mv constraints.new constraints.txt

clean: ## remove both environments and caches
	rm -rf $(VENV) $(DEMO_VENV) service/livetalker/engine/kernels/*.so build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
