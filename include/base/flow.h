/*
 * Text in lines that fit a screen, broken between words. What goes on in a further line stands
 * under the text that it goes on with:
 *
 *     [damage] Disk 1 Partition 1: No boot entry starts from this EFI System
 *              Partition.
 *       -sg     GUID  source: ESP that sizes and files are
 *                     taken from
 *
 * that is behind a mark ("[damage]", "3."), behind a label at the line's start ("After this:"),
 * under the last column of a table, below a line that is indented, and a little to the right where
 * the line has none of these.
 */
#ifndef SHADOWBOOT_BASE_FLOW_H
#define SHADOWBOOT_BASE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/print.h"

#define FLOW_WIDTH_MOST 240 /* columns; on a wider screen lines end here */
#define FLOW_WORD_SIZE  (4 * FLOW_WIDTH_MOST + 16)

/* Bytes up to this one, NUL and the ends of lines left out, are marks for the console: they take no
 * room. */
#define FLOW_MARK_LAST 6

struct flow {
    struct sink to;
    unsigned width;      /* columns that a line may fill; 0: lines are not broken */
    unsigned column;     /* that the next character would stand in, from 0 */
    unsigned blanks;     /* in front of the word that is held back */
    unsigned hang;       /* column in which the next line would go on */
    unsigned lead;       /* blanks that the line begins with */
    bool begun;          /* the line has a word */
    bool fixed;          /* `hang` stays as it is until the line ends */
    bool labelled;       /* the word before this one ended a label */
    uint32_t rune;       /* the part of a character that has arrived */
    unsigned rune_bytes; /* bytes it has in all */
    unsigned missing;    /* those still to come */
    size_t word_size;    /* bytes of the word that is held back */
    unsigned word_width; /* columns of it */
    size_t cut_size;     /* bytes and columns of it up to its last separator */
    unsigned cut_width;
    char word[FLOW_WORD_SIZE];
};

/*
 * Starts at the begin of a line. A line takes at most `width` columns (cut to FLOW_WIDTH_MOST); 0
 * hands everything on as it comes. `to` must stay usable as long as the flow.
 */
void flow_init(struct flow *ret_flow, struct sink to, unsigned width);

/* Takes UTF-8, a part of a character as well; "\n" ends a line, "\r" goes back to its start. The
 * last word is held back until it has ended. */
void flow_put(struct flow *flow, const char *bytes, size_t size);

/* Hands on the word that is held back, with the blanks in front of it or behind the last one. */
void flow_flush(struct flow *flow);

/* Somebody else has ended the line, as a user does who types Enter. Call flow_flush before. */
void flow_new_line(struct flow *flow);

#endif
