/*
 * Sixteen bytes at once, at any address, for loops over many: one register where a processor has such
 * that firmware leaves on (UEFI Specification 2.3.4 and 2.3.6), and elsewhere what the compiler makes of
 * it. A row of them is what one turn of a loop takes, whose own steps cost as much as a unit.
 */
#ifndef SHADOWBOOT_BASE_WIDE_H
#define SHADOWBOOT_BASE_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((vector_size(16), may_alias, aligned(1))) wide;
typedef uint32_t __attribute__((vector_size(16), may_alias, aligned(1))) wide_quads;

#define WIDE_UNITS  8
#define WIDE_ROW    (WIDE_UNITS * sizeof(wide)) /* bytes */
#define ALL_OF_WIDE _Pragma("GCC unroll 8")

/* True when a bit is set. */
static inline bool wide_any(wide value)
{
    return (value[0] | value[1]) != 0;
}

#endif
