#include "format/signature_list.h"

#define HEADER_SIZE 28u
#define OWNER_SIZE  16u
#define SHA256_SIZE 32u
#define SVN_ENTRY   1u /* the first byte of a security version number */
#define TIME_SIZE   16u
#define TIME_USED   7u /* year, month, day, hour, minute, second: what firmware looks at */

/* Kinds of entries, in the order of their numbers, with the least size of their data. */
static const struct {
    struct guid type;
    uint8_t least;
    const char *text;
} kinds[SIGNATURE_OTHER] = {
    {GUID_INIT(0xc1c41626, 0x504c, 0x4092, 0xaca9, 0x41f936934328), 32, "SHA-256 digests"},
    {GUID_INIT(0xa5c059a1, 0x94e4, 0x4aa7, 0x87b5, 0xab155c2bf072), 1, "certificates"},
    {GUID_INIT(0x3bd2a492, 0x96c0, 0x4079, 0xb420, 0xfcf98ef103ed), 48,
     "SHA-256 digests of certificates"},
    {GUID_INIT(0x7076876e, 0x80c2, 0x4ee6, 0xaad2, 0x28b349a6865b), 64,
     "SHA-384 digests of certificates"},
    {GUID_INIT(0x446dbf63, 0x2502, 0x4cda, 0xbcfa, 0x2465d2b0fe9d), 80,
     "SHA-512 digests of certificates"},
    {GUID_INIT(0x826ca512, 0xcf10, 0x4ac9, 0xb187, 0xbe01496631bd), 20, "SHA-1 digests"},
    {GUID_INIT(0x0b6e5233, 0xa65c, 0x44c9, 0x9407, 0xd9ab83bfc8bd), 28, "SHA-224 digests"},
    {GUID_INIT(0xff3e5307, 0x9fd0, 0x48c9, 0x85f1, 0x8ad56c701e01), 48, "SHA-384 digests"},
    {GUID_INIT(0x093e0fae, 0xa6c4, 0x4f50, 0x9f1b, 0xd41e2b89c19a), 64, "SHA-512 digests"},
};

static const struct guid svn_owner = GUID_INIT(0x9d132b6c, 0x59d5, 0x4388, 0xab1c, 0x185cfcb2eb92);

/* Note that the boot manager's differs from the owner in two places. */
static const struct {
    struct guid guid;
    const char *name;
} svn_programs[SVN_PROGRAM_COUNT] = {
    {GUID_INIT(0x9d132b61, 0x59d5, 0x4388, 0xab1c, 0x185c3cb2eb92), "bootmgfw"},
    {GUID_INIT(0xe8f82e9d, 0xe127, 0x4158, 0xa488, 0x4c18abe2f284), "cdboot"},
    {GUID_INIT(0xc999cac2, 0x7ffe, 0x496f, 0x8127, 0x9e2a8a535976), "wdsmgfw"},
};

const char *signature_kind_text(enum signature_kind kind)
{
    return (unsigned)kind < SIGNATURE_OTHER ? kinds[kind].text : "entries of other kinds";
}

const char *svn_program_name(enum svn_program program)
{
    return (unsigned)program < SVN_PROGRAM_COUNT ? svn_programs[program].name : "";
}

static struct guid guid_at(const uint8_t *at)
{
    struct guid guid;

    for (size_t i = 0; i < sizeof(guid.bytes); i++)
        guid.bytes[i] = at[i];
    return guid;
}

static enum signature_kind kind_by_guid(const struct guid *type)
{
    size_t i = 0;

    while (i < SIGNATURE_OTHER && !guid_equal(&kinds[i].type, type))
        i++;
    return (enum signature_kind)i;
}

struct signature_walk signature_walk_start(struct span lists)
{
    struct signature_walk walk = {.rest = lists, .list = span_of(NULL, 0)};

    return walk;
}

/* Goes to the first entry of the next list. */
static enum status open_list(struct signature_walk *walk)
{
    const uint8_t *at = walk->rest.at;

    if (walk->rest.size < HEADER_SIZE)
        return ST_DAMAGED;
    struct guid type = guid_at(at);
    uint64_t size = ld_le32(at + 16);
    uint64_t head = HEADER_SIZE + (uint64_t)ld_le32(at + 20);
    uint32_t each = ld_le32(at + 24);
    enum signature_kind kind = kind_by_guid(&type);
    uint32_t least = OWNER_SIZE + (kind == SIGNATURE_OTHER ? 0u : kinds[kind].least);
    if (size > walk->rest.size || head > size || each < least || (size - head) % each != 0)
        return ST_DAMAGED;
    walk->list = span_part(walk->rest, head, size - head);
    walk->rest = span_part(walk->rest, size, walk->rest.size - size);
    walk->size = each;
    walk->kind = kind;
    return ST_OK;
}

enum status signature_next(struct signature_walk *walk, struct signature *ret_signature)
{
    while (walk->list.size == 0) {
        if (walk->rest.size == 0)
            return ST_ABSENT;
        if (open_list(walk) != ST_OK)
            return ST_DAMAGED;
    }
    ret_signature->kind = walk->kind;
    ret_signature->owner = guid_at(walk->list.at);
    ret_signature->data = span_part(walk->list, OWNER_SIZE, walk->size - OWNER_SIZE);
    walk->list = span_part(walk->list, walk->size, walk->list.size - walk->size);
    return ST_OK;
}

bool signature_is_svn(const struct signature *signature, enum svn_program *ret_program,
                      uint32_t *ret_svn)
{
    const uint8_t *at = signature->data.at;
    size_t i = 0;

    if (signature->kind != SIGNATURE_SHA256 || !guid_equal(&signature->owner, &svn_owner) ||
        at[0] != SVN_ENTRY)
        return false;
    struct guid program = guid_at(at + 1);
    while (i < SVN_PROGRAM_COUNT && !guid_equal(&svn_programs[i].guid, &program))
        i++;
    *ret_program = (enum svn_program)i;
    *ret_svn = (uint32_t)ld_le16(at + 19) << 16 | ld_le16(at + 17);
    return true;
}

bool signature_is_forever(const struct signature *signature)
{
    size_t digest = signature->data.size - TIME_SIZE;

    return signature->data.size < TIME_SIZE ||
           span_is_zero(span_part(signature->data, digest, TIME_USED));
}
