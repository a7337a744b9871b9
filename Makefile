# One verb per habit. Nothing has to be installed before any of them; see scripts/setup for what the machine needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
ROWS ?= 1000000
# Each file of tests stays in one process: its fixtures are dear.
PARALLEL ?= -n auto --dist loadfile
IMAGE ?= customer-segments
BUILDER := $(firstword $(foreach tool,buildah podman docker,$(if $(shell command -v $(tool)),$(tool))))

export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help setup run test test-fast lint format bench bench-kmeans bench-metrics bench-identity bench-retrain bench-transactions soak lock image clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv hold what the project needs (every other target does this first)
	@scripts/setup

run: setup ## run the pipeline on 1.47 million real grocery transactions: a served model, a table, a page
	@$(BIN)/segments sample retail
	@$(BIN)/segments run configs/retail.yaml

test: setup ## run every test (ARGS="-k name" passes arguments to pytest)
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-fast: setup ## run the tests that take seconds
	@$(BIN)/python -m pytest $(PARALLEL) -m "not slow" $(ARGS)

lint: setup ## check style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup ## put the code into the project's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## compare with the stock TFX DAG, component by component (ROWS=1000000)
	@$(BIN)/python -m benchmarks.bench --rows $(ROWS) $(ARGS)

bench-kmeans: setup ## compare the k-means engine with its rivals (ARGS="--cases k64 --spark"; docs/benchmarks.md)
	@$(BIN)/python -m benchmarks.kmeans $(ARGS)

bench-metrics: setup ## time all clustering metrics over 1,000,000 customers (ROWS=1000000; docs/metrics.md)
	@$(BIN)/python -m benchmarks.metrics --rows $(ROWS) $(ARGS)

bench-identity: setup ## count who changes segment id when nothing changed (ARGS="--gains"; docs/identity.md)
	@$(BIN)/python -m benchmarks.identity $(ARGS)

bench-retrain: setup ## time retrains beside a first run (ROWS=1000000)
	@$(BIN)/python -m benchmarks.retrain --rows $(ROWS) $(ARGS)

bench-transactions: setup ## time purchases to customers beside pandas' groupby (ARGS="--cases retail"; docs/transactions.md)
	@$(BIN)/python -m benchmarks.transactions $(ARGS)

soak: setup ## kill retrains at random, retrain month by month (ARGS="--hours 8 --seed 1"; docs/metadata.md)
	@$(BIN)/python -m benchmarks.soak $(ARGS)

lock: setup ## resolve pyproject.toml into locks/ again, keeping pins that fit (UPGRADE=1: newest of all)
	@UPGRADE=$(UPGRADE) scripts/lock

image: ## build the container image (buildah, podman or docker; BASE_IMAGE=... for another base)
	@$(if $(BUILDER),,echo "No image builder found. Install one with: apt-get install buildah" >&2; exit 1)
	$(BUILDER) build --tag $(IMAGE) $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) .

clean: ## remove what was built here (.venv, caches, benchmark files); data and workspaces stay
	rm -rf .venv build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
