# The program that measures raw Block I/O for `make bench`, built like the stand-in, whose .mk file
# is included before this one.
RAWIO_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
RAWIO     := $(BUILD)/rawio.efi

$(BUILD)/rawio.o: $(RAWIO_DIR)/rawio.c
	@mkdir -p $(@D)
	$(STANDIN_CC) $(STANDIN_CFLAGS) -c -o $@ $<

$(BUILD)/rawio.so: $(BUILD)/rawio.o
	ld -nostdlib -shared -Bsymbolic -znocombreloc --no-undefined \
		-T $(STANDIN_LIB)/elf_x86_64_efi.lds -o $@ \
		$(STANDIN_LIB)/crt0-efi-x86_64.o $< $(STANDIN_LIB)/libgnuefi.a

$(RAWIO): $(BUILD)/rawio.so
	objcopy $(STANDIN_SECTIONS) --output-target efi-app-x86_64 --subsystem=10 $< $@
