#include "format/signed_data.h"

#include "format/der.h"

#define OID_SIGNED_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" /* 1.2.840.113549.1.7.2 */

/* Takes what is around a SignedData off, where there is something. */
static bool enter_content_info(struct span *io_bytes)
{
    struct span in = *io_bytes;
    struct span type;

    if (!der_enter(&in, DER_SEQUENCE, &in))
        return false;
    if (!der_enter(&in, DER_OBJECT, &type))
        return true; /* there is nothing around it */
    return span_equal(type, span_of(OID_SIGNED_DATA, sizeof(OID_SIGNED_DATA) - 1)) &&
           der_enter(&in, DER_CONTEXT_0, io_bytes);
}

enum status signed_data_parse(struct span bytes, struct signed_data *ret_data)
{
    struct signed_data data = {.signers = span_of(NULL, 0)};
    struct span in;
    struct span info;

    if (!enter_content_info(&bytes) || !der_enter(&bytes, DER_SEQUENCE, &in) ||
        !der_skip(&in, DER_INTEGER) || !der_skip(&in, DER_SET) ||
        !der_enter(&in, DER_SEQUENCE, &info) || !der_enter(&info, DER_OBJECT, &data.content_type))
        return ST_DAMAGED;
    (void)der_enter(&info, DER_CONTEXT_0, &data.content);
    (void)der_enter(&in, DER_CONTEXT_0, &data.certificates);
    (void)der_skip(&in, DER_CONTEXT_0 + 1);
    (void)der_enter(&in, DER_SET, &data.signers);
    *ret_data = data;
    return ST_OK;
}

bool signed_data_next_signer(struct span *io_signers, struct signer_name *ret_name)
{
    struct signer_name name;
    struct der_element issuer;
    struct span in;
    struct span who;

    if (!der_enter(io_signers, DER_SEQUENCE, &in) || !der_skip(&in, DER_INTEGER) ||
        !der_enter(&in, DER_SEQUENCE, &who) || !der_take(&who, DER_SEQUENCE, &issuer) ||
        !der_enter(&who, DER_INTEGER, &name.serial))
        return false;
    name.issuer = issuer.whole;
    *ret_name = name;
    return true;
}

bool signed_data_next_certificate(struct span *io_certificates, struct certificate_parts *ret_parts)
{
    struct der_element element;

    while (der_next(io_certificates, &element)) {
        if (certificate_split(element.whole, ret_parts) == ST_OK)
            return true;
    }
    return false;
}

enum status signed_data_certificate(const struct signed_data *data, const struct signer_name *name,
                                    struct certificate_parts *ret_parts)
{
    struct span rest = data->certificates;
    struct certificate_parts parts;

    while (signed_data_next_certificate(&rest, &parts)) {
        if (span_equal(parts.issuer, name->issuer) && span_equal(parts.serial, name->serial)) {
            *ret_parts = parts;
            return ST_OK;
        }
    }
    return ST_ABSENT;
}
