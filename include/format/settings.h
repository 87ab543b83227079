/*
 * The settings of unattended starts: \EFI\shadowboot\shadowboot.conf on the volume that the program
 * was started from. Lines of "key = value", in UTF-8 or, with a byte order mark, UTF-16 of either
 * byte order; "#" and ";" begin comments, lines in brackets are headings without a meaning. Keys and
 * words of values are taken in any case. What cannot be understood is a problem with a line number,
 * and leaves what was in force.
 */
#ifndef SHADOWBOOT_FORMAT_SETTINGS_H
#define SHADOWBOOT_FORMAT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/net_address.h"

#define SETTINGS_BYTES    16384u /* of the file that are read; behind them is a problem */
#define SETTINGS_PROBLEMS 8      /* that are kept; the rest is counted */
#define SETTINGS_WORD     32     /* bytes of a word that is shown, NUL included */

enum settings_key {
    SETTING_MODE,
    SETTING_TIMEOUT,
    SETTING_START,
    SETTING_DISK,
    SETTING_ALLOW_FORMAT,
    SETTING_ALLOW_MSR,
    SETTING_REPORT,
    SETTING_SEND,
    SETTING_SERIAL,
    SETTING_COUNT
};

enum settings_mode {
    MODE_START, /* mends what keeps a disk from starting and may be mended unattended, then starts */
    MODE_REPAIR, /* the same, and mends what else there is */
    MODE_REPORT, /* writes reports, and hands on to the next boot entry */
    MODE_MENU,   /* waits for a person */
    MODE_COUNT,
    MODE_NONE = MODE_COUNT /* in no file: the next boot entry, unless a key is pressed */
};

enum settings_serial { SERIAL_AUTO, SERIAL_ASCII, SERIAL_BOXES, SERIAL_COUNT };

/* Reports that are written, as bits. */
#define REPORT_LOG      1u
#define REPORT_JSON     2u
#define REPORT_VARIABLE 4u

enum settings_trouble {
    SETTINGS_NO_VALUE, /* a line without "=" */
    SETTINGS_UNKNOWN_KEY,
    SETTINGS_BAD_VALUE,
    SETTINGS_REPEATED, /* the first one counts */
    SETTINGS_LONG_LINE,
    SETTINGS_BAD_TEXT,        /* a control character, NUL included */
    SETTINGS_TOO_LARGE,       /* the file */
    SETTINGS_NOT_FROM_SERVER, /* what nobody may ask for over a network */
};

struct settings_problem {
    unsigned line; /* from 1 */
    enum settings_trouble trouble;
    char word[SETTINGS_WORD]; /* key or value, printable ASCII, cut */
};

struct settings {
    enum settings_mode mode;
    unsigned timeout; /* seconds */
    bool by_reset;    /* BootNext and a reset instead of starting a boot manager directly */
    bool has_disk;    /* a disk is preferred: */
    unsigned disk;    /* its number as people see it */
    bool allow_format;
    bool allow_msr;
    unsigned reports; /* REPORT_... */
    char send
        [NET_PATH_SIZE]; /* where the report goes as well, an address (base/net_address.h); "": nowhere */
    enum settings_serial serial;
    unsigned lines[SETTING_COUNT]; /* where each was set; 0: it is the default */
    struct settings_problem problems[SETTINGS_PROBLEMS];
    size_t problem_count; /* may be more than are kept */
};

/* What is in force without a file: start, 5 seconds, all reports, nothing else allowed. */
struct settings settings_default(void);

/* The same with what the file says. */
struct settings settings_read(struct span file);

/*
 * What may come of settings that a server has sent, whom nobody has proved to be the right one: reports and
 * the menu, which asks a person. Other modes become MODE_NONE, and nothing stays allowed; each line that
 * wanted more is one more problem.
 */
void settings_restrict(struct settings *io_settings);

/* "mode", "timeout", ... Static lifetime. */
const char *settings_key_name(enum settings_key key);

/* The value in force as it is written in the file; numbers go into `buffer`. Lives as long as both. */
const char *settings_value_text(const struct settings *settings, enum settings_key key,
                                char buffer[SETTINGS_WORD]);

/* What the matter is, in words that follow a line number. Static lifetime. */
const char *settings_trouble_text(enum settings_trouble trouble);

#endif
