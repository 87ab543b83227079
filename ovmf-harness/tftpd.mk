# Debian's TFTP server, which takes files from machines that the tests start from a network.
# Included by the main Makefile. Fetched once per build folder.
TFTPD_MK_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
TFTPD        := $(BUILD)/tftpd/usr/sbin/in.tftpd

$(TFTPD): $(TFTPD_MK_DIR)/fetch_tftpd.sh
	@mkdir -p $(BUILD)
	@printf '  %-8s %s\n' FETCH $@
	@$< $(BUILD)/tftpd
	@touch $@
