#include "ntfs_file.h"

#include "ntfs_packed.h"

#define SEQUENCE_SHIFT 48u

/*
 * $REPARSE_POINT ([MS-FSCC] 2.1.2)              WOF, Windows' overlay filter ([MS-FSCC] 2.1.2.9)
 * 00  4  tag; bit 29: it stands for another     08  4  version: 1
 *        file or directory                      0C  4  provider: 1 WIM, 2 this file
 * 04  2  bytes from 08 on                       10  4  version of the provider: 1
 *                                               14  4  algorithm
 */
#define REPARSE_HEADER_BYTES 8u
#define REPARSE_BYTES        0x18u /* as many as are looked at */
#define TAG_IS_SURROGATE     0x20000000u
#define TAG_WOF              0x80000017u
#define WOF_VERSION          1u

struct tag {
    uint32_t mask;
    uint32_t value;
    enum ntfs_form form;
};

static const struct tag tags[] = {
    {TAG_IS_SURROGATE, TAG_IS_SURROGATE, NTFS_FORM_LINK},
    {0xffffffff, 0x80000013, NTFS_FORM_DEDUPLICATED},
    {0xffffffff, 0x80000008, NTFS_FORM_IN_WIM},
    {0xffff0fff, 0x9000001a, NTFS_FORM_IN_CLOUD},
};

/* By the algorithm's number. */
static const enum ntfs_form wof_forms[] = {NTFS_FORM_XPRESS4K, NTFS_FORM_LZX, NTFS_FORM_XPRESS8K,
                                           NTFS_FORM_XPRESS16K};

static const char *const form_texts[NTFS_FORM_COUNT] = {
    [NTFS_FORM_PLAIN] = "plain",
    [NTFS_FORM_LZNT1] = "compressed (NTFS)",
    [NTFS_FORM_XPRESS4K] = "compressed (XPRESS4K)",
    [NTFS_FORM_XPRESS8K] = "compressed (XPRESS8K)",
    [NTFS_FORM_XPRESS16K] = "compressed (XPRESS16K)",
    [NTFS_FORM_LZX] = "compressed (LZX)",
    [NTFS_FORM_PACKED] = "compressed in a way this program does not know",
    [NTFS_FORM_ENCRYPTED] = "encrypted",
    [NTFS_FORM_LINK] = "a link to another place",
    [NTFS_FORM_DEDUPLICATED] = "deduplicated",
    [NTFS_FORM_IN_WIM] = "in a WIM image",
    [NTFS_FORM_IN_CLOUD] = "in a cloud",
    [NTFS_FORM_REPARSE] = "a reparse point of an unknown kind",
};

const char *ntfs_form_text(enum ntfs_form form)
{
    return form < NTFS_FORM_COUNT ? form_texts[form] : form_texts[NTFS_FORM_REPARSE];
}

bool ntfs_form_is_read(enum ntfs_form form)
{
    return form < NTFS_FORM_PACKED;
}

uint64_t ntfs_reference(const struct ntfs_file *file)
{
    return file->record | (uint64_t)file->sequence << SEQUENCE_SHIFT;
}

static enum ntfs_form wof_form(const uint8_t *reparse)
{
    uint32_t provider = ld_le32(reparse + 0x0c);
    uint32_t algorithm = ld_le32(reparse + 0x14);

    if (ld_le32(reparse + 0x08) != WOF_VERSION)
        return NTFS_FORM_REPARSE;
    if (provider == 1)
        return NTFS_FORM_IN_WIM;
    if (provider != 2 || ld_le32(reparse + 0x10) != WOF_VERSION)
        return NTFS_FORM_REPARSE;
    if (algorithm >= sizeof wof_forms / sizeof wof_forms[0])
        return NTFS_FORM_PACKED;
    return wof_forms[algorithm];
}

static enum ntfs_form reparse_form(struct span reparse)
{
    uint32_t tag = reparse.size >= REPARSE_HEADER_BYTES ? ld_le32(reparse.at) : 0;

    if (tag == TAG_WOF && reparse.size >= REPARSE_BYTES)
        return wof_form(reparse.at);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if ((tag & tags[i].mask) == tags[i].value)
            return tags[i].form;
    }
    return NTFS_FORM_REPARSE;
}

/* The form that a file has by its reparse point, if it is one. Statuses: ST_OK; ST_DAMAGED and
 * others. */
static enum status look_at_reparse(struct ntfs_volume *volume, const struct ntfs_record *record,
                                   struct ntfs_file *file)
{
    static const struct ntfs_key key = {.type = NTFS_REPARSE_POINT};
    struct ntfs_stream stream = {0};
    uint8_t bytes[REPARSE_BYTES];
    enum status status = ntfs_stream_open(volume, record, &key, &stream);

    if (status != ST_OK)
        return status == ST_ABSENT ? ST_OK : status;
    size_t size = stream.size < sizeof bytes ? (size_t)stream.size : sizeof bytes;
    status = ntfs_stream_read(volume, &stream, 0, bytes, size);
    if (status != ST_OK)
        return status;
    file->reparse = true;
    if (file->form != NTFS_FORM_ENCRYPTED)
        file->form = reparse_form(span_of(bytes, size));
    return ST_OK;
}

static enum ntfs_form data_form(const struct ntfs_volume *volume, const struct ntfs_attribute *data)
{
    uint16_t packed = data->flags & NTFS_COMPRESSED;

    if ((data->flags & NTFS_ENCRYPTED) != 0)
        return NTFS_FORM_ENCRYPTED;
    if (data->resident || packed == 0)
        return NTFS_FORM_PLAIN;
    if (packed != NTFS_COMPRESSED_LZNT1 || ntfs_lznt1_unit(volume, data->unit_shift) == 0)
        return NTFS_FORM_PACKED;
    return NTFS_FORM_LZNT1;
}

/* $STANDARD_INFORMATION has the time of the last change of the content at 8; it is resident. */
static uint64_t time_written(const struct ntfs_record *record)
{
    static const struct ntfs_key key = {.type = NTFS_STANDARD_INFORMATION};
    struct ntfs_attribute facts;

    if (!ntfs_record_find(record, &key, 0, &facts) || !facts.resident || facts.value.size < 16)
        return 0;
    return ld_le64(facts.value.at + 8);
}

static enum status describe_record(struct ntfs_volume *volume, const struct ntfs_record *record,
                                   struct ntfs_file *ret_file)
{
    static const struct ntfs_key key = {.type = NTFS_DATA};
    struct ntfs_attribute data = {.resident = true};
    struct ntfs_file file = {
        .record = record->number,
        .sequence = record->sequence,
        .is_directory = record->is_directory,
        .written = time_written(record),
    };
    enum status status = ntfs_attribute_head(volume, record, &key, &data);

    if (status != ST_OK && status != ST_ABSENT)
        return status;
    file.compressed = (data.flags & NTFS_COMPRESSED) != 0;
    file.sparse = (data.flags & NTFS_SPARSE) != 0;
    file.encrypted = (data.flags & NTFS_ENCRYPTED) != 0;
    file.size = record->is_directory ? 0 : data.size;
    file.form = data_form(volume, &data);
    status = look_at_reparse(volume, record, &file);
    if (status == ST_OK)
        *ret_file = file;
    return status;
}

enum status ntfs_describe(struct ntfs_volume *volume, uint64_t reference,
                          struct ntfs_file *ret_file)
{
    size_t mark = arena_mark(volume->arena);
    struct ntfs_record record;
    enum status status = ntfs_file_load(volume, reference, &record);

    if (status == ST_OK)
        status = describe_record(volume, &record, ret_file);
    arena_release(volume->arena, mark);
    return status;
}

enum status ntfs_directory_load(struct ntfs_volume *volume, uint64_t reference,
                                struct ntfs_record *ret_record)
{
    static const struct ntfs_key key = {.type = NTFS_REPARSE_POINT};
    struct ntfs_attribute reparse;
    struct ntfs_record record;
    enum status status = ntfs_file_load(volume, reference, &record);

    if (status != ST_OK)
        return status;
    status = ntfs_attribute_head(volume, &record, &key, &reparse);
    if (status != ST_ABSENT)
        return status == ST_OK ? ST_UNSUPPORTED : status;
    if (!record.is_directory)
        return ST_ABSENT;
    *ret_record = record;
    return ST_OK;
}
