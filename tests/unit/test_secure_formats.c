/*
 * DER, certificates, PKCS #7 and signature lists. What real ones look like is seen in the harness
 * (test_secure_formats.py), where openssl and sbverify are the judges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/der.h"
#include "format/pe_resource.h"
#include "format/pe_signers.h"
#include "format/signature_list.h"
#include "format/signed_data.h"
#include "unit/bytes_fixture.h"
#include "unit/secure_fixture.h"

static const struct guid kind_sha256 = KIND_SHA256;
static const struct guid kind_certificate = KIND_CERTIFICATE;
static const struct guid kind_tbs = KIND_TBS_SHA256;
static const struct guid owner_any = OWNER_ANY;
static const struct guid owner_svn = OWNER_SVN;

/* --- DER -------------------------------------------------------------------------------------- */

static void element_is_taken_off_with_its_length(void **state)
{
    uint8_t bytes[140] = {0x04, 0x81, 0x80};
    struct der_element element;

    (void)state;
    bytes[131] = 0x05;
    struct span rest = span_of(bytes, 133);
    assert_true(der_next(&rest, &element));
    assert_int_equal(element.tag, DER_OCTETS);
    assert_int_equal(element.content.size, 128);
    assert_int_equal(element.whole.size, 131);
    assert_ptr_equal(rest.at, bytes + 131);
    assert_int_equal(rest.size, 2);
    assert_true(der_next(&rest, &element));
    assert_int_equal(element.content.size, 0);
    assert_false(der_next(&rest, &element));
}

static void element_that_passes_the_end_is_not_taken(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t size;
        bool good;
    } cases[] = {
        {{0x04, 0x01, 0xaa}, 3, true},
        {{0x04, 0x02, 0xaa}, 3, false},
        {{0x04}, 1, false},
        {{0x04, 0x81}, 2, false},
        {{0x04, 0x81, 0x01, 0xaa}, 4, true},
        {{0x04, 0x80, 0x00, 0x00}, 4, false},
        {{0x1f, 0x01, 0xaa}, 3, false},
        {{0x04, 0x84, 0xff, 0xff, 0xff, 0xff}, 6, false},
        {{0x04, 0x85, 0, 0, 0, 0, 0}, 7, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span exact = fixture_exact(cases[i].bytes, cases[i].size);
        struct span rest = exact;
        struct der_element element;
        assert_int_equal(der_next(&rest, &element), cases[i].good);
        assert_int_equal(rest.size, cases[i].good ? 0 : cases[i].size);
        fixture_drop(exact);
    }
}

/* --- Certificates ----------------------------------------------------------------------------- */

static void certificate_is_known_by_names_and_digests(void **state)
{
    struct secure_bytes bytes = {.size = 0};
    struct secure_bytes name = {.size = 0};
    struct certificate own;

    (void)state;
    secure_put_certificate(&bytes, "A leaf", "A CA", 7);
    secure_put_name(&name, "A CA");
    size_t size = bytes.size;
    secure_put(&bytes, "more", 4);
    assert_int_equal(certificate_parse(secure_span(&bytes), &own), ST_OK);
    struct sha256 whole = sha256_of(span_of(bytes.at, size));
    struct sha256 issuer = sha256_of(secure_span(&name));
    assert_true(sha256_equal(&own.digest, &whole));
    assert_true(sha256_equal(&own.issuer, &issuer));
    assert_string_equal(own.name, "A leaf");
    assert_string_equal(own.end, "2031-02-03");
    struct span rest = secure_span(&bytes);
    struct der_element part;
    assert_true(der_enter(&rest, DER_SEQUENCE, &rest) && der_next(&rest, &part));
    struct sha256 signed_part = sha256_of(part.whole);
    assert_true(sha256_equal(&own.signed_part, &signed_part));
}

static struct certificate made(const struct secure_recipe *recipe)
{
    struct secure_bytes bytes = {.size = 0};
    struct certificate own;

    secure_put_recipe(&bytes, recipe);
    assert_int_equal(certificate_parse(secure_span(&bytes), &own), ST_OK);
    return own;
}

/* RFC 5280, 4.2.1.1: who issued it is told by a name, and by what its key is called where both say. */
static void issuer_goes_by_its_name_and_its_keys(void **state)
{
    struct certificate leaf = made(&(struct secure_recipe){
        .subject = "Leaf", .issuer = "CA", .key_id = "1", .issuer_key_id = "2"});
    struct certificate plain = made(&(struct secure_recipe){.subject = "Leaf", .issuer = "CA"});
    struct certificate ca =
        made(&(struct secure_recipe){.subject = "CA", .key_id = "2", .issuer = "CA"});
    struct certificate twin =
        made(&(struct secure_recipe){.subject = "CA", .key_id = "1", .issuer = "R"});
    struct certificate bare = made(&(struct secure_recipe){.subject = "CA", .issuer = "R"});
    struct certificate other =
        made(&(struct secure_recipe){.subject = "R", .key_id = "2", .issuer = "R"});

    (void)state;
    assert_true(certificate_may_have_issued(&ca, &leaf));
    assert_false(certificate_may_have_issued(&twin, &leaf));
    assert_true(certificate_may_have_issued(&bare, &leaf));
    assert_true(certificate_may_have_issued(&twin, &plain));
    assert_false(certificate_may_have_issued(&other, &leaf));
    assert_false(certificate_may_have_issued(&leaf, &ca));
    assert_true(certificate_is_its_own(&ca));
    assert_false(certificate_is_its_own(&twin));
    assert_true(sha256_equal(&ca.key, &twin.key));
    assert_false(sha256_equal(&ca.key, &leaf.key));
}

static void certificate_that_is_cut_is_none(void **state)
{
    struct secure_bytes bytes = {.size = 0};
    struct certificate_parts parts;

    (void)state;
    secure_put_certificate(&bytes, "A leaf", "A CA", 7);
    for (size_t size = 0; size < bytes.size; size++) {
        struct span cut = fixture_exact(bytes.at, size);
        assert_int_equal(certificate_split(cut, &parts), ST_DAMAGED);
        fixture_drop(cut);
    }
    assert_int_equal(certificate_split(secure_span(&bytes), &parts), ST_OK);
}

static void name_is_cut_and_made_printable(void **state)
{
    static const uint8_t wide[] = {0x30, 0x13, 0x31, 0x11, 0x30, 0x0f, 0x06, 0x03, 0x55, 0x04, 0x03,
                                   0x1e, 0x08, 0x00, 'a',  0x00, 0x07, 0x20, 0xac, 0x00, 'b'};
    char longest[200];
    char text[CERTIFICATE_NAME_SIZE];
    struct secure_bytes bytes = {.size = 0};

    (void)state;
    certificate_common_name(span_of(wide, sizeof(wide)), text);
    assert_string_equal(text, "a??b");
    memset(longest, 'x', sizeof(longest));
    longest[100] = '\0';
    secure_put_name(&bytes, longest);
    certificate_common_name(secure_span(&bytes), text);
    assert_int_equal(strlen(text), CERTIFICATE_NAME_SIZE - 1);
    certificate_common_name(span_of("\x30\x00", 2), text);
    assert_string_equal(text, "");
}

/* --- SignedData ------------------------------------------------------------------------------- */

static void signer_is_found_among_the_certificates(void **state)
{
    struct secure_bytes certificates = {.size = 0};
    struct certificate_parts leaf;
    struct signed_data data;
    struct signer_name name;

    (void)state;
    secure_put(&certificates, "\x30\x02\x05\x00", 4); /* of another kind */
    secure_put_certificate(&certificates, "CA", "Root", 1);
    secure_put_certificate(&certificates, "Other", "CA", 8);
    secure_put_certificate(&certificates, "Leaf", "CA", 9);
    for (int bare = 0; bare < 2; bare++) {
        struct secure_bytes bytes = {.size = 0};
        struct certificate own;
        secure_put_signed_data(&bytes, secure_span(&certificates), "CA", 9, bare);
        assert_int_equal(signed_data_parse(secure_span(&bytes), &data), ST_OK);
        struct span signers = data.signers;
        assert_true(signed_data_next_signer(&signers, &name));
        assert_int_equal(signers.size, 0);
        assert_int_equal(signed_data_certificate(&data, &name, &leaf), ST_OK);
        own = certificate_of(&leaf);
        assert_string_equal(own.name, "Leaf");
    }
    struct secure_bytes bytes = {.size = 0};
    secure_put_signed_data(&bytes, secure_span(&certificates), "CA", 10, 0);
    assert_int_equal(signed_data_parse(secure_span(&bytes), &data), ST_OK);
    assert_true(signed_data_next_signer(&data.signers, &name));
    assert_int_equal(signed_data_certificate(&data, &name, &leaf), ST_ABSENT);
}

static void signed_data_that_is_cut_is_refused(void **state)
{
    struct secure_bytes certificates = {.size = 0};
    struct secure_bytes bytes = {.size = 0};
    struct signed_data data;

    (void)state;
    secure_put_certificate(&certificates, "Leaf", "CA", 9);
    secure_put_signed_data(&bytes, secure_span(&certificates), "CA", 9, 0);
    for (size_t size = 0; size < bytes.size; size++) {
        struct span cut = fixture_exact(bytes.at, size);
        assert_int_equal(signed_data_parse(cut, &data), ST_DAMAGED);
        fixture_drop(cut);
    }
}

/* --- Signature lists -------------------------------------------------------------------------- */

static void lists_are_walked_entry_by_entry(void **state)
{
    struct secure_bytes bytes = {.size = 0};
    uint8_t digests[2][48] = {{1}, {2}};
    struct signature own;

    (void)state;
    secure_put_list(&bytes, &kind_certificate, &owner_any, span_of("abc", 3));
    size_t second = bytes.size;
    secure_put_list(&bytes, &kind_sha256, &owner_any, span_of(digests[0], 32));
    secure_put(&bytes, owner_svn.bytes, 16);
    secure_put(&bytes, digests[1], 32);
    fixture_store_le(bytes.at + second + 16, bytes.size - second, 4);
    secure_put_list(&bytes, &owner_any, &owner_any, span_of("", 0));
    struct signature_walk walk = signature_walk_start(secure_span(&bytes));
    assert_int_equal(signature_next(&walk, &own), ST_OK);
    assert_int_equal(own.kind, SIGNATURE_CERTIFICATE);
    assert_int_equal(own.data.size, 3);
    assert_int_equal(signature_next(&walk, &own), ST_OK);
    assert_int_equal(own.kind, SIGNATURE_SHA256);
    assert_int_equal(own.data.at[0], 1);
    assert_true(guid_equal(&own.owner, &owner_any));
    assert_int_equal(signature_next(&walk, &own), ST_OK);
    assert_int_equal(own.data.at[0], 2);
    assert_true(guid_equal(&own.owner, &owner_svn));
    assert_int_equal(signature_next(&walk, &own), ST_OK);
    assert_int_equal(own.kind, SIGNATURE_OTHER);
    assert_int_equal(signature_next(&walk, &own), ST_ABSENT);
}

/* One field of the list's head set to `value`. */
static enum status walk_with(size_t field, uint32_t value)
{
    struct secure_bytes bytes = {.size = 0};
    uint8_t digest[32] = {1};
    struct signature own;
    enum status status = ST_OK;

    secure_put_list(&bytes, &kind_sha256, &owner_any, span_of(digest, 32));
    fixture_store_le(bytes.at + field, value, 4);
    struct span exact = fixture_exact(bytes.at, bytes.size);
    struct signature_walk walk = signature_walk_start(exact);
    while (status == ST_OK)
        status = signature_next(&walk, &own);
    fixture_drop(exact);
    return status;
}

static void list_that_contradicts_itself_is_damaged(void **state)
{
    (void)state;
    assert_int_equal(walk_with(16, 76), ST_ABSENT);
    assert_int_equal(walk_with(16, 77), ST_DAMAGED); /* passes the end */
    assert_int_equal(walk_with(16, 75), ST_DAMAGED); /* no whole entries */
    assert_int_equal(walk_with(16, 27), ST_DAMAGED); /* shorter than its head */
    assert_int_equal(walk_with(20, 1), ST_DAMAGED);  /* header and entries do not fill it */
    assert_int_equal(walk_with(20, 48), ST_ABSENT);  /* all of it is header */
    assert_int_equal(walk_with(20, 49), ST_DAMAGED); /* header passes it */
    assert_int_equal(walk_with(24, 47), ST_DAMAGED); /* no room for a digest */
    assert_int_equal(walk_with(24, 0), ST_DAMAGED);
    assert_int_equal(walk_with(20, 0xffffffff), ST_DAMAGED);
}

static void security_version_number_is_told_from_a_digest(void **state)
{
    static const uint8_t manager[32] = {1,    0x61, 0x2b, 0x13, 0x9d, 0xd5, 0x59,
                                        0x88, 0x43, 0xab, 0x1c, 0x18, 0x5c, 0x3c,
                                        0xb2, 0xeb, 0x92, 0x03, 0x00, 0x09, 0x00};
    struct signature own = {SIGNATURE_SHA256, owner_svn, span_of(manager, 32)};
    enum svn_program program = SVN_PROGRAM_COUNT;
    uint8_t changed[32];
    uint32_t svn = 0;

    (void)state;
    assert_true(signature_is_svn(&own, &program, &svn));
    assert_int_equal(program, SVN_BOOT_MANAGER);
    assert_int_equal(svn, 0x00090003);
    memcpy(changed, manager, sizeof(changed));
    changed[13] = 0xfc; /* the owner's own GUID is none of the boot manager */
    own.data = span_of(changed, 32);
    assert_true(signature_is_svn(&own, &program, &svn));
    assert_int_equal(program, SVN_PROGRAM_COUNT);
    changed[0] = 2;
    assert_false(signature_is_svn(&own, &program, &svn));
    own = (struct signature){SIGNATURE_SHA256, owner_any, span_of(manager, 32)};
    assert_false(signature_is_svn(&own, &program, &svn));
}

static void certificate_is_forbidden_for_ever_without_a_time(void **state)
{
    uint8_t data[48] = {1};
    struct secure_bytes bytes = {.size = 0};
    struct signature own;

    (void)state;
    secure_put_list(&bytes, &kind_tbs, &owner_any, span_of(data, 48));
    struct signature_walk walk = signature_walk_start(secure_span(&bytes));
    assert_int_equal(signature_next(&walk, &own), ST_OK);
    assert_int_equal(own.kind, SIGNATURE_CERTIFICATE_SHA256);
    assert_true(signature_is_forever(&own));
    bytes.at[bytes.size - 16] = 1;
    assert_false(signature_is_forever(&own));
}

/* --- Resources -------------------------------------------------------------------------------- */

#define RSRC_AT   0x600u
#define RSRC_ADDR 0x3000u
#define RSRC_SIZE 0x1400u

static void put_directory(uint8_t *at, uint16_t named, uint16_t ids)
{
    fixture_store_le(at + 12, named, 2);
    fixture_store_le(at + 14, ids, 2);
}

static void put_entry(uint8_t *at, uint32_t key, uint32_t to)
{
    fixture_store_le(at, key, 4);
    fixture_store_le(at + 4, to, 4);
}

/* A tree with an SVN of 7.2 within the head and a version far behind it. */
static void build_resources(uint8_t bytes[RSRC_SIZE])
{
    const char *name = "BOOTMGRSECURITYVERSIONNUMBER";

    memset(bytes, 0, RSRC_SIZE);
    put_directory(bytes, 0, 2);
    put_entry(bytes + 16, 10, 0x80000040);
    put_entry(bytes + 24, 16, 0x80000080);
    put_directory(bytes + 0x40, 2, 0);
    put_entry(bytes + 0x50, 0x80000200, 0x80000100);
    put_entry(bytes + 0x58, 0x80000240, 0x800000c0);
    put_directory(bytes + 0x80, 0, 1);
    put_entry(bytes + 0x90, 1, 0x80000100);
    put_directory(bytes + 0xc0, 0, 1);
    put_entry(bytes + 0xd0, 1033, 0x180);
    put_directory(bytes + 0x100, 0, 1);
    put_entry(bytes + 0x110, 1033, 0x190);
    put_entry(bytes + 0x180, RSRC_ADDR + 0x300, 4);
    put_entry(bytes + 0x190, RSRC_ADDR + 0x1100, 0x200);
    fixture_store_le(bytes + 0x200, 2, 2); /* another name */
    fixture_store_le(bytes + 0x240, strlen(name), 2);
    for (size_t i = 0; name[i] != '\0'; i++)
        bytes[0x242 + i * 2] = (uint8_t)name[i];
    fixture_store_le(bytes + 0x300, 0x00070002, 4);
    fixture_store_le(bytes + 0x1100 + 40, 0xfeef04bd, 4);
    fixture_store_le(bytes + 0x1100 + 48, 0x000a0000, 4);
    fixture_store_le(bytes + 0x1100 + 52, 0x4a610b95, 4);
}

static void feed_resources(struct pe_resources *resources, const uint8_t *bytes, size_t size,
                           size_t piece_size)
{
    struct pe_section section = {.address = RSRC_ADDR, .offset = RSRC_AT, .size = size};

    pe_resources_start(resources, &section);
    for (size_t at = 0; at < size; at += piece_size) {
        size_t left = size - at < piece_size ? size - at : piece_size;
        struct span piece = fixture_exact(bytes + at, left);
        pe_resources_feed(resources, piece, RSRC_AT + at);
        fixture_drop(piece);
    }
}

static void version_and_svn_are_read_whatever_the_pieces(void **state)
{
    static const size_t sizes[] = {1, 7, 512, 4096, 4097, RSRC_SIZE};
    uint8_t bytes[RSRC_SIZE];
    struct pe_resources resources;
    uint64_t version = 0;
    uint32_t svn = 0;

    (void)state;
    build_resources(bytes);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        feed_resources(&resources, bytes, sizeof(bytes), sizes[i]);
        assert_true(pe_resources_svn(&resources, &svn));
        assert_int_equal(svn, 0x00070002);
        assert_true(pe_resources_version(&resources, &version));
        assert_int_equal(version, 0x000a00004a610b95);
    }
}

static void only_what_is_wanted_has_to_be_read(void **state)
{
    uint8_t bytes[RSRC_SIZE];
    struct pe_section section = {.address = RSRC_ADDR, .offset = RSRC_AT, .size = RSRC_SIZE};
    struct pe_resources resources;
    uint64_t offset = 0;
    uint64_t version = 0;
    size_t size = 0;
    size_t reads = 0;

    (void)state;
    build_resources(bytes);
    pe_resources_start(&resources, &section);
    while (pe_resources_want(&resources, &offset, &size)) {
        assert_true(offset >= RSRC_AT && offset + size <= RSRC_AT + RSRC_SIZE);
        pe_resources_feed(&resources, span_of(bytes + (offset - RSRC_AT), size), offset);
        assert_true(++reads < 5);
    }
    assert_int_equal(reads, 2);
    assert_true(pe_resources_version(&resources, &version));
}

static void resource_that_leads_elsewhere_is_none(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
    } cases[] = {
        {0x14, 0x8000fff0},          /* a directory behind the section */
        {0x5c, 0x000000c0},          /* a leaf where a directory is to be */
        {0x58, 0x80001fff},          /* a name behind the section */
        {0x180, RSRC_ADDR - 1},      /* a value before it */
        {0x180, RSRC_ADDR + 0x13fd}, /* one that passes its end */
        {0x184, 3},                  /* one that is too short */
        {0x24c, 0},                  /* another name */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[RSRC_SIZE];
        struct pe_resources resources;
        uint32_t svn = 0;
        build_resources(bytes);
        fixture_store_le(bytes + cases[i].at, cases[i].value, 4);
        feed_resources(&resources, bytes, sizeof(bytes), RSRC_SIZE);
        assert_false(pe_resources_svn(&resources, &svn));
    }
}

/* --- Shim's levels ---------------------------------------------------------------------------- */

static void program_below_a_level_is_told(void **state)
{
    struct pe_signers own = {.sbat = "sbat,1,x\nshim,3,UEFI shim,shim,1,u\nshim.debian,1,Debian\n"};

    (void)state;
    assert_false(pe_signers_below_level(&own, span_of("sbat,1,2024010900\nshim,3\n", 24)));
    assert_true(pe_signers_below_level(&own, span_of("sbat,1,2024010900\nshim,4\n", 24)));
    assert_true(pe_signers_below_level(&own, span_of("shim.debian,2", 13)));
    assert_false(pe_signers_below_level(&own, span_of("grub,9\nshi,9\nshim,", 18)));
    assert_false(pe_signers_below_level(&own, span_of(NULL, 0)));
    own.sbat[0] = '\0';
    assert_false(pe_signers_below_level(&own, span_of("shim,4", 6)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(element_is_taken_off_with_its_length),
        cmocka_unit_test(element_that_passes_the_end_is_not_taken),
        cmocka_unit_test(certificate_is_known_by_names_and_digests),
        cmocka_unit_test(issuer_goes_by_its_name_and_its_keys),
        cmocka_unit_test(certificate_that_is_cut_is_none),
        cmocka_unit_test(name_is_cut_and_made_printable),
        cmocka_unit_test(signer_is_found_among_the_certificates),
        cmocka_unit_test(signed_data_that_is_cut_is_refused),
        cmocka_unit_test(lists_are_walked_entry_by_entry),
        cmocka_unit_test(list_that_contradicts_itself_is_damaged),
        cmocka_unit_test(security_version_number_is_told_from_a_digest),
        cmocka_unit_test(certificate_is_forbidden_for_ever_without_a_time),
        cmocka_unit_test(version_and_svn_are_read_whatever_the_pieces),
        cmocka_unit_test(only_what_is_wanted_has_to_be_read),
        cmocka_unit_test(resource_that_leads_elsewhere_is_none),
        cmocka_unit_test(program_below_a_level_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
