/*
 * Starting other programs, and the machine anew: LoadImage, StartImage and UnloadImage of the boot
 * services (UEFI Specification 7.4), ResetSystem of the runtime services (8.5.1).
 *
 *   load -> start, which comes back only when the program gave up, or -> unload
 */
#ifndef SHADOWBOOT_PORT_START_H
#define SHADOWBOOT_PORT_START_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

/* Where a program comes from. */
struct start_source {
    struct span path;  /* whole device path: that of a volume, file nodes, the closing end node. Not
                        * the short form of boot entries, which LoadImage need not know. May be
                        * empty when `bytes` is not. */
    struct span bytes; /* the program's file; empty: firmware reads it from `path` */
};

/* What firmware said. */
struct start_answer {
    enum status status;
    unsigned code; /* the number of its UEFI error (appendix D) without the top bit; 0: success */
};

enum start_reset {
    START_RESET_COLD,
    START_RESET_WARM,
    START_POWER_OFF,
};

struct start_port {
    void *ctx;
    bool by_firmware;    /* this program was itself started by a boot manager, not by a shell */
    const char *program; /* its file's path on files_port.self, from the root; "" when unknown */
    bool has_tpm; /* a TPM that firmware measures into: each load lengthens PCR 4 for good, also
                   * without a start (TCG PC Client Platform Firmware Profile 3.3.4.5) */

    /*
     * Loads a program and checks it as Secure Boot wants. `*ret_image` is what start and unload
     * take, or NULL when there is none; it is always set, and by the answer alone nobody knows which:
     * firmware may give an image together with ST_REFUSED (EFI_SECURITY_VIOLATION), which is to be
     * unloaded. Statuses: ST_OK; ST_ABSENT for no such file or volume; ST_REFUSED by Secure Boot;
     * ST_DAMAGED for what is no program; ST_UNSUPPORTED for one of another machine; ST_NO_MEMORY;
     * ST_IO.
     */
    struct start_answer (*load)(void *ctx, const struct start_source *source, void **ret_image);

    /*
     * Starts it with `options` as its load options (a copy is taken), under the watchdog of five
     * minutes that a boot manager sets (3.1.2), which is off again afterwards. No file is open
     * meanwhile. Returns when the program has, or cannot be started: then it is unloaded, and what
     * it said is the answer: ST_OK for success, else a status as near as can be, ST_IO where none is. ST_REFUSED with code 26 may also be firmware's
     * own word.
     */
    struct start_answer (*start)(void *ctx, void *image, struct span options);

    /* Lets go of a program that was loaded and not started. NULL is ignored. */
    void (*unload)(void *ctx, void *image);

    /* Does not return but for ST_UNSUPPORTED, where firmware cannot. */
    enum status (*reset)(void *ctx, enum start_reset kind);
};

#endif
