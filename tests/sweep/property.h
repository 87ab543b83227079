/*
 * What a repair must keep, whatever the machine: looked at by bytes and by the second opinion of
 * sweep/truth.h.
 *
 *   start    a disk that alone started a system before starts it afterwards, or, where that was not
 * the machine's own, the machine's; the machine with all its disks still starts something if it did
 * own      entries of firmware's own are there
 * as they were, also in BootOrder foreign  no block changes outside ESPs, tables, and what was
 * nobody's again    the same command once more changes nothing undo     variables, files, tables
 * and all blocks that held anything are back exit     exit statuses are those that the manual names
 *   look     `status` changes nothing
 *   promise  `status` says of no disk that it starts alone when it does not, or when it starts
 *            another system than the machine's own (which system a store leads to is left out), and
 *            of no two disks when they start different ones
 *
 * The machine's own system is what whoever looks after it calls so: the first that comes up with
 * all disks, mirrored or not, or one that is mirrored. Where it stops in Windows' boot manager with
 * all disks, mirrored Windows goes before others that come up behind it.
 */
#ifndef SHADOWBOOT_SWEEP_PROPERTY_H
#define SHADOWBOOT_SWEEP_PROPERTY_H

#include "host/host_ports.h"

enum property {
    PROPERTY_START,
    PROPERTY_OWN,
    PROPERTY_FOREIGN,
    PROPERTY_AGAIN,
    PROPERTY_UNDO,
    PROPERTY_EXIT,
    PROPERTY_LOOK,
    PROPERTY_PROMISE,
    PROPERTY_COUNT
};

/* Told of each violation: `kind` sorts like ones together, `text` says it of this machine. */
typedef void property_broken(void *ctx, enum property property, const char *kind, const char *text);

struct property_task {
    const struct host *before; /* not changed; the last disk is the stick */
    const char *line;          /* the command */
    const char *mirrored;      /* a letter for each mirrored system; NULL: not known */
    bool shows_all;            /* print what the commands say */
    property_broken *broken;
    void *ctx;
};

struct property_result {
    bool changed;    /* the command has changed something */
    unsigned starts; /* how many disks started alone before it */
};

/* Runs the command, again, and takes it back. */
struct property_result property_try(const struct property_task *task);

#endif
