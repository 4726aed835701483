PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: tools demo demo-down test ci render bench lint schemas

$(INSTALLED): requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

tools: $(INSTALLED)          ## find or build pulumi, kubectl, helm and the control plane
	$(BIN)/sandbox tools

demo: $(INSTALLED)           ## three organizations, each with a cluster of its own, linked into a federation
	$(BIN)/python -m sandbox.demo up

demo-down: $(INSTALLED)      ## stop the demo's clusters and delete what it made
	$(BIN)/python -m sandbox.demo down
