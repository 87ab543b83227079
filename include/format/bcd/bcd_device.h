/*
 * Device elements of a boot store (BCD): where a file or a volume is that Windows' boot manager is
 * told of. An element of the format "device" holds the GUID of an object with options, then one
 * descriptor, which may hold others:
 *
 *   element     0  16  GUID of an object with options for the device, or zero
 *              16      descriptor, up to the end
 *   descriptor  0   4  type: 0 a device of this machine, 5 boot, 6 partition, 8 locate; others exist
 *               4   4  flags
 *               8   4  size, these 16 bytes included
 *              12   4  zero
 *   type 6     16  16  GPT: GUID of the partition; MBR: its first byte on the disk, 64 bits
 *              32      device of the machine that it is on
 *   type 0     16      device of the machine
 *   type 8     16   4  0: the path is in another element, 1: it follows
 *              20   4  that element: 12000002 path, 22000002 systemroot
 *              24   4  where a descriptor begins of what to search; 0: everything
 *              28      path
 *   device      0   4  kind: 0 hard disk, 3 RAM disk, 5 file, 6 virtual disk; others exist
 *   kind 0      4   4  scheme: 0 GPT, 1 MBR
 *               8  16  GPT: GUID of the disk; MBR: signature, 32 bits
 *   kind 3     24      file path
 *   kind 5      4      file path
 *   kind 6     24      descriptor of the file that the disk is in; of a partition on it 40 bytes
 *                      before the end of what a hard disk has
 *   file path   0   4  version, 1
 *               4   4  size, all of it
 *               8   4  type, 5
 *              12      descriptor of the volume, then the path: UCS-2 with a closing NUL
 *
 * The layout is not documented by Microsoft; it is what public stores hold, which were read byte by
 * byte. Nothing is aligned to more than 2 bytes.
 */
#ifndef SHADOWBOOT_FORMAT_BCD_DEVICE_H
#define SHADOWBOOT_FORMAT_BCD_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"

enum bcd_device_kind {
    BCD_DEVICE_PARTITION,
    BCD_DEVICE_BOOT,    /* the volume that the boot manager itself was started from */
    BCD_DEVICE_LOCATE,  /* the volume on which a file is found */
    BCD_DEVICE_RAMDISK, /* made from a file */
    BCD_DEVICE_FILE,
    BCD_DEVICE_VIRTUAL_DISK, /* in a file, or a partition of it */
    BCD_DEVICE_DISK,         /* a whole one */
    BCD_DEVICE_OTHER,        /* of a type that this program does not know */
    BCD_DEVICE_KIND_COUNT
};

/* A partition as a descriptor names it. */
struct bcd_partition {
    bool is_gpt;
    struct guid partition; /* GPT */
    struct guid disk;      /* GPT */
    uint64_t offset;       /* MBR: bytes from the start of the disk */
    uint32_t signature;    /* MBR */
};

struct bcd_device {
    enum bcd_device_kind kind;
    uint32_t type;       /* of the descriptor */
    struct guid options; /* zero: no object with options */
    bool has_partition;  /* one is named: the device itself, or where the file of it lies */
    struct bcd_partition partition;
    struct span path; /* RAM disk, file, virtual disk, and locate with a path of its own: UCS-2,
                       * into the element; else empty */
    uint32_t element; /* locate: the element that has the path; 0: `path` is it */
};

/*
 * Takes the data of a device element apart. What it gives points into `element`. Statuses: ST_OK,
 * also for a type that is not known, which is BCD_DEVICE_OTHER; ST_DAMAGED when a size does not
 * fit or descriptors lie deeper in each other than 8.
 */
MUST_CHECK enum status bcd_device_read(struct span element, struct bcd_device *ret_device);

/* Bytes of the largest device that bcd_device_write makes. */
#define BCD_DEVICE_SIZE_MAX 88u

/*
 * Makes the data of a device element of the kinds PARTITION, BOOT and LOCATE (with an element): how
 * many bytes it has. 0 for any other kind.
 */
size_t bcd_device_write(const struct bcd_device *device, uint8_t ret_data[BCD_DEVICE_SIZE_MAX]);

/* True when both name the same partition. Windows' boot manager goes by the GUID of a GPT partition
 * alone (seen with 10.0.19041); so does this. */
bool bcd_partition_equal(const struct bcd_partition *a, const struct bcd_partition *b);

/*
 * Puts `to` in the place of each partition in the element's data that equals `from`, those of
 * nested descriptors included; `*ret_count` of them. No size changes. Statuses: ST_OK; ST_DAMAGED
 * as above, with nothing changed.
 */
MUST_CHECK enum status bcd_device_retarget(uint8_t *element, size_t size,
                                           const struct bcd_partition *from,
                                           const struct bcd_partition *to, size_t *ret_count);

#endif
