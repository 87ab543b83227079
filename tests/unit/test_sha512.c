/* SHA-384 and SHA-512 against published digests (FIPS 180-4 and its examples), and those of sha384sum
 * and sha512sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/sha512.h"
#include "unit/bytes_fixture.h"

static void print_hex(const struct sha512 *digest, size_t size, char text[129])
{
    for (size_t i = 0; i < size; i++)
        snprintf(text + i * 2, 3, "%02x", digest->bytes[i]);
}

static void published_digests_are_made(void **state)
{
    static const struct {
        const char *text;
        const char *sha384;
        const char *sha512;
    } cases[] = {
        {"abc",
         "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
         "8086072ba1e7cc2358baeca134c825a7",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
        {"",
         "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
         "274edebfe76f65fbd51ad2f14898b95b",
         "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
         "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
         "fcc7c71a557e2db966c3e9fa91746039",
         "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
         "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span exact = fixture_exact(cases[i].text, strlen(cases[i].text));
        struct sha512 shorter = sha384_of(exact);
        struct sha512 longer = sha512_of(exact);
        char text[129];
        print_hex(&shorter, SHA384_SIZE, text);
        assert_string_equal(text, cases[i].sha384);
        print_hex(&longer, SHA512_SIZE, text);
        assert_string_equal(text, cases[i].sha512);
        for (size_t j = SHA384_SIZE; j < SHA512_SIZE; j++)
            assert_int_equal(shorter.bytes[j], 0);
        fixture_drop(exact);
    }
}

/* Lengths at which the padding takes another form, of bytes 1, 8, 15 ... */
static void every_length_is_padded(void **state)
{
    static const struct {
        size_t size;
        const char *sha384; /* how they begin */
        const char *sha512;
    } cases[] = {
        {111, "89c1d81d1cbc65ca", "3dfde1184fd99f23"},
        {112, "7b412ee8bc1953a2", "acc96c509e6d0178"},
        {127, "714fa595ed33148c", "a315910cb7812a8e"},
        {128, "147ae27db2fd5e43", "31f33a52b36dc2e7"},
        {129, "ba91c6a4a8860362", "748fec3280c91651"},
        {239, "02010ff24bd03d6f", "d5e023834c68aeb6"},
        {240, "6b10ff2d44cd2536", "67b19552bd96d84b"},
        {256, "be30f176eba7e9cd", "736e6ce54295f07f"},
    };
    uint8_t bytes[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(1 + i * 7);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span exact = fixture_exact(bytes, cases[i].size);
        struct sha512 shorter = sha384_of(exact);
        struct sha512 longer = sha512_of(exact);
        char text[129];
        print_hex(&shorter, 8, text);
        assert_string_equal(text, cases[i].sha384);
        print_hex(&longer, 8, text);
        assert_string_equal(text, cases[i].sha512);
        fixture_drop(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_digests_are_made),
        cmocka_unit_test(every_length_is_padded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
