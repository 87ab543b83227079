#include "format/pe_signature.h"

#include "base/mem.h"
#include "format/der.h"

#define CERTIFICATE_HEADER 8u
#define REVISION_2         0x0200u
#define KIND_PKCS7         2u

/* Content bytes of object identifiers. */
#define OID_INDIRECT_DATA "\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x04" /* 1.3.6.1.4.1.311.2.1.4 */
#define OID_SHA256        "\x60\x86\x48\x01\x65\x03\x04\x02\x01"     /* 2.16.840.1.101.3.4.2.1 */

/* DigestInfo ::= SEQUENCE { SEQUENCE { algorithm OBJECT IDENTIFIER, ... }, OCTET STRING } */
static bool read_digest(struct span info, struct sha256 *ret_digest)
{
    struct span algorithm;
    struct span object;
    struct span octets;

    if (!der_enter(&info, DER_SEQUENCE, &algorithm) ||
        !der_enter(&algorithm, DER_OBJECT, &object) ||
        !span_equal(object, span_of(OID_SHA256, sizeof(OID_SHA256) - 1)) ||
        !der_enter(&info, DER_OCTETS, &octets) || octets.size != sizeof(ret_digest->bytes))
        return false;
    memcpy(ret_digest->bytes, octets.at, octets.size);
    return true;
}

/* SpcIndirectDataContent ::= SEQUENCE { data SEQUENCE, messageDigest DigestInfo }, where the data
 * may carry a digest of each page. */
static enum status read_signed_data(struct span bytes, struct pe_signature *ret_signature)
{
    struct der_element around;
    struct span rest = bytes;
    struct span content;
    struct span info;

    if (!der_next(&rest, &around) || signed_data_parse(bytes, &ret_signature->data) != ST_OK ||
        !span_equal(ret_signature->data.content_type,
                    span_of(OID_INDIRECT_DATA, sizeof(OID_INDIRECT_DATA) - 1)))
        return ST_UNSUPPORTED;
    ret_signature->size = CERTIFICATE_HEADER + around.whole.size;
    content = ret_signature->data.content;
    if (!der_enter(&content, DER_SEQUENCE, &content) || !der_skip(&content, DER_SEQUENCE) ||
        !der_enter(&content, DER_SEQUENCE, &info) || !read_digest(info, &ret_signature->digest))
        return ST_UNSUPPORTED;
    return ST_OK;
}

enum status pe_signature_next(struct span table, size_t *io_at, struct pe_signature *ret_signature)
{
    struct span head = span_part(table, *io_at, CERTIFICATE_HEADER);
    struct pe_signature signature = {.status = ST_UNSUPPORTED};

    if (*io_at >= table.size)
        return ST_ABSENT;
    if (head.at == NULL)
        return ST_DAMAGED;
    uint32_t size = ld_le32(head.at);
    struct span whole = span_part(table, *io_at, size);
    if (size <= CERTIFICATE_HEADER || whole.at == NULL)
        return ST_DAMAGED;
    signature.size = size;
    if (ld_le16(head.at + 4) == REVISION_2 && ld_le16(head.at + 6) == KIND_PKCS7)
        signature.status = read_signed_data(
            span_part(whole, CERTIFICATE_HEADER, size - CERTIFICATE_HEADER), &signature);
    *io_at += ((size_t)size + 7u) & ~(size_t)7u;
    *ret_signature = signature;
    return ST_OK;
}
