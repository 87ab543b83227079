/* Finds out what device paths mean on this machine. */
#ifndef SHADOWBOOT_MODEL_RESOLVE_H
#define SHADOWBOOT_MODEL_RESOLVE_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "port/files.h"

/*
 * Says where `path` leads on the disks of `machine`. Its file is looked up on the mounted volumes
 * through `files`, or not at all when that is NULL. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status resolve_path(struct arena *arena, const struct machine *machine,
                                    const struct files_port *files, struct span path,
                                    struct target *ret_target);

/* The disk a device path starts with, NO_INDEX when it is none of ours; `*ret_rest` is the offset
 * behind the disk's own nodes. */
size_t resolve_disk(const struct machine *machine, struct span path, size_t *ret_rest);

/* The partition of `disk` (any disk for NO_INDEX) that a hard drive node names, or NO_INDEX; a GUID
 * of zeros names none. */
size_t resolve_hd(const struct machine *machine, size_t disk, const struct hd_node *hd);

/* Fills in path text, boot target and OS target of one entry. Statuses as resolve_path. */
MUST_CHECK enum status resolve_entry(struct arena *arena, const struct machine *machine,
                                     const struct files_port *files, struct entry *io_entry);

/*
 * Fills in path text, boot target and OS target of every entry of `*io_machine`. Statuses as
 * resolve_path.
 */
MUST_CHECK enum status resolve_entries(struct arena *arena, const struct files_port *files,
                                       struct machine *io_machine);

#endif
