/* How far a long change is: bytes, rate and time left, on one line that is written over. */
#ifndef SHADOWBOOT_CMD_PROGRESS_H
#define SHADOWBOOT_CMD_PROGRESS_H

#include "cmd/context.h"

struct progress {
    struct context *context;
    uint64_t started; /* microseconds */
    uint64_t shown;   /* when the line was written last */
    uint64_t ended;
    uint64_t bytes; /* so far */
    size_t width;   /* characters of the line on the screen; 0 when there is none */
};

void progress_start(struct progress *progress, struct context *context);

/* A disk_work_progress. Shows the line now and then; true when the user has pressed Ctrl-C. */
bool progress_step(void *progress, uint64_t done, uint64_t total);

/* Takes the line away; under -v says how much was written in which time. */
void progress_end(struct progress *progress);

#endif
