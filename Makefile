.PHONY: claims test lint data

PYTHON ?= python3
VENV ?= .venv
INSTALLED = $(VENV)/installed

# Verify the findings on what this machine has: rehearsed on a CPU, see the README for --gpu and the other options.
claims: $(INSTALLED)
	$(VENV)/bin/pytest claims -n auto

test: $(INSTALLED)
	$(VENV)/bin/pytest tests_fast

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

# CIFAR-10 and CIFAR-100 into data/, by torchvision, checksums verified.
data: $(INSTALLED)
	$(VENV)/bin/python -m harness.data

# Made again when the requirements change.
$(INSTALLED): requirements.txt constraints.txt
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit(f\"Python 3.11 or later is needed; $(PYTHON) is {sys.version.split()[0]}. Name another: make PYTHON=python3.12\")"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.txt --constraint constraints.txt
	@touch $(INSTALLED)
