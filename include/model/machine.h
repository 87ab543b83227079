/*
 * The machine as it was found: one plain value that the scan makes and everything after it only
 * reads. Objects refer to each other by index; spans and texts lie in the arena or the ports.
 *
 * Numbers that people see: disks count from 0 in the order of their place in the machine (fixed
 * disks first, USB and removable ones last), partitions from 1 in the order of their place on the
 * disk, entry ids from 1 in the order of BootOrder, with the entries outside it behind.
 */
#ifndef SHADOWBOOT_MODEL_MACHINE_H
#define SHADOWBOOT_MODEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"
#include "format/devpath.h"
#include "format/gpt.h"
#include "format/load_option.h"
#include "format/mbr.h"
#include "format/owner.h"
#include "format/partition_type.h"
#include "format/windows_options.h"
#include "model/content.h"
#include "model/secure_boot.h"
#include "model/volumes.h"
#include "port/firmware.h"
#include "port/vars.h"

#define NO_INDEX ((size_t)-1)

enum disk_style {
    DISK_RAW, /* no partition table */
    DISK_MBR,
    DISK_GPT, /* also when both copies are damaged, but something says there was one */
};

struct gpt_copy {
    enum gpt_problem problem; /* GPT_FINE: `header` and the entries are good */
    uint64_t lba;             /* where the header was looked for */
    struct gpt_header header; /* meaningful from GPT_BAD_ARRAY_CRC on, and when fine or that of a
                               * larger disk */
};

struct disk {
    size_t port;           /* index into ports->disks */
    struct span path;      /* device path, end node included */
    const char *path_text; /* the same for people */
    const char *model;     /* printable; "" when the device does not say */
    uint32_t block_size;   /* bytes */
    uint64_t block_count;  /* logical blocks */
    bool read_only;
    bool removable;     /* removable medium, or on USB */
    bool place_unknown; /* `path` is made up: firmware finds the disk by another one */
    bool has_self;      /* carries the volume this program was started from */
    enum status status; /* ST_OK, or why the disk could not be read */
    enum disk_style style;
    struct mbr mbr;
    struct gpt_copy primary; /* style GPT only */
    struct gpt_copy backup;
    uint32_t table_block_size; /* bytes of the blocks that a GPT was written for which firmware
                                * cannot see here: it is not block_size; 0 when there is none */
    bool mbr_unreadable;       /* block 0 cannot be read; `mbr` says nothing */
    bool blank;                /* style RAW only: nothing but zeros where tables, file systems and
                                * others' marks lie */
    struct owner_mark owner;   /* who else claims the disk, or space behind its table */
    bool copies_differ;        /* both are fine by themselves and do not agree */
    bool guid_repeated;        /* another disk has the same GUID or MBR signature */
    struct guid guid;          /* style GPT, from the copy that is used */
    size_t first_partition;    /* index of its first partition in machine.partitions */
    size_t partition_count;
};

struct partition {
    size_t disk;
    uint32_t number;    /* 1, 2, ... by place on the disk: what people see */
    uint32_t hd_number; /* as in a hard drive node: GPT slot + 1, or the MBR number */
    uint64_t first_lba;
    uint64_t block_count;
    enum partition_type kind;    /* MBR partitions: PT_ESP for 0xEF, PT_LDM_DATA for 0x42 */
    struct guid type;            /* GPT only, else zero */
    struct guid unique;          /* GPT only, else zero */
    uint8_t mbr_type;            /* MBR only */
    bool active;                 /* MBR only */
    uint64_t attributes;         /* GPT only */
    const char *name;            /* printable GPT name, "" when it has none */
    bool out_of_range;           /* not inside the usable range of the table, or the disk */
    bool overlaps;               /* shares blocks with another partition of its disk */
    bool guid_repeated;          /* another partition of the machine has the same unique GUID */
    uint32_t nt_volume;          /* N of \Device\HarddiskVolumeN; 0 for LDM's partitions */
    uint32_t block_volume;       /* N of BlockVolumeN for LDM data; 0 when not known */
    enum status fallback_status; /* whether \EFI\BOOT\BOOT<ARCH>.EFI is in it: ST_OK, ST_ABSENT, or
                                  * ST_UNSUPPORTED where nobody looked */
    size_t volume;               /* index into ports->files.volumes, NO_INDEX when not mounted */
};

/* Blocks that the partition table calls free, or an MSR, and that somebody's mark is in. */
struct claim {
    size_t disk;
    uint64_t first_lba;
    uint64_t block_count;
    struct owner_mark mark; /* counted from the start of the disk */
};

/* What a path in a boot entry points to on this machine now. */
struct target {
    bool has_hd; /* it names a partition */
    struct hd_node hd;
    size_t partition;        /* that partition here, NO_INDEX when no disk has it */
    size_t disk;             /* its disk, or the whole disk the path names; NO_INDEX when neither */
    bool moved;              /* found by its GUID, but number, start or size in the path differ */
    bool elsewhere;          /* found by its GUID, but the path's hardware leads to another place */
    const char *file;        /* printable path in it, NULL when it names none */
    enum status file_status; /* ST_OK: it is there; ST_ABSENT: it is not; ST_UNSUPPORTED: nobody
                              * could look (no file system mounted there, or no partition) */
};

enum optional_kind {
    OPTIONAL_NONE,
    OPTIONAL_WINDOWS,        /* an OS path that names partition and directory */
    OPTIONAL_WINDOWS_BCD,    /* an object of the boot store */
    OPTIONAL_WINDOWS_BROKEN, /* starts as Windows' data does, and is malformed */
    OPTIONAL_OTHER,
};

struct entry {
    uint16_t number;       /* #### of Boot#### */
    size_t id;             /* 1, 2, ... : what people see */
    bool in_order;         /* BootOrder names it */
    enum status status;    /* ST_OK; else why the value below is missing (IO) or bad (DAMAGED) */
    uint64_t claimed_size; /* bytes the firmware says it has; differs from value.size if refused */
    uint32_t attributes;   /* of the variable */
    struct span value;
    struct load_option option; /* meaningful when status is ST_OK, like all that follows */
    const char *description;   /* printable */
    enum devpath_form form;
    const char *path_text;
    struct target boot;
    enum optional_kind optional_kind;
    struct windows_options windows; /* OPTIONAL_WINDOWS, OPTIONAL_WINDOWS_BCD */
    const char *load_options;       /* printable; "" when it has none */
    struct target os;               /* OPTIONAL_WINDOWS with an EFI path */
    struct guid bcd_object;         /* OPTIONAL_WINDOWS_BCD */
};

/* A variable of two bytes. */
struct small_var {
    enum status status; /* ST_OK; ST_ABSENT; ST_DAMAGED when it is not two bytes; ST_IO */
    uint32_t attributes;
    struct span value; /* as stored, also when damaged */
    uint16_t number;   /* meaningful when ST_OK */
};

struct boot_order {
    enum status status; /* ST_OK; ST_ABSENT; ST_DAMAGED when its size is odd; ST_IO */
    uint32_t attributes;
    struct span value;       /* as stored */
    const uint16_t *numbers; /* whole members, also of a damaged one */
    size_t count;
};

struct contents; /* of model/contents.h */

struct machine {
    const char *architecture; /* as in BOOT<ARCH>.EFI */
    const char *fallback;     /* the removable-media path with it, \EFI\BOOT\BOOT<ARCH>.EFI (UEFI
                               * Specification 3.5.1.1) */
    struct firmware_info firmware;
    bool tries_fallback;    /* it is known to try the removable-media path of fixed disks as well */
    bool variables_in_file; /* the firmware keeps them in a file (BOOT_VARIABLES_PATH) ... */
    size_t variables_place; /* ... on this partition, and they are gone with its disk */
    struct disk *disks;
    size_t disk_count;
    struct partition *partitions; /* by disk, then by place on the disk */
    size_t partition_count;
    struct entry *entries; /* by id */
    size_t entry_count;
    struct boot_order order;
    const uint16_t *named; /* numbers of entries that other variables of the firmware name
                            * (Key####), or that a name in other letters than Boot#### may mean */
    size_t named_count;
    struct small_var next;
    struct small_var current;
    struct small_var timeout;
    enum status entries_status; /* ST_OK, or why the variables could not be enumerated; see
                                 * machine_knows_entries */
    bool variables_repeated;    /* the enumeration named a boot entry twice or did not end */
    enum status space_status;   /* whether `space` is known */
    struct var_space space;
    struct volume_map volumes; /* of dynamic disks; disk indices are those of `disks` */
    struct esp *esps;          /* from SCAN_QUICK on, like the rest; by partition */
    size_t esp_count;
    size_t source_count;        /* esps[esp_count] and on: what copies of Windows keep for ESPs
                          * (boot_source), where that was looked for (model/scan_source.h) */
    struct system_copy *copies; /* by disk, then by place */
    size_t copy_count;
    struct md_partition *md_members; /* by partition, without ESPs */
    size_t md_count;
    struct claim *claims; /* from SCAN_LISTED on; by disk */
    size_t claim_count;
    struct md_volume *md_volumes; /* from SCAN_ENTRIES on; by partition */
    size_t md_volume_count;
    struct contents *contents; /* of files that were read; NULL: none were */
    struct secure_boot secure; /* looked at by SCAN_FULL */
};

/* False where the disks are here without the firmware whose boot entries start them (next of
 * port/vars.h): then nothing is said of entries, and none is made. */
static inline bool machine_knows_entries(const struct machine *machine)
{
    return machine->entries_status != ST_UNSUPPORTED;
}

/* The ESP on this partition, NO_INDEX when it is none that was looked at. */
size_t machine_find_esp(const struct machine *machine, size_t partition);

/* The ESP that firmware comes to behind `previous` (an index into machine.esps; NO_INDEX: the
 * first) when it looks through a disk, NO_INDEX for all disks: by disk, and by the number in the
 * partition table, the sequence in which edk2 makes its devices. NO_INDEX at the end. */
size_t machine_next_esp(const struct machine *machine, size_t disk, size_t previous);

/* True for partitions that firmware may be started from: ESPs, others in which a boot entry names a
 * file, and those of type Linux RAID, in which an ESP may be hidden. Of all but ESPs only FAT
 * counts. */
bool machine_may_start_from(const struct machine *machine, size_t partition);

/* What the partition is to an md array, when firmware starts from it; NULL when it is in none. */
const struct md_volume *machine_md_volume(const struct machine *machine, size_t partition);

/* True when the mounted volume, an index into ports->files.volumes, is in an md array: firmware
 * would write to this member alone. */
bool machine_mount_is_in_array(const struct machine *machine, size_t volume);

/* The member (index into md_members) on another disk that says that it is the same part of an array
 * as one of this disk, whose index *ret_own gets; NO_INDEX, and *ret_own as it was, where there is
 * none. Linux takes either, whatever their GUIDs are. */
size_t machine_md_copy(const struct machine *machine, size_t disk, size_t *ret_own);

/* True when both are full copies of one array, or the same partition of two disks of a RAID, and so
 * of one file system. */
bool machine_is_one_volume(const struct machine *machine, size_t a, size_t b);

/* The partition of `disk` in which all of these blocks lie, or NO_INDEX. */
size_t machine_partition_at(const struct machine *machine, size_t disk, uint64_t lba,
                            uint64_t block_count);

/* The partition with this unique GUID, NO_INDEX when none has; `ret_count` (may be NULL) is how
 * many have it. */
size_t machine_find_partition(const struct machine *machine, const struct guid *unique,
                              size_t *ret_count);

/* The copy of the GPT that partitions are taken from: the primary when it is good, be it that of a
 * larger disk, as firmware does; else a good backup. NULL when there is none. */
const struct gpt_copy *disk_table_copy(const struct disk *disk);

/* The copy of the GPT that what is written goes by: the primary when it is good, else a good
 * backup. NULL for other disks and when there is none; that of a larger disk is read, and never
 * written. */
const struct gpt_copy *disk_good_table(const struct disk *disk);

/* True when their tables name the same disk: equal GUIDs, or MBR signatures. */
bool disks_have_same_identity(const struct disk *a, const struct disk *b);

/*
 * True when somebody else has the disk as a whole, so that nothing is written to it: a member of a
 * RAID; a disk without partitions that is marked; one whose primary table somebody's mark lies in
 * the place of, so that the partitions of its backup are no more than what is left of them.
 */
bool disk_is_taken(const struct disk *disk);

/* True when somebody's mark lies at that end of the disk, where a copy of a GPT would be. */
bool disk_is_marked_at(const struct disk *disk, bool end);

/* True when both disks are members of one RAID of whole disks and carry the same table: what is on
 * one is the copy of what is on the other. */
bool machine_are_raid_twins(const struct machine *machine, size_t a, size_t b);

/* The partition on the first of the RAID twins that is the same as this one; itself where there is
 * none before it. */
size_t machine_raid_original(const struct machine *machine, size_t partition);

/* True for a disk without ESP that BIOS firmware, or the CSM of UEFI firmware, may start: by the
 * code in its MBR, an active partition, or a BIOS boot partition. */
bool machine_disk_is_bios(const struct machine *machine, size_t disk);

/* True when partitions may be on the disk that nobody can see: it, or its table, cannot be read. */
bool disk_hides_partitions(const struct disk *disk);

/* The entry Boot<number>, NO_INDEX when there is none. */
size_t machine_find_entry(const struct machine *machine, uint16_t number);

/* What a variable holds, as the scan found it. */
struct variable_state {
    enum status status; /* ST_OK: it is there; ST_ABSENT; else it could not be read */
    uint32_t attributes;
    struct span value;
};

/*
 * The state of the variable `name`: Boot####, BootOrder, BootNext or Timeout. ST_UNSUPPORTED for
 * any other name.
 */
struct variable_state machine_variable(const struct machine *machine, const char *name);

/* True when a boot path or OS path of the entry names the partition GUID, which is not zero. */
bool entry_mentions_guid(const struct entry *entry, const struct guid *guid);

/* True when the boot manager goes through the entry: in BootOrder, well formed, active, and of the
 * category that is started (UEFI Specification 3.1.3). */
bool entry_is_tried(const struct entry *entry);

/* True for the entries Windows makes: optional data that begins with its signature. */
bool entry_is_windows(const struct entry *entry);

/* True when BootOrder names `number`. */
bool order_names(const struct boot_order *order, uint16_t number);

/*
 * True when there are entries and BootOrder is missing, empty, or names none of them: the entries
 * are not lost, firmware only goes through none. False when BootOrder could not be read.
 */
bool order_is_missing(const struct machine *machine);

/* True when the firmware writes to the disk, or may, whenever a variable is set: U-Boot, to a file that is there, or
 * that it makes on the first ESP it comes to. */
bool machine_variables_write_to(const struct machine *machine, size_t disk);

/* Byte offset and length of a partition on its disk. */
uint64_t partition_offset(const struct machine *machine, const struct partition *partition);
uint64_t partition_bytes(const struct machine *machine, const struct partition *partition);

/* The hard drive node that names the partition. */
struct hd_node partition_hd_node(const struct machine *machine, const struct partition *partition);

#endif
