/*
 * A small NTFS volume made byte by byte from the published format, and a disk to read it from.
 *
 *   \small.txt          24 bytes in its record: "What is in a file record"
 *   \sparse.bin         4 clusters: data, two of hole, data
 *   \short.bin          3 clusters, of which one and a half were ever written
 *   \packed.bin         marked compressed        \secret.bin   marked encrypted
 *   \scattered.bin      6 clusters in two parts that two further records describe
 *   \Junction           a directory that is a reparse point
 *   \Äpfel.txt          also \Ωmega, \Жук: only $UpCase knows their upper case
 *   \Windows\Boot\EFI\bootmgfw.efi
 *   \Windows\System32\winload.efi, ntoskrnl.exe (3 clusters each) and `names` more files with two
 *                       names each, file00000name.dll and FILE~000.DLL; with `split_index` the
 *                       directory has an attribute list and its index lies in two records
 *
 * With `packed`, for clusters of 1 KiB, files that are compressed (ntfs_fixture_packed_byte):
 *   \lznt1.bin          units of 16 KiB: packed, as it is, a hole, packed in part
 *   \xpress.bin         XPRESS4K chunks: as it is, packed, as it is in part
 *   \lzx.bin            one packed chunk of LZX
 *
 * Clusters of files hold what ntfs_fixture_byte says, but where the shape has their content.
 */
#ifndef SHADOWBOOT_UNIT_NTFS_FIXTURE_H
#define SHADOWBOOT_UNIT_NTFS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "port/block.h"

/* A file of any name; the folders of its path are made where they are not there. */
struct ntfs_fixture_extra {
    const char *path; /* \Boot\BCD */
    struct span content;
};

struct ntfs_fixture_shape {
    uint32_t sector_size;  /* also of a block of the disk */
    uint32_t cluster_size; /* bytes */
    uint32_t record_size;
    uint32_t index_size;
    uint64_t sectors; /* those that the boot sector counts; the backup comes behind */
    unsigned names;   /* further files in System32 */
    bool split_mft;   /* in two parts, the second described by an extension record */
    bool split_index;
    bool packed;
    struct span manager; /* content of bootmgfw.efi */
    struct span twin;    /* of \Windows\Boot\EFI_EX\bootmgfw_EX.efi, which else is not there */
    struct span store;   /* of \Windows\System32\config\BCD-Template, which else is not there */
    const struct ntfs_fixture_extra *extras;
    size_t extra_count;
};

/* 512-byte sectors, 1 KiB clusters, 40 names, 1 MiB. */
struct ntfs_fixture_shape ntfs_fixture_small(void);

enum { NTFS_FIXTURE_PARTS = 2 };

struct ntfs_name;

struct ntfs_fixture {
    struct ntfs_fixture_shape shape;
    uint8_t *bytes; /* of the volume, backup included */
    size_t size;
    uint64_t first_lba; /* of the volume on the disk; set it before use of the port */

    /* record numbers */
    uint64_t windows, system32, winload, small, sparse, short_one, packed, secret, scattered,
        junction;
    uint64_t lznt1, xpress, lzx;
    uint64_t lznt1_cluster;  /* the first unit */
    uint64_t xpress_cluster; /* the chunk table, and what follows */
    uint64_t extensions[2];  /* of \scattered.bin */
    uint64_t system32_index; /* cluster of the first part of System32's index blocks */
    uint64_t root_index;     /* the same of the root directory */

    /* the disk */
    uint64_t reads;      /* calls */
    uint64_t read_bytes; /* asked for */
    uint64_t bad_offset; /* bytes of the volume that cannot be read */
    uint64_t bad_size;

    /* while it is built */
    uint64_t mirror_cluster;
    uint64_t mft_cluster[NTFS_FIXTURE_PARTS];
    uint64_t mft_clusters[NTFS_FIXTURE_PARTS];
    uint64_t next_cluster;
    uint64_t next_record;
    struct ntfs_name *names;
    size_t name_count;
};

struct ntfs_fixture *ntfs_fixture_new(const struct ntfs_fixture_shape *shape);
void ntfs_fixture_free(struct ntfs_fixture *fixture);

/* The disk: `first_lba` blocks, the volume, and 16 more blocks. Valid as long as the fixture. */
struct block_port ntfs_fixture_port(struct ntfs_fixture *fixture);

/* Blocks of the volume with its backup boot sector. */
uint64_t ntfs_fixture_blocks(const struct ntfs_fixture *fixture);

/* Where things lie in `bytes`. */
uint8_t *ntfs_fixture_record(const struct ntfs_fixture *fixture, uint64_t number);
uint8_t *ntfs_fixture_cluster(const struct ntfs_fixture *fixture, uint64_t cluster);

/* An attribute of a record that is open: its header; NULL without. */
uint8_t *ntfs_fixture_attribute(const struct ntfs_fixture *fixture, uint64_t number, uint32_t type);

/* What byte `offset` of the file in record `number` holds where it has clusters. */
uint8_t ntfs_fixture_byte(uint64_t number, uint64_t offset);

/* The same of a compressed file, unpacked. */
uint8_t ntfs_fixture_packed_byte(const struct ntfs_fixture *fixture, uint64_t number,
                                 uint64_t offset);

/* Takes the update sequence out of a record of `size` bytes so that it can be changed, and puts a
 * new one in. */
void ntfs_fixture_unseal(uint8_t *record, size_t size);
void ntfs_fixture_seal(uint8_t *record, size_t size);

/* Copies records 0 to 3 to $MFTMirr again. */
void ntfs_fixture_mirror(const struct ntfs_fixture *fixture);

#endif
