#include "format/pe_signature.h"

#include "base/mem.h"

#define CERTIFICATE_HEADER 8u
#define REVISION_2         0x0200u
#define KIND_PKCS7         2u

/* DER tags (ITU-T X.690). */
enum {
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_OBJECT = 0x06,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
    TAG_CONTEXT_0 = 0xa0,
};

/* Content bytes of object identifiers. */
#define OID_SIGNED_DATA   "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"     /* 1.2.840.113549.1.7.2 */
#define OID_INDIRECT_DATA "\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x04" /* 1.3.6.1.4.1.311.2.1.4 */
#define OID_SHA256        "\x60\x86\x48\x01\x65\x03\x04\x02\x01"     /* 2.16.840.1.101.3.4.2.1 */

/* A place in a DER structure; what is behind `end` does not belong to it. */
struct der {
    struct span bytes;
    uint64_t at;
    uint64_t end; /* may be beyond the bytes that are here */
};

/* Reads tag and length in front of an element of kind `tag`, moves to its content and gives the
 * content's size. False when it is something else, or passes the end. */
static bool der_enter(struct der *der, uint8_t tag, uint64_t *ret_size)
{
    struct span head = span_part(der->bytes, der->at, 2);

    if (head.at == NULL || head.at[0] != tag)
        return false;
    uint64_t size = head.at[1];
    uint64_t at = der->at + 2;
    if (size >= 0x80) {
        size_t count = size & 0x7f;
        struct span rest = span_part(der->bytes, at, count);
        if (rest.at == NULL || count == 0 || count > 4)
            return false;
        size = 0;
        for (size_t i = 0; i < count; i++)
            size = size << 8 | rest.at[i];
        at += count;
    }
    if (at > der->end || size > der->end - at)
        return false;
    der->at = at;
    *ret_size = size;
    return true;
}

/* One element on the way to the DigestInfo: gone into, or passed over after its content was seen to
 * be the one expected. */
struct step {
    uint8_t tag;
    bool enter;
    uint8_t size; /* of `content`; 0 = any content */
    const char *content;
};

static bool der_step(struct der *der, const struct step *step)
{
    uint64_t size = 0;

    if (!der_enter(der, step->tag, &size))
        return false;
    if (step->enter) {
        der->end = der->at + size;
        return true;
    }
    if (step->size > 0) {
        struct span content = span_part(der->bytes, der->at, size);
        if (!span_equal(content, span_of(step->content, step->size)))
            return false;
    }
    der->at += size;
    return true;
}

static bool der_walk(struct der *der, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!der_step(der, &steps[i]))
            return false;
    }
    return true;
}

enum status pe_signature_locate(struct span head, uint64_t table_size,
                                struct pe_signature *ret_signature)
{
    static const struct step steps[] = {
        {TAG_OBJECT, false, sizeof(OID_SIGNED_DATA) - 1, OID_SIGNED_DATA},
        {TAG_CONTEXT_0, true, 0, NULL},
        {TAG_SEQUENCE, true, 0, NULL}, /* SignedData */
        {TAG_INTEGER, false, 0, NULL}, /* its version */
        {TAG_SET, false, 0, NULL},     /* digest algorithms */
        {TAG_SEQUENCE, true, 0, NULL}, /* encapsulated ContentInfo */
        {TAG_OBJECT, false, sizeof(OID_INDIRECT_DATA) - 1, OID_INDIRECT_DATA},
        {TAG_CONTEXT_0, true, 0, NULL},
        {TAG_SEQUENCE, true, 0, NULL},  /* SpcIndirectDataContent */
        {TAG_SEQUENCE, false, 0, NULL}, /* its data, which may carry a digest of each page */
    };

    if (head.size < CERTIFICATE_HEADER)
        return ST_UNSUPPORTED;
    struct der der = {head, CERTIFICATE_HEADER, ld_le32(head.at)};
    if (ld_le16(head.at + 4) != REVISION_2 || ld_le16(head.at + 6) != KIND_PKCS7 ||
        der.end > table_size)
        return ST_UNSUPPORTED;
    const struct step content_info = {TAG_SEQUENCE, true, 0, NULL};
    if (!der_step(&der, &content_info))
        return ST_UNSUPPORTED;
    struct pe_signature signature = {.size = der.end};
    if (!der_walk(&der, steps, sizeof(steps) / sizeof(steps[0])))
        return ST_UNSUPPORTED;
    signature.digest = der.at;
    *ret_signature = signature;
    return ST_OK;
}

enum status pe_signature_digest(struct span info, struct sha256 *ret_digest)
{
    static const struct step enter = {TAG_SEQUENCE, true, 0, NULL};
    static const struct step object = {TAG_OBJECT, false, sizeof(OID_SHA256) - 1, OID_SHA256};
    struct der der = {info, 0, info.size};
    uint64_t size = 0;

    if (!der_step(&der, &enter))
        return ST_UNSUPPORTED;
    struct der algorithm = der;
    if (!der_step(&algorithm, &enter))
        return ST_UNSUPPORTED;
    uint64_t behind = algorithm.end;
    if (!der_step(&algorithm, &object))
        return ST_UNSUPPORTED;
    der.at = behind;
    if (!der_enter(&der, TAG_OCTETS, &size) || size != sizeof(ret_digest->bytes))
        return ST_UNSUPPORTED;
    memcpy(ret_digest->bytes, info.at + der.at, sizeof(ret_digest->bytes));
    return ST_OK;
}
