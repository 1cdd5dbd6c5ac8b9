# make demo   fine-tune a real model and show what it learned (README)
# make test   every test
# make check  what a change must pass: format, imports, tests on every kernel table
# make bench  this machine, and how close Firefly comes to its limits

# Debug Swift with optimised C: kernels at -O0 would make the tests crawl.
TEST_FLAGS = -Xcc -O2 -Xcxx -O2

.PHONY: build test check bench demo fixtures setup

build: setup
	swift build -c release

test: setup
	swift test $(TEST_FLAGS)

# An undeclared import is an error here; warnings are errors everywhere (Package.swift).
check: setup
	swift format lint --strict --recursive --parallel Package.swift Sources Tests
	swift build --build-tests $(TEST_FLAGS) --explicit-target-dependency-import-check error
	for isa in $$(scripts/isa.sh); do \
	  echo "== FIREFLY_ISA=$$isa"; \
	  FIREFLY_ISA=$$isa swift test --skip-build $(TEST_FLAGS) --explicit-target-dependency-import-check error || exit 1; \
	done

bench: build
	$$(swift build -c release --show-bin-path)/firefly bench

demo:
	scripts/demo.sh

# Rewrites the numbers the tests compare with; PYTHON needs tools/reference/requirements.txt.
PYTHON = python3
fixtures:
	$(PYTHON) tools/reference/model_fixtures.py

setup:
	@scripts/setup.sh
