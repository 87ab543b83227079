#include "format/pe_signers.h"

#include "base/mem.h"

/* --- Signatures ------------------------------------------------------------------------------- */

static bool is_in_signer(const struct pe_signers *signers, const struct pe_signer *signer,
                         const struct certificate *own)
{
    for (size_t i = 0; i < signer->count; i++) {
        if (sha256_equal(&signers->certificates[signer->first + i].digest, &own->digest))
            return true;
    }
    return false;
}

/* Lists those of the file that may have issued this one. False when there is no room. */
static bool list_issuers(struct pe_signers *io_signers, struct span certificates, size_t at,
                         struct pe_signer *io_signer)
{
    const struct certificate *own = &io_signers->certificates[at];
    struct certificate_parts parts;

    if (certificate_is_its_own(own))
        return true;
    while (signed_data_next_certificate(&certificates, &parts)) {
        struct sha256 subject = sha256_of(parts.subject);
        if (!sha256_equal(&subject, &own->issuer))
            continue;
        struct certificate issuer = certificate_of(&parts);
        if (!certificate_may_have_issued(&issuer, own) ||
            is_in_signer(io_signers, io_signer, &issuer))
            continue;
        if (io_signer->first + io_signer->count == PE_CHAINS_MAX)
            return false;
        io_signers->certificates[io_signer->first + io_signer->count++] = issuer;
    }
    return true;
}

/* Lists the signer's certificate, and who may have issued it and each other. */
static bool list_chain(struct pe_signers *io_signers, const struct signed_data *data,
                       const struct certificate_parts *parts, struct pe_signer *io_signer)
{
    if (io_signer->first == PE_CHAINS_MAX)
        return false;
    io_signers->certificates[io_signer->first] = certificate_of(parts);
    io_signer->count = 1;
    certificate_common_name(parts->issuer, io_signer->issuer_name);
    for (size_t i = 0; i < io_signer->count; i++) {
        if (!list_issuers(io_signers, data->certificates, io_signer->first + i, io_signer))
            return false;
    }
    return true;
}

/* One signature of the table. */
static struct pe_signer read_signer(struct pe_signers *io_signers,
                                    const struct pe_signature *signature, size_t *io_used)
{
    struct pe_signer signer = {.status = ST_UNSUPPORTED, .first = *io_used};
    struct span list = signature->data.signers;
    struct certificate_parts parts;
    struct signer_name name;

    if (signature->status != ST_OK || !signed_data_next_signer(&list, &name) || list.size > 0 ||
        signed_data_certificate(&signature->data, &name, &parts) != ST_OK ||
        !list_chain(io_signers, &signature->data, &parts, &signer))
        return signer;
    *io_used += signer.count;
    signer.status = ST_OK;
    signer.right = io_signers->has_digest && sha256_equal(&signature->digest, &io_signers->digest);
    return signer;
}

static void read_table(struct pe_signers *io_signers, struct span table)
{
    struct pe_signature signature;
    size_t used = 0;
    size_t at = 0;
    enum status status = ST_OK;

    while ((status = pe_signature_next(table, &at, &signature)) == ST_OK) {
        if (io_signers->count == PE_SIGNERS_MAX) {
            io_signers->table = ST_UNSUPPORTED;
            return;
        }
        io_signers->signers[io_signers->count++] = read_signer(io_signers, &signature, &used);
    }
    /* The last one is filled up to 8 bytes as well, or firmware does not take the table. */
    if (status == ST_DAMAGED || io_signers->count == 0 || at != table.size)
        io_signers->table = ST_DAMAGED;
}

/* Keeps the lines that are there to their end. */
static void keep_levels(struct pe_signers *io_signers, struct span sbat)
{
    bool is_cut = sbat.size == PE_SBAT_HEAD;

    while (is_cut && sbat.size > 0 && sbat.at[sbat.size - 1] != '\0' &&
           sbat.at[sbat.size - 1] != '\n')
        sbat.size--;
    memcpy(io_signers->sbat, sbat.at, sbat.size);
}

void pe_signers_read(const struct pe_check *check, struct pe_signers *ret_signers)
{
    struct span table = span_of(NULL, 0);

    memset(ret_signers, 0, sizeof(*ret_signers));
    ret_signers->has_digest = pe_check_digest(check, &ret_signers->digest);
    ret_signers->table = pe_check_table(check, &table);
    if (ret_signers->table == ST_OK)
        read_table(ret_signers, table);
    ret_signers->mark = pe_check_mark(check);
    ret_signers->has_svn = pe_resources_svn(&check->resources, &ret_signers->svn);
    ret_signers->has_version = pe_resources_version(&check->resources, &ret_signers->version);
    keep_levels(ret_signers, pe_check_sbat(check));
    memcpy(ret_signers->levels, check->levels.bytes, sizeof(ret_signers->levels));
}

/* --- Levels ----------------------------------------------------------------------------------- */

struct sbat_line {
    struct span component;
    uint32_t generation;
};

/* The field at the start of `*io_text`, up to a comma or the line's end, which stay. */
static struct span take_sbat_field(struct span *io_text)
{
    size_t size = 0;

    while (size < io_text->size && io_text->at[size] != ',' && io_text->at[size] != '\n' &&
           io_text->at[size] != '\0')
        size++;
    struct span field = span_part(*io_text, 0, size);
    *io_text = span_part(*io_text, size, io_text->size - size);
    return field;
}

/* The next line with a component and a number; false at the end. */
static bool next_sbat_line(struct span *io_text, struct sbat_line *ret_line)
{
    struct sbat_line line = {.generation = 0};

    if (io_text->size == 0 || io_text->at[0] == '\0')
        return false;
    line.component = take_sbat_field(io_text);
    if (io_text->size > 0 && io_text->at[0] == ',') {
        *io_text = span_part(*io_text, 1, io_text->size - 1);
        struct span number = take_sbat_field(io_text);
        for (size_t i = 0; i < number.size && i < 9; i++)
            line.generation = line.generation * 10 + (number.at[i] - (uint32_t)'0') % 10;
    }
    while (io_text->size > 0 && io_text->at[0] != '\n' && io_text->at[0] != '\0')
        *io_text = span_part(*io_text, 1, io_text->size - 1);
    if (io_text->size > 0 && io_text->at[0] == '\n')
        *io_text = span_part(*io_text, 1, io_text->size - 1);
    *ret_line = line;
    return true;
}

bool pe_signers_below_level(const struct pe_signers *signers, struct span level)
{
    struct span text = span_of(signers->sbat, sizeof(signers->sbat));
    struct sbat_line own;
    struct sbat_line least;

    while (next_sbat_line(&text, &own)) {
        struct span rest = level;
        while (next_sbat_line(&rest, &least)) {
            if (span_equal(own.component, least.component) && own.generation < least.generation)
                return true;
        }
    }
    return false;
}
