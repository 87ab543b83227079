/* Parts of plan/esp_files.h: files of one ESP that are gathered for another, and what of them is
 * asked for. */
#ifndef SHADOWBOOT_PLAN_ESP_GATHERING_H
#define SHADOWBOOT_PLAN_ESP_GATHERING_H

#include "plan/esp_files.h"
#include "plan/start_files.h"

#define ALL_FILES "\\"

struct gathering;

/* Whether a file is to take the place of the one that the target has under its name (`twin`),
 * whatever state it is in itself. */
typedef bool gathering_rule(const struct gathering *g, size_t file, size_t twin);

/* A way of asking. */
struct wish {
    gathering_rule *replaces;
    gathering_rule *replaces_log; /* of a boot store that comes along */
    bool fresh;           /* for a fresh file system: nothing of the other kind is in the way */
    bool is_rest;         /* of the same disk: journals come too, lost long names do not */
    bool others_go_by_it; /* by the ESP that is brought something */
    bool only_files;      /* directories come with what is in them */
    bool of_windows;      /* what goes with the Windows that is started, be it older than what is
                           * there */
};

extern const struct wish wish_for_all; /* for a fresh file system */
extern const struct wish
    wish_for_rest; /* of the ESP it takes the place of: what was not taken yet */
extern const struct wish wish_for_different; /* what the target lacks or has otherwise */
extern const struct wish wish_for_mending;   /* what the target lacks or has in a bad state */
extern const struct wish wish_for_windows;   /* what goes with the Windows that is started */

struct left_out {
    size_t count;
    const char *first;
};

/* One ESP that files are taken from, held against another. */
struct gathering {
    struct plan *plan;
    const struct wish *wish;
    size_t from; /* index into machine.esps */
    const struct esp *source;
    const struct esp *target; /* NULL: none */
    const size_t *order;      /* of the source's files */
    const size_t *twins;      /* of the source's files on the target */
    const char *path;
    bool for_linux; /* the ESP that others go by starts no Windows */
    const struct start_files
        *only; /* what the machine is started by; NULL: all that is at `path` */
    uint64_t
        newest;   /* version of boot managers that the Windows which is meant has; 0: not known */
    bool too_new; /* the target's boot manager is newer, and what came with it */
    bool *taken;  /* by index of the source's files */
    const bool *on_twin; /* of the rest: what was taken from the other one */
    struct file_copy *items;
    size_t count;
    struct left_out inexact;
    struct left_out bad;
    struct left_out older;   /* than what the target has */
    struct left_out worse;   /* than what the target has, by Secure Boot's lists */
    struct left_out crossed; /* a file in the place of a directory, or the other way round */
};

/* True for the folder, what is in it, and everything when that is ALL_FILES. */
bool path_is_at_or_in(const char *path, const char *folder);

/* Never brought. Journals stay where they are when only the file system around them is new. */
bool gathering_excludes(const struct gathering *g, const char *path);

/* True for what lies at the path that is asked for, and for the directories that lead there. */
bool gathering_covers(const struct gathering *g, const struct fat_file *file);

/* What the target has under the name; FAT_NO_FILE for nothing. What is asked for first on a fresh
 * file system gives way to nothing of the other kind. */
size_t gathering_twin(const struct gathering *g, size_t file);

/* True when one is a file and the other a directory. */
bool gathering_kinds_differ(const struct gathering *g, size_t file, size_t twin);

/* True when a directory on the way to the path is a file on the target. */
bool gathering_has_file_above(const struct gathering *g, const char *path);

/* Whether a file is asked for. What becomes of a log is what becomes of its store: to another one
 * it means nothing, or harm. */
bool gathering_wants(const struct gathering *g, size_t file);

/* True when Windows keeps an older version of the program than the target has, and that is not too
 * new for it. */
bool gathering_is_older(const struct gathering *g, size_t file, size_t twin);

/* True when firmware's lists trust what the target has, and not the program, or less: switching
 * Secure Boot on is not to stop the machine. */
bool gathering_is_worse(const struct gathering *g, size_t file, size_t twin);

/* True when the file can have the same name in the new place. */
bool gathering_knows_name(const struct gathering *g, const struct fat_file *file);

/*
 * Adds \EFI\BOOT\BOOT<ARCH>.EFI as a copy of Windows' boot manager, as Windows' own setup makes it: of
 * the one that is brought, or of the one that stays on `target`, the ESP whose files stay; NULL for
 * a fresh one. Where it is there already it stays, but for an older copy of Windows' boot manager
 * where Windows' own files are brought. Room for two more items is there.
 */
void gathering_add_fallback(struct gathering *g, const struct esp *target);

#endif
