/* Looks inside an EFI System Partition. */
#ifndef SHADOWBOOT_MODEL_SCAN_ESP_H
#define SHADOWBOOT_MODEL_SCAN_ESP_H

#include "base/arena.h"
#include "base/status.h"
#include "model/content.h"
#include "model/contents.h"
#include "model/machine.h"
#include "model/scan.h"
#include "port/block.h"

#define ESP_PIECE_BYTES  (1u << 20)   /* the largest single read of a file that is kept */
#define ESP_BUFFER_BYTES (512u << 10) /* the same of another, where all are read */
#define ESP_WINDOW_BYTES (512u << 10) /* files that lie together are read so much at once */
#define ESP_STORE_BYTES  (1u << 16)   /* the same where only boot stores are */
#define ESP_LIST_BYTES   (40u << 10)  /* what it takes to find the boot files */
#define BOOT_STORE_MAX   (4u << 20)   /* bytes of the largest boot store that is looked into */

struct esp_scan {
    struct arena *arena;
    const struct block_port *port;
    const char *architecture; /* programs are to be for */
    bool looks_up;            /* programs, in lists of digests (model/secure_boot.h) */
    uint64_t read_limit; /* bytes, for directories, FATs and the boot store; UINT64_MAX: none */
    const struct esp *before; /* what it was when it was looked into before; NULL: not known */
    const struct scan_before *since; /* what has become of it since; NULL: not known */
    size_t disk;                     /* of the ports: what `since` knows the disk by */
    struct contents *kept;           /* where contents are kept; NULL: nowhere */
    bool contents;                   /* read all files, not the boot store alone */
    uint8_t *buffer;                 /* of `buffer_size` bytes: what files are read through */
    size_t buffer_size;
    uint8_t *window; /* `contents`: ESP_WINDOW_BYTES */
};

/*
 * Reads the ESP on blocks [first_lba, first_lba + block_count) into `*ret_esp`, all but its
 * partition. With `before` the contents of files whose entries are the same are not read again, nor
 * with `since` what is known to have been written, but for the store and lists of entries. Statuses: ST_OK, whatever is there; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_esp(const struct esp_scan *scan, uint64_t first_lba,
                                uint64_t block_count, struct esp *ret_esp);

#endif
