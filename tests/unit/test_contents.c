/* Contents that are kept in memory: one for all files that have it, within a share of the memory, and
 * known by their digests once they are given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/host_alloc.h"
#include "model/contents.h"

#define ARENA_BYTES (64u << 10)

struct store {
    void *memory;
    struct arena arena;
    struct contents contents;
};

static int set_up(void **state)
{
    struct store *store = host_alloc(1, sizeof(*store));

    store->memory = host_alloc(1, ARENA_BYTES);
    arena_init(&store->arena, store->memory, ARENA_BYTES);
    contents_start(&store->contents, &store->arena);
    *state = store;
    return 0;
}

static int tear_down(void **state)
{
    struct store *store = *state;

    free(store->memory);
    free(store);
    return 0;
}

/* Keeps `size` bytes of `value`, of which room for a cluster is taken. */
static struct file_content keep(struct store *store, char value, size_t size)
{
    size_t whole = (size + 511) / 512 * 512;
    uint8_t *room = contents_room(&store->contents, whole);

    assert_non_null(room);
    memset(room, value, whole);
    return (struct file_content){.kept = contents_keep(&store->contents, room, whole, size)};
}

static struct file_content digest_of(char value, size_t size)
{
    uint8_t *bytes = host_alloc(1, size + 1);

    memset(bytes, value, size);
    struct file_content content = {.digest = sha256_of(span_of(bytes, size))};
    free(bytes);
    return content;
}

static void equal_bytes_are_kept_once(void **state)
{
    struct store *store = *state;
    struct file_content first = keep(store, 'a', 1000);
    size_t room = arena_room(&store->arena);
    struct file_content twin = keep(store, 'a', 1000);

    assert_ptr_equal(first.kept, twin.kept);
    assert_int_equal(arena_room(&store->arena), room);
    assert_true(content_equal(&first, &twin));
    assert_int_equal(content_bytes(&twin).size, 1000);
    assert_int_equal(content_bytes(&twin).at[999], 'a');
}

/* Another byte at the end, another size, an empty file: each is a content of its own. */
static void other_bytes_are_another_content(void **state)
{
    struct store *store = *state;
    struct file_content first = keep(store, 'a', 1000);
    struct file_content longer = keep(store, 'a', 1001);
    struct file_content empty = keep(store, 'a', 0);
    uint8_t *room = contents_room(&store->contents, 1024);

    memset(room, 'a', 1024);
    room[999] = 'b';
    struct file_content last = {.kept = contents_keep(&store->contents, room, 1024, 1000)};
    assert_false(content_equal(&first, &longer));
    assert_false(content_equal(&first, &empty));
    assert_false(content_equal(&first, &last));
    assert_true(content_is(&last, content_bytes(&last)));
    assert_false(content_is(&last, content_bytes(&first)));
}

static void a_digest_tells_as_much_as_the_bytes(void **state)
{
    struct store *store = *state;
    struct file_content kept = keep(store, 'a', 1000);
    struct file_content same = digest_of('a', 1000);
    struct file_content other = digest_of('b', 1000);
    struct sha256 digest = content_digest(&kept);

    assert_memory_equal(&digest, &same.digest, sizeof(digest));
    assert_true(content_equal(&kept, &same));
    assert_true(content_equal(&same, &kept));
    assert_false(content_equal(&other, &kept));
    assert_true(content_is(&same, content_bytes(&kept)));
    assert_false(content_is(&other, content_bytes(&kept)));
}

static void a_verdict_is_for_all_that_have_the_content(void **state)
{
    struct store *store = *state;
    struct file_content first = keep(store, 'a', 1000);
    struct file_content twin = keep(store, 'a', 1000);

    first.is_program = true;
    first.program = PE_TRUNCATED;
    first.checksum = 77;
    assert_false(content_recall_verdict(&twin));
    content_note_verdict(&first);
    assert_true(content_recall_verdict(&twin));
    assert_int_equal(twin.program, PE_TRUNCATED);
    assert_int_equal(twin.checksum, 77);
}

/* Half of what is free: a larger one, or one too many, is not kept, and nothing is taken. */
static void no_more_is_kept_than_a_share(void **state)
{
    struct store *store = *state;
    size_t room = arena_room(&store->arena);
    size_t count = 0;

    assert_null(contents_room(&store->contents, ARENA_BYTES / 2));
    assert_null(contents_room(&store->contents, UINT64_MAX - 10));
    assert_null(contents_room(NULL, 10));
    assert_int_equal(arena_room(&store->arena), room);
    while (contents_room(&store->contents, 1024) != NULL)
        count++;
    assert_in_range(count, 20, 32);
    assert_true(arena_room(&store->arena) >= room - ARENA_BYTES / 2);
}

static void what_is_not_kept_in_the_end_gives_its_room_back(void **state)
{
    struct store *store = *state;
    size_t room = arena_room(&store->arena);

    assert_non_null(contents_room(&store->contents, 1024));
    assert_true(arena_room(&store->arena) <= room - 1024);
    contents_leave(&store->contents, 1024);
    assert_int_equal(arena_room(&store->arena), room);
}

static void given_up_contents_are_known_by_their_digests(void **state)
{
    struct store *store = *state;
    size_t room = arena_room(&store->arena);
    struct file_content first = keep(store, 'a', 1000);
    struct file_content second = keep(store, 'b', 1000);
    struct file_content expected = digest_of('a', 1000);

    content_let_go(&first);
    content_let_go(&second);
    contents_give_up(&store->contents);
    assert_int_equal(arena_room(&store->arena), room);
    memset(store->memory, 0, ARENA_BYTES);
    assert_null(content_bytes(&first).at);
    assert_true(content_equal(&first, &expected));
    assert_false(content_equal(&first, &second));
    assert_null(contents_room(&store->contents, 10));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(equal_bytes_are_kept_once),
        CASE(other_bytes_are_another_content),
        CASE(a_digest_tells_as_much_as_the_bytes),
        CASE(a_verdict_is_for_all_that_have_the_content),
        CASE(no_more_is_kept_than_a_share),
        CASE(what_is_not_kept_in_the_end_gives_its_room_back),
        CASE(given_up_contents_are_known_by_their_digests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
