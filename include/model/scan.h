/* Reads the whole machine, once. */
#ifndef SHADOWBOOT_MODEL_SCAN_H
#define SHADOWBOOT_MODEL_SCAN_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "port/ports.h"

enum scan_depth {
    SCAN_DISKS,   /* disks and partition tables: at most 64 KiB from a healthy disk with one; from
                   * one whose table is not whole up to 512 KiB more, to know whose it is; from a
                   * blank one 2.5 MiB */
    SCAN_ENTRIES, /* also the LDM databases, the boot variables, and the files they name */
    SCAN_QUICK,   /* also the file systems, and of files the boot stores: at most 1 MiB from a disk
                   * altogether, so of an LDM database the records alone */
    SCAN_LISTED,  /* the file systems of the ESPs in full, of files the boot stores alone; and
                   * whether anybody claims the free space of disks without an ESP: some 230 KiB a
                   * gap */
    SCAN_FULL,    /* also the contents of all files on the ESPs: their used bytes come on top */
};

/*
 * Makes `*ret_machine` from what the ports show. A disk, table or variable that is bad or cannot be
 * read is part of the result, not a failure. Nothing is written. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_machine(struct arena *arena, const struct ports *ports,
                                    enum scan_depth depth, struct machine *ret_machine);

/* What an earlier scan has found on the same ports, as deep as the next one is to be. */
struct scan_before {
    const struct machine *machine;
    void *ctx;
    /* False when nobody can have written to the file system of the ESP `esp` of `machine` since. */
    bool (*may_differ)(void *ctx, size_t esp);
    /* What was written since to where the file lies now, on the disk ports->disks[port], and was
     * read back; NULL where that is not known. */
    const struct file_content *(*written)(void *ctx, size_t port, struct fat_volume *volume,
                                          const struct fat_file *file);
};

/*
 * The same, but ESPs that cannot differ are not looked into again, and of others the contents of
 * those files are not read whose entries are what they were, or which lie where something was
 * written and read back since: what is known counts. FATs and folders are read again, and so are
 * boot stores and lists of entries. The result shares memory with the earlier machine.
 */
MUST_CHECK enum status scan_machine_again(struct arena *arena, const struct ports *ports,
                                          enum scan_depth depth, const struct scan_before *before,
                                          struct machine *ret_machine);

/* Gives the memory back that contents of files take: they are known by their digests from now on. */
void scan_let_contents_go(struct machine *io_machine);

#endif
