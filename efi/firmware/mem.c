/*
 * The memory functions that the compiler and the core count on. Plain loops over machine words:
 * the empty assembly in each keeps the compiler from turning a loop back into a call of the
 * function it stands in.
 */
#include "base/mem.h"

#include <stdint.h>

typedef uintptr_t __attribute__((may_alias, aligned(1))) word;

/* Words that are moved in one turn of a loop, whose own steps cost as much as a word. */
#define ROW_WORDS  8
#define ALL_OF_ROW _Pragma("GCC unroll 8")
#define ROW        (ROW_WORDS * sizeof(word))

#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    for (; size >= ROW; size -= ROW) {
        ALL_OF_ROW for (int i = 0; i < ROW_WORDS; i++)((word *)out)[i] = ((const word *)in)[i];
        out += ROW;
        in += ROW;
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
        return memcpy(to, from, size); /* goes forward, so a target below the source is safe */
    copy_backward(to, from, size);
    return to;
}

void *memset(void *at, int value, size_t size)
{
    uint8_t *out = at;
    word pattern = (word)-1 / 0xff * (uint8_t)value;

    for (; size >= ROW; size -= ROW) {
        ALL_OF_ROW for (int i = 0; i < ROW_WORDS; i++)((word *)out)[i] = pattern;
        out += ROW;
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
    for (; size >= ROW; size -= ROW) {
        word differ = 0;
        ALL_OF_ROW for (int i = 0; i < ROW_WORDS; i++) differ |=
            ((const word *)x)[i] ^ ((const word *)y)[i];
        if (differ != 0)
            break;
        x += ROW;
        y += ROW;
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
