# espei-hpc. `make help` lists what there is.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ENVIRONMENT ?= .venv
PYTEST_ARGS ?=
MINUTES ?= 20
bin := $(ENVIRONMENT)/bin
scripts := $(wildcard entrypoints/* .ci/* lock/install lock/update tests/container/closed-network/* tests/batch/hosts/process-one tests/batch/slurm/end-orphans slurm-examples/*.sbatch pbs-examples/*.pbs pbs-examples/torque/*.pbs)
bash_scripts = $(shell grep -lE '^\#!.*bash' $(scripts))

# The tests import ESPEI, which imports mpi4py: it must not look for a library, there may be none.
export MPI4PY_MPIABI := none

include bench.mk
include images.mk
include release.mk

.PHONY: help demo test lint unit soak clean lock docs environment

help: ## list the targets
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: environment ## set everything up and run a real fit on MPI-started workers
	rm -rf build/demo && mkdir -p build && cp -r examples/cu-mg build/demo
	cd build/demo && $(abspath $(bin))/espei-mpi --in mcmc.yaml -n 3
	@echo "The fitted database is build/demo/cu-mg_fitted.tdb; examples/cu-mg/README.md says what it means."

test: lint ## set everything up, check the code and run all tests
	$(bin)/pytest --numprocesses 2 --dist loadscope $(PYTEST_ARGS)

soak: environment ## strike fits with random faults for MINUTES=20, and write the figures into docs/reliability.md
	PATH="$(abspath $(bin)):$$PATH" PYTHONPATH=tests $(bin)/python -m soak --minutes $(MINUTES)

unit: environment ## run the unit tests alone
	$(bin)/pytest tests/unit $(PYTEST_ARGS)

lint: environment ## check style and types of Python, bash and the Containerfile
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/shellcheck $(bash_scripts)
	$(bin)/shfmt --indent 4 --diff $(bash_scripts)
	$(bin)/hadolint Containerfile

docs: environment ## build the pages into build/site
	$(bin)/mkdocs build --strict

environment: $(ENVIRONMENT)/.installed

$(ENVIRONMENT)/.locked: $(wildcard lock/*.txt) lock/install
	lock/install $(ENVIRONMENT) test
	touch $@

# As users get it: built, not linked.
$(ENVIRONMENT)/.installed: $(ENVIRONMENT)/.locked pyproject.toml $(shell find src docs entrypoints examples host-mpi -type f -not -name '*.pyc')
	$(bin)/python -m pip install --quiet --no-index --no-deps --no-build-isolation --force-reinstall .
	touch $@

lock: ## write the lock files anew (needs uv)
	lock/update

clean: ## remove what was built
	rm -rf build dist $(ENVIRONMENT) .mypy_cache .ruff_cache .pytest_cache .hypothesis
