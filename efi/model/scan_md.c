#include "model/scan_md.h"

#include "format/fat/fat.h"

/* A superblock of one format in its place. `bytes` has room for it and a block. */
static enum status read_one(const struct block_port *port, const struct partition *partition,
                            enum md_version version, uint8_t *bytes, uint64_t *ret_offset,
                            struct md_member *ret_member)
{
    uint64_t offset = md_offset(version, partition->block_count * port->block_size);
    uint64_t lba = offset / port->block_size;
    uint32_t count = (MD_SUPERBLOCK_BYTES + port->block_size - 1) / port->block_size;

    if (offset % port->block_size != 0 || lba >= partition->block_count ||
        count > partition->block_count - lba)
        return ST_ABSENT;
    lba += partition->first_lba;
    if (port->read(port->ctx, lba, 1, bytes) != ST_OK ||
        !md_has_magic(span_of(bytes, port->block_size)) ||
        port->read(port->ctx, lba, count, bytes) != ST_OK)
        return ST_ABSENT;
    enum status status = md_parse(span_of(bytes, MD_SUPERBLOCK_BYTES), version, ret_member);
    if (status == ST_OK)
        *ret_offset = offset;
    return status;
}

enum status scan_md_find(struct arena *arena, const struct block_port *port,
                         const struct partition *partition, enum md_version last,
                         uint64_t *ret_offset, struct md_member *ret_member)
{
    size_t mark = arena_mark(arena);
    uint8_t *bytes = arena_alloc(arena, 1, MD_SUPERBLOCK_BYTES + port->block_size);
    enum status found = ST_ABSENT;

    if (bytes == NULL)
        return ST_NO_MEMORY;
    for (int version = 0; version <= (int)last && found != ST_OK; version++)
        found = read_one(port, partition, (enum md_version)version, bytes, ret_offset, ret_member);
    arena_release(arena, mark);
    return found;
}

/* A member by a superblock that speaks for an array that is. What holds no FAT can be data of any
 * place in an array of any format; only a superblock that was moved is none. */
static enum status find_member(struct arena *arena, const struct block_port *port,
                               const struct partition *partition, struct md_member *ret_member)
{
    struct fat_volume volume;
    size_t mark = arena_mark(arena);
    uint64_t offset = 0;

    enum status status =
        fat_open(arena, port, partition->first_lba, partition->block_count, &volume);
    arena_release(arena, mark);
    if (status == ST_NO_MEMORY)
        return status;
    bool is_fat = status == ST_OK;
    if (!is_fat && partition->kind != PT_ESP)
        return ST_ABSENT;
    status = scan_md_find(arena, port, partition, is_fat ? MD_1_0 : MD_1_2, &offset, ret_member);
    if (status != ST_OK)
        return status;
    bool in_place = ret_member->offset == MD_NO_OFFSET || ret_member->offset == offset;
    if (is_fat)
        in_place = md_begins_with(ret_member, offset, volume.sectors * volume.sector_size);
    return in_place ? ST_OK : ST_ABSENT;
}

static enum status look_at(struct arena *arena, const struct ports *ports,
                           const struct machine *machine, size_t partition,
                           struct md_volume *ret_volume)
{
    const struct partition *own = &machine->partitions[partition];
    const struct disk *disk = &machine->disks[own->disk];
    const struct block_port *port = &ports->disks[disk->port];
    struct md_volume volume = {.partition = partition};

    if (disk->status != ST_OK || own->out_of_range || own->block_count == 0)
        return ST_ABSENT;
    enum status status = find_member(arena, port, own, &volume.member);
    if (status == ST_OK)
        *ret_volume = volume;
    return status;
}

static bool is_in_use(const struct md_member *member)
{
    return member->role < MD_ROLE_JOURNAL;
}

/* True when another copy that is in use has seen writes that this one has not. One event behind is
 * what a power cut leaves, and Linux takes it as up to date. */
static bool missed_writes(const struct machine *machine, const struct md_member *member)
{
    for (size_t i = 0; i < machine->md_volume_count; i++) {
        const struct md_member *other = &machine->md_volumes[i].member;
        if (guid_equal(&other->set, &member->set) && is_in_use(other) &&
            other->events > member->events && other->events - member->events > 1)
            return true;
    }
    return false;
}

static enum md_use use_of(const struct machine *machine, const struct md_member *member)
{
    if (!md_is_mirror(member))
        return MD_PIECE;
    return is_in_use(member) && !missed_writes(machine, member) ? MD_HALF : MD_OLD;
}

enum status scan_md_volumes(struct arena *arena, const struct ports *ports, size_t most,
                            struct machine *io_machine)
{
    size_t looks = 0; /* on the disk of the partition */
    size_t count = 0;

    for (size_t i = 0; i < io_machine->partition_count; i++)
        count += machine_may_start_from(io_machine, i);
    io_machine->md_volumes = arena_alloc(arena, count, sizeof(*io_machine->md_volumes));
    if (io_machine->md_volumes == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < io_machine->partition_count; i++) {
        if (i == io_machine->disks[io_machine->partitions[i].disk].first_partition)
            looks = 0;
        if (!machine_may_start_from(io_machine, i) || looks++ >= most)
            continue;
        enum status status = look_at(arena, ports, io_machine, i,
                                     &io_machine->md_volumes[io_machine->md_volume_count]);
        if (status == ST_NO_MEMORY)
            return status;
        io_machine->md_volume_count += status == ST_OK;
    }
    for (size_t i = 0; i < io_machine->md_volume_count; i++) {
        struct md_volume *own = &io_machine->md_volumes[i];
        own->use = use_of(io_machine, &own->member);
    }
    return ST_OK;
}
