/*
 * Formatted output into a sink: a console, a file being built, or a buffer.
 *
 * The format language is the part of C's that this program uses: %% %c %s %.*s %.40s %d %u %x %X
 * %zu %llu %llx %llX, with '-', '0' and a width, '*' included. Any other conversion prints "%?" and
 * stops there.
 */
#ifndef SHADOWBOOT_BASE_PRINT_H
#define SHADOWBOOT_BASE_PRINT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define PRINTF_LIKE(which, first) __attribute__((format(printf, which, first)))

struct sink {
    void (*put)(void *ctx, const char *bytes, size_t size); /* never NULL; cannot fail */
    void *ctx;
};

void sink_put(const struct sink *sink, const char *text);
void sink_vprintf(const struct sink *sink, const char *format, va_list arguments);
void sink_printf(const struct sink *sink, const char *format, ...) PRINTF_LIKE(2, 3);

/* A text growing in a buffer of fixed size: always NUL-terminated, cut when it is full. */
struct text_buffer {
    char *at;
    size_t size; /* bytes, closing NUL included, > 0 */
    size_t used; /* bytes, without the NUL */
    bool cut;    /* something did not fit */
};

/* Starts an empty text over `size` (> 0) bytes at `at`. */
void text_buffer_init(struct text_buffer *buffer, char *at, size_t size);

/* The sink that appends to `buffer`, valid as long as the buffer. */
struct sink text_buffer_sink(struct text_buffer *buffer);

void text_buffer_printf(struct text_buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* The formatted text in the arena; NULL when there is no room. */
const char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
const char *arena_vprintf(struct arena *arena, const char *format, va_list arguments);

#define THOUSANDS_SIZE 27 /* 18,446,744,073,709,551,615 and the NUL */

/* `value` in decimal with a comma between groups of three digits, as in "213,825,024". */
const char *format_thousands(uint64_t value, char buffer[THOUSANDS_SIZE]);

#define SIZE_TEXT_SIZE 24

/* `bytes` in the unit that leaves one to four digits, as in "204 MiB" or "1.5 TiB". */
const char *format_size(uint64_t bytes, char buffer[SIZE_TEXT_SIZE]);

#endif
