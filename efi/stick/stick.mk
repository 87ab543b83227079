# The USB stick as an image, and Secure Boot's signature. Included by the main Makefile.
# With KEY and CERT, that of the one that Secure Boot trusts.
SIGNED := $(BUILD)/signed/$(notdir $(EFI))
STICK := $(if $(KEY),$(BUILD)/signed,$(BUILD))/shadowboot-usb.img
STICK_DIR := $(BUILD)/stick
FIRMWARE_IMAGE := /usr/share/OVMF/OVMF_CODE_4M.fd
FIRMWARE_VARIABLES := /usr/share/OVMF/OVMF_VARS_4M.fd
# OVMF's Shell may be passed on under the same terms as the rest of it.
SHELL_TERMS := /usr/share/doc/ovmf/copyright
UEFI_SHELL := $(STICK_DIR)/shellx64.efi

$(UEFI_SHELL): $(FIRMWARE_IMAGE) efi/stick/ovmf_shell.py ovmf-harness/firmware_volume.py | $(DEPS)
	@mkdir -p $(@D)
	$(call say,SHELL)$(PYTHON) efi/stick/ovmf_shell.py $< $@

# Texts with the line ends of those who read them in Windows.
$(STICK_DIR)/%.txt: % | $(DEPS)
	@mkdir -p $(@D)
	@sed 's/$$/\r/' $< >$@

$(STICK_DIR)/SHELL.txt: $(SHELL_TERMS) | $(DEPS)
	@mkdir -p $(@D)
	@sed 's/$$/\r/' $< >$@

$(STICK_DIR)/shadowboot.conf: efi/stick/shadowboot.conf
	@mkdir -p $(@D)
	@sed 's/$$/\r/' $< >$@

# What is on the stick, by its name there.
PROGRAM := $(if $(KEY),$(SIGNED),$(EFI))
STICK_FILES := EFI/BOOT/BOOTX64.EFI=$(PROGRAM) shadowboot.efi=$(PROGRAM) bootcfg.efi=$(PROGRAM) bcdedit.efi=$(PROGRAM) \
	shadowboot.man=$(MAN) shellx64.efi=$(UEFI_SHELL) EFI/shadowboot/shadowboot.conf=$(STICK_DIR)/shadowboot.conf \
	README.txt=$(STICK_DIR)/README.txt LICENSE.txt=$(STICK_DIR)/LICENSE.txt SHELL.txt=$(STICK_DIR)/SHELL.txt

.PHONY: usb usb-test sign
usb: $(STICK)
$(STICK): efi/stick/make_stick.sh $(FLAGS) $(foreach pair,$(STICK_FILES),$(lastword $(subst =, ,$(pair))))
	$(call say,STICK)efi/stick/make_stick.sh $@ $(STICK_FILES)

# On this terminal, until Ctrl-A X. What is written to the stick is dropped.
usb-test: $(STICK)
	@cp $(FIRMWARE_VARIABLES) $(STICK_DIR)/variables.fd
	qemu-system-x86_64 -accel tcg -machine q35 -m 256 -nodefaults -net none -display none -serial mon:stdio -device VGA \
		-drive if=pflash,format=raw,unit=0,readonly=on,file=$(FIRMWARE_IMAGE) \
		-drive if=pflash,format=raw,unit=1,file=$(STICK_DIR)/variables.fd \
		-drive if=none,id=stick,format=raw,snapshot=on,file=$(STICK) -device qemu-xhci -device usb-storage,removable=on,drive=stick

# Judged by what did not sign it; .sbat, by which shim's revocation list knows it, has to be in what is signed.
sign: $(SIGNED)
	@echo "$(SIGNED) is signed. Enroll $(CERT) in the firmware's db, or sign with a key that is there."
$(SIGNED): $(EFI) $(KEY) $(CERT)
	@[ -n "$(KEY)" ] && [ -n "$(CERT)" ] || { echo "make sign KEY=FILE CERT=FILE (PEM; the key without a passphrase)" >&2; exit 1; }
	@mkdir -p $(@D)
	$(call say,SIGN)sbsign --key $(KEY) --cert $(CERT) --output $@ $< 2>$@.log || { cat $@.log >&2; exit 1; }
	@sbverify --cert $(CERT) $@ >/dev/null
	@$(OBJCOPY) -O binary --only-section=.sbat $@ /dev/stdout | grep -q '^shadowboot,1,'
