# Debian's own Linux, which the tests start inside a machine to read boot entries with efibootmgr.
# Included by the main Makefile. Fetched once per build folder.
LINUX_MK_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
LINUX        := $(BUILD)/linux/vmlinuz.efi

.PHONY: debian-linux
debian-linux: $(LINUX)

$(LINUX): $(LINUX_MK_DIR)/fetch_linux.sh
	@mkdir -p $(BUILD)
	@printf '  %-8s %s\n' FETCH $@
	@$< $(BUILD)/linux
	@touch $@
