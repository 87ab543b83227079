/*
 * NTFS, read only: which volume it is, whether it was closed cleanly, and whether a file is in it.
 * Enough to know that a copy of a volume carries Windows, and to take boot files from it; nothing is
 * ever repaired here.
 *
 * Files are found the way Windows finds them: from file record 5, the root directory, through the
 * B+ trees of $INDEX_ROOT and $INDEX_ALLOCATION, ordered by upper-cased name. Every record is
 * checked against its update sequence before a field of it is believed. The formats stand in
 * ntfs_boot.h, ntfs_record.h, ntfs_stream.h and ntfs_index.h. What is in a folder tells
 * ntfs_folder.h, what is in a file ntfs_data.h.
 *
 * The backup of the boot sector is the sector behind the last one that the boot sector counts.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_H
#define SHADOWBOOT_FORMAT_NTFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "format/volume_content.h"
#include "port/block.h"

enum ntfs_boot_state {
    NTFS_BOOT_GOOD,    /* present and equal to its twin, or good by itself */
    NTFS_BOOT_DAMAGED, /* present, contradicting itself, or absent */
    NTFS_BOOT_DIFFERS, /* good by itself, and of another file system or size than its twin; said of
                          the backup only, because the boot sector is what Windows believes */
    NTFS_BOOT_UNREADABLE,
};

struct ntfs_cache;
struct ntfs_stream;
struct ntfs_upcase;

struct ntfs_volume {
    const struct block_port *port;
    uint64_t first_lba;
    uint64_t block_count;
    enum ntfs_boot_state boot;   /* of the boot sector */
    enum ntfs_boot_state backup; /* of its backup; used when the boot sector is not good */
    uint32_t sector_size;
    uint32_t cluster_size; /* bytes */
    uint32_t record_size;  /* of a file record, bytes */
    uint32_t index_size;   /* of an index record, bytes */
    uint64_t sectors;
    uint64_t clusters; /* whole ones */
    uint64_t serial;
    uint64_t mft_cluster;
    uint64_t mirror_cluster;
    bool mirror_used;         /* one of the first four file records is damaged or unreadable, and
                                 its copy in $MFTMirr was taken */
    enum status facts_status; /* whether the next four are known: ST_OK, ST_DAMAGED, ST_IO ... */
    uint8_t version_major;
    uint8_t version_minor;
    bool dirty;          /* chkdsk is due */
    const char *label;   /* printable, in the arena */
    uint64_t read_bytes; /* read from the disk so far */
    struct arena *arena;
    /* private, all in the arena */
    struct ntfs_cache *cache;   /* pieces of the disk that were read last */
    struct ntfs_stream *mft;    /* where $MFT lies */
    struct ntfs_upcase *upcase; /* where $UpCase lies, and parts of it */
    uint8_t *base;              /* the file record being looked at */
    uint8_t *extension;         /* and the one with more of its attributes */
};

/*
 * Reads boot sectors, the first file records and $Volume of the volume at `first_lba`. The volume
 * keeps using `port` and `arena`, of which it takes some 80 KiB. Statuses: ST_OK; ST_ABSENT when
 * neither boot sector nor backup is one of NTFS; ST_DAMAGED when they are and contradict themselves
 * or do not fit into `block_count`, or the $MFT cannot be understood; ST_UNSUPPORTED for geometry
 * this program does not read; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_open(struct arena *arena, const struct block_port *port,
                                 uint64_t first_lba, uint64_t block_count,
                                 struct ntfs_volume *ret_volume);

/* How the content of a file is kept. */
enum ntfs_form {
    NTFS_FORM_PLAIN,    /* in its record, or in clusters as it is */
    NTFS_FORM_LZNT1,    /* NTFS compression */
    NTFS_FORM_XPRESS4K, /* these four: what compact.exe /exe: makes, and "Compact OS" */
    NTFS_FORM_XPRESS8K,
    NTFS_FORM_XPRESS16K,
    NTFS_FORM_LZX,
    /* from here on: not read */
    NTFS_FORM_PACKED, /* compressed in another way */
    NTFS_FORM_ENCRYPTED,
    NTFS_FORM_LINK, /* a symbolic link, junction, or mount point */
    NTFS_FORM_DEDUPLICATED,
    NTFS_FORM_IN_WIM,
    NTFS_FORM_IN_CLOUD,
    NTFS_FORM_REPARSE, /* a reparse point of another kind, or one that cannot be understood */
    NTFS_FORM_COUNT,
};

/* What it is called, to follow "it is": "encrypted". Never NULL; static lifetime. */
const char *ntfs_form_text(enum ntfs_form form);

/* True when ntfs_data_open opens it. */
bool ntfs_form_is_read(enum ntfs_form form);

struct ntfs_file {
    uint64_t record;   /* number of its file record */
    uint16_t sequence; /* how often that record was given to another file */
    bool is_directory;
    bool compressed;
    bool sparse;
    bool encrypted;
    bool reparse; /* a reparse point: what is behind it is kept somewhere else or otherwise */
    enum ntfs_form form;
    uint64_t size;    /* bytes of its unnamed data, unpacked; 0 for a directory */
    uint64_t written; /* FILETIME of the last change of its content; 0 when it is not known */
};

/* A reference to it, which fails to lead there once the record is given to another file. */
uint64_t ntfs_reference(const struct ntfs_file *file);

/*
 * Finds a file or directory by its path from the root, with backslashes: "\Windows\System32". Case
 * is not significant (the volume's own $UpCase for what is not ASCII). Reparse points are not
 * followed: one at the end of the path is found as itself. The arena is as full afterwards as
 * before. Statuses: ST_OK; ST_ABSENT: it is not there; ST_DAMAGED: an index or record on the way
 * is not sound, so nobody can say; ST_UNSUPPORTED: the way leads through a reparse point; ST_IO;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_lookup(struct ntfs_volume *volume, const char *path,
                                   struct ntfs_file *ret_file);

/*
 * Describes the file or directory that a reference leads to. The arena is as full afterwards as
 * before. Statuses: ST_OK; ST_DAMAGED: its record is not sound, not in use or of another file;
 * ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_describe(struct ntfs_volume *volume, uint64_t reference,
                                     struct ntfs_file *ret_file);

/*
 * ntfs_data_open and ntfs_data_read (ntfs_data.h) in one, for what is read once; `*ret_size` is 0
 * for a directory. The arena is as full afterwards as before. Statuses as there.
 */
MUST_CHECK enum status ntfs_read(struct ntfs_volume *volume, const struct ntfs_file *file,
                                 uint64_t offset, void *ret_data, size_t size, size_t *ret_size);

#endif
