/*
 * The FAT file systems on disks as volumes to read, for a program that has no firmware which mounts
 * them: those of ESPs and basic data partitions of a GPT, of all partitions of an MBR, as far as
 * firmware would mount them, named FS0:, FS1:, ... in the sequence of disks and partitions. Every one
 * is shown as read-only, for nothing new is put there; a file that is there is appended to, as a
 * journal is when it is marked.
 */
#ifndef SHADOWBOOT_MODEL_DISK_FILES_H
#define SHADOWBOOT_MODEL_DISK_FILES_H

#include "base/arena.h"
#include "base/status.h"
#include "port/ports.h"

#define DISK_FILES_MAX 128 /* volumes; more are left out */

struct disk_files;

/*
 * Finds the volumes. `kept` takes what the port points to, a little more with each renewal, `scratch`
 * what was read of file systems: nobody else may use either. They, `disks` and what those point to
 * must outlive `*ret_files`, which lies in `kept`. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status disk_files_open(struct arena *kept, struct arena *scratch,
                                       const struct block_port *disks, size_t disk_count,
                                       struct disk_files **ret_files);

/*
 * The port; without a self and a current volume. It is valid until the next renewal, which gives the
 * one that follows it. What was read stays known until the disk is released. Of its writes it has
 * FILE_APPEND, which is ST_REFUSED where the file system is damaged, or somebody's RAID lies over it,
 * and whatever the disk says where that cannot be written; the others are ST_READ_ONLY.
 */
struct files_port disk_files_port(struct disk_files *files);

#endif
