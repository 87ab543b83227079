#include "apply/disk_guard.h"

#include "model/scan_owner.h"
#include "plan/free_space.h"

/* A disk without a table gets one only while it is as blank as the scan found it. */
static enum status check_blank(struct arena *arena, const struct block_port *port,
                               const struct disk *disk)
{
    uint64_t first = 0;
    uint64_t last = 0;
    bool blank = false;

    if (!free_space_usable(disk, &first, &last))
        return ST_NO_SPACE;
    enum status status = scan_is_blank(arena, port, &blank);
    return status == ST_OK && !blank ? ST_CHANGED : status;
}

static enum status check_owner(struct arena *arena, const struct block_port *port,
                               const struct machine *machine, const struct disk_change *change)
{
    const struct disk *disk = &machine->disks[change->disk];
    const struct partition *own = machine->partitions + disk->first_partition;
    struct owner_mark mark;

    if (change->kind == DISK_CHANGE_GPT && disk->owner.owner != OWNER_NOBODY)
        return ST_REFUSED;
    enum status status = scan_disk_owner(arena, port, disk, own, &mark);
    if (status == ST_OK && mark.owner != disk->owner.owner)
        status = ST_CHANGED;
    return status;
}

/* A new file system comes to lie where no partition is yet, or in place of a reserved one. */
static enum status check_claims(struct arena *arena, const struct block_port *port,
                                const struct machine *machine, const struct disk_change *change)
{
    size_t room = machine->partition_count * 2 + 4;
    struct claim *claims = arena_alloc(arena, room, sizeof(*claims));
    struct owner_mark mark;
    size_t count = 0;

    if (claims == NULL)
        return ST_NO_MEMORY;
    enum status status = scan_gap_claims(arena, port, machine, change->disk, claims, &count);
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        if (claims[i].first_lba < change->first_lba + change->block_count &&
            change->first_lba < claims[i].first_lba + claims[i].block_count)
            status = ST_CHANGED;
    }
    if (status == ST_OK)
        status = scan_blocks_owner(arena, port, change->first_lba, change->block_count, &mark);
    return status == ST_OK && mark.owner != OWNER_NOBODY ? ST_REFUSED : status;
}

enum status disk_guard_check(struct arena *arena, const struct ports *ports,
                             const struct machine *machine, const struct disk_change *change)
{
    const struct disk *disk = &machine->disks[change->disk];
    const struct block_port *port = &ports->disks[disk->port];
    enum status status = ST_OK;

    if (disk_is_taken(disk))
        return ST_REFUSED;
    if (change->kind == DISK_CHANGE_RESTORE)
        return ST_OK; /* what a journal names was allowed when it was written */
    if (disk->style == DISK_RAW)
        return check_blank(arena, port, disk);
    size_t mark = arena_mark(arena);
    status = check_owner(arena, port, machine, change);
    if (status == ST_OK && change->kind == DISK_CHANGE_FORMAT &&
        scan_wants_claims(machine, change->disk))
        status = check_claims(arena, port, machine, change);
    arena_release(arena, mark);
    return status;
}
