/* The partition that device paths and optional data are retargeted to. */
#ifndef SHADOWBOOT_FUZZ_FUZZ_TARGET_H
#define SHADOWBOOT_FUZZ_FUZZ_TARGET_H

#include "format/devpath.h"

static const struct hd_node target = {.number = 1,
                                      .start = 0x22,
                                      .size = 0x66000,
                                      .signature = {0xc5, 0x88, 0x66, 0x47, 0xbf, 0x8e, 0xd2, 0x47,
                                                    0x80, 0xe7, 0xcf, 0x9d, 0x06, 0x5e, 0xdb, 0x81},
                                      .format = HD_FORMAT_GPT,
                                      .signature_type = HD_SIGNATURE_GUID};

#endif
