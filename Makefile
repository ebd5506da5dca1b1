# Two commands do all the set-up on a fresh machine: `make quickstart` and `make test`.
PYTHON ?= python3
VENV := .venv
VLLM := .venv-vllm
# --no-compile: what is imported is compiled then, which is a tenth of what there is. That has to be kept: compiling it at
# each start takes longer than starting.
export PYTHONDONTWRITEBYTECODE :=
INSTALL := $(VENV)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints-cpu.txt
# A worker for each core, and one thread for each worker.
PYTEST := OMP_NUM_THREADS=1 $(VENV)/bin/pytest -n auto --dist loadgroup --no-loadscope-reorder

.PHONY: quickstart replicate test test-slow test-engines lint types style browser vllm

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints-cpu.txt | $(VENV)/bin/python
	$(INSTALL) -e '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints-cpu.txt | $(VENV)/bin/python
	$(INSTALL) -e '.[dev]'
	touch $@

$(VENV)/.train: pyproject.toml constraints-cpu.txt | $(VENV)/bin/python
	$(INSTALL) -e '.[demo,train]'
	touch $@

quickstart: $(VENV)/.demo
	$(VENV)/bin/consciousness-cluster quickstart $(if $(QUICK),--quick)

replicate: $(VENV)/.train
	$(VENV)/bin/consciousness-cluster replicate run

# mypy takes as long as all else, so `make test` runs the two side by side.
lint: types style

style: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-logo --no-cache
	$(VENV)/bin/inspect-evals-lint $(addprefix --task tools/consciousness_cluster/,auditing/tasks.py inspect_tasks/probes.py)

types: $(VENV)/.dev
	$(VENV)/bin/mypy

browser:
	bash tests/support/install_chromium.sh

vllm:
	PYTHON=$(PYTHON) bash tests/engines/setup_vllm.sh $(VLLM)

test:
	$(MAKE) --no-print-directory -j2 browser lint
	$(PYTEST)

test-slow: $(VENV)/.dev
	$(PYTEST) -m slow

test-engines: $(VENV)/.dev vllm
	$(VENV)/bin/pytest tests/engines -m engines
