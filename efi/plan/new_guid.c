#include "plan/new_guid.h"

/* Bytes of a GUID as on disk: the version is the upper half of the third group, which is stored
 * with its low byte first; the variant is in the first byte of the fourth. */
#define VERSION_BYTE 7
#define VARIANT_BYTE 8

static void feed_guid(struct sha256_state *state, const struct guid *guid)
{
    sha256_feed(state, span_of(guid->bytes, sizeof(guid->bytes)));
}

static void feed_number(struct sha256_state *state, uint64_t number)
{
    uint8_t bytes[8];

    st_le64(bytes, number);
    sha256_feed(state, span_of(bytes, sizeof(bytes)));
}

void identity_begin(struct identity *identity, const struct machine *machine, size_t disk,
                    const struct date_time *now)
{
    const struct disk *own = &machine->disks[disk];
    struct sha256_state state;

    sha256_start(&state);
    sha256_feed(&state, own->path);
    feed_number(&state, own->block_count);
    feed_number(&state, own->block_size);
    for (size_t i = 0; i < machine->disk_count; i++)
        feed_guid(&state, &machine->disks[i].guid);
    for (size_t i = 0; i < machine->partition_count; i++)
        feed_guid(&state, &machine->partitions[i].unique);
    feed_number(&state, (uint64_t)now->year << 16 | (uint64_t)now->month << 8 | now->day);
    feed_number(&state, (uint64_t)now->hour << 16 | (uint64_t)now->minute << 8 | now->second);
    *identity = (struct identity){.machine = machine, .seed = sha256_finish(&state)};
}

void identity_begin_for(struct identity *identity, const struct machine *machine,
                        const struct guid *guid)
{
    struct sha256_state state;

    sha256_start(&state);
    feed_guid(&state, guid);
    *identity = (struct identity){.machine = machine, .seed = sha256_finish(&state)};
}

static struct sha256 next_digest(struct identity *identity)
{
    struct sha256_state state;

    sha256_start(&state);
    sha256_feed(&state, span_of(identity->seed.bytes, sizeof(identity->seed.bytes)));
    feed_number(&state, identity->counter++);
    return sha256_finish(&state);
}

static bool has_guid(const struct machine *machine, const struct guid *guid)
{
    for (size_t i = 0; i < machine->disk_count; i++) {
        if (guid_equal(&machine->disks[i].guid, guid))
            return true;
    }
    for (size_t i = 0; i < machine->partition_count; i++) {
        if (guid_equal(&machine->partitions[i].unique, guid))
            return true;
    }
    return false;
}

struct guid identity_guid(struct identity *identity)
{
    struct guid guid;

    do {
        struct sha256 digest = next_digest(identity);
        guid = guid_load(digest.bytes);
        guid.bytes[VERSION_BYTE] = (uint8_t)((guid.bytes[VERSION_BYTE] & 0x0f) | 0x40);
        guid.bytes[VARIANT_BYTE] = (uint8_t)((guid.bytes[VARIANT_BYTE] & 0x3f) | 0x80);
    } while (has_guid(identity->machine, &guid));
    return guid;
}

static bool signature_is_taken(const struct machine *machine, uint32_t signature)
{
    for (size_t i = 0; i < machine->disk_count; i++) {
        if (machine->disks[i].mbr.signature == signature)
            return true;
    }
    return false;
}

uint32_t identity_signature(struct identity *identity)
{
    uint32_t signature = 0;

    while (signature == 0 || signature_is_taken(identity->machine, signature)) {
        struct sha256 digest = next_digest(identity);
        signature = ld_le32(digest.bytes);
    }
    return signature;
}

static bool has_serial(const struct machine *machine, uint32_t serial)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (machine->esps[i].status == ST_OK && machine->esps[i].volume.serial == serial)
            return true;
    }
    return false;
}

uint32_t identity_serial(struct identity *identity)
{
    uint32_t serial = 0;

    while (serial == 0 || has_serial(identity->machine, serial)) {
        struct sha256 digest = next_digest(identity);
        serial = ld_le32(digest.bytes);
    }
    return serial;
}
