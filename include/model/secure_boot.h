/* What firmware has for Secure Boot (UEFI Specification 32): its state, and its lists. */
#ifndef SHADOWBOOT_MODEL_SECURE_BOOT_H
#define SHADOWBOOT_MODEL_SECURE_BOOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "format/certificate.h"
#include "format/signature_list.h"
#include "port/vars.h"

enum secure_list_id {
    SECURE_PK,  /* who owns the machine */
    SECURE_KEK, /* who may change the others */
    SECURE_DB,  /* what is trusted */
    SECURE_DBX, /* what is forbidden */
    SECURE_DBT, /* who may say when something was signed */
    SECURE_LIST_COUNT
};

/* "PK", "KEK", "db" ...: the variable's name. Static lifetime. */
const char *secure_list_name(enum secure_list_id id);

/* One of the lists. */
struct secure_list {
    enum status status; /* ST_OK; ST_ABSENT; ST_DAMAGED: from some place on it cannot be understood;
                         * else why it could not be read */
    struct span lists;  /* as stored; what format/signature_list.h reads */
    struct certificate *certificates; /* of the entries that are some, in their order; those that
                                       * cannot be read have no name, and a digest nobody has */
    size_t certificate_count;
    size_t counts[SIGNATURE_KIND_COUNT]; /* entries of each kind, without SVNs */
    uint32_t svns[SVN_PROGRAM_COUNT];    /* the highest of each; 0 without any */
    size_t svn_count;
};

struct secure_boot {
    enum status status; /* ST_OK: firmware has it, on or off; ST_ABSENT: it does not;
                         * ST_UNSUPPORTED: nobody looked, or could; else why that is not known */
    bool asked;         /* somebody looked */
    bool on;            /* what is not trusted is not started */
    bool setup;         /* without an owner: anybody may change the lists */
    struct secure_list lists[SECURE_LIST_COUNT];
    struct span levels; /* shim's SbatLevel, text; empty without one */
    bool latest_levels; /* shim's SbatPolicy: of those that shim brings along the latest count */
};

/*
 * Reads it all. A variable that is bad or cannot be read is part of the result. Statuses: ST_OK;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status secure_boot_read(struct arena *arena, const struct vars_port *vars,
                                        struct secure_boot *ret_state);

/* True when digests of programs are in db or dbx, as far as these are known: only then firmware's answer
 * for a program that is not signed hangs on its own. */
bool secure_boot_looks_up(const struct secure_boot *state);

#endif
