/*
 * Rows of data for scripts: tables of standard-format output (UEFI Shell Specification 3.3.7), and
 * the objects of the report in JSON. What there is, is described in one table (row_kinds.c), which
 * both are printed by, and which `help sfo` and `help json` are made of.
 */
#ifndef SHADOWBOOT_CMD_ROWS_H
#define SHADOWBOOT_CMD_ROWS_H

#include "base/sha256.h"
#include "cmd/context.h"
#include "cmd/json.h"

enum row {
    ROW_REPORT,
    ROW_PROGRAM,
    ROW_MACHINE,
    ROW_STATUS,
    ROW_BOOT_VOLUME,
    ROW_DISK,
    ROW_ROLE,
    ROW_VERDICT,
    ROW_PARTITION,
    ROW_ESP,
    ROW_FILE,
    ROW_SYSTEM_COPY,
    ROW_GROUP,
    ROW_DYNAMIC_DISK,
    ROW_VOLUME,
    ROW_PLEX,
    ROW_EXTENT,
    ROW_SETTING,
    ROW_ORDER,
    ROW_ENTRY,
    ROW_BCD,
    ROW_SECURE_STATE,
    ROW_SECURE_LIST,
    ROW_SECURE_FILE,
    ROW_FINDING,
    ROW_WARNING,
    ROW_ACTION,
    ROW_COPY,
    ROW_PROMISE,
    ROW_JOURNAL,
    ROW_TEST,
    ROW_ERROR,
    ROW_COUNT
};

/* What a value is. The schema of the report (schema_values.h) has a form for each that is
 * in JSON; those from AS_ARCHITECTURE on are one of some words. */
enum row_value {
    AS_TEXT, /* any */
    AS_BOOL,
    AS_U16, /* numbers of so many bits */
    AS_U32,
    AS_U64,
    AS_BLOCK_BYTES, /* of block_port */
    AS_HEX32,       /* "0x" and 8 digits */
    AS_HEX64,       /* 16 digits */
    AS_GUID,
    AS_SHA256,
    AS_DATE,         /* "2026-11-20T12:00:00", the machine's own clock */
    AS_MINUTE,       /* "2026-11-20 12:00" */
    AS_PATH,         /* of a file, from the root of its volume */
    AS_LETTER,       /* "C:", or nothing */
    AS_VERSION,      /* "0.1.0" */
    AS_UEFI,         /* "2.7" */
    AS_FILE_VERSION, /* "10.0.26100.1", or nothing */
    AS_SVN,          /* "7.0", or nothing */
    AS_REPORT_VERSION,
    AS_MACHINE_STATE, /* enum machine_state as a number */
    AS_CARD,
    AS_FILES_READ,
    AS_CHANGED_DISKS,
    AS_TOOK_BACK,
    AS_ORIGIN,
    AS_ANSWER,
    AS_ARCHITECTURE, /* as UEFI names it; shadowboot-linux can look at disks of others */
    AS_PROGRAM,
    AS_STATE_TEXT,
    AS_STATUS, /* of looking at something, status_text */
    AS_FINDING,
    AS_SEVERITY,
    AS_PARTITION_TYPE,
    AS_CONTENT, /* of a volume, by its first block */
    AS_ESP_STATE,
    AS_ESP_TYPE,
    AS_FILE_STATE,
    AS_BOOT_KIND,
    AS_DISK_KIND,
    AS_ROLE,
    AS_MEMBER_ROLE,
    AS_VERDICT,
    AS_CHANGE,
    AS_DATABASES,
    AS_LOG,
    AS_DISK_STATUS,
    AS_DATABASE,
    AS_DISK_LOG,
    AS_VOLUME_TYPE,
    AS_VOLUME_STATUS,
    AS_VOLUME_INFO,
    AS_PRESENCE,
    AS_PLEX_STATE,
    AS_SETTING,
    AS_IN_ORDER,
    AS_SECURE_STATE,
    AS_SECURE_LIST,
    AS_SECURE_VERDICT,
    AS_TEST_STATE,
    AS_COUNT
};

/* Whether a member is always there, and has always a value. */
enum row_presence {
    ALWAYS,
    OR_NULL,
    OR_MISSING,     /* all of an object that may be missing come and go together */
    OR_MISSING_TOO, /* a second such group of the same object */
};

/* One value of a row. */
struct row_field {
    const char *column; /* what the reference calls it; NULL: not in tables */
    const char *member; /* its key in JSON; NULL: not there */
    uint8_t value;      /* enum row_value: what it is */
    uint8_t presence;   /* enum row_presence: of the member */
};

/* A kind of row. Its member is the key of an object, or of a list of such objects. */
struct row_kind {
    const char *table;  /* "DiskInfo"; NULL: no table */
    const char *member; /* "disks"; NULL: not in JSON; "": the whole report */
    bool is_list;
    uint8_t presence;        /* enum row_presence: of the member */
    unsigned depth;          /* of the member: 1 in that of depth 0 before it */
    const char *table_note;  /* what the rows are of, or when they come; NULL: nothing to say */
    const char *member_note; /* the same of the objects */
    const struct row_field *fields; /* closed by one with neither name */
};

/* The description of a row. Static lifetime. */
const struct row_kind *row_kind(enum row row);

/* What a value can be, for people; NULL when its name says that. Static lifetime. */
const char *row_value_words(enum row_value value);

/* Where rows go. */
struct rows {
    struct context *context;
    struct json *json;            /* NULL: tables */
    const struct row_field *next; /* what the next value is */
    bool in_haste;                /* digests that nobody has asked for yet are left out */
};

/* Rows of tables, on the console. */
struct rows rows_of_tables(struct context *context);

/* A list in JSON, inside which its rows are opened; nothing in tables. */
void rows_open_list(struct rows *to, enum row row);
void rows_close_list(struct rows *to);

/*
 * A row: opened, its values in the order of the description, each by one of the calls below, then
 * closed. Values that one of both forms has not are given all the same, and left out there; a row
 * may end early. In JSON rows and lists inside it come behind its values.
 */
void row_open(struct rows *to, enum row row);
void row_close(struct rows *to);

void row_text(struct rows *to, const char *value); /* NULL: an empty column, or null */
void row_number(struct rows *to, uint64_t value);
void row_number_or_none(struct rows *to, uint64_t value, bool is_known); /* as NULL for a text */
void row_hex(struct rows *to, uint64_t value, unsigned digits); /* "0x" and so many digits */
void row_bool(struct rows *to, bool value);
void row_guid(struct rows *to, const struct guid *guid); /* zero: shown as such, or null */
void row_digest(struct rows *to, struct sha256 digest);
void row_nothing(struct rows *to); /* an empty column, or no member */

#endif
