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
static const struct guid kind_tbs_512 = KIND_TBS_SHA512;
static const struct guid kind_sha512 = KIND_SHA512;
static const struct guid owner_any = OWNER_ANY;
static const struct guid owner_svn = OWNER_SVN;

/* A machine's lists while a test makes them. */
struct setup {
    struct secure_bytes db;
    struct secure_bytes dbx;
    struct secure_bytes dbt;
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
    if (setup->dbt.size > 0)
        mem_vars_put(vars, &security, "dbt", ATTRIBUTES, setup->dbt.at, setup->dbt.size);
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

    secure_put_certificate(&leaf, "Leaf", "CA", 9);
    secure_put_certificate(&ca, "CA", "Root", 1);
    memset(own.digest.bytes, 0x11, sizeof(own.digest.bytes));
    assert_int_equal(certificate_parse(secure_span(&leaf), &own.certificates[0]), ST_OK);
    assert_int_equal(certificate_parse(secure_span(&ca), &own.certificates[1]), ST_OK);
    own.signers[0] =
        (struct pe_signer){.status = ST_OK, .right = true, .count = 2, .issuer_name = "CA"};
    return own;
}

static enum secure_verdict verdict_of(const struct setup *setup, const struct pe_signers *own)
{
    struct arena arena = fixture_scratch();
    struct secure_boot state = read_state(&arena, setup);

    return secure_judge(&state, own).verdict;
}

static bool looks_up(const struct setup *setup)
{
    struct arena arena = fixture_scratch();
    struct secure_boot state = read_state(&arena, setup);

    return secure_boot_looks_up(&state);
}

/* It is not known, and why is told. */
static void assert_doubt(const struct setup *setup, const struct pe_signers *own,
                         enum secure_doubt doubt)
{
    static const char *const words[DOUBT_COUNT] = {
        [DOUBT_SIGNATURE] = "a digest other than SHA-256",
        [DOUBT_ISSUER] = "several are called",
        [DOUBT_DIGESTS] = "dbx has a digest of its chain",
        [DOUBT_BOTH] = "one signature is trusted, one forbidden",
        [DOUBT_UNSIGNED] = "a digest other than SHA-256",
        [DOUBT_LIST] = "cannot be read to its end",
    };
    struct arena arena = fixture_scratch();
    struct secure_boot state = read_state(&arena, setup);
    struct secure_judgement judgement = secure_judge(&state, own);

    assert_int_equal(judgement.verdict, SECURE_UNKNOWN);
    assert_int_equal(judgement.doubt, doubt);
    const char *reason = secure_reason(&arena, &judgement);
    assert_non_null(strstr(reason, words[doubt]));
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

static void add_certificate(struct secure_bytes *to, const struct secure_recipe *recipe)
{
    struct secure_bytes own = {.size = 0};

    secure_put_recipe(&own, recipe);
    secure_put_list(to, &kind_certificate, &owner_any, secure_span(&own));
}

/* A program that a leaf alone has signed: who issued that the file does not have. */
static struct pe_signers signed_alone(const struct secure_recipe *recipe)
{
    struct pe_signers own = signed_by_ca();
    struct secure_bytes leaf = {.size = 0};

    secure_put_recipe(&leaf, recipe);
    assert_int_equal(certificate_parse(secure_span(&leaf), &own.certificates[0]), ST_OK);
    own.signers[0].count = 1;
    return own;
}

/* The CA that the file has, once issued by Root and once by itself, is one: its key is. Another one
 * of that name is not. */
static void authority_is_known_by_its_key(void **state)
{
    struct pe_signers own = signed_by_ca();
    struct setup other = {.on = 1};
    struct setup crossed = {.on = 1};

    (void)state;
    add_certificate(&other.db, &(struct secure_recipe){"CA", "Root", 2, .key = "another"});
    assert_int_equal(verdict_of(&other, &own), SECURE_UNTRUSTED);
    add_certificate(&crossed.db, &(struct secure_recipe){"CA", "CA", 3, .key_id = "CA"});
    assert_int_equal(verdict_of(&crossed, &own), SECURE_ACCEPTED);
    add_certificate(&crossed.dbx, &(struct secure_recipe){"CA", "Elsewhere", 4, .key = NULL});
    assert_int_equal(verdict_of(&crossed, &own), SECURE_FORBIDDEN);
}

/* A file with two of that name: which one it was is told by the key in the list, and by what the
 * keys are called, or not at all. */
static void authorities_of_one_name_are_told_apart_or_leave_it_open(void **state)
{
    const struct secure_recipe second = {"CA", "Root", 5, .key = "another"};
    struct pe_signers own = signed_by_ca();
    struct setup setup = {.on = 1};
    struct secure_bytes bytes = {.size = 0};

    (void)state;
    secure_put_recipe(&bytes, &second);
    assert_int_equal(certificate_parse(secure_span(&bytes), &own.certificates[2]), ST_OK);
    own.signers[0].count = 3;
    add_certificate(&setup.db, &(struct secure_recipe){"CA", "CA", 6, .key = "a third"});
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNTRUSTED);
    add_certificate(&setup.db, &(struct secure_recipe){"CA", "CA", 7, .key = "another"});
    assert_doubt(&setup, &own, DOUBT_ISSUER);
    setup.db.size = 0; /* nor by being the same one */
    add_certificate(&setup.db, &second);
    assert_doubt(&setup, &own, DOUBT_ISSUER);
}

/* The file does not have it: what the keys are called tells, a name alone does not. */
static void authority_that_the_file_lacks_is_known_by_what_its_key_is_called(void **state)
{
    static const struct {
        const char *id;
        enum secure_verdict verdict;
    } cases[] = {
        {"id 2", SECURE_ACCEPTED},
        {"id 3", SECURE_FORBIDDEN},
        {"id 4", SECURE_UNTRUSTED},
        {NULL, SECURE_UNKNOWN},
    };
    struct setup setup = {.on = 1};

    (void)state;
    add_certificate(&setup.db, &(struct secure_recipe){"CA", "Root", 5, "a", .key_id = "id 2"});
    add_certificate(&setup.dbx, &(struct secure_recipe){"CA", "CA", 8, "b", .key_id = "id 3"});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pe_signers own =
            signed_alone(&(struct secure_recipe){"Leaf", "CA", 9, .issuer_key_id = cases[i].id});
        assert_int_equal(verdict_of(&setup, &own), cases[i].verdict);
    }
}

/* Anybody can write the name of a trusted certificate into one of his own. */
static void certificate_of_itself_is_trusted_as_it_is_or_not_at_all(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own =
        signed_alone(&(struct secure_recipe){"My key", "My key", 1, .key = "a"});

    (void)state;
    add_certificate(&setup.db, &(struct secure_recipe){"My key", "My key", 1, .key = "b"});
    add_certificate(&setup.db, &(struct secure_recipe){"My key", "My key", 2, .key = "a"});
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNTRUSTED);
    add_certificate(&setup.db, &(struct secure_recipe){"My key", "My key", 1, .key = "a"});
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
}

static void authority_without_a_common_name_counts(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own =
        signed_alone(&(struct secure_recipe){"Leaf", "@Works", 9, .issuer_key_id = "@Works"});
    struct arena arena = fixture_scratch();

    (void)state;
    trust(&setup, "@Works", "@Works");
    struct secure_boot firmware = read_state(&arena, &setup);
    struct secure_judgement judgement = secure_judge(&firmware, &own);
    assert_string_equal(firmware.lists[SECURE_DB].certificates[0].name, "");
    assert_int_equal(judgement.verdict, SECURE_ACCEPTED);
    assert_string_equal(secure_reason(&arena, &judgement),
                        "its signer is in db (a certificate without a name)");
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
    assert_false(looks_up(&setup));
    own.has_digest = false; /* which nobody has, so it is not asked for */
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNSIGNED);
    own.has_digest = true;
    add_digest(&setup.db, &owner_any, own.digest.bytes);
    assert_true(looks_up(&setup));
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    add_digest(&setup.dbx, &owner_any, own.digest.bytes);
    assert_int_equal(verdict_of(&setup, &own), SECURE_DIGEST_FORBIDDEN);
    own.has_digest = false;
    assert_doubt(&setup, &own, DOUBT_SIGNATURE);
}

static void digest_in_dbx_alone_is_looked_up(void **state)
{
    struct setup setup = {.on = 1};
    const struct pe_signers own = {.table = ST_ABSENT};

    (void)state;
    add_digest(&setup.dbx, &owner_any, own.digest.bytes);
    assert_true(looks_up(&setup));
    assert_doubt(&setup, &own, DOUBT_SIGNATURE);
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
    assert_doubt(&setup, &own, DOUBT_SIGNATURE);
    own.table = ST_DAMAGED;
    assert_int_equal(verdict_of(&setup, &own), SECURE_BROKEN);
}

/* Who signed another content has said nothing of this one: its digest counts alone. */
static void signature_of_another_content_says_nothing(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();

    (void)state;
    forbid(&setup, "CA", "Root");
    own.signers[0].right = false;
    assert_int_equal(verdict_of(&setup, &own), SECURE_ALTERED);
    add_digest(&setup.db, &owner_any, own.digest.bytes);
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    own.signers[0].right = true;
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
}

/* dbx with the digest of that certificate, from `year` on; 0: for ever. */
static void forbid_digest(struct setup *setup, const struct certificate *own, uint8_t year)
{
    uint8_t data[48] = {0};

    memcpy(data, own->signed_part.bytes, 32);
    data[32] = year;
    data[47] = 7; /* of what firmware does not look at */
    setup->dbx.size = 0;
    secure_put_list(&setup->dbx, &kind_tbs, &owner_any, span_of(data, sizeof(data)));
}

/* edk2 asks of the signer's certificate and of the one in db. */
static void digest_of_a_certificate_is_forbidden(void **state)
{
    struct setup setup = {.on = 1};
    struct setup root = {.on = 1};
    struct pe_signers own = signed_by_ca();

    (void)state;
    trust(&setup, "CA", "Root");
    forbid_digest(&setup, &own.certificates[0], 0);
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
    forbid_digest(&setup, &own.certificates[1], 0);
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
    own.certificates[1].signed_part.bytes[31] ^= 1;
    forbid_digest(&setup, &own.certificates[1], 0);
    own.certificates[1].signed_part.bytes[31] ^= 1;
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    /* Between them the specification has it looked at, and edk2 does not. */
    trust(&root, "Root", "Root");
    forbid_digest(&root, &own.certificates[1], 0);
    assert_doubt(&root, &own, DOUBT_DIGESTS);
}

/* The one in db is not in the file. */
static void digest_of_a_trusted_certificate_is_forbidden(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own =
        signed_alone(&(struct secure_recipe){"Leaf", "CA", 9, .issuer_key_id = "CA"});
    struct arena arena = fixture_scratch();

    (void)state;
    trust(&setup, "CA", "Root");
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    struct secure_boot firmware = read_state(&arena, &setup);
    forbid_digest(&setup, &firmware.lists[SECURE_DB].certificates[0], 0);
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
}

/* Who may say when it was signed stands in dbt: without anybody it was later. */
static void certificate_forbidden_from_a_day_on_needs_a_time(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();

    (void)state;
    trust(&setup, "CA", "Root");
    forbid_digest(&setup, &own.certificates[0], 200);
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
    add_digest(&setup.dbt, &owner_any, own.digest.bytes);
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
    add_certificate(&setup.dbt, &(struct secure_recipe){"Time", "Time", 1, .key = NULL});
    assert_doubt(&setup, &own, DOUBT_DIGESTS);
    forbid_digest(&setup, &own.certificates[0], 0);
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
}

/* dbx with one entry of that kind, for ever. */
static void forbid_by(struct setup *setup, const struct guid *kind, const struct sha512 *digest,
                      size_t size)
{
    uint8_t data[80] = {0};

    memcpy(data, digest->bytes, size);
    setup->dbx.size = 0;
    secure_put_list(&setup->dbx, kind, &owner_any, span_of(data, size + 16));
}

static void longer_digests_of_a_certificate_are_known(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();
    struct certificate *leaf = &own.certificates[0];

    (void)state;
    trust(&setup, "CA", "Root");
    forbid_by(&setup, &kind_tbs_384, &leaf->signed_part_384, 48);
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
    forbid_by(&setup, &kind_tbs_512, &leaf->signed_part_512, 64);
    assert_int_equal(verdict_of(&setup, &own), SECURE_FORBIDDEN);
    forbid_by(&setup, &kind_tbs_384, &leaf->signed_part_512, 48);
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    leaf->signed_part_512.bytes[63] ^= 1;
    forbid_by(&setup, &kind_tbs_512, &leaf->signed_part_512, 64);
    leaf->signed_part_512.bytes[63] ^= 1;
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
}

/* Of a program that is not signed firmware looks for digests of all kinds. */
static void digests_of_other_kinds_leave_it_open(void **state)
{
    struct setup setup = {.on = 1};
    struct setup other = {.on = 1};
    struct pe_signers own = {.table = ST_ABSENT, .has_digest = true};
    struct pe_signers is_signed = signed_by_ca();
    uint8_t digest[64] = {7};

    (void)state;
    secure_put_list(&other.db, &kind_sha512, &owner_any, span_of(digest, 64));
    assert_doubt(&other, &own, DOUBT_UNSIGNED);
    trust(&setup, "CA", "Root");
    add_digest(&setup.db, &owner_any, own.digest.bytes);
    secure_put_list(&setup.dbx, &kind_sha512, &owner_any, span_of(digest, 64));
    assert_doubt(&setup, &own, DOUBT_UNSIGNED);
    assert_int_equal(verdict_of(&setup, &is_signed), SECURE_ACCEPTED);
    own.digest.bytes[0] ^= 1;
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNSIGNED);
}

static void one_signature_forbidden_and_one_trusted_is_not_known(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();
    struct secure_bytes second = {.size = 0};

    (void)state;
    secure_put_certificate(&second, "Leaf 2", "CA 2", 9);
    assert_int_equal(certificate_parse(secure_span(&second), &own.certificates[2]), ST_OK);
    own.signers[1] = (struct pe_signer){
        .status = ST_OK, .right = true, .first = 2, .count = 1, .issuer_name = "CA 2"};
    own.count = 2;
    trust(&setup, "CA 2", "Root");
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    forbid(&setup, "CA", "Root");
    assert_doubt(&setup, &own, DOUBT_BOTH);
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
    assert_doubt(&setup, &own, DOUBT_LIST);
    setup.dbx.size = 0;
    assert_int_equal(verdict_of(&setup, &own), SECURE_ACCEPTED);
    setup.db.size = 0;
    assert_int_equal(verdict_of(&setup, &own), SECURE_UNTRUSTED);
    secure_put(&setup.db, "junk", 4);
    assert_doubt(&setup, &own, DOUBT_LIST);
}

static void signature_that_is_not_followed_leaves_it_open(void **state)
{
    struct setup setup = {.on = 1};
    struct pe_signers own = signed_by_ca();

    (void)state;
    trust(&setup, "CA", "Root");
    own.signers[0].status = ST_UNSUPPORTED;
    assert_doubt(&setup, &own, DOUBT_SIGNATURE);
    add_digest(&setup.db, &owner_any, own.digest.bytes);
    assert_doubt(&setup, &own, DOUBT_SIGNATURE); /* it may be forbidden */
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

static bool prefers(const struct setup *setup, const struct pe_signers *one,
                    const struct pe_signers *other)
{
    struct arena arena = fixture_scratch();
    struct machine machine = {.secure = read_state(&arena, setup)};
    const struct file_content contents[] = {{.signers = one}, {.signers = other}};

    return secure_prefers(&machine, &contents[0], &contents[1]);
}

/* Trusted before forbidden, high enough before too low, and nothing before what nobody knows; whether
 * Secure Boot is on makes no difference. */
static void lists_tell_which_of_two_is_better(void **state)
{
    static const uint8_t svn_7[32] = {1,    0x61, 0x2b, 0x13, 0x9d, 0xd5, 0x59, 0x88, 0x43, 0xab,
                                      0x1c, 0x18, 0x5c, 0x3c, 0xb2, 0xeb, 0x92, 0,    0,    7};
    struct pe_signers good = signed_by_ca();
    struct pe_signers refused = signed_by_ca();
    struct pe_signers unknown = signed_by_ca();

    (void)state;
    memset(refused.digest.bytes, 0x22, sizeof(refused.digest.bytes));
    unknown.table = ST_UNSUPPORTED;
    for (uint8_t on = 0; on < 2; on++) {
        struct setup setup = {.on = on};
        trust(&setup, "Root", "Root");
        add_digest(&setup.dbx, &owner_any, refused.digest.bytes);
        assert_true(prefers(&setup, &good, &refused));
        assert_false(prefers(&setup, &refused, &good));
        assert_false(prefers(&setup, &good, &good));
        assert_false(prefers(&setup, &good, &unknown));
        assert_false(prefers(&setup, &unknown, &good));
        assert_false(prefers(&setup, &good, NULL));
        struct pe_signers low = good;
        low.mark = PE_MARK_WINDOWS_MANAGER;
        struct pe_signers high = low;
        high.svn = 9u << 16;
        add_digest(&setup.dbx, &owner_svn, svn_7);
        assert_true(prefers(&setup, &high, &low));
        assert_false(prefers(&setup, &low, &high));
        assert_true(prefers(&setup, &low, &refused));
    }
}

static bool keeps_unknown(const struct pe_signers *there, const struct pe_signers *instead,
                          enum status status)
{
    struct machine machine = {.secure = {.status = status, .asked = true}};
    const struct file_content contents[] = {
        {.signers = there, .is_program = true, .digest = {{1}}},
        {.signers = instead, .is_program = true, .digest = {{2}}},
    };

    return secure_keeps(&machine, &contents[0], &contents[1]);
}

/* Where the lists are not known: by the same issuer and no lower number, or not at all. Where there is
 * no Secure Boot nothing stays for that. */
static void of_unknown_lists_nothing_gives_way_to_another_signer(void **state)
{
    struct pe_signers own = signed_by_ca();
    struct pe_signers other = signed_by_ca();
    struct pe_signers high = signed_by_ca();
    struct pe_signers altered = signed_by_ca();
    struct pe_signers opaque = signed_by_ca();
    const struct pe_signers none = {.table = ST_ABSENT, .has_digest = true};

    (void)state;
    strcpy(other.signers[0].issuer_name, "Another CA");
    high.svn = 1;
    altered.signers[0].right = false;
    opaque.signers[0].status = ST_UNSUPPORTED;
    const struct {
        const struct pe_signers *there;
        const struct pe_signers *instead;
        bool stays;
    } pairs[] = {{&own, &own, false},     {&own, &other, true},  {&other, &own, true},
                 {&own, &high, false},    {&high, &own, true},   {&own, &none, true},
                 {&none, &own, true},     {&none, &none, false}, {&own, &altered, true},
                 {&altered, &own, false}, {&own, &opaque, true}, {&opaque, &own, true},
                 {&own, NULL, true},      {NULL, &own, false}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_int_equal(keeps_unknown(pairs[i].there, pairs[i].instead, ST_UNSUPPORTED),
                         pairs[i].stays);
        assert_false(keeps_unknown(pairs[i].there, pairs[i].instead, ST_ABSENT));
    }
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
    assert_true(secure_is_below_level(firmware.levels, &own));
    own.mark = PE_MARK_SHIM;
    assert_true(secure_judge(&firmware, &own).below_level);
    strcpy(own.sbat, "shim,4,UEFI shim\n");
    assert_false(secure_judge(&firmware, &own).below_level);
    assert_false(secure_is_below_level(firmware.levels, &own));
    own.sbat[0] = '\0'; /* shim starts nothing without */
    assert_true(secure_is_below_level(firmware.levels, &own));
    assert_false(secure_is_below_level(firmware.levels, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_counted_by_kind),
        cmocka_unit_test(machine_without_secure_boot_is_not_judged),
        cmocka_unit_test(list_that_breaks_off_is_damaged_and_kept_up_to_there),
        cmocka_unit_test(any_certificate_of_the_chain_may_be_trusted),
        cmocka_unit_test(authority_is_known_by_its_key),
        cmocka_unit_test(authorities_of_one_name_are_told_apart_or_leave_it_open),
        cmocka_unit_test(authority_that_the_file_lacks_is_known_by_what_its_key_is_called),
        cmocka_unit_test(certificate_of_itself_is_trusted_as_it_is_or_not_at_all),
        cmocka_unit_test(authority_without_a_common_name_counts),
        cmocka_unit_test(forbidden_counts_more_than_trusted),
        cmocka_unit_test(digest_in_dbx_is_refused_whoever_signed),
        cmocka_unit_test(program_that_is_not_signed_needs_its_digest_in_db),
        cmocka_unit_test(digest_in_dbx_alone_is_looked_up),
        cmocka_unit_test(altered_and_broken_files_are_refused),
        cmocka_unit_test(signature_of_another_content_says_nothing),
        cmocka_unit_test(digest_of_a_certificate_is_forbidden),
        cmocka_unit_test(digest_of_a_trusted_certificate_is_forbidden),
        cmocka_unit_test(certificate_forbidden_from_a_day_on_needs_a_time),
        cmocka_unit_test(longer_digests_of_a_certificate_are_known),
        cmocka_unit_test(digests_of_other_kinds_leave_it_open),
        cmocka_unit_test(one_signature_forbidden_and_one_trusted_is_not_known),
        cmocka_unit_test(lists_that_cannot_be_read_leave_it_open),
        cmocka_unit_test(signature_that_is_not_followed_leaves_it_open),
        cmocka_unit_test(boot_manager_below_the_forbidden_numbers_is_at_risk),
        cmocka_unit_test(lists_tell_which_of_two_is_better),
        cmocka_unit_test(of_unknown_lists_nothing_gives_way_to_another_signer),
        cmocka_unit_test(level_is_what_shim_alone_looks_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
