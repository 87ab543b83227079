#include "model/contents.h"

#include "base/mem.h"

#define SHARE_OF_ROOM 2u
#define ALIGNMENT     16u
#define KEY_BYTES     64u
#define KEY_FACTOR    0x01000193u

/* Stands before its bytes, which lie as most drivers want what they read into: one that does not get
 * it so is given another buffer, and everything is copied once more. */
struct kept_content {
    _Alignas(ALIGNMENT) struct kept_content *next; /* of its row */
    size_t size;                                   /* bytes */
    bool has_digest;
    struct sha256 digest; /* has_digest only */
    bool is_judged;       /* as a program */
    struct file_content judged;
};

_Static_assert(sizeof(struct kept_content) % ALIGNMENT == 0, "bytes begin behind it");

static size_t whole_size(size_t size)
{
    return (sizeof(struct kept_content) + size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static uint8_t *kept_bytes(struct kept_content *kept)
{
    return (uint8_t *)(kept + 1);
}

/* By size and the first bytes. */
static size_t row_of(struct span bytes)
{
    uint32_t key = (uint32_t)bytes.size;

    for (size_t i = 0; i < KEY_BYTES && i < bytes.size; i++)
        key = (key ^ bytes.at[i]) * KEY_FACTOR;
    return (key ^ key >> 16) % CONTENTS_ROWS;
}

void contents_start(struct contents *contents, struct arena *arena)
{
    *contents = (struct contents){.arena = arena, .most = arena_room(arena) / SHARE_OF_ROOM};
}

uint8_t *contents_room(struct contents *contents, uint64_t size)
{
    if (contents == NULL || size > contents->most)
        return NULL;
    size_t whole = whole_size((size_t)size);
    if (whole > contents->most - contents->taken)
        return NULL;
    struct kept_content *kept = arena_cut(contents->arena, whole);
    if (kept == NULL)
        return NULL;
    contents->taken += whole;
    return kept_bytes(kept);
}

void contents_leave(struct contents *contents, size_t size)
{
    arena_rejoin(contents->arena, whole_size(size));
    contents->taken -= whole_size(size);
}

struct kept_content *contents_keep(struct contents *contents, uint8_t *room, size_t size,
                                   size_t used)
{
    struct span bytes = span_of(room, used);
    struct kept_content **row = &contents->rows[row_of(bytes)];

    for (struct kept_content *at = *row; at != NULL; at = at->next) {
        if (!span_equal(span_of(kept_bytes(at), at->size), bytes))
            continue;
        contents_leave(contents, size);
        return at;
    }
    struct kept_content *kept = (struct kept_content *)(void *)room - 1;
    *kept = (struct kept_content){.next = *row, .size = used};
    *row = kept;
    return kept;
}

void contents_give_up(struct contents *contents)
{
    arena_rejoin(contents->arena, contents->taken);
    *contents = (struct contents){.arena = contents->arena};
}

struct span content_bytes(const struct file_content *content)
{
    struct kept_content *kept = content->kept;

    return kept == NULL ? span_of(NULL, 0) : span_of(kept_bytes(kept), kept->size);
}

struct sha256 content_digest(const struct file_content *content)
{
    struct kept_content *kept = content->kept;

    if (kept == NULL)
        return content->digest;
    if (!kept->has_digest)
        kept->digest = sha256_of(content_bytes(content));
    kept->has_digest = true;
    return kept->digest;
}

bool content_has_digest(const struct file_content *content)
{
    return content->kept == NULL || content->kept->has_digest;
}

bool content_equal(const struct file_content *a, const struct file_content *b)
{
    if (a->kept != NULL && b->kept != NULL)
        return a->kept == b->kept || span_equal(content_bytes(a), content_bytes(b));
    struct sha256 digest_of_a = content_digest(a);
    struct sha256 digest_of_b = content_digest(b);
    return sha256_equal(&digest_of_a, &digest_of_b);
}

bool content_is(const struct file_content *content, struct span bytes)
{
    if (content->kept != NULL)
        return span_equal(content_bytes(content), bytes);
    struct sha256 digest = sha256_of(bytes);
    return sha256_equal(&digest, &content->digest);
}

void content_let_go(struct file_content *io_content)
{
    if (io_content->kept != NULL)
        io_content->digest = content_digest(io_content);
    io_content->kept = NULL;
}

bool content_recall_verdict(struct file_content *io_content)
{
    if (!io_content->kept->is_judged)
        return false;
    *io_content = io_content->kept->judged;
    return true;
}

void content_note_verdict(const struct file_content *content)
{
    content->kept->judged = *content;
    content->kept->is_judged = true;
}
