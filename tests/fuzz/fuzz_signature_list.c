/* Any bytes as Secure Boot's lists: the content of db or dbx. */
#include "format/certificate.h"
#include "format/signature_list.h"
#include "fuzz/fuzz.h"

#define SIZE_LIMIT 65536u

static void check_signature(struct span lists, const struct signature *own)
{
    enum svn_program program = SVN_PROGRAM_COUNT;
    struct certificate certificate;
    uint32_t svn = 0;

    require((unsigned)own->kind < SIGNATURE_KIND_COUNT);
    require(own->data.size == 0 ||
            (own->data.at >= lists.at && own->data.at + own->data.size <= lists.at + lists.size));
    require(own->kind != SIGNATURE_SHA256 || own->data.size >= 32);
    if (signature_is_svn(own, &program, &svn))
        require(own->kind == SIGNATURE_SHA256 && (unsigned)program <= SVN_PROGRAM_COUNT);
    (void)signature_is_forever(own);
    if (own->kind == SIGNATURE_CERTIFICATE && certificate_parse(own->data, &certificate) == ST_OK)
        require(strlen(certificate.name) < CERTIFICATE_NAME_SIZE &&
                (certificate.end[0] == '\0' || strlen(certificate.end) == 10));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SIZE_LIMIT)
        return 0;
    uint8_t *bytes = exact_copy(data, size);
    struct span lists = span_of(bytes, size);
    struct signature_walk walk = signature_walk_start(lists);
    struct signature own;
    enum status status = ST_OK;
    size_t count = 0;

    while ((status = signature_next(&walk, &own)) == ST_OK) {
        check_signature(lists, &own);
        require(++count <= size / 16);
    }
    require(status == ST_ABSENT || status == ST_DAMAGED);
    free(bytes);
    return 0;
}
