#include "unit/pe_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"

struct pe_recipe pe_recipe_usual(void)
{
    struct pe_recipe recipe = {
        .machine = 0x8664,
        .subsystem = 10,
        .pe_offset = 0x80,
        .headers_size = 0x400,
        .section_count = 2,
        .sections = {{0x400, 0x2c00, PE_CODE}, {0x3000, 0x1000, PE_DATA}},
        .size = 0x4064,
        .page_digests = 20,
        .certificates = 1500,
    };

    return recipe;
}

/* --- The certificate table, written from its end to its start --------------------------------- */

struct der_writer {
    uint8_t bytes[65536];
    size_t at; /* of what was written last */
};

static void put(struct der_writer *to, const void *data, size_t size)
{
    if (size > to->at)
        host_fail("a signature that is too large for the fixture");
    to->at -= size;
    memcpy(to->bytes + to->at, data, size);
}

/* Makes everything from the writer's place to `end` an element. */
static void wrap(struct der_writer *to, uint8_t tag, size_t end)
{
    size_t size = end - to->at;
    uint8_t long_form[] = {tag, 0x82, (uint8_t)(size >> 8), (uint8_t)size};
    uint8_t short_form[] = {tag, (uint8_t)size};

    if (size < 0x80)
        put(to, short_form, sizeof(short_form));
    else
        put(to, long_form, sizeof(long_form));
}

static void put_filler(struct der_writer *to, uint8_t tag, size_t size)
{
    size_t end = to->at;

    for (size_t i = 0; i < size; i++)
        put(to, &(uint8_t){(uint8_t)(0x5a + i % 7)}, 1);
    wrap(to, tag, end);
}

static void put_digest_info(struct der_writer *to, enum pe_fixture_signature kind)
{
    static const uint8_t sha256[] = {0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                     0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00};
    static const uint8_t sha1[] = {0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                   0x03, 0x02, 0x1a, 0x05, 0x00};
    static const uint8_t digest[32];
    size_t end = to->at;
    size_t size = kind == SIGNED_SHA256 ? 32 : 20;

    put(to, digest, size);
    wrap(to, 0x04, end);
    if (kind == SIGNED_SHA256)
        put(to, sha256, sizeof(sha256));
    else
        put(to, sha1, sizeof(sha1));
    wrap(to, 0x30, end);
}

/* Certificates and, behind them, signer infos; or a filler for both. */
static void put_signers(struct der_writer *to, const struct pe_recipe *recipe)
{
    size_t end = to->at;

    if (recipe->chain.size == 0) {
        put_filler(to, 0xa0, recipe->certificates);
        return;
    }
    put(to, recipe->signers.at, recipe->signers.size);
    wrap(to, 0x31, end);
    end = to->at;
    put(to, recipe->chain.at, recipe->chain.size);
    wrap(to, 0xa0, end);
}

/* SignedData with the content first and a filler for what follows it. Gives the offset of the
 * DigestInfo in the writer's bytes. */
static size_t put_signed_data(struct der_writer *to, const struct pe_recipe *recipe)
{
    static const uint8_t signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                          0xf7, 0x0d, 0x01, 0x07, 0x02};
    static const uint8_t indirect_data[] = {0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04,
                                            0x01, 0x82, 0x37, 0x02, 0x01, 0x04};
    static const uint8_t version_1[] = {0x02, 0x01, 0x01};
    size_t end = to->at;

    put_signers(to, recipe);
    size_t behind = to->at;
    put_digest_info(to, recipe->signature);
    size_t digest_info = to->at;
    put_filler(to, 0x30, recipe->page_digests);
    wrap(to, 0x30, behind);
    wrap(to, 0xa0, behind);
    put(to, indirect_data, sizeof(indirect_data));
    wrap(to, 0x30, behind);
    put_filler(to, 0x31, 15);
    put(to, version_1, sizeof(version_1));
    wrap(to, 0x30, end);
    wrap(to, 0xa0, end);
    put(to, signed_data, sizeof(signed_data));
    wrap(to, 0x30, end);
    return digest_info;
}

/* Appends the certificate table to the image; its digest is zero yet. */
static void add_signature(struct pe_image *image, const struct pe_recipe *recipe)
{
    static struct der_writer to;
    uint8_t header[8] = {0};

    to.at = sizeof(to.bytes);
    size_t digest_info = put_signed_data(&to, recipe);
    size_t size = (sizeof(to.bytes) - to.at + 8 + 7) / 8 * 8;
    image->certificates_at = (image->size + 7) / 8 * 8;
    fixture_store_le(header, size, 4);
    fixture_store_le(header + 4, 0x0200, 2);
    fixture_store_le(header + 6, 2, 2);
    size_t total = image->certificates_at + size;
    image->bytes = host_grow(image->bytes, total);
    memset(image->bytes + image->size, 0, total - image->size);
    image->size = total;
    memcpy(image->bytes + image->certificates_at, header, 8);
    memcpy(image->bytes + image->certificates_at + 8, to.bytes + to.at, sizeof(to.bytes) - to.at);
    if (recipe->signature == SIGNED_SHA256)
        image->digest_at = image->certificates_at + 8 + (digest_info - to.at) + 19;
    fixture_store_le(image->bytes + image->directory_at, image->certificates_at, 4);
    fixture_store_le(image->bytes + image->directory_at + 4, size, 4);
}

/* SHA-256 of the file without checksum, directory entry and certificate table. */
static void set_digest(struct pe_image *image)
{
    uint8_t *covered = host_alloc(image->size, 1);
    size_t used = 0;

    for (size_t i = 0; i < image->certificates_at; i++) {
        bool left_out = (i >= image->checksum_at && i < image->checksum_at + 4) ||
                        (i >= image->directory_at && i < image->directory_at + 8);
        if (!left_out)
            covered[used++] = image->bytes[i];
    }
    struct sha256 digest = sha256_of(span_of(covered, used));
    memcpy(image->bytes + image->digest_at, digest.bytes, 32);
    free(covered);
}

/* --- The image -------------------------------------------------------------------------------- */

void pe_image_set_checksum(struct pe_image *image)
{
    uint32_t sum = 0;

    fixture_store_le(image->bytes + image->checksum_at, 0, 4);
    for (size_t i = 0; i < image->size; i += 2) {
        uint32_t high = i + 1 < image->size ? image->bytes[i + 1] : 0;
        sum += image->bytes[i] | high << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    fixture_store_le(image->bytes + image->checksum_at, sum + image->size, 4);
}

static void put_sections(struct pe_image *image, const struct pe_recipe *recipe)
{
    for (size_t i = 0; i < recipe->section_count; i++) {
        uint8_t *at = image->bytes + image->sections_at + 40 * i;
        memcpy(at, ".section", 8);
        fixture_store_le(at + 8, recipe->sections[i].size, 4);
        fixture_store_le(at + 12, 0x1000 + 0x10000 * i, 4);
        fixture_store_le(at + 16, recipe->sections[i].size, 4);
        fixture_store_le(at + 20, recipe->sections[i].offset, 4);
        fixture_store_le(at + 36, recipe->sections[i].flags, 4);
    }
}

static void put_headers(struct pe_image *image, const struct pe_recipe *recipe)
{
    size_t fixed = recipe->pe32 ? 96 : 112; /* size of the optional header before directories */
    uint8_t *pe = image->bytes + recipe->pe_offset;
    uint8_t *optional = pe + 24;
    size_t optional_at = recipe->pe_offset + 24;

    memset(image->bytes, 0, recipe->headers_size);
    memcpy(image->bytes, "MZ", 2);
    fixture_store_le(image->bytes + 60, recipe->pe_offset, 4);
    memcpy(pe, "PE\0\0", 4);
    fixture_store_le(pe + 4, recipe->machine, 2);
    fixture_store_le(pe + 6, recipe->section_count, 2);
    fixture_store_le(pe + 20, fixed + 16 * 8, 2);
    fixture_store_le(optional, recipe->pe32 ? 0x10b : 0x20b, 2);
    fixture_store_le(optional + 60, recipe->headers_size, 4);
    fixture_store_le(optional + 68, recipe->subsystem, 2);
    fixture_store_le(optional + 70, recipe->loader_flags, 2);
    fixture_store_le(optional + fixed - 4, 16, 4);
    image->checksum_at = optional_at + 64;
    image->directory_at = optional_at + fixed + 4 * 8;
    image->sections_at = optional_at + fixed + 16 * 8;
    put_sections(image, recipe);
}

struct pe_image pe_image_build(const struct pe_recipe *recipe)
{
    struct pe_image image = {.bytes = host_alloc(recipe->size, 1), .size = recipe->size};

    for (size_t i = 0; i < image.size; i++)
        image.bytes[i] = (uint8_t)(1 + i * 2654435761u % 255);
    put_headers(&image, recipe);
    if (recipe->signature != UNSIGNED)
        add_signature(&image, recipe);
    if (recipe->signature == SIGNED_SHA256)
        set_digest(&image);
    if (recipe->checksum)
        pe_image_set_checksum(&image);
    return image;
}

void pe_image_free(struct pe_image *image)
{
    free(image->bytes);
    image->bytes = NULL;
}

struct pe_image pe_image_with_section(const char *name, const char *text)
{
    struct pe_recipe recipe = pe_recipe_usual();
    size_t last = recipe.section_count - 1;
    struct pe_image image = pe_image_build(&recipe);
    uint8_t *header = image.bytes + image.sections_at + 40 * last;
    char padded[9] = "";

    strncpy(padded, name, 8);
    memcpy(header, padded, 8);
    memset(image.bytes + recipe.sections[last].offset, 0, recipe.sections[last].size);
    memcpy(image.bytes + recipe.sections[last].offset, text, strlen(text));
    return image;
}
