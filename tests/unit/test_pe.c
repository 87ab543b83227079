/*
 * EFI programs as files. Images come from a builder that follows the PE/COFF and Authenticode
 * specifications; what real programs look like is seen in the harness (test_pe_check.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/pe.h"
#include "format/pe_signers.h"
#include "unit/bytes_fixture.h"
#include "unit/pe_fixture.h"

/* The verdict on the first `size` bytes, of a file that is said to have `file_size`, fed in pieces
 * that lie in blocks of just their size. */
static enum pe_verdict check_pieces(const uint8_t *bytes, size_t size, size_t file_size,
                                    size_t piece_size, const char *architecture)
{
    struct pe_check check;

    pe_check_start(&check, file_size, architecture, true);
    for (size_t at = 0; at < size; at += piece_size) {
        size_t left = size - at < piece_size ? size - at : piece_size;
        struct span piece = fixture_exact(bytes + at, left);
        pe_check_feed(&check, piece);
        fixture_drop(piece);
    }
    return pe_check_finish(&check);
}

static enum pe_verdict check_bytes(const uint8_t *bytes, size_t size)
{
    return check_pieces(bytes, size, size, size > 0 ? size : 1, "X64");
}

static enum pe_verdict check_image(const struct pe_image *image)
{
    return check_bytes(image->bytes, image->size);
}

static enum pe_verdict check_recipe(const struct pe_recipe *recipe)
{
    struct pe_image image = pe_image_build(recipe);
    enum pe_verdict verdict = check_image(&image);

    pe_image_free(&image);
    return verdict;
}

static struct pe_recipe recipe_signed(void)
{
    struct pe_recipe recipe = pe_recipe_usual();

    recipe.signature = SIGNED_SHA256;
    return recipe;
}

static struct pe_recipe recipe_with_checksum(void)
{
    struct pe_recipe recipe = pe_recipe_usual();

    recipe.checksum = true;
    return recipe;
}

/* --- Whole images ----------------------------------------------------------------------------- */

static void whole_images_are_good(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();

    (void)state;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
    recipe.checksum = true;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
    recipe.signature = SIGNED_SHA1;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
    recipe.signature = SIGNED_SHA256;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
    recipe.checksum = false;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
    recipe.pe32 = true;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
    recipe.checksum = true;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
}

static void file_of_an_odd_size_is_good(void **state)
{
    struct pe_recipe recipe = recipe_with_checksum();

    (void)state;
    recipe.size += 1;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
    recipe.signature = SIGNED_SHA256;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
}

static void size_of_pieces_does_not_matter(void **state)
{
    static const size_t sizes[] = {1, 3, 7, 512, 513, 4096, 8191, 8192, 8193, 65536};
    struct pe_recipe recipe = recipe_signed();

    (void)state;
    recipe.checksum = true;
    recipe.page_digests = 3000;
    struct pe_image image = pe_image_build(&recipe);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_int_equal(check_pieces(image.bytes, image.size, image.size, sizes[i], "X64"),
                         PE_GOOD);
    image.bytes[0x3800] ^= 0x10;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_int_equal(check_pieces(image.bytes, image.size, image.size, sizes[i], "X64"),
                         PE_BAD_DIGEST);
    memset(image.bytes + 0x1000, 0, 0x1000);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_int_equal(check_pieces(image.bytes, image.size, image.size, sizes[i], "X64"),
                         PE_ZERO_FILLED);
    pe_image_free(&image);
}

static void small_image_is_judged_like_a_large_one(void **state)
{
    struct pe_recipe recipe = recipe_signed();

    (void)state;
    recipe.section_count = 1;
    recipe.sections[0].size = 0x200;
    recipe.size = 0x600;
    recipe.certificates = 10;
    struct pe_image image = pe_image_build(&recipe);
    assert_true(image.size < PE_HEADER_MAX);
    assert_int_equal(check_image(&image), PE_GOOD);
    image.bytes[0x500] ^= 1;
    assert_int_equal(check_image(&image), PE_BAD_DIGEST);
    pe_image_free(&image);
}

static void bytes_beyond_the_size_are_ignored(void **state)
{
    struct pe_recipe recipe = recipe_with_checksum();
    struct pe_image image = pe_image_build(&recipe);
    struct pe_check check;

    (void)state;
    pe_check_start(&check, image.size, "X64", true);
    pe_check_feed(&check, span_of(image.bytes, image.size));
    pe_check_feed(&check, span_of(image.bytes, 100));
    assert_int_equal(pe_check_finish(&check), PE_GOOD);
    pe_image_free(&image);
}

/* --- What kind of program --------------------------------------------------------------------- */

static void machine_must_be_the_architectures(void **state)
{
    static const struct {
        uint16_t machine;
        const char *architecture;
    } own[] = {
        {0x8664, "X64"},      {0x014c, "IA32"},        {0xaa64, "AA64"},        {0x01c2, "ARM"},
        {0x01c4, "ARM"},      {0x0200, "IA64"},        {0x5032, "RISCV32"},     {0x5064, "RISCV64"},
        {0x5128, "RISCV128"}, {0x6232, "LOONGARCH32"}, {0x6264, "LOONGARCH64"},
    };
    const size_t count = sizeof(own) / sizeof(own[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct pe_recipe recipe = pe_recipe_usual();
        recipe.machine = own[i].machine;
        struct pe_image image = pe_image_build(&recipe);
        for (size_t j = 0; j < count; j++) {
            enum pe_verdict verdict =
                check_pieces(image.bytes, image.size, image.size, image.size, own[j].architecture);
            bool fits = strcmp(own[i].architecture, own[j].architecture) == 0;
            assert_int_equal(verdict, fits ? PE_GOOD : PE_OTHER_MACHINE);
        }
        pe_image_free(&image);
    }
}

static void byte_code_runs_everywhere(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();

    (void)state;
    recipe.machine = 0x0ebc;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
}

static void unknown_architecture_is_not_held_against_a_file(void **state)
{
    assert_true(pe_machine_fits(0x8664, "Z80"));
    assert_true(pe_machine_fits(0x8664, "x64"));
    assert_false(pe_machine_fits(0x014c, "x64"));
    (void)state;
}

static void subsystems_of_firmware_are_four(void **state)
{
    (void)state;
    for (uint16_t subsystem = 0; subsystem < 20; subsystem++) {
        struct pe_recipe recipe = pe_recipe_usual();
        bool is_efi = subsystem >= 10 && subsystem <= 13;
        recipe.subsystem = subsystem;
        assert_int_equal(check_recipe(&recipe), is_efi ? PE_GOOD : PE_NOT_EFI);
    }
}

static void damage_counts_more_than_the_subsystem(void **state)
{
    struct pe_recipe recipe = recipe_with_checksum();

    (void)state;
    recipe.subsystem = 16;
    struct pe_image image = pe_image_build(&recipe);
    assert_int_equal(check_image(&image), PE_NOT_EFI);
    image.bytes[0x2000] ^= 1;
    assert_int_equal(check_image(&image), PE_BAD_CHECKSUM);
    pe_image_free(&image);
}

/* --- No image --------------------------------------------------------------------------------- */

static void file_without_bytes_is_empty(void **state)
{
    (void)state;
    assert_int_equal(check_bytes((const uint8_t *)"", 0), PE_EMPTY);
}

static void file_of_zeros_is_zero(void **state)
{
    static const uint8_t zeros[20000];

    (void)state;
    assert_int_equal(check_bytes(zeros, 1), PE_ZERO);
    assert_int_equal(check_bytes(zeros, PE_HEADER_MAX), PE_ZERO);
    assert_int_equal(check_bytes(zeros, sizeof(zeros)), PE_ZERO);
}

static void file_that_begins_with_zeros_is_no_image(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    memset(image.bytes, 0, 4096);
    assert_int_equal(check_image(&image), PE_NOT_AN_IMAGE);
    pe_image_free(&image);
}

static void text_is_no_image(void **state)
{
    static const char text[] = "default boot/loader\n";

    (void)state;
    assert_int_equal(check_bytes((const uint8_t *)text, sizeof(text)), PE_NOT_AN_IMAGE);
}

/* The verdict on the usual image after `size` bytes at `at` were replaced. */
static enum pe_verdict check_changed(size_t at, uint64_t value, size_t size)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image image = pe_image_build(&recipe);

    fixture_store_le(image.bytes + at, value, size);
    enum pe_verdict verdict = check_image(&image);
    pe_image_free(&image);
    return verdict;
}

static void headers_that_contradict_themselves_are_no_image(void **state)
{
    const size_t pe = 0x80;
    const size_t optional = pe + 24;

    (void)state;
    assert_int_equal(check_changed(0, 0x4d5a, 2), PE_NOT_AN_IMAGE);
    assert_int_equal(check_changed(pe, 0x4550 + 0x10000, 4), PE_NOT_AN_IMAGE);
    assert_int_equal(check_changed(60, 0x3000, 4), PE_NOT_AN_IMAGE);
    assert_int_equal(check_changed(optional, 0x107, 2), PE_NOT_AN_IMAGE);
    /* Directories that do not fill the optional header. */
    assert_int_equal(check_changed(optional + 108, 15, 4), PE_NOT_AN_IMAGE);
    assert_int_equal(check_changed(optional + 108, 17, 4), PE_NOT_AN_IMAGE);
    assert_int_equal(check_changed(pe + 20, 111, 2), PE_NOT_AN_IMAGE);
    assert_int_equal(check_changed(pe + 20, 112 + 120, 2), PE_NOT_AN_IMAGE);
    /* Headers that end before their sections do. */
    assert_int_equal(check_changed(optional + 60, 0x80 + 24 + 240 + 79, 4), PE_NOT_AN_IMAGE);
    assert_int_equal(check_changed(optional + 60, 0x80 + 24 + 240 + 80, 4), PE_GOOD);
    /* More sections than headers have room for. */
    assert_int_equal(check_changed(pe + 6, 0xffff, 2), PE_TRUNCATED);
    assert_int_equal(check_changed(pe + 6, 300, 2), PE_NOT_AN_IMAGE);
}

static void few_directories_are_enough(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image image = pe_image_build(&recipe);
    uint8_t sections[80];

    (void)state;
    memcpy(sections, image.bytes + image.sections_at, sizeof(sections));
    fixture_store_le(image.bytes + 0x80 + 20, 112 + 4 * 8, 2);
    fixture_store_le(image.bytes + 0x80 + 24 + 108, 4, 4);
    /* The first section header is where the fifth directory was. */
    memcpy(image.bytes + image.directory_at, sections, sizeof(sections));
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_set_checksum(&image);
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

/* --- Truncated -------------------------------------------------------------------------------- */

static void file_cut_before_its_last_section_ends_is_truncated(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    for (size_t size = 2; size < 0x4000; size += size < 0x500 ? 1 : 97)
        assert_int_equal(check_bytes(image.bytes, size), PE_TRUNCATED);
    assert_int_equal(check_bytes(image.bytes, 0x3fff), PE_TRUNCATED);
    assert_int_equal(check_bytes(image.bytes, 0x4000), PE_GOOD);
    pe_image_free(&image);
}

static void file_shorter_than_its_headers_is_truncated(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();

    (void)state;
    recipe.section_count = 0;
    recipe.size = recipe.headers_size;
    struct pe_image image = pe_image_build(&recipe);
    assert_int_equal(check_image(&image), PE_GOOD);
    assert_int_equal(check_bytes(image.bytes, image.size - 1), PE_TRUNCATED);
    pe_image_free(&image);
}

static void signed_file_cut_anywhere_is_truncated(void **state)
{
    struct pe_recipe recipe = recipe_signed();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    for (size_t size = image.size - 1; size > 0x400; size -= size > 0x4100 ? 1 : 113)
        assert_int_equal(check_bytes(image.bytes, size), PE_TRUNCATED);
    pe_image_free(&image);
}

static void section_that_ends_behind_2_to_the_32_is_truncated(void **state)
{
    const size_t first_section = 0x80 + 24 + 240;

    (void)state;
    assert_int_equal(check_changed(first_section + 16, 0xffffffff, 4), PE_TRUNCATED);
    assert_int_equal(check_changed(first_section + 20, 0xffffffff, 4), PE_TRUNCATED);
}

static void section_without_bytes_may_be_anywhere(void **state)
{
    struct pe_recipe recipe = recipe_signed();

    (void)state;
    recipe.section_count = 3;
    recipe.sections[2].offset = 0xffffff00;
    recipe.sections[2].flags = 0xc0000080;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
}

static void file_that_could_not_be_read_to_its_end_is_truncated(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    assert_int_equal(check_pieces(image.bytes, 0, image.size, 1, "X64"), PE_TRUNCATED);
    assert_int_equal(check_pieces(image.bytes, 700, image.size, 512, "X64"), PE_TRUNCATED);
    assert_int_equal(check_pieces(image.bytes, image.size - 1, image.size, 512, "X64"),
                     PE_TRUNCATED);
    pe_image_free(&image);
}

/* --- Checksum --------------------------------------------------------------------------------- */

static void changed_content_has_a_wrong_checksum(void **state)
{
    struct pe_recipe recipe = recipe_with_checksum();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    for (size_t at = 0x300; at < image.size; at += 251) {
        image.bytes[at] ^= 0x04;
        assert_int_equal(check_image(&image), PE_BAD_CHECKSUM);
        image.bytes[at] ^= 0x04;
    }
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void checksum_from_before_the_loaders_flags_were_set_is_right(void **state)
{
    struct pe_recipe recipe = recipe_with_checksum();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    fixture_store_le(image.bytes + 0x80 + 24 + 70, 0x0540, 2);
    assert_int_equal(check_image(&image), PE_GOOD);
    image.bytes[0x2000] ^= 0x04;
    assert_int_equal(check_image(&image), PE_BAD_CHECKSUM);
    image.bytes[0x2000] ^= 0x04;
    pe_image_set_checksum(&image);
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void checksum_is_found_at_an_odd_offset(void **state)
{
    struct pe_recipe recipe = recipe_with_checksum();

    (void)state;
    recipe.pe_offset = 0x81;
    assert_int_equal(check_recipe(&recipe), PE_GOOD);
}

static void checksum_shows_damage_under_a_signature_with_sha1(void **state)
{
    struct pe_recipe recipe = recipe_with_checksum();

    (void)state;
    recipe.signature = SIGNED_SHA1;
    struct pe_image image = pe_image_build(&recipe);
    image.bytes[0x3800] ^= 1;
    assert_int_equal(check_image(&image), PE_BAD_CHECKSUM);
    fixture_store_le(image.bytes + image.checksum_at, 0, 4);
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

/* --- Digest ----------------------------------------------------------------------------------- */

static void changed_content_has_a_wrong_digest(void **state)
{
    struct pe_recipe recipe = recipe_signed();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    for (size_t at = 0x300; at < image.certificates_at; at += 251) {
        image.bytes[at] ^= 0x04;
        assert_int_equal(check_image(&image), PE_BAD_DIGEST);
        image.bytes[at] ^= 0x04;
    }
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void clusters_in_the_wrong_order_have_a_wrong_digest_and_the_right_checksum(void **state)
{
    struct pe_recipe recipe = recipe_signed();
    uint8_t cluster[512];

    (void)state;
    recipe.checksum = true;
    struct pe_image image = pe_image_build(&recipe);
    memcpy(cluster, image.bytes + 0x1000, 512);
    memcpy(image.bytes + 0x1000, image.bytes + 0x1200, 512);
    memcpy(image.bytes + 0x1200, cluster, 512);
    assert_int_equal(check_image(&image), PE_BAD_DIGEST);
    pe_image_free(&image);
}

static void right_digest_outweighs_a_wrong_checksum(void **state)
{
    struct pe_recipe recipe = recipe_signed();

    (void)state;
    recipe.checksum = true;
    struct pe_image image = pe_image_build(&recipe);
    image.bytes[image.checksum_at] ^= 1;
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void digest_behind_digests_of_pages_is_found(void **state)
{
    static const size_t sizes[] = {0, 300, 360, 380, 400, 410, 420, 500, 600, 5000, 30000};
    struct pe_recipe recipe = recipe_signed();

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        recipe.page_digests = sizes[i];
        struct pe_image image = pe_image_build(&recipe);
        assert_int_equal(check_image(&image), PE_GOOD);
        image.bytes[0x3800] ^= 1;
        assert_int_equal(check_image(&image), PE_BAD_DIGEST);
        pe_image_free(&image);
    }
}

static void digest_is_not_claimed_where_sections_do_not_follow_each_other(void **state)
{
    struct pe_recipe recipe = recipe_signed();

    (void)state;
    recipe.sections[0].size = 0x2a00; /* a gap */
    struct pe_image image = pe_image_build(&recipe);
    image.bytes[0x3800] ^= 1;
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);

    recipe.sections[0].size = 0x2e00; /* an overlap */
    image = pe_image_build(&recipe);
    image.bytes[0x3800] ^= 1;
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void digest_is_not_claimed_when_a_section_reaches_into_the_signature(void **state)
{
    struct pe_recipe recipe = recipe_signed();

    (void)state;
    recipe.sections[1].size = 0x1080;
    struct pe_image image = pe_image_build(&recipe);
    image.bytes[0x3800] ^= 1;
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void order_of_section_headers_does_not_matter(void **state)
{
    struct pe_recipe recipe = recipe_signed();

    (void)state;
    recipe.sections[2] = recipe.sections[0];
    recipe.sections[0] = recipe.sections[1];
    recipe.sections[1] = recipe.sections[2];
    struct pe_image image = pe_image_build(&recipe);
    assert_int_equal(check_image(&image), PE_GOOD);
    image.bytes[0x3800] ^= 1;
    assert_int_equal(check_image(&image), PE_BAD_DIGEST);
    pe_image_free(&image);
}

static void digest_is_not_claimed_when_bytes_follow_the_certificate_table(void **state)
{
    struct pe_recipe recipe = recipe_signed();
    struct pe_image image = pe_image_build(&recipe);
    uint8_t *longer = calloc(1, image.size + 8);

    (void)state;
    memcpy(longer, image.bytes, image.size);
    longer[0x3800] ^= 1;
    assert_int_equal(check_bytes(longer, image.size + 8), PE_GOOD);
    assert_int_equal(check_bytes(longer, image.size), PE_BAD_DIGEST);
    free(longer);
    pe_image_free(&image);
}

static void damage_to_the_signature_itself_never_looks_like_a_wrong_digest(void **state)
{
    struct pe_recipe recipe = recipe_signed();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    for (size_t at = image.certificates_at; at < image.digest_at; at++) {
        image.bytes[at] ^= 0xff;
        assert_int_equal(check_image(&image), PE_GOOD);
        image.bytes[at] ^= 0xff;
    }
    image.bytes[image.digest_at] ^= 0xff;
    assert_int_equal(check_image(&image), PE_BAD_DIGEST);
    pe_image_free(&image);
}

static enum status first_signature_status(const struct pe_image *image)
{
    struct pe_signature signature;
    size_t at = 0;

    assert_int_equal(pe_signature_next(span_of(image->bytes + image->certificates_at,
                                               image->size - image->certificates_at),
                                       &at, &signature),
                     ST_OK);
    return signature.status;
}

static void element_that_passes_the_end_of_another_is_not_followed(void **state)
{
    struct pe_recipe recipe = recipe_signed();
    struct pe_image image = pe_image_build(&recipe);
    size_t digest_info = image.digest_at - 19;

    (void)state;
    assert_int_equal(first_signature_status(&image), ST_OK);
    /* What stands before the digest reaches to the end of what both are in, and one byte more. */
    image.bytes[digest_info - 21] = 20 + 51;
    assert_int_equal(first_signature_status(&image), ST_UNSUPPORTED);
    image.bytes[digest_info - 21] += 1;
    assert_int_equal(first_signature_status(&image), ST_UNSUPPORTED);
    pe_image_free(&image);
}

/* --- Zeros ------------------------------------------------------------------------------------ */

static void zero_page_in_code_is_damage(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    memset(image.bytes + 0x1000, 0, 0x1000);
    assert_int_equal(check_image(&image), PE_ZERO_FILLED);
    image.bytes[0x1fff] = 1;
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);

    /* As many zeros, but no page of them. */
    image = pe_image_build(&recipe);
    memset(image.bytes + 0x1200, 0, 0x1000);
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void zero_page_in_data_proves_nothing(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    memset(image.bytes + 0x3000, 0, 0x1000);
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void zero_page_in_an_image_with_one_section_proves_nothing(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();

    (void)state;
    recipe.section_count = 1;
    struct pe_image image = pe_image_build(&recipe);
    memset(image.bytes + 0x1000, 0, 0x1000);
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void zero_page_in_a_bare_kernel_proves_nothing(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    memset(image.bytes + 0x1000, 0, 0x1000);
    memcpy(image.bytes + 56, "ARM\x64", 4);
    assert_int_equal(check_image(&image), PE_GOOD);
    memcpy(image.bytes + 56, "RSC\x05", 4);
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void zero_page_that_was_always_there_is_no_damage(void **state)
{
    struct pe_recipe recipe = recipe_with_checksum();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    memset(image.bytes + 0x1000, 0, 0x1000);
    assert_int_equal(check_image(&image), PE_ZERO_FILLED);
    pe_image_set_checksum(&image);
    assert_int_equal(check_image(&image), PE_GOOD);
    pe_image_free(&image);
}

static void zero_signature_is_damage(void **state)
{
    struct pe_recipe recipe = recipe_signed();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    memset(image.bytes + image.certificates_at, 0, 64);
    assert_int_equal(check_image(&image), PE_ZERO_FILLED);
    pe_image_free(&image);

    /* Its last part only: the digest is still there, and right. */
    image = pe_image_build(&recipe);
    memset(image.bytes + 0x4400, 0, 512);
    assert_int_equal(check_image(&image), PE_ZERO_FILLED);
    pe_image_free(&image);
}

static void zeros_behind_the_signature_are_no_damage(void **state)
{
    struct pe_recipe recipe = recipe_signed();
    struct pe_image image = pe_image_build(&recipe);
    size_t table = image.size - image.certificates_at;
    uint8_t *padded = calloc(1, image.size + 2048);

    (void)state;
    memcpy(padded, image.bytes, image.size);
    fixture_store_le(padded + image.certificates_at, table + 2048, 4);
    fixture_store_le(padded + image.directory_at + 4, table + 2048, 4);
    assert_int_equal(check_bytes(padded, image.size + 2048), PE_GOOD);
    free(padded);
    pe_image_free(&image);
}

/* The certificate table of the image without its last bytes, its one entry that much shorter; only
 * the entry with `padded`. */
static enum status table_without(const struct pe_image *image, size_t bytes, bool padded)
{
    static struct pe_check check;
    static struct pe_signers signers;
    size_t left = image->size - (padded ? 0 : bytes);
    uint8_t *cut = calloc(1, image->size);

    memcpy(cut, image->bytes, image->size);
    fixture_store_le(cut + image->certificates_at, image->size - image->certificates_at - bytes, 4);
    fixture_store_le(cut + image->directory_at + 4, left - image->certificates_at, 4);
    pe_check_start(&check, left, "X64", true);
    pe_check_feed(&check, span_of(cut, left));
    (void)pe_check_finish(&check);
    pe_signers_read(&check, &signers);
    free(cut);
    return signers.table;
}

/* edk2's DxeImageVerificationLib refuses a table that does not end on an 8-byte boundary of its last
 * entry, whatever that entry says. */
static void last_signature_of_a_table_is_padded(void **state)
{
    struct pe_recipe recipe = recipe_signed();
    struct pe_image image = pe_image_build(&recipe);

    (void)state;
    for (size_t bytes = 0; bytes < 8; bytes++) {
        assert_int_equal(table_without(&image, bytes, true), ST_OK);
        assert_int_equal(table_without(&image, bytes, false), bytes == 0 ? ST_OK : ST_DAMAGED);
    }
    pe_image_free(&image);
}

static bool has_digest(const struct pe_image *image, bool looked_up)
{
    struct sha256 digest;
    struct pe_check check;

    pe_check_start(&check, image->size, "X64", looked_up);
    pe_check_feed(&check, span_of(image->bytes, image->size));
    assert_int_equal(pe_check_finish(&check), PE_GOOD);
    return pe_check_digest(&check, &digest);
}

/* With a signature it tells whether the content is what was signed, whoever looks it up. */
static void digest_is_made_where_somebody_asks_for_it(void **state)
{
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_recipe own = recipe_signed();
    struct pe_image unsigned_one = pe_image_build(&recipe);
    struct pe_image signed_one = pe_image_build(&own);

    (void)state;
    assert_false(has_digest(&unsigned_one, false));
    assert_true(has_digest(&unsigned_one, true));
    assert_true(has_digest(&signed_one, false));
    assert_true(has_digest(&signed_one, true));
    pe_image_free(&unsigned_one);
    pe_image_free(&signed_one);
}

/* --- Words ------------------------------------------------------------------------------------ */

/* --- Marks ------------------------------------------------------------------------------------ */

static struct pe_check check_in_pieces(const struct pe_image *image, size_t piece_size)
{
    struct pe_check check;

    pe_check_start(&check, image->size, "X64", true);
    for (size_t at = 0; at < image->size; at += piece_size) {
        size_t left = image->size - at < piece_size ? image->size - at : piece_size;
        pe_check_feed(&check, span_of(image->bytes + at, left));
    }
    return check;
}

/* The mark of the image, which is to be the same whatever pieces it comes in. */
static enum pe_mark mark_of(const struct pe_image *image)
{
    static const size_t sizes[] = {1, 5, 512, 8192, 65536};
    struct pe_check whole = check_in_pieces(image, image->size);
    enum pe_mark mark = pe_check_mark(&whole);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pe_check check = check_in_pieces(image, sizes[i]);
        assert_int_equal(pe_check_mark(&check), mark);
    }
    return mark;
}

#define SBAT "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"

static void sbat_names_the_program(void **state)
{
    static const struct {
        const char *section;
        const char *text;
        enum pe_mark mark;
    } cases[] = {
        {".sbat", SBAT "shim,4,UEFI shim,shim,1,url\nshim.debian,1,Debian,shim,16.1,url\n",
         PE_MARK_SHIM},
        {".sbat", SBAT "grub,5,Free Software Foundation,grub,2.06,url\n", PE_MARK_GRUB},
        {".sbat", SBAT "systemd-boot,1,The systemd Developers,systemd,255,url\n",
         PE_MARK_SYSTEMD_BOOT},
        {".sbat", SBAT "fwupd-efi,1,Firmware update daemon,fwupd-efi,1.4,url\n", PE_MARK_UPDATER},
        {".sbat", SBAT "memtest86+,1,Memtest86+,6.0,url\n", PE_MARK_MEMORY_TESTER},
        {".sbat", "grub,5,no line of the list itself\n", PE_MARK_GRUB},
        {".sbat", SBAT "grubby,1,Somebody,grubby,1,url\ngrub,5,later\n", PE_MARK_NONE},
        {".sbat", SBAT "gru,1,Somebody,gru,1,url\n", PE_MARK_NONE},
        {".sbat", SBAT "grub", PE_MARK_NONE}, /* no comma */
        {".sbat", SBAT "grub\n", PE_MARK_NONE},
        {".sbat", SBAT, PE_MARK_NONE},
        {".sbat", "", PE_MARK_NONE},
        {".sbatx", SBAT "grub,5,url\n", PE_MARK_NONE},
        {".sba", SBAT "grub,5,url\n", PE_MARK_NONE},
        {".sdmagic", "#### LoaderInfo: systemd-boot 252 ####", PE_MARK_SYSTEMD_BOOT},
        {".linux", "MZ", PE_MARK_KERNEL},
        {".rdata", "RSDS 1234 bootmgfw.pdb", PE_MARK_WINDOWS_MANAGER},
        {".rdata", "bobootmgfw.pd bootmgfw.pdb", PE_MARK_WINDOWS_MANAGER},
        {".rdata", "bbootmgfw.pdb", PE_MARK_WINDOWS_MANAGER},
        {".rdata", "bootmgfw.pdx bootmgr.pdb", PE_MARK_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pe_image image = pe_image_with_section(cases[i].section, cases[i].text);
        enum pe_mark mark = mark_of(&image);
        if (mark != cases[i].mark)
            print_error("%s \"%s\": %d\n", cases[i].section, cases[i].text, mark);
        assert_int_equal(mark, cases[i].mark);
        pe_image_free(&image);
    }
}

/* What of a long section is kept ends with a whole line: a number that is cut off is another one. */
static void levels_are_kept_by_whole_lines(void **state)
{
    static struct pe_check check;
    static struct pe_signers signers;
    char text[PE_SBAT_HEAD + 100] = "";

    (void)state;
    memset(text, 'x', PE_SBAT_HEAD);
    memcpy(text, "sbat,1\ngrub,", 12);
    memcpy(text + PE_SBAT_HEAD - 16, "\ngrub.peimage,22,more\n", 23);
    struct pe_image image = pe_image_with_section(".sbat", text);
    check = check_in_pieces(&image, 512);
    (void)pe_check_finish(&check);
    pe_signers_read(&check, &signers);
    assert_int_equal(strlen(signers.sbat), PE_SBAT_HEAD - 15);
    assert_memory_equal(signers.sbat, text, PE_SBAT_HEAD - 15);
    pe_image_free(&image);
    text[PE_SBAT_HEAD - 1] = '\n'; /* all that is kept are whole lines */
    image = pe_image_with_section(".sbat", text);
    check = check_in_pieces(&image, 512);
    pe_signers_read(&check, &signers);
    assert_int_equal(strlen(signers.sbat), PE_SBAT_HEAD);
    pe_image_free(&image);
}

/* The section that shim has its lists in: its name, of ten letters, is behind a slash and a number. */
static struct pe_image build_with_levels(const char *name, uint32_t format, uint32_t first,
                                         uint32_t second, const char *lists, size_t size)
{
    struct pe_recipe recipe = pe_recipe_usual();
    size_t last = recipe.section_count - 1;
    struct pe_image image = pe_image_with_section(name, "");
    uint8_t *bytes = image.bytes + recipe.sections[last].offset;

    fixture_store_le(bytes, format, 4);
    fixture_store_le(bytes + 4, first, 4);
    fixture_store_le(bytes + 8, second, 4);
    memcpy(bytes + 12, lists, size);
    return image;
}

static void levels_that_shim_brings_are_read(void **state)
{
#define LISTS "sbat,1,2025021800\nshim,4\n\0sbat,1,2025051000\nshim,5\n"
    static const struct {
        const char *name;
        uint32_t format;
        uint32_t first;
        uint32_t second;
        const char *usual;
        const char *latest;
    } cases[] = {
        {"/26", 0, 8, 34, "sbat,1,2025021800\nshim,4\n", "sbat,1,2025051000\nshim,5\n"},
        {"/4", 0, 34, 8, "sbat,1,2025051000\nshim,5\n", "sbat,1,2025021800\nshim,4\n"},
        {"/26", 0, 8, 508, "sbat,1,2025021800\nshim,4\n", ""},
        {"/26", 0, 8, UINT32_MAX, "sbat,1,2025021800\nshim,4\n", ""},
        {"/26", 1, 8, 34, "", ""},
        {"/26", 0, 7, 34, "", ""},
        {"/26", 0, 9, 34, "", ""},
        {"/26", 0, UINT32_MAX, 34, "", ""},
        {".sbatlev", 0, 8, 34, "", ""},
    };
    static struct pe_check check;
    static struct pe_signers signers;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pe_image image = build_with_levels(cases[i].name, cases[i].format, cases[i].first,
                                                  cases[i].second, LISTS, sizeof(LISTS));
        for (size_t piece = 1; piece < 5000; piece = piece * 7 + 1) {
            check = check_in_pieces(&image, piece);
            (void)pe_check_finish(&check);
            pe_signers_read(&check, &signers);
            for (int latest = 0; latest < 2; latest++) {
                const char *wanted = latest != 0 ? cases[i].latest : cases[i].usual;
                struct span text = pe_levels_text(signers.levels, latest != 0);
                assert_int_equal(text.size, strlen(wanted));
                if (text.size > 0)
                    assert_memory_equal(text.at, wanted, text.size);
            }
        }
        pe_image_free(&image);
    }
}

static void levels_of_a_later_day_are_newer(void **state)
{
    static const struct {
        const char *own;
        const char *now;
        bool newer;
    } cases[] = {
        {"sbat,1,2025021800\n", "sbat,1,2024010900\nshim,9\n", true},
        {"sbat,1,2025021801\n", "sbat,1,2025021800\n", true},
        {"sbat,1,2025021800\n", "sbat,1,2025021800\n", false},
        {"sbat,1,2024010900\nshim,9\n", "sbat,1,2025021800\n", false},
        {"sbat,1,2024010900\n", "", true},
        {"sbat,1,2024010900\n", "something else, 2099", true},
        {"", "", false},
        {"sbat,1,20240109", "", false},
        {"", "sbat,1,2024010900\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(pe_levels_are_newer(span_of(cases[i].own, strlen(cases[i].own)),
                                             span_of(cases[i].now, strlen(cases[i].now))),
                         cases[i].newer);
}

static void what_is_no_image_has_no_mark(void **state)
{
    struct pe_image image = pe_image_with_section(".sbat", SBAT "grub,5,url\n");

    (void)state;
    image.bytes[0] = 'm';
    assert_int_equal(mark_of(&image), PE_MARK_NONE);
    image.bytes[0] = 'M';
    /* The section is said to begin behind the file. */
    struct pe_recipe recipe = pe_recipe_usual();
    uint8_t *header = image.bytes + image.sections_at + 40 * (recipe.section_count - 1);
    fixture_store_le(header + 20, image.size + 512, 4);
    assert_int_equal(mark_of(&image), PE_MARK_NONE);
    pe_image_free(&image);
}

static uint32_t sum_of(const struct pe_image *image)
{
    struct pe_check check = check_in_pieces(image, 4096);

    return pe_check_sum(&check);
}

/* The content's own checksum does not hang on what is stored. */
static void checksum_is_told_whatever_is_stored(void **state)
{
    struct pe_recipe recipe = recipe_with_checksum();
    struct pe_image image = pe_image_build(&recipe);
    uint32_t right = 0;

    (void)state;
    for (size_t i = 4; i > 0; i--)
        right = right << 8 | image.bytes[image.checksum_at + i - 1];
    assert_int_equal(sum_of(&image), right);
    fixture_store_le(image.bytes + image.checksum_at, 0x1234, 4);
    assert_int_equal(check_image(&image), PE_BAD_CHECKSUM);
    assert_int_equal(sum_of(&image), right);
    image.bytes[image.size - 1] ^= 0x10;
    assert_int_not_equal(sum_of(&image), right);
    image.bytes[0] = 'm';
    assert_int_equal(sum_of(&image), 0);
    pe_image_free(&image);
}

static void verdicts_have_words_and_say_who_stops(void **state)
{
    (void)state;
    for (int i = 0; i < PE_VERDICT_COUNT; i++)
        assert_non_null(pe_verdict_text((enum pe_verdict)i));
    assert_string_equal(pe_verdict_text(PE_TRUNCATED), "it is shorter than its own headers say");
    assert_true(pe_verdict_is_refused(PE_NOT_AN_IMAGE));
    assert_true(pe_verdict_is_refused(PE_EMPTY));
    assert_true(pe_verdict_is_refused(PE_ZERO));
    assert_true(pe_verdict_is_refused(PE_OTHER_MACHINE));
    assert_true(pe_verdict_is_refused(PE_NOT_EFI));
    assert_true(pe_verdict_is_refused(PE_TRUNCATED));
    assert_false(pe_verdict_is_refused(PE_ZERO_FILLED));
    assert_false(pe_verdict_is_refused(PE_BAD_CHECKSUM));
    assert_false(pe_verdict_is_refused(PE_BAD_DIGEST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_images_are_good),
        cmocka_unit_test(file_of_an_odd_size_is_good),
        cmocka_unit_test(size_of_pieces_does_not_matter),
        cmocka_unit_test(small_image_is_judged_like_a_large_one),
        cmocka_unit_test(bytes_beyond_the_size_are_ignored),
        cmocka_unit_test(machine_must_be_the_architectures),
        cmocka_unit_test(byte_code_runs_everywhere),
        cmocka_unit_test(unknown_architecture_is_not_held_against_a_file),
        cmocka_unit_test(subsystems_of_firmware_are_four),
        cmocka_unit_test(damage_counts_more_than_the_subsystem),
        cmocka_unit_test(file_without_bytes_is_empty),
        cmocka_unit_test(file_of_zeros_is_zero),
        cmocka_unit_test(file_that_begins_with_zeros_is_no_image),
        cmocka_unit_test(text_is_no_image),
        cmocka_unit_test(headers_that_contradict_themselves_are_no_image),
        cmocka_unit_test(few_directories_are_enough),
        cmocka_unit_test(file_cut_before_its_last_section_ends_is_truncated),
        cmocka_unit_test(file_shorter_than_its_headers_is_truncated),
        cmocka_unit_test(signed_file_cut_anywhere_is_truncated),
        cmocka_unit_test(section_that_ends_behind_2_to_the_32_is_truncated),
        cmocka_unit_test(section_without_bytes_may_be_anywhere),
        cmocka_unit_test(file_that_could_not_be_read_to_its_end_is_truncated),
        cmocka_unit_test(changed_content_has_a_wrong_checksum),
        cmocka_unit_test(checksum_from_before_the_loaders_flags_were_set_is_right),
        cmocka_unit_test(checksum_is_found_at_an_odd_offset),
        cmocka_unit_test(checksum_shows_damage_under_a_signature_with_sha1),
        cmocka_unit_test(changed_content_has_a_wrong_digest),
        cmocka_unit_test(clusters_in_the_wrong_order_have_a_wrong_digest_and_the_right_checksum),
        cmocka_unit_test(right_digest_outweighs_a_wrong_checksum),
        cmocka_unit_test(digest_behind_digests_of_pages_is_found),
        cmocka_unit_test(digest_is_not_claimed_where_sections_do_not_follow_each_other),
        cmocka_unit_test(digest_is_not_claimed_when_a_section_reaches_into_the_signature),
        cmocka_unit_test(order_of_section_headers_does_not_matter),
        cmocka_unit_test(digest_is_not_claimed_when_bytes_follow_the_certificate_table),
        cmocka_unit_test(damage_to_the_signature_itself_never_looks_like_a_wrong_digest),
        cmocka_unit_test(element_that_passes_the_end_of_another_is_not_followed),
        cmocka_unit_test(zero_page_in_code_is_damage),
        cmocka_unit_test(zero_page_in_data_proves_nothing),
        cmocka_unit_test(zero_page_in_an_image_with_one_section_proves_nothing),
        cmocka_unit_test(zero_page_in_a_bare_kernel_proves_nothing),
        cmocka_unit_test(zero_page_that_was_always_there_is_no_damage),
        cmocka_unit_test(zero_signature_is_damage),
        cmocka_unit_test(zeros_behind_the_signature_are_no_damage),
        cmocka_unit_test(last_signature_of_a_table_is_padded),
        cmocka_unit_test(digest_is_made_where_somebody_asks_for_it),
        cmocka_unit_test(sbat_names_the_program),
        cmocka_unit_test(levels_are_kept_by_whole_lines),
        cmocka_unit_test(levels_that_shim_brings_are_read),
        cmocka_unit_test(levels_of_a_later_day_are_newer),
        cmocka_unit_test(what_is_no_image_has_no_mark),
        cmocka_unit_test(checksum_is_told_whatever_is_stored),
        cmocka_unit_test(verdicts_have_words_and_say_who_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
