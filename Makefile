# make demo   fine-tune a real model and show what it learned (README)
# make test   every test
# make check  what a change must pass: format, rooms, imports, sanitizers, tests of what computes on every kernel table and on
#             imitated tiles, every test (more than half an hour)
# make card   that the card's PTX is what its kernels compile to, and that planted faults are found (tools/card_check)
# make tiles  that the machine code for processors with matrix tiles does what its imitation does (tools/tile_check)
# make rooms  how the files of Sources lie: no circles, rooms in order (tools/rooms); that documents name what is there;
#             that scripts/setup.sh asks each distribution for its own packages
#             that the Chinese catalogue has what people read (tools/wording)
# make examples  the packages in examples/, which import only Firefly
# make docs   the library's pages, into build/docs
# make readme that every command of README runs
# make bench  this machine, and how close Firefly comes to its limits
# make install  the program with its manual page and completions, under PREFIX (/usr/local); it needs no Swift to run
# make dist   the same as build/firefly-VERSION-linux-ARCH.tar.xz, which runs where it is unpacked
# make deb    the same as a Debian package
# make arm    what can be checked of 64-bit ARM here: the C beneath, under qemu (tools/arm_check)
# make release-notes  what CHANGELOG says of the version in Sources/CLI/VERSION

# Debug Swift with optimised C: kernels at -O0 would make the tests crawl.
TEST_FLAGS = -Xcc -O2 -Xcxx -O2

.PHONY: build test check format rooms card tiles address thread storm ranks examples docs readme tables bench install dist deb release-notes arm demo fixtures setup

# With the commit that `firefly env` tells.
build: setup
	FIREFLY_COMMIT=$$(git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null) swift build -c release

test: setup
	swift test $(TEST_FLAGS)

# In this order. The whole suite comes last, so that its count is the last line.
check: setup format rooms card tiles address thread storm ranks examples docs readme tables

format:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests demo

# Every test with AddressSanitizer; those with threads of their own with ThreadSanitizer, which is slower. Each has a
# build of its own.
address thread: setup
	scripts/sanitize.sh $@ $(TEST_FLAGS)

# An undeclared import is an error here; warnings are errors everywhere (Package.swift).
CHECKS = $(TEST_FLAGS) --explicit-target-dependency-import-check error

# Training killed KILLS times; every night a thousand.
KILLS = 50
storm: setup
	swift build $(CHECKS)
	python3 tools/storm/kills.py "$$(swift build $(CHECKS) --show-bin-path)/firefly" --kills $(KILLS)

# Runs of several processes under mpirun; says so where there is none. `scripts/setup.sh ranks` installs it.
ranks: setup
	swift build $(CHECKS)
	tools/ranks_check/abi.sh
	python3 tools/ranks_check/check.py "$$(swift build $(CHECKS) --show-bin-path)/firefly" --steps 12 --ranks 2

# As a program of somebody else's builds the library; what this package's own build has made of it is not made again.
examples: setup
	for package in examples/*; do swift build --package-path $$package --scratch-path .build $(CHECKS) || exit 1; done

docs: setup
	swift build $(CHECKS)
	scripts/docs.sh "$$(swift build $(CHECKS) --show-bin-path)"

readme: setup
	swift build $(CHECKS)
	python3 tools/readme_check/check.py "$$(swift build $(CHECKS) --show-bin-path)"

# Imitated tiles are slow: what multiplies. On each other table what computes; tests of single operations, which go through every
# table by themselves where none is named, take the named one then. Everything runs last, so that its count is the last line: on
# the best table, and single operations on all.
MULTIPLIES = TensorsTests|ModelsTests|TrainingTests
COMPUTES = $(MULTIPLIES)|GenerationTests|EvaluationTests|WeightsTests|ConversionTests|PretrainedTests|FireflyTests|BenchTests
# What an emulated card computes does not depend on the processor's table; it is compared with the best one.
ON_CARDS = TrainingTests.Card|ModelsTests.CardTests
tables: setup
	swift build --build-tests $(CHECKS)
	FIREFLY_ISA=amx-imitated swift test --skip-build $(CHECKS) --filter '$(MULTIPLIES)' --skip '$(ON_CARDS)'
	for isa in $$(scripts/isa.sh | sed '$$d'); do \
	  echo "== FIREFLY_ISA=$$isa"; \
	  FIREFLY_ISA=$$isa swift test --skip-build $(CHECKS) --filter '$(COMPUTES)' --skip '$(ON_CARDS)' || exit 1; \
	done
	swift test --skip-build $(CHECKS)

rooms:
	python3 -m unittest discover tools/rooms -q
	python3 -m unittest discover tools/setup_check -q
	python3 tools/rooms/check.py
	python3 tools/docs_check.py
	python3 -m unittest discover tools/wording -q
	python3 tools/wording/check.py

card:
	tools/card/ptx.sh --check
	tools/card_check/faults.sh

tiles:
	tools/tile_check/check.sh

bench: build
	$$(swift build -c release --show-bin-path)/firefly bench

# Into $(DESTDIR)$(PREFIX), with Swift's libraries inside the program.
PREFIX = /usr/local
install: setup
	packaging/stage.sh "$$(packaging/build.sh shared)" "$(DESTDIR)$(PREFIX)"

dist: setup
	packaging/tarball.sh

deb: setup
	packaging/deb.sh

arm:
	tools/arm_check/check.sh

release-notes:
	@packaging/release_notes.sh

demo:
	scripts/demo.sh

# Rewrites the numbers the tests compare with; PYTHON needs tools/reference/requirements.txt.
PYTHON = python3
fixtures:
	$(PYTHON) tools/reference/model_fixtures.py
	$(PYTHON) tools/reference/adapter_fixtures.py
	$(PYTHON) tools/reference/reading_fixtures.py
	$(PYTHON) tools/reference/known_keys.py

setup:
	@scripts/setup.sh
