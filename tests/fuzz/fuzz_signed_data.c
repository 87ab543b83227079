/* Any bytes as a certificate table of a program: PKCS #7, certificates, names. */
#include "format/pe_signature.h"
#include "fuzz/fuzz.h"

#define SIZE_LIMIT 65536u

static bool is_within(struct span part, struct span whole)
{
    return part.size == 0 || (part.at >= whole.at && part.at + part.size <= whole.at + whole.size);
}

static void check_certificate(struct span table, const struct certificate_parts *parts)
{
    struct certificate own = certificate_of(parts);

    require(strlen(own.name) < CERTIFICATE_NAME_SIZE);
    require(is_within(parts->whole, table) && is_within(parts->signed_part, parts->whole) &&
            is_within(parts->issuer, parts->signed_part) &&
            is_within(parts->subject, parts->signed_part) &&
            is_within(parts->serial, parts->signed_part) &&
            is_within(parts->key, parts->signed_part) &&
            is_within(parts->key_id, parts->signed_part) &&
            is_within(parts->issuer_key_id, parts->signed_part));
}

static void check_certificates(struct span table, struct span certificates)
{
    struct certificate_parts parts;

    for (int i = 0; i < 4 && signed_data_next_certificate(&certificates, &parts); i++)
        check_certificate(table, &parts);
}

static void check_data(struct span table, const struct signed_data *data)
{
    struct span signers = data->signers;
    struct certificate_parts parts;
    struct signer_name name;
    size_t count = 0;

    require(is_within(data->certificates, table) && is_within(signers, table));
    check_certificates(table, data->certificates);
    while (signed_data_next_signer(&signers, &name)) {
        require(is_within(name.issuer, data->signers) && is_within(name.serial, data->signers));
        if (signed_data_certificate(data, &name, &parts) == ST_OK)
            check_certificate(table, &parts);
        if (++count == 8)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SIZE_LIMIT)
        return 0;
    uint8_t *bytes = exact_copy(data, size);
    struct span table = span_of(bytes, size);
    struct pe_signature signature;
    size_t at = 0;
    size_t before = 0;
    enum status status = ST_OK;

    while ((status = pe_signature_next(table, &at, &signature)) == ST_OK) {
        require(at > before && signature.size <= size);
        before = at;
        if (signature.status == ST_OK)
            check_data(table, &signature.data);
    }
    require(status == ST_ABSENT || status == ST_DAMAGED);
    free(bytes);
    return 0;
}
