/* Secure Boot's lists as they are read from variables, and what they say of a program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "audit/secure.h"
#include "host/mem_vars.h"
#include "unit/bytes_fixture.h"
#include "unit/secure_fixture.h"

#define ATTRIBUTES 0x27u

static const struct guid security = GUID_INIT(0xd719b2cb, 0x3d3a, 0x4596, 0xa3bc, 0xdad00e67656f);
static const struct guid shim = GUID_INIT(0x605dab50, 0xe046, 0x4300, 0xabb6, 0x3dd810dd8b23);
static const struct guid kind_sha256 = KIND_SHA256;
static const struct guid kind_certificate = KIND_CERTIFICATE;
static const struct guid kind_tbs = KIND_TBS_SHA256;
static const struct guid kind_tbs_384 = KIND_TBS_SHA384;
static const struct guid owner_any = OWNER_ANY;
static const struct guid owner_svn = OWNER_SVN;

/* A machine's lists while a test makes them. */
struct setup {
    struct secure_bytes db;
    struct secure_bytes dbx;
    uint8_t on;
};

static void trust(struct setup *setup, const char *subject, const char *issuer)
{
    struct secure_bytes own = {.size = 0};

    secure_put_certificate(&own, subject, issuer, 1);
    secure_put_list(&setup->db, &kind_certificate, &owner_any, secure_span(&own));
}

static void forbid(struct setup *setup, const char *subject, const char *issuer)
{
    struct secure_bytes own = {.size = 0};

    secure_put_certificate(&own, subject, issuer, 1);
    secure_put_list(&setup->dbx, &kind_certificate, &owner_any, secure_span(&own));
}

static struct secure_boot read_state(struct arena *arena, const struct setup *setup)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);
    struct secure_boot state;

    mem_vars_put(vars, NULL, "SecureBoot", 6, &setup->on, 1);
    mem_vars_put(vars, NULL, "SetupMode", 6, "\0", 1);
    mem_vars_put(vars, NULL, "db", ATTRIBUTES, "wrong", 5); /* of another vendor */
    if (setup->db.size > 0)
        mem_vars_put(vars, &security, "db", ATTRIBUTES, setup->db.at, setup->db.size);
    if (setup->dbx.size > 0)
        mem_vars_put(vars, &security, "dbx", ATTRIBUTES, setup->dbx.at, setup->dbx.size);
    mem_vars_put(vars, &shim, "SbatLevel", 3, "sbat,1,2024\nshim,4\n", 19);
    assert_int_equal(secure_boot_read(arena, &port, &state), ST_OK);
    mem_vars_free(vars);
    return state;
}

/* A program with one good signature: "Leaf" by "CA", which the file has too, by "Root". */
static struct pe_signers signed_by_ca(void)
{
    struct pe_signers own = {.table = ST_OK, .has_digest = true, .count = 1};
    struct secure_bytes leaf = {.size = 0};
    struct secure_bytes ca = {.size = 0};
    struct secure_bytes root = {.size = 0};

    secure_put_certificate(&leaf, "Leaf", "CA", 9);
    secure_put_certificate(&ca, "CA", "Root", 1);
    secure_put_name(&root, "Root");
    memset(own.digest.bytes, 0x11, sizeof(own.digest.bytes));
    assert_int_equal(certificate_parse(secure_span(&leaf), &own.certificates[0]), ST_OK);
    assert_int_equal(certificate_parse(secure_span(&ca), &own.certificates[1]), ST_OK);
    own.signers[0] = (struct pe_signer){.status = ST_OK,
                                        .right = true,
                                        .count = 2,
                                        .issuer = sha256_of(secure_span(&root)),
                                        .issuer_name = "CA"};
    return own;
}

static enum secure_verdict verdict_of(const struct setup *setup, const struct pe_signers *own)
{
    struct arena arena = fixture_scratch();
    struct secure_boot state = read_state(&arena, setup);

    return secure_judge(&state, own).verdict;
}

static void add_digest(struct secure_bytes *to, const struct guid *owner, const uint8_t digest[32])
{
    secure_put_list(to, &kind_sha256, owner, span_of(digest, 32));
}

/* --- The state -------------------------------------------------------------------------------- */

static void lists_are_counted_by_kind(void **state)
{
    static const uint8_t svn_2[32] = {1,    0x61, 0x2b, 0x13, 0x9d, 0xd5, 0x59, 0x88, 0x43, 0xab,
                                      0x1c, 0x18, 0x5c, 0x3c, 0xb2, 0xeb, 0x92, 0,    0,    2};
    struct setup setup = {.on = 1};
    struct arena arena = fixture_scratch();
    uint8_t svn_9[32];

    (void)state;
    memcpy(svn_9, svn_2, sizeof(svn_9));
    svn_9[19] = 9;
    trust(&setup, "CA", "Root");
    add_digest(&setup.dbx, &owner_any, svn_2);
    add_digest(&setup.dbx, &owner_svn, svn_9);
    add_digest(&setup.dbx, &owner_svn, svn_2);
    struct secure_boot own = read_state(&arena, &setup);
    assert_int_equal(own.status, ST_OK);
    assert_true(own.on);
    assert_false(own.setup);
    assert_int_equal(own.lists[SECURE_PK].status, ST_ABSENT);
    assert_int_equal(own.lists[SECURE_DB].status, ST_OK);
    assert_int_equal(own.lists[SECURE_DB].certificate_count, 1);
    assert_string_equal(own.lists[SECURE_DB].certificates[0].name, "CA");
    assert_int_equal(own.lists[SECURE_DBX].counts[SIGNATURE_SHA256], 1);
    assert_int_equal(own.lists[SECURE_DBX].svn_count, 2);
    assert_int_equal(own.lists[SECURE_DBX].svns[SVN_BOOT_MANAGER], 9u << 16); /* the highest */
    assert_int_equal(own.levels.size, 19);
}

static void machine_without_secure_boot_is_not_judged(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);
    struct arena arena = fixture_scratch();
    struct pe_signers signers = signed_by_ca();
    struct secure_boot own;

    (void)state;
    assert_int_equal(secure_boot_read(&arena, &port, &own), ST_OK);
    assert_int_equal(own.status, ST_ABSENT);
    assert_false(own.on);
    assert_int_equal(secure_judge(&own, &signers).verdict, SECURE_NOT_JUDGED);
    mem_vars_put(vars, NULL, "SecureBoot", 6, "\1\1", 2);
    assert_int_equal(secure_boot_read(&arena, &port, &own), ST_OK);
    assert_int_equal(own.status, ST_DAMAGED);
    mem_vars_put(vars, NULL, "SecureBoot", 6, "\1", 1);
    assert_int_equal(secure_boot_read(&arena, &port, &own), ST_OK);
    assert_int_equal(secure_judge(&own, NULL).verdict, SECURE_NOT_JUDGED);
    mem_vars_free(vars);
}

static void list_that_breaks_off_is_damaged_and_kept_up_to_there(void **state)
{
    struct setup setup = {.on = 1};
    struct arena arena = fixture_scratch();

    (void)state;
    trust(&setup, "CA", "Root");
    secure_put(&setup.db, "rest", 4);
    struct secure_boot own = read_state(&arena, &setup);
    assert_int_equal(own.lists[SECURE_DB].status, ST_DAMAGED);
    assert_int_equal(own.lists[SECURE_DB].certificate_count, 1);
}

/* --- Programs --------------------------------------------------------------------------------- */

static void any_certificate_of_the_chain_may_be_trusted(void **state)
{
    static const char *const subjects[][2] = {{"CA", "Root"}, {"Root", "Root"}};
    struct pe_signers own = signed_by_ca();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct setup setup = {.on = 1};
        trust(&setup, "Other", "Root");
        assert_int_equal(verdict_of(&setup, &own), SECURE_UNTRUSTED);
        trust(&setup, subjects[i][0], subjects[i][1]);
        assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    }
    struct setup setup = {.on = 1};
    struct secure_bytes leaf = {.size = 0};
    secure_put_certificate(&leaf, "Leaf", "CA", 9);
    secure_put_list(&setup.db, &kind_certificate, &owner_any, secure_span(&leaf));
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
}

/* A certificate with the CA's name that is another one is told by its digest: the CA is in the file,
 * so that its issuer alone is looked for by name. */
static void same_name_is_not_the_same_certificate(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();
    struct secure_bytes other = {.size = 0};

    (void)state;
    secure_put_certificate(&other, "CA", "Root", 2);
    secure_put_list(&setup.db, &kind_certificate, &owner_any, secure_span(&other));
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNTRUSTED);
}

static void forbidden_counts_more_than_trusted(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();
    struct arena arena = fixture_scratch();

    (void)state;
    trust(&setup, "CA", "Root");
    forbid(&setup, "Other", "Root");
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    forbid(&setup, "CA", "Root");
    struct secure_boot firmware = read_state(&arena, &setup);
    struct secure_judgement judgement = secure_judge(&firmware, &own);
    assert_int_equal(judgement.verdict, SECURE_FORBIDDEN);
    assert_string_equal(secure_reason(&arena, &judgement),
                        "the certificate of its signer is in dbx (CA)");
    assert_true(secure_is_refused(judgement.verdict));
    /* Its digest in db does not help. */
    add_digest(&setup.db, &owner_any, own.digest.bytes);
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
}

static void digest_in_dbx_is_refused_whoever_signed(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();

    (void)state;
    trust(&setup, "CA", "Root");
    add_digest(&setup.dbx, &owner_any, own.digest.bytes);
    assert_int_equal(verdict_of(&setup, &own), SECURE_DIGEST_FORBIDDEN);
    own.digest.bytes[31] ^= 1;
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
}

static void program_that_is_not_signed_needs_its_digest_in_db(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = {.table = ST_ABSENT, .has_digest = true};

    (void)state;
    trust(&setup, "CA", "Root");
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNSIGNED);
    add_digest(&setup.db, &owner_any, own.digest.bytes);
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    add_digest(&setup.dbx, &owner_any, own.digest.bytes);
    assert_int_equal(verdict_of(&setup, &own), SECURE_DIGEST_FORBIDDEN);
    own.has_digest = false;
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNKNOWN);
}

static void altered_and_broken_files_are_refused(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();

    (void)state;
    trust(&setup, "CA", "Root");
    own.signers[0].right = false;
    assert_int_equal(verdict_of(&setup, &own), SECURE_ALTERED);
    own.has_digest = false;
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNKNOWN);
    own.table = ST_DAMAGED;
    assert_int_equal(verdict_of(&setup, &own), SECURE_BROKEN);
}

static void digest_of_a_certificate_is_forbidden_for_ever_or_not_known(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();
    uint8_t data[48] = {0};

    (void)state;
    trust(&setup, "CA", "Root");
    memcpy(data, own.certificates[1].signed_part.bytes, 32);
    size_t before = setup.dbx.size;
    secure_put_list(&setup.dbx, &kind_tbs, &owner_any, span_of(data, 48));
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
    data[40] = 1; /* from some day on: when it was signed is not known */
    setup.dbx.size = before;
    secure_put_list(&setup.dbx, &kind_tbs, &owner_any, span_of(data, 48));
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNKNOWN);
    data[0] ^= 1;
    setup.dbx.size = before;
    secure_put_list(&setup.dbx, &kind_tbs, &owner_any, span_of(data, 48));
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    uint8_t longer[64] = {0};
    secure_put_list(&setup.dbx, &kind_tbs_384, &owner_any, span_of(longer, 64));
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNKNOWN);
}

static void one_signature_forbidden_and_one_trusted_is_not_known(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();
    struct secure_bytes second = {.size = 0};

    (void)state;
    secure_put_certificate(&second, "Leaf 2", "CA 2", 9);
    assert_int_equal(certificate_parse(secure_span(&second), &own.certificates[2]), ST_OK);
    own.signers[1] = (struct pe_signer){.status = ST_OK,
                                        .right = true,
                                        .first = 2,
                                        .count = 1,
                                        .issuer = own.certificates[2].issuer,
                                        .issuer_name = "CA 2"};
    own.count = 2;
    trust(&setup, "CA 2", "Root");
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    forbid(&setup, "CA", "Root");
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNKNOWN);
    forbid(&setup, "CA 2", "Root");
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
}

static void lists_that_cannot_be_read_leave_it_open(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();

    (void)state;
    trust(&setup, "CA", "Root");
    secure_put(&setup.dbx, "junk", 4);
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNKNOWN);
    setup.dbx.size = 0;
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    setup.db.size = 0;
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNTRUSTED);
    secure_put(&setup.db, "junk", 4);
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNKNOWN);
}

static void signature_that_is_not_followed_leaves_it_open(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();

    (void)state;
    trust(&setup, "CA", "Root");
    own.signers[0].status = ST_UNSUPPORTED;
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNKNOWN);
    add_digest(&setup.db, &owner_any, own.digest.bytes);
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
}

static void boot_manager_below_the_forbidden_numbers_is_at_risk(void **state)
{
    static const uint8_t svn[32] = {1,    0x61, 0x2b, 0x13, 0x9d, 0xd5, 0x59, 0x88, 0x43, 0xab,
                                    0x1c, 0x18, 0x5c, 0x3c, 0xb2, 0xeb, 0x92, 0,    0,    9};
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();
    struct arena arena = fixture_scratch();

    (void)state;
    trust(&setup, "CA", "Root");
    add_digest(&setup.dbx, &owner_svn, svn);
    struct secure_boot firmware = read_state(&arena, &setup);
    assert_int_equal(secure_judge(&firmware, &own).least_svn, 0); /* it is none of Windows' */
    own.mark = PE_MARK_WINDOWS_MANAGER;
    assert_int_equal(secure_judge(&firmware, &own).least_svn, 9u << 16);
    assert_int_equal(secure_judge(&firmware, &own).verdict, SECURE_ACCEPTED);
    own.has_svn = true;
    own.svn = (9u << 16) - 1;
    assert_int_equal(secure_judge(&firmware, &own).least_svn, 9u << 16);
    own.svn = 9u << 16;
    assert_int_equal(secure_judge(&firmware, &own).least_svn, 0);
}

/* Firmware knows no levels: shim looks at its own, and at those of what it starts. */
static void level_is_what_shim_alone_looks_at(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();
    struct arena arena = fixture_scratch();

    (void)state;
    struct secure_boot firmware = read_state(&arena, &setup);
    strcpy(own.sbat, "shim,3,UEFI shim\n");
    assert_false(secure_judge(&firmware, &own).below_level);
    assert_true(secure_is_below_level(&firmware, &own));
    own.mark = PE_MARK_SHIM;
    assert_true(secure_judge(&firmware, &own).below_level);
    strcpy(own.sbat, "shim,4,UEFI shim\n");
    assert_false(secure_judge(&firmware, &own).below_level);
    assert_false(secure_is_below_level(&firmware, &own));
    own.sbat[0] = '\0'; /* shim starts nothing without */
    assert_true(secure_is_below_level(&firmware, &own));
    assert_false(secure_is_below_level(&firmware, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_counted_by_kind),
        cmocka_unit_test(machine_without_secure_boot_is_not_judged),
        cmocka_unit_test(list_that_breaks_off_is_damaged_and_kept_up_to_there),
        cmocka_unit_test(any_certificate_of_the_chain_may_be_trusted),
        cmocka_unit_test(same_name_is_not_the_same_certificate),
        cmocka_unit_test(forbidden_counts_more_than_trusted),
        cmocka_unit_test(digest_in_dbx_is_refused_whoever_signed),
        cmocka_unit_test(program_that_is_not_signed_needs_its_digest_in_db),
        cmocka_unit_test(altered_and_broken_files_are_refused),
        cmocka_unit_test(digest_of_a_certificate_is_forbidden_for_ever_or_not_known),
        cmocka_unit_test(one_signature_forbidden_and_one_trusted_is_not_known),
        cmocka_unit_test(lists_that_cannot_be_read_leave_it_open),
        cmocka_unit_test(signature_that_is_not_followed_leaves_it_open),
        cmocka_unit_test(boot_manager_below_the_forbidden_numbers_is_at_risk),
        cmocka_unit_test(level_is_what_shim_alone_looks_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
