#include "format/ldm/ldm_config.h"

#include "base/mem.h"
#include "base/sort.h"
#include "format/ldm/ldm_privhead.h"

#define VMDB_MIN_BYTES      0xc5u
#define RECORD_HEADER_BYTES 8u

/* Status of a record. */
enum {
    RECORD_ACTIVE = 0,
    RECORD_LEAVING = 1,  /* active, gone when the transaction is decided */
    RECORD_ARRIVING = 2, /* active when the transaction is decided */
};

/* The header's slots come before the others, and all lie inside the region. */
static enum status vmdb_geometry(struct span config, size_t region_bytes, struct ldm_vmdb *vmdb)
{
    uint32_t header_bytes = ld_be32(config.at + 0x0c);

    vmdb->slot_count = ld_be32(config.at + 0x04);
    if (ld_be32(config.at + 0x08) != LDM_SLOT_BYTES)
        return ST_DAMAGED;
    if (header_bytes < VMDB_MIN_BYTES || header_bytes % LDM_SLOT_BYTES != 0)
        return ST_DAMAGED;
    vmdb->first_slot = header_bytes / LDM_SLOT_BYTES;
    if (vmdb->first_slot >= vmdb->slot_count || vmdb->slot_count > region_bytes / LDM_SLOT_BYTES)
        return ST_DAMAGED;
    return ST_OK;
}

/* Which transaction holds, and with it which of the counts. */
static enum status vmdb_transaction(struct span config, struct ldm_vmdb *vmdb)
{
    uint16_t update = ld_be16(config.at + 0x10);
    bool decided = update == LDM_UPDATE_COMMIT;

    if (update != LDM_UPDATE_CLEAN && update != LDM_UPDATE_CHANGE && !decided)
        return ST_DAMAGED;
    vmdb->update = (enum ldm_update)update;
    vmdb->committed = ld_be64(config.at + 0x75);
    vmdb->pending = ld_be64(config.at + 0x7d);
    if (vmdb->update == LDM_UPDATE_CLEAN && vmdb->committed != vmdb->pending)
        return ST_DAMAGED;
    if (vmdb->pending < vmdb->committed)
        return ST_DAMAGED;
    vmdb->effective = decided ? vmdb->pending : vmdb->committed;
    for (size_t i = 0; i < LDM_COUNTS; i++)
        vmdb->counts[i] = ld_be32(config.at + (decided ? 0xa1 : 0x85) + 4 * i);
    return ST_OK;
}

/* All of the header but the digest. */
static enum status vmdb_fields(struct span config, size_t region_bytes, struct ldm_vmdb *vmdb)
{
    if (config.size < VMDB_MIN_BYTES || memcmp(config.at, "VMDB", 4) != 0)
        return ST_ABSENT;
    if (ld_be16(config.at + 0x12) != 4 || ld_be16(config.at + 0x14) != 10)
        return ST_UNSUPPORTED;
    enum status status = vmdb_geometry(config, region_bytes, vmdb);
    if (status == ST_OK)
        status = ldm_guid_field(span_part(config, 0x35, 64), &vmdb->group);
    return status == ST_OK ? vmdb_transaction(config, vmdb) : status;
}

/* The number behind the last slot that `config` holds. */
static size_t slots_end(struct span config, const struct ldm_vmdb *vmdb)
{
    size_t held = config.size / LDM_SLOT_BYTES;

    return held < vmdb->slot_count ? held : vmdb->slot_count;
}

enum status ldm_vmdb_parse(struct span config, size_t region_bytes, struct ldm_vmdb *ret_vmdb)
{
    struct ldm_vmdb vmdb = {0};
    enum status status = vmdb_fields(config, region_bytes, &vmdb);

    if (status != ST_OK)
        return status;
    vmdb.digest = sha256_of(span_part(config, 0, slots_end(config, &vmdb) * LDM_SLOT_BYTES));
    *ret_vmdb = vmdb;
    return ST_OK;
}

struct slot {
    uint32_t group;
    uint16_t fragment;
    uint16_t fragments; /* 0 = free */
    struct span payload;
};

static struct slot slot_load(struct span config, size_t number)
{
    const uint8_t *at = config.at + number * LDM_SLOT_BYTES;
    struct slot slot = {
        .group = ld_be32(at + 0x08),
        .fragment = ld_be16(at + 0x0c),
        .fragments = ld_be16(at + 0x0e),
        .payload = span_of(at + 0x10, LDM_FRAGMENT_BYTES),
    };

    return slot;
}

static bool slot_is_sound(struct span config, size_t number)
{
    const uint8_t *at = config.at + number * LDM_SLOT_BYTES;
    struct slot slot = slot_load(config, number);

    if (memcmp(at, "VBLK", 4) != 0 || ld_be32(at + 4) != number)
        return false;
    if (slot.fragments == 0)
        return true;
    return slot.group != 0 && slot.fragments <= LDM_FRAGMENTS_MAX && slot.fragment < slot.fragments;
}

/* The volumes, components, partitions and disks of the header, and the group itself. */
static uint64_t records_counted(const struct ldm_vmdb *vmdb)
{
    uint64_t count = 1;

    for (size_t i = 0; i < LDM_COUNTS; i++)
        count += vmdb->counts[i];
    return count;
}

size_t ldm_front_bytes(struct span front, size_t region_bytes)
{
    struct ldm_vmdb vmdb = {0};
    uint64_t records = 0;
    uint64_t fragments_open = 0;

    if (vmdb_fields(front, region_bytes, &vmdb) != ST_OK || vmdb.update != LDM_UPDATE_CLEAN)
        return 0;
    for (size_t i = vmdb.first_slot; i < slots_end(front, &vmdb); i++) {
        struct slot slot = slot_load(front, i);
        if (!slot_is_sound(front, i))
            return 0;
        if (slot.fragments == 0)
            continue;
        if (slot.fragment == 0 && ld_be16(slot.payload.at) != RECORD_ACTIVE)
            return 0;
        records += slot.fragment == 0;
        fragments_open += slot.fragment == 0 ? slot.fragments : 0;
        fragments_open--;
        if (records == records_counted(&vmdb) && fragments_open == 0)
            return (i + 1) * LDM_SLOT_BYTES;
    }
    return 0;
}

static enum status count_used_slots(struct span config, const struct ldm_vmdb *vmdb,
                                    size_t *ret_used)
{
    size_t used = 0;

    for (size_t i = vmdb->first_slot; i < slots_end(config, vmdb); i++) {
        if (!slot_is_sound(config, i))
            return ST_DAMAGED;
        used += slot_load(config, i).fragments != 0;
    }
    *ret_used = used;
    return ST_OK;
}

static int compare_slots(const void *ctx, size_t a, size_t b)
{
    const struct span *config = ctx;
    struct slot x = slot_load(*config, a);
    struct slot y = slot_load(*config, b);

    return x.group != y.group ? compare_numbers(x.group, y.group)
                              : compare_numbers(x.fragment, y.fragment);
}

/* The used slots in order of group, then fragment: each record's slots stand together. */
static size_t *sort_used_slots(struct span config, const struct ldm_vmdb *vmdb, size_t used,
                               struct arena *scratch)
{
    size_t *slots = arena_alloc(scratch, used, sizeof *slots);
    size_t count = 0;

    if (slots == NULL)
        return NULL;
    for (size_t i = vmdb->first_slot; i < slots_end(config, vmdb) && count < used; i++)
        if (slot_load(config, i).fragments != 0)
            slots[count++] = i;
    sort_items(slots, count, compare_slots, &config);
    return slots;
}

/* The slots of one record among the sorted ones. */
struct run {
    const size_t *slots;
    size_t count;
    bool complete; /* every fragment is there, none twice, and all agree how many there are */
    bool has_first;
};

static struct run run_at(struct span config, const size_t *slots, size_t left)
{
    struct run run = {.slots = slots, .complete = true};
    struct slot first = slot_load(config, slots[0]);

    run.has_first = first.fragment == 0;
    while (run.count < left) {
        struct slot slot = slot_load(config, slots[run.count]);
        if (slot.group != first.group)
            break;
        if (slot.fragment != run.count || slot.fragments != first.fragments)
            run.complete = false;
        run.count++;
    }
    if (run.count != first.fragments)
        run.complete = false;
    return run;
}

/* The record as one run of bytes; an empty span when there is no memory. */
static struct span run_bytes(struct span config, const struct run *run, struct arena *scratch)
{
    struct span first = slot_load(config, run->slots[0]).payload;

    if (run->count == 1)
        return first;
    uint8_t *bytes = arena_alloc(scratch, run->count, LDM_FRAGMENT_BYTES);
    if (bytes == NULL)
        return span_of(NULL, 0);
    for (size_t i = 0; i < run->count; i++)
        memcpy(bytes + i * LDM_FRAGMENT_BYTES, slot_load(config, run->slots[i]).payload.at,
               LDM_FRAGMENT_BYTES);
    return span_of(bytes, run->count * LDM_FRAGMENT_BYTES);
}

/* True for the status of a record that does not belong to the side that wins. */
static bool status_loses(const struct ldm_vmdb *vmdb, uint16_t status)
{
    return status == (vmdb->update == LDM_UPDATE_COMMIT ? RECORD_LEAVING : RECORD_ARRIVING);
}

/* A record in pieces is normal only where a transaction on the losing side was cut off. */
static bool run_may_be_incomplete(struct span config, const struct ldm_vmdb *vmdb,
                                  const struct run *run)
{
    if (!run->has_first)
        return vmdb->update == LDM_UPDATE_COMMIT;
    return status_loses(vmdb, ld_be16(slot_load(config, run->slots[0]).payload.at));
}

static enum status record_from_bytes(struct span bytes, struct ldm_record *ret_record)
{
    uint32_t length = ld_be32(bytes.at + 4);
    struct span body = span_part(bytes, RECORD_HEADER_BYTES, length);

    /* Every body begins with the object's ID: a length byte and up to eight bytes. */
    if (body.size == 0 || body.at[0] > 8 || body.size < 1u + body.at[0])
        return ST_DAMAGED;
    uint64_t id = 0;
    for (size_t i = 0; i < body.at[0]; i++)
        id = id << 8 | body.at[1 + i];
    if (id == 0)
        return ST_DAMAGED;
    *ret_record =
        (struct ldm_record){.id = id, .flags = bytes.at[2], .type = bytes.at[3], .body = body};
    return ST_OK;
}

struct gather {
    struct span config;
    const struct ldm_vmdb *vmdb;
    struct arena *scratch;
    struct ldm_record *records; /* one place for each used slot: from the front those that hold, */
    size_t count;
    size_t first_loser; /* from here on to the end those that do not */
    size_t used;
    bool clean;
};

static enum status gather_run(struct gather *gather, const struct run *run)
{
    if (!run->complete) {
        gather->clean = false;
        return run_may_be_incomplete(gather->config, gather->vmdb, run) ? ST_OK : ST_DAMAGED;
    }
    struct span bytes = run_bytes(gather->config, run, gather->scratch);
    if (bytes.at == NULL)
        return ST_NO_MEMORY;

    uint16_t record_status = ld_be16(bytes.at);
    if (record_status > RECORD_ARRIVING)
        return ST_DAMAGED;
    if (record_status != RECORD_ACTIVE)
        gather->clean = false;
    struct ldm_record record;
    enum status status = record_from_bytes(bytes, &record);
    if (status != ST_OK)
        return status;
    record.settled = record_status == RECORD_ACTIVE;
    if (status_loses(gather->vmdb, record_status))
        gather->records[--gather->first_loser] = record;
    else
        gather->records[gather->count++] = record;
    return ST_OK;
}

static int compare_records(const void *ctx, size_t a, size_t b)
{
    const struct ldm_record *records = ctx;

    return compare_numbers(records[a].id, records[b].id);
}

/*
 * Puts `count` records from `first` on in order of ID. Statuses: ST_OK; ST_DAMAGED for an ID used
 * twice; ST_NO_MEMORY.
 */
static enum status sort_records(struct gather *gather, size_t first, size_t count,
                                struct ldm_record **ret_sorted)
{
    size_t *order = arena_alloc(gather->scratch, count, sizeof *order);
    struct ldm_record *sorted = arena_alloc(gather->scratch, count, sizeof *sorted);

    if (order == NULL || sorted == NULL)
        return ST_NO_MEMORY;
    sort_range(order, first, count, compare_records, gather->records);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = gather->records[order[i]];
        if (i > 0 && sorted[i].id == sorted[i - 1].id)
            return ST_DAMAGED;
    }
    *ret_sorted = sorted;
    return ST_OK;
}

/* Both lists are in order of ID. */
static void join_rivals(struct ldm_record *winners, size_t winner_count,
                        const struct ldm_record *losers, size_t loser_count)
{
    size_t j = 0;

    for (size_t i = 0; i < winner_count; i++) {
        while (j < loser_count && losers[j].id < winners[i].id)
            j++;
        if (j < loser_count && losers[j].id == winners[i].id)
            winners[i].rival = &losers[j];
    }
}

/* The records that hold, each with its rival. Statuses as sort_records. */
static enum status order_records(struct gather *gather, struct ldm_record_list *ret_list)
{
    size_t loser_count = gather->used - gather->first_loser;
    struct ldm_record *winners = NULL;
    struct ldm_record *losers = NULL;
    enum status status = sort_records(gather, 0, gather->count, &winners);

    if (status == ST_OK)
        status = sort_records(gather, gather->first_loser, loser_count, &losers);
    if (status != ST_OK)
        return status;
    join_rivals(winners, gather->count, losers, loser_count);
    *ret_list =
        (struct ldm_record_list){.at = winners, .count = gather->count, .clean = gather->clean};
    return ST_OK;
}

enum status ldm_records_gather(struct span config, const struct ldm_vmdb *vmdb,
                               struct arena *scratch, struct ldm_record_list *ret_list)
{
    struct gather gather = {.config = config, .vmdb = vmdb, .scratch = scratch};
    size_t used = 0;
    enum status status = count_used_slots(config, vmdb, &used);

    if (status != ST_OK)
        return status;
    const size_t *slots = sort_used_slots(config, vmdb, used, scratch);
    gather.records = arena_alloc(scratch, used, sizeof *gather.records);
    if (slots == NULL || gather.records == NULL)
        return ST_NO_MEMORY;
    gather.used = used;
    gather.first_loser = used;
    gather.clean = vmdb->update == LDM_UPDATE_CLEAN;
    for (size_t i = 0; i < used;) {
        struct run run = run_at(config, slots + i, used - i);
        status = gather_run(&gather, &run);
        if (status != ST_OK)
            return status;
        i += run.count;
    }
    return order_records(&gather, ret_list);
}
