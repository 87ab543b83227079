# Programs that the machine tests start: the stand-in boot manager in place of an operating system, and,
# for x64, one that measures raw Block I/O and one that counts what another asks of the firmware. They
# are built like the firmware program. And a plugin of QEMU that counts instructions. Included by the
# main Makefile.
# $(call harness_objects,FOLDER)
harness_objects = $(call objects,$(FIRMWARE_DIR),$(sort $(wildcard ovmf-harness/$(1)/*.c)))

STANDIN_OBJ := $(call harness_objects,standin)
HARNESS_OBJ := $(STANDIN_OBJ) $(if $(RAWIO),$(call harness_objects,rawio)) $(if $(WATCH),$(call harness_objects,watch))

$(HARNESS_OBJ): $(FIRMWARE_DIR)/%.o: %.c $(FLAGS) | $(GNUEFI)
	@mkdir -p $(@D)
	$(call say,CC)$(FIRMWARE_CC) -std=c11 -ffreestanding $(FIRMWARE_INCLUDES) $(GCC_WARNINGS) $(CFLAGS_ALWAYS) $(FIRMWARE_CFLAGS) -c -o $@ $<

$(FIRMWARE_DIR)/standin.so: $(STANDIN_OBJ)
$(FIRMWARE_DIR)/rawio.so: $(call harness_objects,rawio)
$(FIRMWARE_DIR)/watch.so: $(call harness_objects,watch)

$(STANDIN): $(FIRMWARE_DIR)/standin.so
$(BUILD)/rawio.efi: $(FIRMWARE_DIR)/rawio.so
$(BUILD)/watch.efi: $(FIRMWARE_DIR)/watch.so

$(COUNT): ovmf-harness/count/count.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,PLUGIN)$(CC) -std=gnu11 $(GCC_WARNINGS) -O2 -fPIC -shared -fvisibility=hidden -o $@ $<
