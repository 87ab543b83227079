/* SHA-256 in every way that this processor has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/sha256.h"
#include "base/sha256_blocks.h"
#include "unit/skip_fixture.h"

#define LENGTHS 301u

/* The whole of FIPS 180-4, 5.1.1 and 6.2 but for the blocks. */
static void digest_by(sha256_blocks *way, const uint8_t *data, size_t size, char ret_text[65])
{
    size_t padded = (size + 9 + 63) / 64 * 64;
    uint8_t *text = malloc(padded + 1);
    uint32_t words[8];

    assert_non_null(text);
    memset(text, 0, padded + 1);
    uint8_t *odd = text + 1; /* at an address that is no multiple of anything */
    memcpy(odd, data, size);
    odd[size] = 0x80;
    for (unsigned i = 0; i < 8; i++)
        odd[padded - 1 - i] = (uint8_t)((uint64_t)size * 8 >> (8 * i));
    memcpy(words, sha256_first, sizeof(words));
    way(words, odd, padded / 64);
    for (unsigned i = 0; i < 8; i++)
        snprintf(ret_text + 8 * i, 9, "%08x", (unsigned)words[i]);
    free(text);
}

/* NIST's examples of SHA-256, and two of SHA256ShortMsg.rsp (CAVP). */
static void assert_published(sha256_blocks *way)
{
    static const struct {
        const char *text;
        size_t size;
        const char *digest;
    } cases[] = {
        {"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
         "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
        {"\xd3", 1, "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
        {"\x11\xaf", 2, "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
    };
    char text[65];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        digest_by(way, (const uint8_t *)cases[i].text, cases[i].size, text);
        assert_string_equal(text, cases[i].digest);
    }
}

static void every_way_makes_the_published_digests(void **state)
{
    (void)state;
    assert_published(sha256_blocks_plain);
    if (sha256_blocks_of_processor() != NULL)
        assert_published(sha256_blocks_of_processor());
}

static void every_way_makes_the_same_digest_of_every_length(void **state)
{
    sha256_blocks *own = sha256_blocks_of_processor();
    uint8_t data[LENGTHS];

    (void)state;
    if (own == NULL)
        SKIP_BECAUSE("the processor has no instructions for SHA-256");
    for (size_t i = 0; i < LENGTHS; i++)
        data[i] = (uint8_t)(i * 167 + i / 256 * 3 + 11);
    for (size_t size = 0; size < LENGTHS; size++) {
        char plain[65], processor[65];
        digest_by(sha256_blocks_plain, data, size, plain);
        digest_by(own, data, size, processor);
        assert_string_equal(plain, processor);
    }
}

static void digests_made_in_pieces_are_those_of_the_whole(void **state)
{
    uint8_t data[LENGTHS];
    char expected[65], text[65];

    (void)state;
    for (size_t i = 0; i < LENGTHS; i++)
        data[i] = (uint8_t)(i * 29 + 5);
    digest_by(sha256_blocks_plain, data, LENGTHS, expected);
    for (size_t cut = 0; cut < LENGTHS; cut++) {
        struct sha256_state made;
        sha256_start(&made);
        sha256_feed(&made, span_of(data, cut));
        sha256_feed(&made, span_of(data + cut, LENGTHS - cut));
        struct sha256 digest = sha256_finish(&made);
        for (int i = 0; i < 32; i++)
            snprintf(text + 2 * i, 3, "%02x", digest.bytes[i]);
        assert_string_equal(text, expected);
    }
}

static void own_way_that_is_wrong(uint32_t words[8], const uint8_t *at, size_t count)
{
    sha256_blocks_plain(words, at, count);
    words[7] ^= 1;
}

static void a_wrong_way_is_not_taken(void **state)
{
    (void)state;
    assert_ptr_equal(sha256_blocks_choose(own_way_that_is_wrong), sha256_blocks_plain);
    assert_ptr_equal(sha256_blocks_choose(NULL), sha256_blocks_plain);
    if (sha256_blocks_of_processor() != NULL)
        assert_ptr_equal(sha256_blocks_choose(sha256_blocks_of_processor()),
                         sha256_blocks_of_processor());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_makes_the_published_digests),
        cmocka_unit_test(every_way_makes_the_same_digest_of_every_length),
        cmocka_unit_test(digests_made_in_pieces_are_those_of_the_whole),
        cmocka_unit_test(a_wrong_way_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
