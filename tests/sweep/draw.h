/*
 * Machines drawn at random: disks of all kinds, systems on them, ESPs in all states, loaders and
 * boot entries. The same seed gives the same machine on every host.
 */
#ifndef SHADOWBOOT_SWEEP_DRAW_H
#define SHADOWBOOT_SWEEP_DRAW_H

#include "host/host_ports.h"
#include "sweep/chance.h"

#define DRAW_DISKS   4u
#define DRAW_SYSTEMS 4u
#define DRAW_PARTS   8u
#define DRAW_WORDS   8192u
#define DRAW_LOADERS 64u
#define DRAW_GUID    37u /* a GUID as text */

/* Types that machine_fixture.h has not. */
#define TYPE_RAID  "a19d880f-05fc-4d3b-a006-743f0f84911e"
#define TYPE_LINUX "0fc63daf-8483-4772-8e79-3d69d8477de4"

enum draw_kind {
    DRAW_WINDOWS_MIRROR, /* LDM mirror */
    DRAW_WINDOWS_PLAIN,  /* a plain volume */
    DRAW_LINUX_MIRROR,   /* md RAID 1 */
    DRAW_LINUX_PLAIN,    /* ext4 */
    DRAW_DATA_MIRROR,    /* LDM mirror without Windows */
    DRAW_KIND_COUNT
};

struct draw_system {
    enum draw_kind kind;
    char name[2];       /* "A", "B" ... */
    const char *folder; /* of its loaders below \EFI */
    bool uses_shim;     /* else GRUB alone or systemd-boot */
    bool uses_systemd;
    unsigned disks; /* a bit for each that has a copy */
};

struct draw_part {
    uint32_t number;
    const char *type;
    char guid[DRAW_GUID];
    uint64_t first, blocks;
};

/* What an entry may be made for: a program on an ESP. */
struct draw_loader {
    size_t disk;
    size_t part;
    char path[80];
    const char *description;
    bool is_windows;
    bool is_tool;
};

struct draw {
    struct chance chance;
    struct host *host; /* its last disk is the stick */
    uint32_t block_size;
    size_t disk_count; /* the stick is not counted */
    struct draw_system systems[DRAW_SYSTEMS];
    size_t system_count;
    char mirrored[DRAW_SYSTEMS + 1]; /* names of those that are */
    struct draw_part parts[DRAW_DISKS][DRAW_PARTS];
    size_t part_counts[DRAW_DISKS];
    struct draw_loader loaders[DRAW_LOADERS];
    size_t loader_count;
    bool with_msr;          /* the repair may give up an MSR */
    char words[DRAW_WORDS]; /* the machine, a line a thing */
    size_t words_used;
};

/* The machine of a seed. To be freed. */
struct draw *draw_new(uint64_t seed);
void draw_free(struct draw *draw);

/* --- Between the parts of the sweep only ------------------------------------------------------ */

void draw_say(struct draw *draw, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Draws systems, and disks with tables and volumes for them. */
void draw_disks(struct draw *draw);

bool draw_is_windows(enum draw_kind kind);
bool draw_is_ldm(enum draw_kind kind);

/* A GUID of its own. */
void draw_guid(struct draw *draw, char ret_guid[DRAW_GUID]);

/* Writes the volumes of a system into its partitions. */
void draw_volumes(struct draw *draw, const struct draw_system *system);

/* Fills the ESP in a partition, and notes its loaders. */
void draw_esp(struct draw *draw, size_t disk, size_t part);

/* Draws boot entries, BootOrder and the other variables. */
void draw_entries(struct draw *draw);

/* Draws what has happened to tables, and owners for disks without one. */
void draw_damage(struct draw *draw);

/* Writes what is not zero. */
void draw_write(struct draw *draw, size_t disk, uint64_t offset, const uint8_t *data, size_t size);

#endif
