/*
 * The port for starting programs without any: it notes what it is asked for, and answers what it
 * was told to. What really never returns, a system that takes over or a reset, leaves by longjmp
 * where the caller has set a place to land (host_start_away).
 */
#ifndef SHADOWBOOT_HOST_HOST_START_H
#define SHADOWBOOT_HOST_HOST_START_H

#include <setjmp.h>
#include <stddef.h>

#include "host/host_options.h"
#include "port/start.h"

#define HOST_START_MOST 32 /* answers told, and events noted */

enum host_start_kind {
    HOST_START_LOAD,
    HOST_START_START,
    HOST_START_UNLOAD,
    HOST_START_RESET,
};

struct host_start_event {
    enum host_start_kind kind;
    struct span path;    /* of what is loaded, started or unloaded; end node included */
    struct span bytes;   /* load from memory: the program */
    struct span options; /* start: the load options */
    enum start_reset reset;
    struct start_answer answer; /* of load and start */
    bool went_away;             /* start, reset: it did not return */
};

struct host_start;

struct host_start *host_start_new(void);

/* One that nothing was asked of yet, for the same program. */
struct host_start *host_start_clone(const struct host_start *start);
void host_start_free(struct host_start *start);

/* The port, valid as long as `start`. */
struct start_port host_start_port(struct host_start *start);

/* This program was started by a boot manager from `program`, which is kept by reference; "" and false
 * from host_start_new on. */
void host_start_set_self(struct host_start *start, bool by_firmware, const char *program);
void host_start_set_tpm(struct host_start *start, bool has_tpm);

/*
 * What the next load, or the next start, answers; each is used once. Without one told, a load is
 * ST_OK, and a started program takes the machine over: it does not return. `with_image`: a load
 * gives an image though it fails.
 */
void host_start_tell_load(struct host_start *start, struct start_answer answer, bool with_image);
void host_start_tell_start(struct host_start *start, struct start_answer answer);

/* As a boot manager's program of the host's options sees it: what they tell of loads and starts. */
void host_start_take_options(struct host_start *start, const struct host_options *options);

/* Writes what was asked for to the options' file, where there is one; false, with a message, when
 * that fails. */
bool host_start_save(const struct host_start *start, const struct host_options *options);

/*
 * The place that start and reset leave to:
 *
 *     if (setjmp(*host_start_away(start)) == 0)
 *         ... whatever may start something ...
 *
 * Where none was set since host_start_new, or since something left, they return ST_UNSUPPORTED.
 */
jmp_buf *host_start_away(struct host_start *start);

/* What was asked for so far, oldest first; spans stay valid until host_start_free. */
size_t host_start_count(const struct host_start *start);
const struct host_start_event *host_start_at(const struct host_start *start, size_t index);

/* Images that are loaded and neither started nor unloaded. */
size_t host_start_left(const struct host_start *start);

#endif
