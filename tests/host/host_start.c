#include "host/host_start.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/host_alloc.h"

struct told {
    struct start_answer answers[HOST_START_MOST];
    bool with_image[HOST_START_MOST];
    size_t count;
    size_t next;
};

/* An image is known by its number, from 1: the handle is its place among these. */
struct image {
    struct span path;
    bool loaded;
};

struct host_start {
    struct told loads;
    struct told starts;
    struct image images[HOST_START_MOST];
    size_t image_count;
    struct host_start_event events[HOST_START_MOST];
    size_t count;
    bool has_tpm;
    bool by_firmware;
    const char *program;
    bool may_leave;
    jmp_buf away;
};

struct host_start *host_start_new(void)
{
    struct host_start *start = host_alloc(1, sizeof(*start));

    start->program = "";
    return start;
}

struct host_start *host_start_clone(const struct host_start *start)
{
    struct host_start *clone = host_start_new();

    clone->by_firmware = start->by_firmware;
    clone->program = start->program;
    return clone;
}

static void free_span(struct span span)
{
    free((uint8_t *)(uintptr_t)span.at);
}

void host_start_free(struct host_start *start)
{
    for (size_t i = 0; start != NULL && i < start->count; i++) {
        free_span(start->events[i].path);
        free_span(start->events[i].bytes);
        free_span(start->events[i].options);
    }
    for (size_t i = 0; start != NULL && i < start->image_count; i++)
        free_span(start->images[i].path);
    free(start);
}

static struct span copy_of(struct span span)
{
    return span.size == 0 ? span_of(NULL, 0) : span_of(host_copy(span.at, span.size), span.size);
}

static struct host_start_event *note(struct host_start *start, enum host_start_kind kind,
                                     struct span path)
{
    if (start->count == HOST_START_MOST)
        host_fail("more is started than can be noted");
    struct host_start_event *event = &start->events[start->count++];
    *event = (struct host_start_event){.kind = kind, .path = copy_of(path)};
    return event;
}

static struct image *image_of(struct host_start *start, const void *handle)
{
    for (size_t i = 0; i < start->image_count; i++) {
        if (handle == &start->images[i] && start->images[i].loaded)
            return &start->images[i];
    }
    host_fail("an image that is not loaded");
    return NULL;
}

static void *new_image(struct host_start *start, struct span path)
{
    if (start->image_count == HOST_START_MOST)
        host_fail("too many images");
    struct image *image = &start->images[start->image_count++];
    *image = (struct image){copy_of(path), true};
    return image;
}

static struct start_answer load(void *ctx, const struct start_source *source, void **ret_image)
{
    struct host_start *start = ctx;
    struct host_start_event *event = note(start, HOST_START_LOAD, source->path);
    bool with_image = true;

    event->bytes = copy_of(source->bytes);
    if (start->loads.next < start->loads.count) {
        event->answer = start->loads.answers[start->loads.next];
        with_image = start->loads.with_image[start->loads.next++];
    }
    *ret_image = with_image ? new_image(start, source->path) : NULL;
    return event->answer;
}

/* Leaves to where the caller wants, or returns when that is nowhere. */
static void leave(struct host_start *start, struct host_start_event *event)
{
    event->went_away = start->may_leave;
    if (!start->may_leave)
        return;
    start->may_leave = false;
    longjmp(start->away, 1);
}

static struct start_answer start_image(void *ctx, void *handle, struct span options)
{
    struct host_start *start = ctx;
    struct image *image = image_of(start, handle);
    struct host_start_event *event = note(start, HOST_START_START, image->path);

    image->loaded = false;
    event->options = copy_of(options);
    event->answer = (struct start_answer){ST_UNSUPPORTED, 3};
    if (start->starts.next < start->starts.count)
        event->answer = start->starts.answers[start->starts.next++];
    else
        leave(start, event);
    return event->answer;
}

static void unload(void *ctx, void *handle)
{
    struct host_start *start = ctx;

    if (handle == NULL)
        return;
    struct image *image = image_of(start, handle);
    image->loaded = false;
    note(start, HOST_START_UNLOAD, image->path);
}

static enum status reset(void *ctx, enum start_reset kind)
{
    struct host_start *start = ctx;
    struct host_start_event *event = note(start, HOST_START_RESET, span_of(NULL, 0));

    event->reset = kind;
    leave(start, event);
    return ST_UNSUPPORTED;
}

struct start_port host_start_port(struct host_start *start)
{
    struct start_port port = {
        .ctx = start,
        .by_firmware = start->by_firmware,
        .program = start->program,
        .has_tpm = start->has_tpm,
        .load = load,
        .start = start_image,
        .unload = unload,
        .reset = reset,
    };
    return port;
}

void host_start_set_self(struct host_start *start, bool by_firmware, const char *program)
{
    start->by_firmware = by_firmware;
    start->program = program;
}

void host_start_set_tpm(struct host_start *start, bool has_tpm)
{
    start->has_tpm = has_tpm;
}

static void tell(struct told *told, struct start_answer answer, bool with_image)
{
    if (told->count == HOST_START_MOST)
        host_fail("too many answers");
    told->with_image[told->count] = with_image;
    told->answers[told->count++] = answer;
}

void host_start_tell_load(struct host_start *start, struct start_answer answer, bool with_image)
{
    tell(&start->loads, answer, with_image || answer.status == ST_OK);
}

void host_start_tell_start(struct host_start *start, struct start_answer answer)
{
    tell(&start->starts, answer, false);
}

jmp_buf *host_start_away(struct host_start *start)
{
    start->may_leave = true;
    return &start->away;
}

size_t host_start_count(const struct host_start *start)
{
    return start->count;
}

const struct host_start_event *host_start_at(const struct host_start *start, size_t index)
{
    return index < start->count ? &start->events[index] : NULL;
}

size_t host_start_left(const struct host_start *start)
{
    size_t left = 0;

    for (size_t i = 0; i < start->image_count; i++)
        left += start->images[i].loaded;
    return left;
}

/* What the codes of UEFI (appendix D) come to, as efi/firmware has it. */
static struct start_answer answer_of_code(unsigned code)
{
    static const enum status statuses[] = {
        [1] = ST_DAMAGED, [2] = ST_DAMAGED,  [3] = ST_UNSUPPORTED, [9] = ST_NO_MEMORY,
        [14] = ST_ABSENT, [15] = ST_REFUSED, [21] = ST_CANCELLED,  [26] = ST_REFUSED,
    };
    bool known = code < sizeof(statuses) / sizeof(statuses[0]) && statuses[code] != ST_OK;

    return (struct start_answer){code == 0 ? ST_OK : known ? statuses[code] : ST_IO, code};
}

void host_start_take_options(struct host_start *start, const struct host_options *options)
{
    if (options->program != NULL)
        host_start_set_self(start, true, options->program);
    start->has_tpm = options->has_tpm;
    for (size_t i = 0; i < options->start_count; i++) {
        struct start_answer answer = answer_of_code(options->starts[i].code);
        if (options->starts[i].is_load)
            host_start_tell_load(start, answer, answer.code == 26);
        else
            host_start_tell_start(start, answer);
    }
}

static void save_bytes(FILE *to, struct span bytes)
{
    fputc(' ', to);
    for (size_t i = 0; i < bytes.size; i++)
        fprintf(to, "%02x", bytes.at[i]);
    if (bytes.size == 0)
        fputc('-', to);
}

static void save_event(FILE *to, const struct host_start_event *event)
{
    static const char *const words[] = {"load", "start", "unload", "reset"};
    static const char *const resets[] = {"cold", "warm", "off"};

    fputs(words[event->kind], to);
    if (event->kind == HOST_START_RESET) {
        fprintf(to, " %s\n", resets[event->reset]);
        return;
    }
    save_bytes(to, event->path);
    if (event->kind == HOST_START_START)
        save_bytes(to, event->options);
    if (event->went_away)
        fputs(" away", to);
    else if (event->kind != HOST_START_UNLOAD)
        fprintf(to, " %u", event->answer.code);
    fputc('\n', to);
}

bool host_start_save(const struct host_start *start, const struct host_options *options)
{
    FILE *to = options->started_file == NULL ? NULL : fopen(options->started_file, "w");

    if (options->started_file == NULL)
        return true;
    for (size_t i = 0; to != NULL && i < start->count; i++)
        save_event(to, &start->events[i]);
    if (to != NULL && fclose(to) == 0)
        return true;
    return host_options_complain("cannot be written", options->started_file);
}
