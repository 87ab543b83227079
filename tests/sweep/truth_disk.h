/*
 * A second opinion on what is on a disk, for tests: shares nothing with the program but how bytes
 * are loaded. Tables are read by the rules of edk2's partition driver.
 */
#ifndef SHADOWBOOT_SWEEP_TRUTH_DISK_H
#define SHADOWBOOT_SWEEP_TRUTH_DISK_H

#include "port/block.h"

#define TRUTH_PARTS_MAX 256

struct truth_part {
    uint32_t number; /* slot + 1 */
    uint64_t first;  /* LBA */
    uint64_t count;  /* blocks */
    uint8_t type[16];
    uint8_t guid[16]; /* as stored; of an MBR partition the disk's signature and zeros */
    bool is_mbr;
};

struct truth_parts {
    struct truth_part items[TRUTH_PARTS_MAX];
    size_t count;
};

/* Bytes of a disk; false where one of the blocks cannot be read. */
bool truth_disk_read(const struct block_port *disk, uint64_t offset, void *ret_data, size_t size);

/* True when the disk has a protective MBR, or a header of a GPT, sound or not, in one of its
 * places. */
bool truth_disk_is_gpt(const struct block_port *disk);

/* The partitions of the GPT, whether a protective MBR stands before it or not. */
void truth_disk_table(const struct block_port *disk, struct truth_parts *ret_parts);

/* Those that firmware makes devices of: of the GPT behind a protective MBR, else of a plain MBR. */
void truth_disk_devices(const struct block_port *disk, struct truth_parts *ret_parts);

#endif
