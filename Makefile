# The verbs of the project; `make help` lists them.
BUILD ?= build

all: build

build: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	tools/deps build
	meson setup $(BUILD)

test: ## install what the tests need, run every level, end with the counts
	tools/deps test
	tools/test

fuzz: ## run the fuzzers, a minute each (SECONDS=n for longer)
	tools/fuzz $(or $(SECONDS),60)

.PHONY: all build test fuzz
