/*
 * The memory functions that the compiler and the core count on. Loops over rows, then over machine
 * words: the empty assembly in each keeps the compiler from turning a loop back into a call of the
 * function it stands in.
 */
#include "base/mem.h"

#include "base/wide.h"

typedef uintptr_t __attribute__((may_alias, aligned(1))) word;

#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

/* Copies from the start, in that order: also to a target that begins before the source and overlaps it. */
static __attribute__((noinline)) void copy_forward(uint8_t *out, const uint8_t *in, size_t size)
{
    for (; size >= WIDE_ROW; size -= WIDE_ROW) {
        ALL_OF_WIDE for (int i = 0; i < WIDE_UNITS; i++)((wide *)out)[i] = ((const wide *)in)[i];
        out += WIDE_ROW;
        in += WIDE_ROW;
        KEEP_LOOP();
    }
    for (; size >= sizeof(word); size -= sizeof(word)) {
        *(word *)out = *(const word *)in;
        out += sizeof(word);
        in += sizeof(word);
        KEEP_LOOP();
    }
    for (; size > 0; size--) {
        *out++ = *in++;
        KEEP_LOOP();
    }
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    copy_forward(to, from, size);
    return to;
}

/* Copies from the end, for a target that begins inside the source. */
static void copy_backward(uint8_t *out, const uint8_t *in, size_t size)
{
    while (size >= sizeof(word)) {
        size -= sizeof(word);
        *(word *)(out + size) = *(const word *)(in + size);
        KEEP_LOOP();
    }
    while (size > 0) {
        size--;
        out[size] = in[size];
        KEEP_LOOP();
    }
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size)
        copy_forward(to, from, size);
    else
        copy_backward(to, from, size);
    return to;
}

void *memset(void *at, int value, size_t size)
{
    uint8_t *out = at;
    uint64_t eight = (uint64_t)-1 / 0xff * (uint8_t)value;
    word pattern = (word)eight;
    wide row = {eight, eight};

    for (; size >= WIDE_ROW; size -= WIDE_ROW) {
        ALL_OF_WIDE for (int i = 0; i < WIDE_UNITS; i++)((wide *)out)[i] = row;
        out += WIDE_ROW;
        KEEP_LOOP();
    }
    for (; size >= sizeof(word); size -= sizeof(word)) {
        *(word *)out = pattern;
        out += sizeof(word);
        KEEP_LOOP();
    }
    for (; size > 0; size--) {
        *out++ = (uint8_t)value;
        KEEP_LOOP();
    }
    return at;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a;
    const uint8_t *y = b;

    /* Words that differ are left to the bytes, which know the order. */
    for (; size >= WIDE_ROW; size -= WIDE_ROW) {
        wide differ = {0, 0};
        ALL_OF_WIDE for (int i = 0; i < WIDE_UNITS; i++) differ |=
            ((const wide *)x)[i] ^ ((const wide *)y)[i];
        if (wide_any(differ))
            break;
        x += WIDE_ROW;
        y += WIDE_ROW;
        KEEP_LOOP();
    }
    for (; size >= sizeof(word) && *(const word *)x == *(const word *)y; size -= sizeof(word)) {
        x += sizeof(word);
        y += sizeof(word);
        KEEP_LOOP();
    }
    for (; size > 0 && *x == *y; size--) {
        x++;
        y++;
        KEEP_LOOP();
    }
    return size == 0 ? 0 : *x - *y;
}
