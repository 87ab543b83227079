#include "format/ldm/ldm_records.h"

#include "base/mem.h"
#include "format/ldm/ldm_privhead.h"

/* Record flags: the optional fields that follow. */
#define VOLUME_HINT      0x02u
#define VOLUME_ID_1      0x08u
#define VOLUME_ID_2      0x20u
#define VOLUME_COLUMN    0x80u
#define COMPONENT_STRIPE 0x10u
#define PARTITION_HIDDEN 0x02u
#define PARTITION_COLUMN 0x08u
#define PARTITION_TID    0x20u
#define PARTITION_BOOT   0x40u
#define GROUP_COPIES     0x08u
#define GROUP_MINOR      0x10u

/* Reads field by field. The first one that passes the end makes it fail for good. */
struct reader {
    struct span left;
    struct arena *arena;
    bool failed;
    bool no_memory;
};

static struct span take_field(struct reader *reader, size_t size)
{
    if (reader->failed || size > reader->left.size) {
        reader->failed = true;
        return span_of(NULL, 0);
    }
    struct span part = span_of(reader->left.at, size);
    reader->left = span_of(reader->left.at + size, reader->left.size - size);
    return part;
}

static uint64_t number_of(struct span bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes.size; i++)
        value = value << 8 | bytes.at[i];
    return value;
}

static uint8_t take_u8(struct reader *reader)
{
    return (uint8_t)number_of(take_field(reader, 1));
}

static uint32_t take_u32(struct reader *reader)
{
    return (uint32_t)number_of(take_field(reader, 4));
}

static uint64_t take_u64(struct reader *reader)
{
    return number_of(take_field(reader, 8));
}

static uint64_t take_vint(struct reader *reader)
{
    uint8_t width = take_u8(reader);

    if (width > 8)
        reader->failed = true;
    return number_of(take_field(reader, width));
}

static struct span take_vstr(struct reader *reader)
{
    return take_field(reader, take_u8(reader));
}

/* A vstr as printable text in the arena; "" once the reader has failed. */
static const char *take_name(struct reader *reader)
{
    struct span bytes = take_vstr(reader);

    if (reader->failed)
        return "";
    char *name = arena_alloc(reader->arena, bytes.size + 1, 1);
    if (name == NULL) {
        reader->failed = true;
        reader->no_memory = true;
        return "";
    }
    ldm_text_field(bytes, name, bytes.size + 1);
    return name;
}

static void take_state(struct reader *reader, struct span bytes, char ret_state[LDM_STATE_SIZE])
{
    if (bytes.size >= LDM_STATE_SIZE)
        reader->failed = true;
    ldm_text_field(bytes, ret_state, LDM_STATE_SIZE);
}

/* Sixteen bytes in the order of the text: the first three groups are big-endian. */
static struct guid take_guid_bytes(struct reader *reader)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    struct span bytes = take_field(reader, sizeof order);
    struct guid guid = {{0}};

    for (size_t i = 0; i < bytes.size; i++)
        guid.bytes[i] = bytes.at[order[i]];
    return guid;
}

static struct guid take_guid_text(struct reader *reader)
{
    struct guid guid = {{0}};
    struct span text = take_vstr(reader);

    if (reader->failed || text.size != 36 || ldm_guid_field(text, &guid) != ST_OK)
        reader->failed = true;
    return guid;
}

/* The GUID of a disk or group, and with revision 4 its set GUID, which is passed over. */
static struct guid take_owner_guid(struct reader *reader, const struct ldm_record *record)
{
    if (record->type >> 4 == 3)
        return take_guid_text(reader);
    struct guid guid = take_guid_bytes(reader);
    take_guid_bytes(reader);
    return guid;
}

static enum status reader_start(struct reader *reader, const struct ldm_record *record,
                                uint8_t known_flags, struct arena *arena)
{
    if ((record->flags & ~known_flags) != 0)
        return ST_UNSUPPORTED;
    *reader = (struct reader){.left = record->body, .arena = arena};
    return ST_OK;
}

static enum status reader_end(const struct reader *reader, bool *extended)
{
    if (reader->no_memory)
        return ST_NO_MEMORY;
    if (reader->failed)
        return ST_DAMAGED;
    if (reader->left.size > 0)
        *extended = true;
    return ST_OK;
}

static void volume_fields(struct reader *in, uint8_t flags, struct ldm_volume *volume)
{
    volume->id = take_vint(in);
    volume->name = take_name(in);
    struct span type = take_vstr(in);
    volume->raid5 = type.size == 5 && memcmp(type.at, "raid5", 5) == 0;
    if (!volume->raid5 && (type.size != 3 || memcmp(type.at, "gen", 3) != 0))
        in->failed = true;
    take_vstr(in);
    take_state(in, take_field(in, 14), volume->state);
    take_u8(in);
    volume->number = take_vint(in);
    volume->flags = take_u32(in);
    volume->component_count = take_vint(in);
    volume->transaction = take_u64(in);
    take_field(in, 8);
    volume->size = take_vint(in);
    take_field(in, 4);
    volume->content = take_u8(in);
    volume->guid = take_guid_bytes(in);
    if ((flags & VOLUME_ID_1) != 0)
        take_vint(in);
    if ((flags & VOLUME_ID_2) != 0)
        take_vint(in);
    if ((flags & VOLUME_COLUMN) != 0)
        take_vint(in);
    volume->drive_hint = (flags & VOLUME_HINT) != 0 ? take_name(in) : "";
}

enum status ldm_volume_parse(const struct ldm_record *record, struct arena *arena, bool *extended,
                             struct ldm_volume *ret_volume)
{
    struct reader in;
    struct ldm_volume volume = {0};

    if (record->type != 0x51)
        return ST_UNSUPPORTED;
    enum status status =
        reader_start(&in, record, VOLUME_HINT | VOLUME_ID_1 | VOLUME_ID_2 | VOLUME_COLUMN, arena);
    if (status != ST_OK)
        return status;
    volume_fields(&in, record->flags, &volume);
    status = reader_end(&in, extended);
    if (status != ST_OK)
        return status;
    if (volume.size == 0)
        return ST_DAMAGED;
    *ret_volume = volume;
    return ST_OK;
}

static void component_fields(struct reader *in, uint8_t flags, struct ldm_component *component)
{
    component->id = take_vint(in);
    component->name = take_name(in);
    take_state(in, take_vstr(in), component->state);
    component->layout = (enum ldm_layout)take_u8(in);
    component->flags = take_u32(in);
    component->partition_count = take_vint(in);
    component->transaction = take_u64(in);
    take_field(in, 8);
    component->volume_id = take_vint(in);
    take_vint(in);
    if ((flags & COMPONENT_STRIPE) == 0)
        return;
    component->stripe_size = take_vint(in);
    component->columns = take_vint(in);
    if (component->stripe_size == 0 || component->columns == 0)
        in->failed = true;
}

enum status ldm_component_parse(const struct ldm_record *record, struct arena *arena,
                                bool *extended, struct ldm_component *ret_component)
{
    struct reader in;
    struct ldm_component component = {0};

    if (record->type != 0x32)
        return ST_UNSUPPORTED;
    enum status status = reader_start(&in, record, COMPONENT_STRIPE, arena);
    if (status != ST_OK)
        return status;
    component_fields(&in, record->flags, &component);
    status = reader_end(&in, extended);
    if (status != ST_OK)
        return status;
    if (component.layout < LDM_STRIPED || component.layout > LDM_RAID5)
        return ST_UNSUPPORTED;
    if (component.layout != LDM_CONCATENATED && component.columns == 0)
        return ST_DAMAGED;
    *ret_component = component;
    return ST_OK;
}

static void partition_fields(struct reader *in, uint8_t flags, struct ldm_partition *partition)
{
    partition->id = take_vint(in);
    partition->name = take_name(in);
    partition->flags = take_u32(in);
    partition->transaction = take_u64(in);
    partition->start = take_u64(in);
    partition->offset = take_u64(in);
    partition->size = take_vint(in);
    partition->component_id = take_vint(in);
    partition->disk_id = take_vint(in);
    partition->column = (flags & PARTITION_COLUMN) != 0 ? take_vint(in) : 0;
    if ((flags & PARTITION_TID) != 0)
        take_field(in, 8);
    if ((flags & PARTITION_BOOT) != 0)
        take_vint(in);
    if ((flags & PARTITION_HIDDEN) != 0)
        take_vint(in);
}

enum status ldm_partition_parse(const struct ldm_record *record, struct arena *arena,
                                bool *extended, struct ldm_partition *ret_partition)
{
    struct reader in;
    struct ldm_partition partition = {0};

    if (record->type != 0x33)
        return ST_UNSUPPORTED;
    enum status status = reader_start(
        &in, record, PARTITION_COLUMN | PARTITION_TID | PARTITION_BOOT | PARTITION_HIDDEN, arena);
    if (status != ST_OK)
        return status;
    partition_fields(&in, record->flags, &partition);
    status = reader_end(&in, extended);
    if (status != ST_OK)
        return status;
    if (partition.size == 0 || partition.size > UINT64_MAX - partition.start ||
        partition.size > UINT64_MAX - partition.offset)
        return ST_DAMAGED;
    *ret_partition = partition;
    return ST_OK;
}

enum status ldm_disk_parse(const struct ldm_record *record, struct arena *arena, bool *extended,
                           struct ldm_disk *ret_disk)
{
    struct reader in;
    struct ldm_disk disk = {0};

    if (record->type != 0x34 && record->type != 0x44)
        return ST_UNSUPPORTED;
    enum status status = reader_start(&in, record, 0, arena);
    if (status != ST_OK)
        return status;
    disk.id = take_vint(&in);
    disk.name = take_name(&in);
    disk.guid = take_owner_guid(&in, record);
    take_vstr(&in);
    disk.flags = take_u32(&in);
    disk.transaction = take_u64(&in);
    status = reader_end(&in, extended);
    if (status != ST_OK)
        return status;
    *ret_disk = disk;
    return ST_OK;
}

enum status ldm_group_parse(const struct ldm_record *record, struct arena *arena, bool *extended,
                            struct ldm_group *ret_group)
{
    struct reader in;
    struct ldm_group group = {0};

    if (record->type != 0x35 && record->type != 0x45)
        return ST_UNSUPPORTED;
    enum status status = reader_start(&in, record, GROUP_COPIES | GROUP_MINOR, arena);
    if (status != ST_OK)
        return status;
    group.id = take_vint(&in);
    group.name = take_name(&in);
    group.guid = take_owner_guid(&in, record);
    take_field(&in, 4);
    group.transaction = take_u64(&in);
    if ((record->flags & GROUP_COPIES) != 0) {
        take_vint(&in);
        take_vint(&in);
    }
    if ((record->flags & GROUP_MINOR) != 0)
        take_vint(&in);
    status = reader_end(&in, extended);
    if (status != ST_OK)
        return status;
    *ret_group = group;
    return ST_OK;
}
