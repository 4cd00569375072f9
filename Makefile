# The verbs of the project; `make help` lists them.
BUILD ?= build

all: build

build: $(BUILD)/build.ninja ## build the program as build/bootjack
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	tools/deps build
	meson setup $(BUILD)

run: ## install what is missing, build, serve; ARGS="--interface eth1 --media /srv/isos"
	tools/deps build
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD)
	@ninja -C $(BUILD) --quiet
	$(BUILD)/bootjack serve $(ARGS)

test: ## install what the tests need, run every level, end with the counts
	tools/deps test
	tools/test

demo: ## boot a virtual machine from the network, here and now, and tell how it goes
	tools/deps test
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD)
	@ninja -C $(BUILD) --quiet
	BOOTJACK=$(BUILD)/bootjack tools/demo $(ARGS)

lab: ## boot real firmware in virtual machines; TESTS="-k bios" chooses, TESTS=--matrix compares
	tools/deps lab
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD)
	@ninja -C $(BUILD) --quiet
	BOOTJACK=$(CURDIR)/$(BUILD)/bootjack tools/lab $(TESTS)

lab-install: ## install Debian out of an image onto a virtual disk, unattended, and start what was installed (half an hour)
	tools/deps lab
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD)
	@ninja -C $(BUILD) --quiet
	BOOTJACK=$(CURDIR)/$(BUILD)/bootjack tools/lab -s -m install

fuzz: ## run the fuzzers, a minute each (SECONDS=n for longer)
	tools/fuzz $(or $(SECONDS),60)

soak: ## simulate DHCP worlds until something breaks, a minute long (SECONDS=n for longer)
	tools/deps test
	tools/soak $(or $(SECONDS),60)

bench: ## compare with the peers, in ratios
	tools/deps bench
	@[ -f build-release/build.ninja ] || meson setup build-release --buildtype=release
	@ninja -C build-release --quiet
	BOOTJACK=$(CURDIR)/build-release/bootjack tools/bench $(ARGS)

lint: ## formatting, layers and purity
	tools/lint

fmt: ## format every C file
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i

install: build ## into /usr/local (DESTDIR and PREFIX as usual), with the systemd unit
	DESTDIR=$(DESTDIR) tools/install $(BUILD) $(or $(PREFIX),/usr/local)

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 16

.PHONY: all build run test demo lab lab-install fuzz soak bench lint fmt install help
