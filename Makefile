# Builds and tests shadowboot. `make` builds, `make check` builds and tests, `make help` names the
# rest. Source files are found by where they lie, so a new one needs no change here.
include Make.defaults

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
# As many jobs as Make.defaults says; -j on the command line wins, and a make started by make gets
# its share from that one.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS   += -j$(JOBS)
endif
MAKEFLAGS   += --no-print-directory --no-builtin-rules
# Commands are named in a word each; `make V=1` shows them in full.
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $@;)
export PYTHONDONTWRITEBYTECODE := 1

# --- What there is -------------------------------------------------------------------------------
CORE_LAYERS := base port format model audit plan apply cmd

CORE_SRC     := $(sort $(wildcard $(CORE_LAYERS:%=efi/%/*.c) efi/format/*/*.c))
# What an architecture needs beside lies in a folder of its own.
FIRMWARE_SRC := $(sort $(wildcard efi/firmware/*.c efi/firmware/$(ARCH)/*.c) efi/main.c)
FIRMWARE_FAST_SRC := efi/base/bytes.c efi/base/crc32.c efi/base/sha256.c efi/firmware/mem.c
# Ports over Linux, for the program of rescue systems and for the host program of the tests.
LINUX_MAIN   := efi/linux/main.c
LINUX_SRC    := $(sort $(filter-out $(LINUX_MAIN),$(wildcard efi/linux/*.c)))
HOST_MAIN    := tests/host/main.c
HOST_SRC     := $(LINUX_SRC) $(sort $(filter-out $(HOST_MAIN),$(wildcard tests/host/*.c)))
UNIT_SRC     := $(sort $(wildcard tests/unit/test_*.c))
BARE_UNIT_SRC := $(sort $(shell grep -l 'unit/sample\.h' $(UNIT_SRC)))
# Fixtures of unit tests, and what the sweep over machines is made of.
FIXTURE_SRC  := $(sort $(wildcard tests/unit/*_fixture.c tests/sweep/*.c))
FUZZ_NAMES   := $(sort $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))
BENCH_SRC    := $(sort $(wildcard tests/bench/*.c))
TOOL_SRC     := $(sort $(wildcard tests/tools/*.c))
# Of these, what runs commands thousands of times: built bare, as figures are.
FAST_TOOL_SRC := tests/tools/cut_all.c tests/tools/hive_random.c tests/tools/serve.c tests/tools/sweep.c
# And of these, what runs a part of them under the sanitizers too.
CHECKED_TOOL_SRC := tests/tools/hive_random.c tests/tools/serve.c tests/tools/sweep.c

EFI     := $(BUILD)/shadowboot$(ARCH).efi
MAN     := $(BUILD)/shadowboot.man
HOST    := $(BUILD)/host/shadowboot
BARE    := $(BUILD)/host/bare/shadowboot
RESCUE  := $(BUILD)/shadowboot-linux
RESCUE_MAN := $(BUILD)/shadowboot-linux.8
SCHEMA  := $(BUILD)/report.schema.json
STANDIN := $(BUILD)/$(ARCH)/standin.efi
# For x64 alone.
RAWIO   := $(if $(filter x64,$(ARCH)),$(BUILD)/rawio.efi)
WATCH   := $(if $(filter x64,$(ARCH)),$(BUILD)/watch.efi)
COUNT   := $(BUILD)/host/count.so
BENCH   := $(BUILD)/host/bench
TOOLS   := $(TOOL_SRC:tests/tools/%.c=$(BUILD)/host/tools/%)
FAST_TOOLS := $(FAST_TOOL_SRC:tests/tools/%.c=$(BUILD)/host/tools/%)
CHECKED_TOOLS := $(CHECKED_TOOL_SRC:tests/tools/%.c=$(BUILD)/host/checked/%)
DEPS    := $(BUILD)/deps.stamp

# Whose names are goals.
OTHER_FIRMWARES := ovmf-ia32 aavmf u-boot

# --- Goals ---------------------------------------------------------------------------------------
.PHONY: all all-arch firmware linux install deps check unit mutants lint lint-program lint-tree fuzz-replay harness $(OTHER_FIRMWARES) sweep fuzz bench demo clean help FORCE

all: firmware $(MAN) $(HOST) $(SCHEMA)

firmware: $(EFI) $(STANDIN)

# One after the other, each kept to the same rules and to a size of its own.
all-arch: all
	@for arch in $(ARCHS); do $(MAKE) ARCH=$$arch firmware lint-program; done

# One after the other, because each says in its last line what it did; each is parallel in itself.
CHECKS := unit lint fuzz-replay harness $(OTHER_FIRMWARES)
check: all
	@rm -f $(CHECKS:%=$(BUILD)/%.summary)
	@status=0; for part in $(CHECKS); do $(MAKE) $$part || { status=1; break; }; done; \
		echo; if [ $$status = 0 ]; then echo "make check: all passed"; else echo "make check: failed"; fi; \
		tests/summary.sh all $(BUILD) $(CHECKS); exit $$status

help:
	@echo "make              $(EFI), $(MAN), $(HOST)"
	@echo "                  and $(SCHEMA), of what status -json writes"
	@echo "make ARCH=aa64    the same for arm64, ARCH=ia32 for 32-bit firmware; all-arch: all of them, with sizes"
	@echo "make check        all of the below up to harness"
	@echo "make unit         unit tests"
	@echo "make lint         rules of the tree and of the firmware program (lint-tree: no build)"
	@echo "make fuzz-replay  the fuzz targets over their stored corpora"
	@echo "make harness      virtual machines under OVMF"
	@echo "make aavmf        one of them under AAVMF; u-boot, ovmf-ia32"
	@echo "make sweep        repairs of 10,000 drawn machines and of all pairs of damages"
	@echo "make fuzz         libFuzzer, FUZZ_SECONDS=$(FUZZ_SECONDS) for each target"
	@echo "make mutants      small faults, one at a time: which ones no unit test notices (LAYER=apply,"
	@echo "                  FAULT=words for some; NEAR=yes: fewer tests; CHECK=yes: lists only)"
	@echo "make bench        what commands cost, and how fast they copy"
	@echo "make demo         a machine that loses a disk and is made to start again (ARCH=aa64: an arm64 one;"
	@echo "                  FIRMWARE=u-boot: the same under U-Boot)"
	@echo "make linux        $(RESCUE), for rescue systems, and its manual page; install puts both"
	@echo "                  into PREFIX ($(PREFIX)) below DESTDIR"
	@echo "make usb          $(BUILD)/shadowboot-usb.img, for a USB stick; usb-test starts it under OVMF"
	@echo "make sign         a signed program, and usb a stick with it: KEY=FILE CERT=FILE"
	@echo "make deps         installs the Debian packages all this needs"
	@echo "make OPT=-O0      behind all other flags of compilers; with a BUILD=folder of its own"
	@echo "make clean        removes $(BUILD)/"

# --- Packages ------------------------------------------------------------------------------------
# Asked again only after packages were installed or removed. Everything that runs a compiler waits
# for it; nothing is built anew because of it (it is always behind the |).
deps: $(DEPS)
$(DEPS): Make.defaults .ci/deps $(wildcard /var/lib/dpkg/status)
	@mkdir -p $(@D)
	@[ -n "$(ASSUME_DEPS)" ] || .ci/deps $(DEB_PACKAGES)
	@touch $@

# What else compilers of UEFI programs wait for.
GNUEFI := $(DEPS) $(if $(filter aa64,$(ARCH)),$(BUILD)/aa64/gnu-efi.stamp)
$(BUILD)/aa64/gnu-efi.stamp: .ci/gnu_efi | $(DEPS)
	@.ci/gnu_efi $(BUILD)/aa64/gnu-efi $(GNUEFI_AA64) $(GNUEFI_AA64_SHA256)
	@touch $@

# --- Objects, one folder per build ---------------------------------------------------------------
FIRMWARE_DIR := $(BUILD)/$(ARCH)
HOST_DIR     := $(BUILD)/host/obj
FUZZ_DIR     := $(BUILD)/fuzz/obj
BENCH_DIR    := $(BUILD)/bench
MUTANT_DIR   := $(BUILD)/mutants

# $(call objects,FOLDER,SOURCES)
objects = $(patsubst %.c,$(1)/%.o,$(2))

FIRMWARE_CORE_OBJ := $(call objects,$(FIRMWARE_DIR),$(CORE_SRC))
FIRMWARE_OBJ      := $(call objects,$(FIRMWARE_DIR),$(FIRMWARE_SRC))
HOST_CORE_OBJ     := $(call objects,$(HOST_DIR),$(CORE_SRC))
HOST_OBJ          := $(call objects,$(HOST_DIR),$(HOST_SRC) $(FIXTURE_SRC))
FUZZ_CORE_OBJ     := $(call objects,$(FUZZ_DIR),$(CORE_SRC))
FUZZ_OBJ          := $(call objects,$(FUZZ_DIR),$(HOST_SRC) $(FIXTURE_SRC))
MUTANT_CORE_OBJ   := $(call objects,$(MUTANT_DIR),$(CORE_SRC))
MUTANT_OBJ        := $(call objects,$(MUTANT_DIR),$(HOST_SRC) $(FIXTURE_SRC))
BENCH_CORE_OBJ    := $(call objects,$(BENCH_DIR),$(CORE_SRC))
BENCH_HOST_OBJ    := $(call objects,$(BENCH_DIR),$(HOST_SRC) $(FIXTURE_SRC))
BENCH_OBJ         := $(BENCH_HOST_OBJ) $(call objects,$(BENCH_DIR),$(BENCH_SRC))

# What every object waits for: new flags make new objects.
FLAGS := Makefile Make.defaults

# The core of the firmware sees the compiler's own headers, neither UEFI's nor a C library's.
COMPILER_HEADERS = -nostdinc -isystem $$($(FIRMWARE_CC) -print-file-name=include)

$(FIRMWARE_CORE_OBJ): $(FIRMWARE_DIR)/%.o: %.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC)$(FIRMWARE_CC) $(CORE_DIALECT) $(COMPILER_HEADERS) $(GCC_WARNINGS) $(CORE_WARNINGS) $(CFLAGS_ALWAYS) $(FIRMWARE_CFLAGS) -c -o $@ $<

# What goes through every byte that is read or written is worth some bytes more. In plain registers: an
# emulator keeps the wide ones in memory.
$(FIRMWARE_FAST_SRC:%.c=$(FIRMWARE_DIR)/%.o): FIRMWARE_SMALLER :=
$(FIRMWARE_FAST_SRC:%.c=$(FIRMWARE_DIR)/%.o): FIRMWARE_CFLAGS += -O2 -fno-tree-vectorize

$(FIRMWARE_OBJ): $(FIRMWARE_DIR)/%.o: %.c $(FLAGS) | $(GNUEFI)
	@mkdir -p $(@D)
	$(call say,CC)$(FIRMWARE_CC) $(CORE_DIALECT) $(FIRMWARE_INCLUDES) $(GCC_WARNINGS) $(CFLAGS_ALWAYS) $(FIRMWARE_CFLAGS) -c -o $@ $<

# What talks to Linux is hosted, whichever build it is in.
$(foreach folder,$(HOST_DIR) $(FUZZ_DIR) $(BENCH_DIR) $(MUTANT_DIR),$(call objects,$(folder),$(LINUX_SRC) $(LINUX_MAIN))): \
	CORE_DIALECT = $(LINUX_DIALECT)

$(HOST_DIR)/efi/%.o: efi/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CORE_DIALECT) $(GCC_WARNINGS) $(CFLAGS_ALWAYS) $(HOST_CFLAGS) -c -o $@ $<

$(HOST_DIR)/tests/%.o: tests/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(TEST_DIALECT) $(GCC_WARNINGS) $(CFLAGS_ALWAYS) $(HOST_CFLAGS) -c -o $@ $<

# clang here only looks for crashes: the warnings that count are gcc's above.
$(FUZZ_DIR)/efi/%.o: efi/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CLANG)$(FUZZ_CC) $(CORE_DIALECT) $(CFLAGS_ALWAYS) $(FUZZ_CFLAGS) -c -o $@ $<

$(FUZZ_DIR)/tests/%.o: tests/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CLANG)$(FUZZ_CC) $(TEST_DIALECT) $(CFLAGS_ALWAYS) $(FUZZ_CFLAGS) -c -o $@ $<

$(BENCH_DIR)/efi/%.o: efi/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CORE_DIALECT) $(GCC_WARNINGS) $(CFLAGS_ALWAYS) $(BENCH_CFLAGS) -c -o $@ $<

$(BENCH_DIR)/tests/%.o: tests/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(TEST_DIALECT) $(GCC_WARNINGS) $(CFLAGS_ALWAYS) $(BENCH_CFLAGS) -c -o $@ $<

$(MUTANT_DIR)/efi/%.o: efi/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CORE_DIALECT) $(CFLAGS_ALWAYS) $(MUTANT_CFLAGS) -c -o $@ $<

$(MUTANT_DIR)/tests/%.o: tests/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(TEST_DIALECT) $(CFLAGS_ALWAYS) $(MUTANT_CFLAGS) -c -o $@ $<

# Written anew only when a source file has come or gone: whatever is made of many objects is then
# linked again.
SOURCES_LIST := $(BUILD)/sources.list
ALL_SRC := $(CORE_SRC) $(sort $(wildcard efi/firmware/*.c efi/firmware/*/*.c)) efi/main.c $(HOST_SRC) $(FIXTURE_SRC) $(BENCH_SRC)
$(SOURCES_LIST): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(ALL_SRC) | cmp -s - $@ || printf '%s\n' $(ALL_SRC) >$@

# --- The firmware program ------------------------------------------------------------------------
# The firmware's loader relocates the image and calls efi_main: of gnu-efi there are the headers only.
EFI_SO   := $(FIRMWARE_DIR)/shadowboot.so
LDS      := efi/shadowboot.lds efi/text_order.lds
SECTIONS := .text .rodata .data .sbat .reloc

# What Secure Boot's revocation list knows the program by, with this build's version in it.
SBAT_OBJ := $(if $(wildcard efi/sbat.csv),$(FIRMWARE_DIR)/sbat.o)

$(FIRMWARE_DIR)/sbat.csv: efi/sbat.csv $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	@sed 's/@VERSION@/$(SHADOWBOOT_VERSION)/' $< >$@

$(FIRMWARE_DIR)/sbat.o: $(FIRMWARE_DIR)/sbat.csv
	$(call say,SBAT)printf '.section .sbat,"a",%%progbits\n.balign 4096\n.incbin "$<"\n.section .note.GNU-stack,"",%%progbits\n' | \
		$(FIRMWARE_CC) -x assembler -c -o $@ -

$(EFI_SO): $(FIRMWARE_OBJ) $(FIRMWARE_CORE_OBJ) $(SBAT_OBJ) $(SOURCES_LIST)
$(EFI): $(EFI_SO)

include ovmf-harness/programs.mk
EFI_PROGRAMS := $(EFI) $(STANDIN) $(RAWIO) $(WATCH)
EFI_OBJECTS  := $(EFI_SO) $(patsubst %.efi,$(FIRMWARE_DIR)/%.so,$(notdir $(STANDIN) $(RAWIO) $(WATCH)))

$(EFI_OBJECTS): $(LDS)
	$(call say,LINK)$(FIRMWARE_LD) -nostdlib -z noexecstack -shared -Bsymbolic --gc-sections \
		--no-undefined --build-id=none --fatal-warnings -T $(firstword $(LDS)) -o $@ $(filter %.o,$^)

# Without symbols, a tenth of its size; those are in the .so beside the objects.
$(EFI_PROGRAMS): efi/reloc.py
	$(call say,PE)$(PYTHON) efi/reloc.py $(filter %.so,$^) $(filter %.so,$^).reloc
	@$(FIRMWARE_OBJCOPY) -S $(SECTIONS:%=-j %) --update-section .reloc=$(filter %.so,$^).reloc \
		--target efi-app-$(GNUEFI_ARCH) --subsystem=10 $(filter %.so,$^) $@

# --- The host program ----------------------------------------------------------------------------
# Archives: a program takes from them what it uses, so a test links in a fraction of the time.
HOST_CORE_LIB  := $(BUILD)/host/libcore.a
HOST_TESTS_LIB := $(BUILD)/host/libhost.a
FUZZ_LIB       := $(BUILD)/fuzz/libcore.a

$(HOST_CORE_LIB): $(HOST_CORE_OBJ)
$(HOST_TESTS_LIB): $(HOST_OBJ)
$(FUZZ_LIB): $(FUZZ_CORE_OBJ) $(FUZZ_OBJ)
$(HOST_CORE_LIB) $(HOST_TESTS_LIB) $(FUZZ_LIB): $(SOURCES_LIST)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)$(AR) rcsD $@ $(filter %.o,$^)

HOST_LIBS := $(HOST_TESTS_LIB) $(HOST_CORE_LIB)

# And both in one for the many programs of the tests: to link each of them took longer than most run.
HOST_SHARED_LIB := $(BUILD)/host/libtests.so
HOST_SHARED     := -Wl,-rpath,'$$ORIGIN/../host'

$(HOST_SHARED_LIB): $(HOST_OBJ) $(HOST_CORE_OBJ) $(SOURCES_LIST)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(HOST_CFLAGS) -shared -o $@ $(filter %.o,$^)

$(HOST): $(call objects,$(HOST_DIR),$(HOST_MAIN)) $(HOST_LIBS)
	$(call say,LINK)$(CC) $(HOST_CFLAGS) -o $@ $^

# The same without sanitizers, which take longer to start than most commands to run.
$(BARE): $(call objects,$(BENCH_DIR),$(HOST_MAIN)) $(BENCH_CORE_OBJ) $(BENCH_HOST_OBJ) $(SOURCES_LIST)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(BENCH_CFLAGS) -o $@ $(filter %.o,$^) -lcmocka

# --- The program for Linux -----------------------------------------------------------------------
# For rescue systems: it needs no library that may be another one there, or none at all.
$(RESCUE): $(call objects,$(BENCH_DIR),$(LINUX_MAIN) $(LINUX_SRC)) $(BENCH_CORE_OBJ) $(SOURCES_LIST)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(BENCH_CFLAGS) -static -s -o $@ $(filter %.o,$^)

# From what the program says of itself.
$(RESCUE_MAN): $(RESCUE) efi/linux/manual.py
	$(call say,MAN)$(PYTHON) efi/linux/manual.py $(RESCUE) $(SHADOWBOOT_VERSION) >$@

linux: $(RESCUE) $(RESCUE_MAN)

install: linux
	install -D -m 755 $(RESCUE) $(DESTDIR)$(PREFIX)/sbin/shadowboot-linux
	install -D -m 644 $(RESCUE_MAN) $(DESTDIR)$(PREFIX)/share/man/man8/shadowboot-linux.8

# Small programs that show the harness what single readers of formats make of an image.
$(filter-out $(FAST_TOOLS),$(TOOLS)): $(BUILD)/host/tools/%: $(HOST_DIR)/tests/tools/%.o $(HOST_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(HOST_CFLAGS) -o $@ $^

$(FAST_TOOLS): $(BUILD)/host/tools/%: $(BENCH_DIR)/tests/tools/%.o $(BENCH_CORE_OBJ) $(BENCH_HOST_OBJ) $(SOURCES_LIST)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(BENCH_CFLAGS) -o $@ $(filter %.o,$^) -lcmocka

$(CHECKED_TOOLS): $(BUILD)/host/checked/%: $(HOST_DIR)/tests/tools/%.o $(HOST_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

# The Shell's `help shadowboot` reads this; it is the program's own help, so the two cannot differ.
$(MAN): $(HOST)
	$(call say,MAN)$(HOST) help -man >$@

# What the report of status -json may be, for those who read it, from the rows that it is printed by.
$(SCHEMA): $(BUILD)/host/tools/report_schema
	$(call say,SCHEMA)$< >$@

# --- The stick -----------------------------------------------------------------------------------
include efi/stick/stick.mk

# --- Unit tests ----------------------------------------------------------------------------------
UNIT_PROGRAMS := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
# Those that try everything do so bare; of these the others try a sample (unit/sample.h).
BARE_UNIT_PROGRAMS := $(BARE_UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/bare/%)

# What tests efi/firmware sees UEFI's headers as that does.
UEFI_UNIT_OBJ := $(foreach folder,$(HOST_DIR) $(MUTANT_DIR),$(call objects,$(folder),$(wildcard tests/unit/test_uefi_*.c)))
$(UEFI_UNIT_OBJ): TEST_DIALECT += -isystem $(GNUEFI_INCLUDE_x64) -isystem $(GNUEFI_INCLUDE_x64)/$(GNUEFI_ARCH_x64) -fshort-wchar -DGNU_EFI_USE_MS_ABI

# Most of a test is said once and run once: compiling it well takes longer than it saves.
$(call objects,$(HOST_DIR),$(UNIT_SRC)): HOST_LEVEL := -O0

$(UNIT_PROGRAMS): $(BUILD)/unit/%: $(HOST_DIR)/tests/unit/%.o $(HOST_SHARED_LIB)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(HOST_CFLAGS) $(HOST_SHARED) -o $@ $^ -lcmocka

$(BARE_UNIT_PROGRAMS): $(BUILD)/unit/bare/%: $(BENCH_DIR)/tests/unit/%.o $(BENCH_CORE_OBJ) $(BENCH_HOST_OBJ) $(SOURCES_LIST)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(BENCH_CFLAGS) -o $@ $(filter %.o,$^) -lcmocka

# The reports that they make go there.
UNIT_REPORTS := $(BUILD)/unit/reports

unit: $(UNIT_PROGRAMS) $(BARE_UNIT_PROGRAMS) $(SCHEMA)
	@rm -rf $(UNIT_REPORTS) && mkdir -p $(UNIT_REPORTS)
	@SHADOWBOOT_REPORTS=$(abspath $(UNIT_REPORTS)) tests/run_programs.sh $(JOBS) $(BUILD)/unit.summary $(UNIT_PROGRAMS) $(BARE_UNIT_PROGRAMS)
	@SHADOWBOOT_SCHEMA=$(SCHEMA) $(PYTHON) ovmf-harness/reports.py $(UNIT_REPORTS) | tee -a $(BUILD)/unit.summary

# --- Small faults --------------------------------------------------------------------------------
# The unit programs once more, with the core in a library that is linked anew for each fault.
MUTANT_LIB      := $(MUTANT_DIR)/libcore.so
MUTANT_HOST_LIB := $(MUTANT_DIR)/libhost.a
# By its name alone, so that a program finds the one with a fault in it.
MUTANT_LINK     := $(CC) $(MUTANT_CFLAGS) -shared -Wl,-soname,libcore.so
MUTANT_PROGRAMS := $(UNIT_SRC:tests/unit/%.c=$(MUTANT_DIR)/unit/%)

$(MUTANT_LIB): $(MUTANT_CORE_OBJ) $(SOURCES_LIST)
	$(call say,LINK)$(MUTANT_LINK) -o $@ $(filter %.o,$^)

$(MUTANT_HOST_LIB): $(MUTANT_OBJ) $(SOURCES_LIST)
	@rm -f $@
	$(call say,AR)$(AR) rcsD $@ $(filter %.o,$^)

$(MUTANT_PROGRAMS): $(MUTANT_DIR)/unit/%: $(MUTANT_DIR)/tests/unit/%.o $(MUTANT_HOST_LIB) $(MUTANT_LIB)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(MUTANT_CFLAGS) -o $@ $^ -lcmocka

# By the environment, which keeps quotes.
mutants: export MUTANT_COMPILE = $(CC) $(CORE_DIALECT) $(DEFINES) $(MUTANT_CFLAGS)
mutants: export MUTANT_LINK := $(MUTANT_LINK)
mutants: export MUTANT_OBJECTS = $(MUTANT_CORE_OBJ)
mutants: export MUTANT_UNIT = $(MUTANT_PROGRAMS)
mutants: $(if $(CHECK),,$(MUTANT_PROGRAMS))
	@$(PYTHON) tests/mutants/mutants.py $(if $(CHECK),--check) $(if $(NEAR),--near) --jobs $(JOBS) --fault '$(FAULT)' $(LAYER)

# --- Fuzzing -------------------------------------------------------------------------------------
# Replay: each target over its stored inputs, with the compiler and sanitizers of the unit tests.
REPLAY_PROGRAMS := $(FUZZ_NAMES:%=$(BUILD)/replay/%)

$(REPLAY_PROGRAMS): $(BUILD)/replay/%: $(HOST_DIR)/tests/fuzz/fuzz_%.o $(HOST_DIR)/tests/fuzz/replay.o $(HOST_SHARED_LIB)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(HOST_CFLAGS) $(HOST_SHARED) -o $@ $^ -lcmocka

fuzz-replay: $(REPLAY_PROGRAMS)
	@tests/fuzz/replay.sh $(BUILD)/fuzz-replay.summary $(REPLAY_PROGRAMS)

FUZZ_PROGRAMS := $(FUZZ_NAMES:%=$(BUILD)/fuzz/fuzz_%)

$(FUZZ_PROGRAMS): $(BUILD)/fuzz/fuzz_%: $(FUZZ_DIR)/tests/fuzz/fuzz_%.o $(FUZZ_LIB)
	@mkdir -p $(@D)
	$(call say,LINK)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ -lcmocka

fuzz: $(FUZZ_PROGRAMS)
	@tests/fuzz/run.sh $(JOBS) $(FUZZ_SECONDS) $(BUILD)/fuzz $(FUZZ_NAMES)

# --- Rules of the tree ---------------------------------------------------------------------------
LINT = VERSION=$(SHADOWBOOT_VERSION) ARCH=$(ARCH) SIZE_LIMIT=$(FIRMWARE_SIZE_LIMIT) LD=$(LD) NM=$(NM) \
	FIRMWARE_LD="$(FIRMWARE_LD)" FIRMWARE_NM=$(FIRMWARE_NM) CC="$(CC)" \
	PYTHON=$(PYTHON) CTAGS=$(CTAGS) CLANG_FORMAT=$(CLANG_FORMAT) tests/lint/run.sh

lint: $(EFI) $(FIRMWARE_CORE_OBJ)
	@EFI=$(EFI) CORE_OBJECTS="$(FIRMWARE_CORE_OBJ)" $(LINT) $(BUILD)/lint.summary

# What the build alone is held to: for architectures besides the one that is worked with.
lint-program: $(EFI) $(FIRMWARE_CORE_OBJ)
	@EFI=$(EFI) CORE_OBJECTS="$(FIRMWARE_CORE_OBJ)" $(LINT) $(FIRMWARE_DIR)/lint.summary program

# Without a build: what can be said from the source alone.
lint-tree: | $(DEPS)
	@$(LINT) $(BUILD)/lint-tree.summary

# --- Virtual machines ----------------------------------------------------------------------------
include ovmf-harness/linux.mk
include ovmf-harness/tftpd.mk
$(LINUX) $(TFTPD): | $(DEPS)

# The programs of the harness run thousands of times, each for an instant: without the search for leaks at the end, and
# without huge pages, of which a few bytes are used. The core allocates nothing; what its ports and the tests' own code
# lose is found by the unit tests and fuzz-replay.
HARNESS_ASAN := detect_leaks=0:no_huge_pages_for_shadow=1
# Absolute, because the harness runs its machines in folders of their own.
HARNESS_ENV = ASAN_OPTIONS=$(ASAN_OPTIONS):$(HARNESS_ASAN) \
	SHADOWBOOT_EFI=$(abspath $(EFI)) SHADOWBOOT_MAN=$(abspath $(MAN)) \
	SHADOWBOOT_HOST=$(abspath $(HOST)) SHADOWBOOT_BARE=$(abspath $(BARE)) SHADOWBOOT_STANDIN=$(abspath $(STANDIN)) \
	SHADOWBOOT_LINUX=$(abspath $(RESCUE)) \
	SHADOWBOOT_STICK=$(abspath $(STICK)) SHADOWBOOT_RAWIO=$(abspath $(RAWIO)) SHADOWBOOT_WATCH=$(abspath $(WATCH)) \
	SHADOWBOOT_COUNT=$(abspath $(COUNT)) \
	SHADOWBOOT_BUILD=$(abspath $(BUILD)) SHADOWBOOT_VERSION=$(SHADOWBOOT_VERSION) \
	SHADOWBOOT_TOOLS=$(abspath $(BUILD))/host/tools SHADOWBOOT_CHECKED=$(abspath $(BUILD))/host/checked \
	SHADOWBOOT_TFTPD=$(abspath $(TFTPD)) SHADOWBOOT_SCHEMA=$(abspath $(SCHEMA))

harness: all linux $(STICK) $(BARE) $(TOOLS) $(CHECKED_TOOLS) $(BENCH) $(RAWIO) $(WATCH) $(COUNT) $(LINUX) $(TFTPD)
	@status=0; $(HARNESS_ENV) $(PYTHON) -m pytest -q -rs -n $(JOBS) -p no:cacheprovider \
		--basetemp=$(abspath $(BUILD))/harness $(PYTEST_FLAGS) ovmf-harness | tee $(BUILD)/harness.log || status=1; \
		tests/summary.sh pytest $(BUILD)/harness.log $(BUILD)/harness.summary; \
		printf 'harness: '; cat $(BUILD)/harness.summary; exit $$status

# One machine of it under a firmware that is not the one all other tests run under.
$(OTHER_FIRMWARES): all-arch $(BARE) $(COUNT)
	@status=0; SHADOWBOOT_FIRMWARE=$@ SHADOWBOOT_BUILD=$(abspath $(BUILD)) SHADOWBOOT_BARE=$(abspath $(BARE)) \
		SHADOWBOOT_COUNT=$(abspath $(COUNT)) $(PYTHON) -m pytest -q -rs -p no:cacheprovider --basetemp=$(abspath $(BUILD))/$@ $(PYTEST_FLAGS) \
		ovmf-harness/test_firmwares.py ovmf-harness/test_firmware_table.py \
		$(if $(filter u-boot,$@),ovmf-harness/under_uboot.py) | tee $(BUILD)/$@.log || status=1; \
		tests/summary.sh pytest $(BUILD)/$@.log $(BUILD)/$@.summary; \
		printf '$@: '; cat $(BUILD)/$@.summary; exit $$status

# What the harness does with a sample of them.
sweep: all $(BARE) $(TOOLS) $(CHECKED_TOOLS)
	@SWEEP=all $(HARNESS_ENV) $(PYTHON) -m pytest -q -n $(JOBS) -p no:cacheprovider \
		--basetemp=$(abspath $(BUILD))/sweep $(PYTEST_FLAGS) ovmf-harness/test_sweep.py \
		ovmf-harness/test_repair_catalogue.py ovmf-harness/test_repair_outcome.py

# ARCH=aa64 shows it under AAVMF, ARCH=ia32 under OVMF for 32-bit PCs; or FIRMWARE is one of ovmf-harness/firmware.py.
DEMO_FIRMWARE = $(or $(FIRMWARE),$(patsubst x64,ovmf,$(patsubst ia32,ovmf-ia32,$(patsubst aa64,aavmf,$(ARCH)))))
demo: all
	@SHADOWBOOT_FIRMWARE=$(DEMO_FIRMWARE) $(HARNESS_ENV) $(PYTHON) ovmf-harness/demo.py

# --- Figures -------------------------------------------------------------------------------------
$(BENCH): $(BENCH_CORE_OBJ) $(BENCH_OBJ) $(SOURCES_LIST)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(BENCH_CFLAGS) -o $@ $(filter %.o,$^) -lcmocka

# Counted on the host, then measured in a virtual machine.
bench: all $(BENCH) $(RAWIO) $(WATCH) $(COUNT)
	@$(BENCH)
	@echo
	@$(HARNESS_ENV) $(PYTHON) ovmf-harness/bench.py

clean:
	rm -rf $(BUILD)

# --- Headers -------------------------------------------------------------------------------------
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
