/*
 * Says what shadowboot reads in the things that Secure Boot is made of, a line each:
 *
 *   secure_dump lists FILE            a variable's lists, or an update of one
 *   secure_dump certificate FILE      a certificate
 *   secure_dump program ARCH FILE     a program's digest, signers, version, SVN
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/pe_signers.h"
#include "format/signature_list.h"
#include "host/host_alloc.h"

#define TIME_SIZE 16u /* EFI_TIME, in front of an update */

static struct span read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    long size = ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        host_fail("a file that cannot be read");
    fclose(file);
    return span_of(bytes, (size_t)size);
}

static const char *hex(const struct sha256 *digest)
{
    static char text[4][65];
    static unsigned turn;
    char *to = text[turn++ % 4];

    for (size_t i = 0; i < sizeof(digest->bytes); i++)
        snprintf(to + i * 2, 3, "%02x", digest->bytes[i]);
    return to;
}

static void print_certificate(const char *what, const struct certificate *own)
{
    printf("%s %s %s %s %s\n", what, hex(&own->digest), hex(&own->signed_part),
           own->end[0] != '\0' ? own->end : "-", own->name);
}

static int dump_certificate(const char *path)
{
    struct span bytes = read_whole(path);
    struct certificate own;
    enum status status = certificate_parse(bytes, &own);

    if (status == ST_OK)
        print_certificate("certificate", &own);
    free((void *)bytes.at);
    return status != ST_OK;
}

/* The lists of an authenticated update (EFI_VARIABLE_AUTHENTICATION_2) lie behind its signature. */
static struct span lists_of(struct span bytes)
{
    struct span head = span_part(bytes, TIME_SIZE, 8);

    if (head.at == NULL || ld_le16(head.at + 4) != 0x0200 || ld_le16(head.at + 6) != 0x0ef1)
        return bytes;
    size_t at = TIME_SIZE + ld_le32(head.at);
    return span_part(bytes, at, bytes.size - at);
}

static void print_signature(const struct signature *signature)
{
    enum svn_program program = SVN_PROGRAM_COUNT;
    struct sha256 digest = sha256_of(signature->data);
    char owner[GUID_TEXT_SIZE];
    struct certificate own;
    uint32_t svn = 0;

    guid_format(&signature->owner, owner);
    if (signature_is_svn(signature, &program, &svn))
        printf("svn %s %u.%u\n", svn_program_name(program), svn >> 16, svn & 0xffff);
    else if (signature->kind == SIGNATURE_CERTIFICATE &&
             certificate_parse(signature->data, &own) == ST_OK)
        print_certificate("certificate", &own);
    else if (signature->kind == SIGNATURE_SHA256) {
        memcpy(digest.bytes, signature->data.at, sizeof(digest.bytes));
        printf("digest %s %s\n", hex(&digest), owner);
    } else
        printf("other %d %zu\n", (int)signature->kind, signature->data.size);
}

static int dump_lists(const char *path)
{
    struct span bytes = read_whole(path);
    struct signature_walk walk = signature_walk_start(lists_of(bytes));
    struct signature signature;
    enum status status = ST_OK;

    while ((status = signature_next(&walk, &signature)) == ST_OK)
        print_signature(&signature);
    free((void *)bytes.at);
    return status != ST_ABSENT;
}

static void print_signers(const struct pe_signers *own)
{
    printf("digest %s\n", own->has_digest ? hex(&own->digest) : "-");
    printf("table %s\n", status_text(own->table));
    for (size_t i = 0; i < own->count; i++) {
        const struct pe_signer *signer = &own->signers[i];
        printf("signature %s %s\n", status_text(signer->status), signer->right ? "right" : "wrong");
        for (size_t j = 0; signer->status == ST_OK && j < signer->count; j++)
            print_certificate("certificate", &own->certificates[signer->first + j]);
        if (signer->status == ST_OK)
            printf("issuer %s\n", signer->issuer_name);
    }
    if (own->has_version)
        printf("version %u.%u.%u.%u\n", (unsigned)(own->version >> 48),
               (unsigned)(own->version >> 32 & 0xffff), (unsigned)(own->version >> 16 & 0xffff),
               (unsigned)(own->version & 0xffff));
    if (own->has_svn)
        printf("svn %u.%u\n", own->svn >> 16, own->svn & 0xffff);
    if (own->sbat[0] != '\0')
        printf("sbat\n%s", own->sbat);
    for (int latest = 0; latest < 2; latest++) {
        struct span levels = pe_levels_text(own->levels, latest != 0);
        if (levels.size > 0)
            printf("levels\n%.*s", (int)levels.size, (const char *)levels.at);
    }
}

static int dump_program(const char *architecture, const char *path)
{
    struct span bytes = read_whole(path);
    struct pe_check *check = malloc(sizeof(*check));
    static struct pe_signers own;

    if (check == NULL)
        host_fail("no memory");
    pe_check_start(check, bytes.size, architecture, true);
    pe_check_feed(check, bytes);
    (void)pe_check_finish(check);
    pe_signers_read(check, &own);
    print_signers(&own);
    free(check);
    free((void *)bytes.at);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "lists") == 0)
        return dump_lists(argv[2]);
    if (argc == 3 && strcmp(argv[1], "certificate") == 0)
        return dump_certificate(argv[2]);
    if (argc == 4 && strcmp(argv[1], "program") == 0)
        return dump_program(argv[2], argv[3]);
    fprintf(stderr, "secure_dump lists FILE | certificate FILE | program ARCH FILE\n");
    return 2;
}
