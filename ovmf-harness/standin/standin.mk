# The stand-in boot manager that the machine tests start in place of an operating system.
# Included by the main Makefile; also usable alone: make -f standin.mk BUILD=/tmp/x
STANDIN_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
STANDIN_CC      ?= gcc
STANDIN_LIB     ?= /usr/lib
STANDIN_INCLUDE ?= /usr/include/efi
BUILD           ?= build

STANDIN_CFLAGS := -std=c11 -Os -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Werror -ffreestanding -fpic -fshort-wchar -fno-stack-protector -fno-strict-aliasing \
	-mno-red-zone -maccumulate-outgoing-args -DGNU_EFI_USE_MS_ABI \
	-isystem $(STANDIN_INCLUDE) -isystem $(STANDIN_INCLUDE)/x86_64
STANDIN_SECTIONS := -j .text -j .sdata -j .data -j .rodata -j .dynamic -j .dynsym \
	-j .rel -j .rela -j '.rel.*' -j '.rela.*' -j .reloc

.PHONY: standin
standin: $(BUILD)/standin.efi

STANDIN_OBJECTS := $(patsubst $(STANDIN_DIR)/%.c,$(BUILD)/standin/%.o,$(wildcard $(STANDIN_DIR)/*.c))

$(BUILD)/standin/%.o: $(STANDIN_DIR)/%.c $(wildcard $(STANDIN_DIR)/*.h)
	@mkdir -p $(@D)
	$(STANDIN_CC) $(STANDIN_CFLAGS) -c -o $@ $<

$(BUILD)/standin.so: $(STANDIN_OBJECTS)
	ld -nostdlib -shared -Bsymbolic -znocombreloc --no-undefined \
		-T $(STANDIN_LIB)/elf_x86_64_efi.lds -o $@ \
		$(STANDIN_LIB)/crt0-efi-x86_64.o $(STANDIN_OBJECTS) $(STANDIN_LIB)/libgnuefi.a

$(BUILD)/standin.efi: $(BUILD)/standin.so
	objcopy $(STANDIN_SECTIONS) --output-target efi-app-x86_64 --subsystem=10 $< $@
