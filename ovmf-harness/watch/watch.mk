# The program that counts what another asks of the firmware, built like the stand-in, whose .mk file
# is included before this one.
WATCH_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
WATCH     := $(BUILD)/watch.efi

$(BUILD)/watch.o: $(WATCH_DIR)/watch.c
	@mkdir -p $(@D)
	$(STANDIN_CC) $(STANDIN_CFLAGS) -c -o $@ $<

$(BUILD)/watch.so: $(BUILD)/watch.o
	ld -nostdlib -shared -Bsymbolic -znocombreloc --no-undefined \
		-T $(STANDIN_LIB)/elf_x86_64_efi.lds -o $@ \
		$(STANDIN_LIB)/crt0-efi-x86_64.o $< $(STANDIN_LIB)/libgnuefi.a

$(WATCH): $(BUILD)/watch.so
	objcopy $(STANDIN_SECTIONS) --output-target efi-app-x86_64 --subsystem=10 $< $@
