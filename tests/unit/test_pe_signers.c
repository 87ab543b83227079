/* Who signed a program: the chain of certificates from each signer, as far as the file has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "format/pe_signers.h"
#include "unit/pe_fixture.h"
#include "unit/secure_fixture.h"

static struct secure_bytes chain;
static struct secure_bytes infos;
static struct pe_signers signers;

static int set_up(void **state)
{
    (void)state;
    chain.size = 0;
    infos.size = 0;
    return 0;
}

/* Reads an image with these certificates and signers, of which byte `changed` is another by now; 0 for
 * none. Gives the first signer. */
static const struct pe_signer *read_image(size_t changed)
{
    struct pe_recipe recipe = pe_recipe_usual();
    static struct pe_check check;

    recipe.signature = SIGNED_SHA256;
    recipe.chain = secure_span(&chain);
    recipe.signers = secure_span(&infos);
    struct pe_image image = pe_image_build(&recipe);
    if (changed > 0)
        image.bytes[changed] ^= 1;
    pe_check_start(&check, image.size, "X64", true);
    pe_check_feed(&check, span_of(image.bytes, image.size));
    (void)pe_check_finish(&check);
    pe_signers_read(&check, &signers);
    pe_image_free(&image);
    assert_int_equal(signers.table, ST_OK);
    assert_int_equal(signers.count, 1);
    return &signers.signers[0];
}

/* Fails the test unless the signer's certificates are of these subjects: "Leaf CA". */
static void expect_chain(const struct pe_signer *signer, const char *subjects)
{
    char text[128] = "";

    assert_int_equal(signer->status, ST_OK);
    for (size_t i = 0; i < signer->count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s", i == 0 ? "" : " ",
                 signers.certificates[signer->first + i].name);
    }
    assert_string_equal(text, subjects);
}

static void chain_is_followed_whatever_the_order_in_the_file(void **state)
{
    (void)state;
    secure_put_certificate(&chain, "Root", "Root", 1);
    secure_put_certificate(&chain, "Stranger", "Root", 7);
    secure_put_certificate(&chain, "Leaf", "CA", 9);
    secure_put_certificate(&chain, "CA", "Root", 2);
    secure_put_signer(&infos, "CA", 9);
    const struct pe_signer *signer = read_image(0);
    expect_chain(signer, "Leaf CA Root");
    assert_string_equal(signer->issuer_name, "CA");
    assert_true(signer->right);
}

static void signature_of_other_content_is_not_right(void **state)
{
    (void)state;
    secure_put_certificate(&chain, "Leaf", "CA", 9);
    secure_put_signer(&infos, "CA", 9);
    const struct pe_signer *signer = read_image(0x500);
    expect_chain(signer, "Leaf");
    assert_false(signer->right);
}

/* Of two authorities of one name the one whose key is named has issued it; of those that name no key
 * either may have. */
static void issuer_is_told_by_its_key_as_well(void **state)
{
    (void)state;
    secure_put_recipe(&chain, &(struct secure_recipe){"Leaf", "CA", 9, .issuer_key_id = "second"});
    secure_put_recipe(&chain,
                      &(struct secure_recipe){"CA", "Old Root", 2, .key = "1", .key_id = "first"});
    secure_put_recipe(&chain,
                      &(struct secure_recipe){"CA", "New Root", 3, .key = "2", .key_id = "second"});
    secure_put_certificate(&chain, "Old Root", "Old Root", 4);
    secure_put_certificate(&chain, "New Root", "New Root", 5);
    secure_put_signer(&infos, "CA", 9);
    expect_chain(read_image(0), "Leaf CA New Root");
    (void)set_up(NULL);
    secure_put_recipe(&chain, &(struct secure_recipe){"Leaf", "CA", 9, .key_id = NULL});
    secure_put_recipe(&chain, &(struct secure_recipe){"CA", "Root", 2, .key = "1"});
    secure_put_recipe(&chain, &(struct secure_recipe){"CA", "Root", 3, .key = "2"});
    secure_put_signer(&infos, "CA", 9);
    expect_chain(read_image(0), "Leaf CA CA");
}

static void authorities_that_issued_each_other_are_listed_once(void **state)
{
    (void)state;
    secure_put_certificate(&chain, "Leaf", "One", 9);
    secure_put_certificate(&chain, "One", "Two", 1);
    secure_put_certificate(&chain, "Two", "One", 2);
    secure_put_signer(&infos, "One", 9);
    expect_chain(read_image(0), "Leaf One Two");
}

static void signer_that_has_no_certificate_here_is_not_followed(void **state)
{
    (void)state;
    secure_put_certificate(&chain, "Leaf", "CA", 9);
    secure_put_signer(&infos, "CA", 8);
    assert_int_equal(read_image(0)->status, ST_UNSUPPORTED);
    (void)set_up(NULL);
    secure_put_certificate(&chain, "Leaf", "CA", 9);
    secure_put_signer(&infos, "Another CA", 9);
    assert_int_equal(read_image(0)->status, ST_UNSUPPORTED);
}

/* Authenticode has one; which of two firmware would go by is not guessed. */
static void two_signers_in_one_signature_are_not_followed(void **state)
{
    (void)state;
    secure_put_certificate(&chain, "Leaf", "CA", 9);
    secure_put_signer(&infos, "CA", 9);
    secure_put_signer(&infos, "CA", 9);
    assert_int_equal(read_image(0)->status, ST_UNSUPPORTED);
}

static void chain_that_is_too_long_is_not_cut(void **state)
{
    (void)state;
    for (int length = PE_CHAINS_MAX; length <= PE_CHAINS_MAX + 1; length++) {
        (void)set_up(NULL);
        for (int i = 0; i < length; i++) {
            const char own[] = {'N', (char)('0' + i), '\0'};
            const char next[] = {'N', (char)('1' + i), '\0'};
            secure_put_certificate(&chain, own, next, 9);
        }
        secure_put_signer(&infos, "N1", 9);
        const struct pe_signer *signer = read_image(0);
        assert_int_equal(signer->status, length == PE_CHAINS_MAX ? ST_OK : ST_UNSUPPORTED);
        assert_true(signer->count <= PE_CHAINS_MAX);
    }
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        ROW(chain_is_followed_whatever_the_order_in_the_file),
        ROW(signature_of_other_content_is_not_right),
        ROW(issuer_is_told_by_its_key_as_well),
        ROW(authorities_that_issued_each_other_are_listed_once),
        ROW(signer_that_has_no_certificate_here_is_not_followed),
        ROW(two_signers_in_one_signature_are_not_followed),
        ROW(chain_that_is_too_long_is_not_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
