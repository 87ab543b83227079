#include "format/certificate.h"

#include "base/mem.h"
#include "format/der.h"

#define OID_COMMON_NAME   "\x55\x04\x03" /* 2.5.4.3 */
#define OID_KEY_ID        "\x55\x1d\x0e" /* 2.5.29.14 */
#define OID_ISSUER_KEY_ID "\x55\x1d\x23" /* 2.5.29.35 */
#define OID_SIZE          3u

/* --- Names ------------------------------------------------------------------------------------ */

/* Appends what can be printed of a string; '?' stands for the rest. */
static void put_text(const struct der_element *string, char ret_text[CERTIFICATE_NAME_SIZE])
{
    size_t unit = string->tag == DER_BMP_TEXT ? 2 : 1;
    size_t count = string->content.size / unit;
    size_t used = 0;

    for (size_t i = 0; i < count && used < CERTIFICATE_NAME_SIZE - 1; i++) {
        const uint8_t *at = string->content.at + i * unit;
        unsigned c = unit == 2 ? ld_be16(at) : at[0];
        ret_text[used++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    ret_text[used] = '\0';
}

/* Gives the name when the attribute is a common name. */
static bool take_common_name(struct span attribute, char ret_text[CERTIFICATE_NAME_SIZE])
{
    struct der_element string;
    struct span type;

    if (!der_enter(&attribute, DER_OBJECT, &type) ||
        !span_equal(type, span_of(OID_COMMON_NAME, OID_SIZE)) || !der_next(&attribute, &string))
        return false;
    put_text(&string, ret_text);
    return true;
}

void certificate_common_name(struct span name, char ret_text[CERTIFICATE_NAME_SIZE])
{
    struct span sets;
    struct span attributes;
    struct span attribute;

    ret_text[0] = '\0';
    if (!der_enter(&name, DER_SEQUENCE, &sets))
        return;
    while (der_enter(&sets, DER_SET, &attributes)) {
        if (der_enter(&attributes, DER_SEQUENCE, &attribute) &&
            take_common_name(attribute, ret_text))
            return;
    }
}

/* --- Certificates ----------------------------------------------------------------------------- */

/* SubjectKeyIdentifier ::= OCTET STRING
 * AuthorityKeyIdentifier ::= SEQUENCE { [0] keyIdentifier OPTIONAL, ... } */
static void read_extension(struct span in, struct certificate_parts *io_parts)
{
    struct der_element value;
    struct span type;
    struct span id;

    if (!der_enter(&in, DER_OBJECT, &type) || !der_next(&in, &value) ||
        (value.tag == DER_BOOLEAN && !der_next(&in, &value)) || value.tag != DER_OCTETS)
        return;
    if (span_equal(type, span_of(OID_KEY_ID, OID_SIZE)) &&
        der_enter(&value.content, DER_OCTETS, &id))
        io_parts->key_id = id;
    if (span_equal(type, span_of(OID_ISSUER_KEY_ID, OID_SIZE)) &&
        der_enter(&value.content, DER_SEQUENCE, &id) && der_enter(&id, DER_CONTEXT_0_BYTES, &id))
        io_parts->issuer_key_id = id;
}

/* What follows the key. */
static void read_extensions(struct span rest, struct certificate_parts *io_parts)
{
    struct der_element element;
    struct span list;
    struct span extension;

    while (der_next(&rest, &element)) {
        if (element.tag != DER_CONTEXT_3 || !der_enter(&element.content, DER_SEQUENCE, &list))
            continue;
        while (der_enter(&list, DER_SEQUENCE, &extension))
            read_extension(extension, io_parts);
    }
}

enum status certificate_split(struct span bytes, struct certificate_parts *ret_parts)
{
    struct certificate_parts parts = {.key_id = span_of(NULL, 0)};
    struct der_element element;
    struct span dates;

    if (!der_take(&bytes, DER_SEQUENCE, &element))
        return ST_DAMAGED;
    parts.whole = element.whole;
    struct span in = element.content;
    if (!der_take(&in, DER_SEQUENCE, &element))
        return ST_DAMAGED;
    parts.signed_part = element.whole;
    in = element.content;
    (void)der_skip(&in, DER_CONTEXT_0); /* the version, where it is not the first */
    if (!der_enter(&in, DER_INTEGER, &parts.serial) || !der_skip(&in, DER_SEQUENCE) ||
        !der_take(&in, DER_SEQUENCE, &element))
        return ST_DAMAGED;
    parts.issuer = element.whole;
    if (!der_enter(&in, DER_SEQUENCE, &dates) || !der_next(&dates, &element) ||
        !der_next(&dates, &element))
        return ST_DAMAGED;
    parts.end = element.whole;
    if (!der_take(&in, DER_SEQUENCE, &element))
        return ST_DAMAGED;
    parts.subject = element.whole;
    if (!der_take(&in, DER_SEQUENCE, &element))
        return ST_DAMAGED;
    parts.key = element.whole;
    read_extensions(in, &parts);
    *ret_parts = parts;
    return ST_OK;
}

/* YYMMDD... of a UTCTime, in which years up to 49 are of this century (RFC 5280, 4.1.2.5.1), or
 * YYYYMMDD... of a GeneralizedTime. */
static void put_end_date(struct span time, char ret_text[CERTIFICATE_DATE_SIZE])
{
    struct der_element element;
    char digits[8];
    size_t short_by = 2;

    ret_text[0] = '\0';
    if (!der_next(&time, &element))
        return;
    if (element.tag == DER_LONG_TIME)
        short_by = 0;
    else if (element.tag != DER_UTC_TIME)
        return;
    struct span text = span_part(element.content, 0, sizeof(digits) - short_by);
    if (text.at == NULL)
        return;
    memcpy(digits, text.at[0] < '5' ? "20" : "19", 2);
    memcpy(digits + short_by, text.at, text.size);
    for (size_t i = 0; i < sizeof(digits); i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return;
    }
    memcpy(ret_text, digits, 4);
    ret_text[4] = '-';
    memcpy(ret_text + 5, digits + 4, 2);
    ret_text[7] = '-';
    memcpy(ret_text + 8, digits + 6, 2);
    ret_text[10] = '\0';
}

static struct certificate_id key_id_of(struct span id)
{
    return (struct certificate_id){.known = id.size > 0, .digest = sha256_of(id)};
}

struct certificate certificate_of(const struct certificate_parts *parts)
{
    struct certificate certificate = {
        .digest = sha256_of(parts->whole),
        .signed_part = sha256_of(parts->signed_part),
        .signed_part_384 = sha384_of(parts->signed_part),
        .signed_part_512 = sha512_of(parts->signed_part),
        .issuer = sha256_of(parts->issuer),
        .subject = sha256_of(parts->subject),
        .key = sha256_of(parts->key),
        .key_id = key_id_of(parts->key_id),
        .issuer_key_id = key_id_of(parts->issuer_key_id),
    };

    certificate_common_name(parts->subject, certificate.name);
    put_end_date(parts->end, certificate.end);
    return certificate;
}

enum status certificate_parse(struct span bytes, struct certificate *ret_certificate)
{
    struct certificate_parts parts;
    enum status status = certificate_split(bytes, &parts);

    if (status == ST_OK)
        *ret_certificate = certificate_of(&parts);
    return status;
}

bool certificate_may_have_issued(const struct certificate *issuer, const struct certificate *own)
{
    return sha256_equal(&issuer->subject, &own->issuer) &&
           (!issuer->key_id.known || !own->issuer_key_id.known ||
            sha256_equal(&issuer->key_id.digest, &own->issuer_key_id.digest));
}

bool certificate_is_its_own(const struct certificate *own)
{
    return sha256_equal(&own->subject, &own->issuer);
}
