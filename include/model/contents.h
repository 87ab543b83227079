/*
 * Contents of files that are kept in memory, each once however many files have it. The scan reads a
 * file to where it stays and compares it with those of its size; so files are told apart without a
 * digest, a program that is there twice is judged once, and what is to be copied is taken from here
 * and not read again.
 *
 * Bytes take a share of the memory that is free, at the far end of the arena. What does not fit, or
 * was given up for something else, is known by its digest: nothing hangs on bytes being here. And
 * they never grow old: a plan that names a content means these bytes, whatever a disk holds by now.
 */
#ifndef SHADOWBOOT_MODEL_CONTENTS_H
#define SHADOWBOOT_MODEL_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/sha256.h"
#include "model/content.h"

#define CONTENTS_ROWS 256u

struct contents {
    struct arena *arena;
    size_t most;  /* bytes of the arena for all together */
    size_t taken; /* of these */
    struct kept_content *rows[CONTENTS_ROWS];
};

/* Starts an empty store that takes at most half of what is free in `arena`. */
void contents_start(struct contents *contents, struct arena *arena);

/*
 * Room for `size` bytes (not zeroed), which contents_keep or contents_leave ends; NULL where memory
 * does not do, or `contents` is NULL.
 */
uint8_t *contents_room(struct contents *contents, uint64_t size);

/* Gives the room for `size` bytes back. */
void contents_leave(struct contents *contents, size_t size);

/*
 * Keeps the first `used` of the `size` bytes at `room`. When they are here already the room is given
 * back, and those that were here are the result.
 */
struct kept_content *contents_keep(struct contents *contents, uint8_t *room, size_t size,
                                   size_t used);

/* Gives all memory back to the arena, and keeps nothing from now on. What points to kept contents
 * must be done with them: see content_let_go. */
void contents_give_up(struct contents *contents);

/* The bytes, for files that are not empty; an empty span where they are not kept. */
struct span content_bytes(const struct file_content *content);

/* The SHA-256 of a content with ST_OK, made when it is first asked for. */
struct sha256 content_digest(const struct file_content *content);

/* True when that takes no time any more. */
bool content_has_digest(const struct file_content *content);

/* True when both, of ST_OK, are the same bytes. */
bool content_equal(const struct file_content *a, const struct file_content *b);

/* True when the content, of ST_OK, is these bytes. */
bool content_is(const struct file_content *content, struct span bytes);

/* The verdict on a kept content as a program: false when it was not noted yet. */
bool content_recall_verdict(struct file_content *io_content);
void content_note_verdict(const struct file_content *content);

/* From now on the content is known by its digest alone. */
void content_let_go(struct file_content *io_content);

#endif
