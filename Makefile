.PHONY: tour claims rehearse report test test-system lint types wheel data calibrate findings new-claim mutants chaos

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
CHOOSE = options="-n auto"; \
	$(VENV)/bin/python -c "import sys, torch; sys.exit(not torch.cuda.is_available())" && options="-n 4 --gpu"
INSTALLED = $(VENV)/installed

# What the recorded runs say of every finding: judged in seconds, without images, network or training, and shown as a page.
tour: $(INSTALLED)
	$(VENV)/bin/pytest claims --scale documented --stored --claims-html report --no-header --tb=no -rN $(ARGS) \
		|| test $$? -eq 1
	@$(VENV)/bin/python -m pytest_claims.show report/index.html

# With a CUDA device all claims by the sources' own recipes, which downloads CIFAR if it is not in data/. Else the quick
# claims by the same recipes, on whole CIFAR if it is in data/, or on the sample of it in sample/.
# ARGS="--scale documented" and the like change what is run, and what is reported.
claims: $(INSTALLED)
	@$(CHOOSE); \
	echo $(VENV)/bin/pytest claims $$options $(ARGS); \
	exec $(VENV)/bin/pytest claims $$options $(ARGS)

# Every claim, by recipes cut short, on the CPU: that all of them run. No verdict of it speaks of a finding.
rehearse: $(INSTALLED)
	$(VENV)/bin/pytest claims -n auto --scale rehearsal --data sample $(ARGS)

# The page of what is stored, without training: report/index.html. Verdicts do not decide whether it is made.
report: $(INSTALLED)
	@$(CHOOSE); \
	echo $(VENV)/bin/pytest claims $$options --stored --claims-html report -q --no-header --tb=no $(ARGS); \
	$(VENV)/bin/pytest claims $$options --stored --claims-html report -q --no-header --tb=no $(ARGS) || test $$? -eq 1

test: $(INSTALLED)
	$(VENV)/bin/pytest tests_fast

# Whole sessions: in a fresh environment, with killed workers, in a browser, and on clusters if Ray is installed. Minutes.
test-system: $(INSTALLED)
	$(VENV)/bin/pytest tests_system $(ARGS)

lint: types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(INSTALLED)
	$(VENV)/bin/mypy

# The installable package, in dist/.
wheel: $(INSTALLED)
	$(VENV)/bin/python -m build --wheel

# A claim to fill in: make new-claim NAME=batch_size writes claims/test_batch_size.py.
new-claim: $(INSTALLED)
	@$(VENV)/bin/python -m pytest_claims.new_claim $(NAME)

# The table of every recorded verdict, docs/findings.md.
findings: $(INSTALLED)
	$(VENV)/bin/python -m pytest_claims.ledger.findings docs/findings.md

# CIFAR-10 and CIFAR-100 into data/, by torchvision, checksums verified.
data: $(INSTALLED)
	$(VENV)/bin/python -m pytest_claims.data

# The error rates of every decision, by simulation and on real training, and the page that shows them.
calibrate: $(INSTALLED)
	rm -rf .claims/calibration
	$(VENV)/bin/pytest tests_fast tests_system -m slow -n auto --dist worksteal; status=$$?; \
	$(VENV)/bin/python -m calibration.page docs/calibration.md && exit $$status
	$(VENV)/bin/pytest claims --placebo -n auto --scale rehearsal

# Small changes to the modules in which evidence becomes a verdict, one at a time: which do the tests let pass?
# MODULES="pytest_claims/ledger/policy.py" takes these alone; without it all, in hours. docs/mutants.md
mutants: $(INSTALLED)
	@$(VENV)/bin/python -c "import mutmut" 2>/dev/null || \
		$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,mutants]"
	$(VENV)/bin/python -m mutants $(MODULES)

# Fifteen minutes of sessions under random faults, and a check of what each round left: docs/chaos.md.
chaos: $(INSTALLED)
	$(VENV)/bin/python -m chaos $(ARGS)

# Made again when the dependencies change. The project itself is installed as a link to this folder.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit(f\"Python 3.11 or later is needed; $(PYTHON) is {sys.version.split()[0]}. Name another: make PYTHON=python3.12\")"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $(INSTALLED)
