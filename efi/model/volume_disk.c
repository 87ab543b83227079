#include "model/volume_disk.h"

/* Larger blocks would be new for Windows, and make the few reads below cost much. */
#define BLOCK_MAX_BYTES 4096u

/* What is read of a database at a time, where its records alone are wanted: a hundred of them. */
#define FRONT_STEP_BYTES (16u * 1024)

/* What was met at the places that were looked at. */
struct search {
    const struct volume_source *source;
    struct volume_disk *disk;
    uint8_t *block; /* one block of the disk */
    bool met_io_error;
    bool met_damaged;
    bool met_unsupported;
};

static void give_up_reading(struct volume_disk *disk, enum volume_disk_state state,
                            const char *reason)
{
    disk->state = state;
    disk->reason = reason;
}

/* Notes what a place gave where a good copy ought to be; a place that may be empty is not. */
static void note_copy(struct search *search, enum status status, bool may_be_absent)
{
    if (status != ST_OK && !(status == ST_ABSENT && may_be_absent))
        search->disk->copy_damaged = true;
}

/* Reads one block into search->block; an empty span when it is not to be had. */
static struct span read_block(struct search *search, uint64_t lba)
{
    const struct block_port *port = search->source->port;

    if (lba >= port->block_count || port->read(port->ctx, lba, 1, search->block) != ST_OK) {
        search->met_io_error = true;
        return span_of(NULL, 0);
    }
    search->disk->read_bytes += port->block_size;
    return span_of(search->block, port->block_size);
}

static void note_status(struct search *search, enum status status)
{
    if (status == ST_DAMAGED)
        search->met_damaged = true;
    if (status == ST_UNSUPPORTED)
        search->met_unsupported = true;
}

/* The state that says most about why nothing good was met. */
static enum volume_disk_state worst_met(const struct search *search)
{
    if (search->met_io_error)
        return VOLUME_DISK_UNREADABLE;
    if (search->met_damaged)
        return VOLUME_DISK_DAMAGED;
    return search->met_unsupported ? VOLUME_DISK_UNSUPPORTED : VOLUME_DISK_ABSENT;
}

/* The LBAs where a first PRIVHEAD may be. Returns how many. */
static size_t head_places(const struct volume_source *source, uint64_t ret_lbas[3])
{
    uint64_t first = source->metadata_lba;
    uint64_t blocks = source->metadata_blocks;
    size_t count = 0;

    if (!source->gpt) {
        ret_lbas[count++] = LDM_MBR_HEAD_LBA;
        if (source->port->block_count <= LDM_PRIVATE_BLOCKS)
            return count;
        blocks = LDM_PRIVATE_BLOCKS;
        first = source->port->block_count - blocks;
    }
    ret_lbas[count++] = first + blocks - 1;
    if (blocks - 1 > LDM_SECONDARY_HEAD_REL)
        ret_lbas[count++] = first + LDM_SECONDARY_HEAD_REL;
    return count;
}

/*
 * On a GPT disk the private region is the metadata partition, which may have LDM data partitions on
 * both sides: the public region then reaches over it. On an MBR disk it lies behind all data.
 */
static bool head_fits(const struct volume_source *source, const struct ldm_privhead *head)
{
    if (!source->gpt)
        return ldm_regions_are_apart(head);
    return head->private_start == source->metadata_lba &&
           head->private_size == source->metadata_blocks;
}

static bool same_places(const struct ldm_privhead *a, const struct ldm_privhead *b)
{
    return a->public_start == b->public_start && a->public_size == b->public_size &&
           a->private_start == b->private_start && a->private_size == b->private_size &&
           a->toc[0] == b->toc[0] && a->toc[1] == b->toc[1];
}

/* Takes a sound copy in. False when it contradicts the one that was found before. */
static bool take_head(struct volume_disk *disk, const struct ldm_privhead *head)
{
    if (disk->has_head) {
        if (!guid_equal(&head->disk, &disk->head.disk) ||
            !guid_equal(&head->group, &disk->head.group))
            return false;
        if (head->sequence == disk->head.sequence)
            return same_places(head, &disk->head);
        if (head->sequence < disk->head.sequence)
            return true;
    }
    disk->head = *head;
    disk->has_head = true;
    return true;
}

/* Statuses: those of ldm_privhead_parse; ST_IO. */
static enum status load_head(struct search *search, uint64_t lba, struct ldm_privhead *ret_head)
{
    const struct volume_source *source = search->source;
    struct span block = read_block(search, lba);

    if (block.at == NULL)
        return ST_IO;
    enum status status =
        ldm_privhead_parse(block, source->port->block_size, source->port->block_count, ret_head);
    if (status == ST_OK && !head_fits(source, ret_head))
        status = ST_DAMAGED;
    note_status(search, status);
    return status;
}

static void find_head(struct search *search)
{
    static const char *const reasons[] = {
        [VOLUME_DISK_ABSENT] = "there is no PRIVHEAD where one should be",
        [VOLUME_DISK_UNREADABLE] = "no PRIVHEAD could be read",
        [VOLUME_DISK_DAMAGED] = "every PRIVHEAD is damaged or does not fit the disk",
        [VOLUME_DISK_UNSUPPORTED] = "its PRIVHEAD is of an unknown version or block size",
    };
    const struct volume_source *source = search->source;
    struct volume_disk *disk = search->disk;
    uint64_t lbas[3];
    size_t count = head_places(source, lbas);

    for (size_t i = 0; i < count; i++) {
        struct ldm_privhead head;
        enum status status = load_head(search, lbas[i], &head);
        note_copy(search, status, !source->gpt);
        if (status != ST_OK)
            continue;
        if (!take_head(disk, &head)) {
            disk->has_head = false;
            give_up_reading(disk, VOLUME_DISK_DAMAGED,
                            "its copies of PRIVHEAD contradict each other");
            return;
        }
    }
    if (!disk->has_head)
        give_up_reading(disk, worst_met(search), reasons[worst_met(search)]);
}

/* The best TOCBLOCK so far. */
struct toc_choice {
    bool found;
    bool contradicted;
    struct ldm_toc toc;
};

static bool same_region(const struct ldm_region *a, const struct ldm_region *b)
{
    return a->start == b->start && a->size == b->size;
}

/* Statuses: those of ldm_toc_parse; ST_IO. */
static enum status load_toc(struct search *search, uint64_t rel, struct ldm_toc *ret_toc)
{
    const struct ldm_privhead *head = &search->disk->head;
    struct span block = read_block(search, head->private_start + rel);

    if (block.at == NULL)
        return ST_IO;
    enum status status = ldm_toc_parse(block, head, ret_toc);
    note_status(search, status);
    return status;
}

/* Looks at one place; with `current` only a copy of PRIVHEAD's own sequence counts. */
static void try_toc(struct search *search, uint64_t rel, bool current, struct toc_choice *choice)
{
    const struct ldm_privhead *head = &search->disk->head;
    struct ldm_toc toc;

    if (rel >= head->private_size)
        return;
    enum status status = load_toc(search, rel, &toc);
    if (status == ST_OK && current && toc.sequence != head->sequence)
        status = ST_DAMAGED;
    if (current)
        note_copy(search, status, false);
    if (status != ST_OK)
        return;
    if (choice->found && toc.sequence == choice->toc.sequence) {
        if (!same_region(&toc.config, &choice->toc.config) ||
            !same_region(&toc.log, &choice->toc.log))
            choice->contradicted = true;
        return;
    }
    if (!choice->found || toc.sequence > choice->toc.sequence)
        *choice = (struct toc_choice){.found = true, .toc = toc};
}

static void find_toc(struct search *search, struct toc_choice *ret_choice)
{
    struct volume_disk *disk = search->disk;
    const struct ldm_privhead *head = &disk->head;
    struct toc_choice choice = {.found = false};

    for (size_t i = 0; i < 2; i++)
        if (i == 0 || head->toc[1] != head->toc[0])
            try_toc(search, head->toc[i], true, &choice);
    if (!choice.found) {
        /* Where TOCBLOCKs have been seen: at the start and before the last header. */
        const uint64_t size = head->private_size;
        const uint64_t places[] = {0, 1, 2, size - 3, size - 2};
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
            try_toc(search, places[i], false, &choice);
        disk->doubtful = true;
    }
    *ret_choice = choice;
}

static void find_config(struct search *search)
{
    struct volume_disk *disk = search->disk;
    struct toc_choice choice;

    search->met_io_error = false;
    find_toc(search, &choice);
    if (!choice.found) {
        give_up_reading(disk, search->met_io_error ? VOLUME_DISK_UNREADABLE : VOLUME_DISK_DAMAGED,
                        "no TOCBLOCK could be found");
        return;
    }
    if (choice.contradicted) {
        give_up_reading(disk, VOLUME_DISK_DAMAGED, "its copies of TOCBLOCK contradict each other");
        return;
    }
    if (choice.toc.config.size > LDM_CONFIG_MAX_BYTES / search->source->port->block_size) {
        give_up_reading(disk, VOLUME_DISK_UNSUPPORTED,
                        "its database is larger than this program reads");
        return;
    }
    disk->config = choice.toc.config;
    disk->log_region = choice.toc.log;
    disk->has_config = true;
    if (disk->doubtful)
        give_up_reading(disk, VOLUME_DISK_DAMAGED, "the TOCBLOCKs that PRIVHEAD names are damaged");
}

enum status volume_disk_find(const struct volume_source *source, struct arena *scratch,
                             struct volume_disk *ret_disk)
{
    const struct block_port *port = source->port;
    struct volume_disk disk = {.source = source, .reason = ""};
    struct search search = {.source = source, .disk = &disk};

    search.block = arena_alloc(scratch, 1, port->block_size);
    if (search.block == NULL)
        return ST_NO_MEMORY;
    if (port->block_size > BLOCK_MAX_BYTES)
        give_up_reading(&disk, VOLUME_DISK_UNSUPPORTED, "its blocks are larger than 4096 bytes");
    else if (source->gpt && source->metadata_blocks == 0)
        give_up_reading(&disk, VOLUME_DISK_ABSENT, "it has no LDM metadata partition");
    else if (source->gpt && (source->metadata_lba > port->block_count ||
                             source->metadata_blocks > port->block_count - source->metadata_lba))
        give_up_reading(&disk, VOLUME_DISK_DAMAGED,
                        "the LDM metadata partition is not inside the disk");
    else
        find_head(&search);
    if (disk.has_head)
        find_config(&search);
    *ret_disk = disk;
    return ST_OK;
}

size_t volume_disk_config_bytes(const struct volume_disk *disk)
{
    if (!disk->has_config)
        return 0;
    return (size_t)disk->config.size * disk->source->port->block_size;
}

/* Reads `left` blocks of a region from its block `first` on. False when the device reports an
 * error. */
static bool read_region(struct volume_disk *disk, const struct ldm_region *region, uint64_t first,
                        uint64_t left, uint8_t *ret_bytes)
{
    const struct block_port *port = disk->source->port;
    uint64_t lba = disk->head.private_start + region->start + first;

    while (left > 0) {
        uint32_t most = VOLUME_CHUNK_BYTES / port->block_size;
        uint32_t count = left < most ? (uint32_t)left : most;
        if (port->read(port->ctx, lba, count, ret_bytes) != ST_OK)
            return false;
        disk->read_bytes += (uint64_t)count * port->block_size;
        ret_bytes += (size_t)count * port->block_size;
        lba += count;
        left -= count;
    }
    return true;
}

/*
 * Reads as much of the log as its first page says there is. Statuses: those of ldm_log_parse;
 * ST_IO; ST_NO_MEMORY.
 */
static enum status load_log(struct volume_disk *disk, struct arena *scratch,
                            struct ldm_log *ret_log)
{
    const uint32_t block_size = disk->source->port->block_size;
    uint8_t *first = arena_alloc(scratch, 1, block_size);
    uint32_t pages = 0;

    if (first == NULL)
        return ST_NO_MEMORY;
    if (!read_region(disk, &disk->log_region, 0, 1, first))
        return ST_IO;
    enum status status = ldm_log_count_pages(span_of(first, block_size), &pages);
    if (status != ST_OK)
        return status;
    uint64_t blocks = ((uint64_t)pages * LDM_LOG_PAGE_BYTES + block_size - 1) / block_size;
    if (blocks == 1)
        return ldm_log_parse(span_of(first, block_size), ret_log);
    if (blocks > disk->log_region.size)
        return ST_DAMAGED;
    uint8_t *all = arena_alloc(scratch, (size_t)blocks, block_size);
    if (all == NULL)
        return ST_NO_MEMORY;
    if (!read_region(disk, &disk->log_region, 0, blocks, all))
        return ST_IO;
    return ldm_log_parse(span_of(all, (size_t)blocks * block_size), ret_log);
}

/* Sets what the log says. Statuses: ST_OK; ST_NO_MEMORY. */
static enum status read_log(struct volume_disk *disk, struct arena *scratch)
{
    size_t mark = arena_mark(scratch);
    struct ldm_log log = {0};

    if (disk->log_region.size == 0)
        return ST_OK;
    enum status status = load_log(disk, scratch, &log);
    arena_release(scratch, mark);
    if (status == ST_NO_MEMORY)
        return status;
    disk->log = status != ST_OK ? VOLUME_LOG_DAMAGED
                : log.dirty     ? VOLUME_LOG_DIRTY
                                : VOLUME_LOG_EMPTY;
    disk->log_pending = log.pending;
    return ST_OK;
}

/* The disks that were read before this one. */
struct earlier {
    const struct volume_disk *disks;
    size_t count;
};

/* The one of them with this very database; NULL when there is none. */
static const struct volume_disk *find_same(const struct earlier *earlier,
                                           const struct ldm_vmdb *vmdb)
{
    for (size_t i = 0; i < earlier->count; i++) {
        const struct volume_disk *disk = &earlier->disks[i];
        if (disk->has_database && sha256_equal(&disk->database.header.digest, &vmdb->digest))
            return disk;
    }
    return NULL;
}

/* Statuses: those of ldm_vmdb_parse and ldm_database_parse. */
static enum status parse_config(struct volume_disk *disk, const struct earlier *earlier,
                                struct span config, struct arena *arena, struct arena *scratch)
{
    struct ldm_vmdb vmdb;
    size_t region_bytes = volume_disk_config_bytes(disk);
    enum status status = ldm_vmdb_parse(config, region_bytes, &vmdb);

    if (status != ST_OK)
        return status;
    if (!guid_equal(&vmdb.group, &disk->head.group))
        return ST_DAMAGED;
    const struct volume_disk *same = find_same(earlier, &vmdb);
    if (same != NULL) {
        disk->database = same->database;
        return ST_OK;
    }
    return ldm_database_parse(config, &vmdb, arena, scratch, &disk->database);
}

/*
 * Reads the config region into `ret_bytes`, which has room for all of it, or only its front where
 * no more is asked for. Returns how many bytes count; 0 when the device reports an error.
 */
static size_t read_config(struct volume_disk *disk, uint8_t *ret_bytes)
{
    const uint32_t block_size = disk->source->port->block_size;
    const uint64_t step = disk->source->records_only ? FRONT_STEP_BYTES / block_size : UINT64_MAX;
    size_t size = volume_disk_config_bytes(disk);

    for (uint64_t have = 0; have < disk->config.size;) {
        uint64_t left = disk->config.size - have;
        uint64_t count = left < step ? left : step;
        if (!read_region(disk, &disk->config, have, count, ret_bytes + have * block_size))
            return 0;
        have += count;
        struct span front = span_of(ret_bytes, (size_t)have * block_size);
        size_t enough = disk->source->records_only ? ldm_front_bytes(front, size) : 0;
        if (enough != 0)
            return enough;
    }
    return size;
}

enum status volume_disk_read(struct volume_disk *disk, const struct volume_disk *earlier,
                             size_t earlier_count, struct arena *arena, struct arena *scratch)
{
    const struct earlier before = {earlier, earlier_count};
    size_t size = volume_disk_config_bytes(disk);

    if (size == 0)
        return ST_OK;
    enum status status = read_log(disk, scratch);
    if (status != ST_OK)
        return status;
    uint8_t *bytes = arena_alloc(scratch, 1, size);
    if (bytes == NULL)
        return ST_NO_MEMORY;
    size = read_config(disk, bytes);
    if (size == 0) {
        give_up_reading(disk, VOLUME_DISK_UNREADABLE, "its database could not be read");
        return ST_OK;
    }
    size_t mark = arena_mark(arena);
    status = parse_config(disk, &before, span_of(bytes, size), arena, scratch);
    if (status == ST_OK) {
        disk->has_database = true;
        return ST_OK;
    }
    arena_release(arena, mark);
    if (status == ST_NO_MEMORY)
        return status;
    if (status == ST_UNSUPPORTED)
        give_up_reading(disk, VOLUME_DISK_UNSUPPORTED,
                        "its database has records of an unknown form");
    else
        give_up_reading(disk, VOLUME_DISK_DAMAGED, "its database is damaged or contradicts itself");
    return ST_OK;
}

bool volume_disk_is_unfinished(const struct volume_disk *disk)
{
    return disk->has_database &&
           (!disk->database.clean || disk->log_pending > disk->database.header.committed);
}
