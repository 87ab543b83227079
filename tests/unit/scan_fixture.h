/*
 * For tests of scan, audit and commands: a machine scanned and judged in one step, damage to
 * partition tables with checksums made right again, and output looked at line by line.
 */
#ifndef SHADOWBOOT_UNIT_SCAN_FIXTURE_H
#define SHADOWBOOT_UNIT_SCAN_FIXTURE_H

#include "audit/audit.h"
#include "model/scan.h"
#include "port/count.h"
#include "unit/machine_fixture.h"

/* --- A scanned machine ---------------------------------------------------------------------- */

struct scanned {
    void *memory;
    struct arena arena;
    struct machine machine;
    struct findings disks;
    struct findings entries; /* empty with SCAN_DISKS */
    struct port_counts counts;
};

/* Scans through the counting port and audits; the test fails when either does. */
struct scanned *scan_host(struct host *host, enum scan_depth depth);

/* The same with an arena of `size` bytes, where 8 MiB are not enough. */
struct scanned *scan_host_in(struct host *host, enum scan_depth depth, size_t size);
void scanned_free(struct scanned *scanned);

/* The first finding of that code in either list, or NULL. */
const struct finding *find_finding(const struct scanned *scanned, enum finding_code code);

/* How many findings there are in both lists. */
size_t count_findings(const struct scanned *scanned);

/* Where a finding is, as people see it; "" for NULL. Lies in the arena. */
const char *place_of_finding(struct scanned *scanned, const struct finding *finding);

/* --- Partition tables ----------------------------------------------------------------------- */

enum gpt_side { PRIMARY, BACKUP };

/* Byte offset on the disk of a copy's header, as tests/unit/machine_fixture.c wrote it. */
uint64_t header_offset(struct host *host, size_t disk, enum gpt_side side);

/* Writes `size` little-endian bytes of `value` at `offset` of the header and mends its CRC. */
void patch_header(struct host *host, size_t disk, enum gpt_side side, unsigned offset,
                  uint64_t value, unsigned size);

/* Writes bytes into the entry of the slot (from 0) and mends both CRCs. */
void patch_entry(struct host *host, size_t disk, enum gpt_side side, unsigned slot, unsigned offset,
                 const void *data, unsigned size);

/* The same for a number, in both copies. */
void patch_entries(struct host *host, size_t disk, unsigned slot, unsigned offset, uint64_t value,
                   unsigned size);

/* Inverts a byte of the disk. */
void flip_byte(struct host *host, size_t disk, uint64_t offset);

/* Overwrites a block with zeros. */
void zero_block(struct host *host, size_t disk, uint64_t lba);

/* Writes record `index` (from 0) and the 55 AA of the boot record in block `lba`. */
void put_mbr_record(struct host *host, size_t disk, uint64_t lba, unsigned index, uint8_t type,
                    uint32_t first, uint32_t blocks);

/* --- Whole states --------------------------------------------------------------------------- */

/* True when variables and the files of every volume are the same, byte for byte. */
bool host_equal(const struct host *a, const struct host *b);

/* Runs a command line on an emptied console; `*ret_text` (may be NULL) is its output. */
unsigned run_line(struct host *host, const char *line, const char **ret_text);

/* Fails the test, showing the output, unless `text` holds `words`: pieces divided by '|', each of
 * which must be there, in any case. */
void assert_says(const char *text, const char *words);

/* Fails the test when `text` has a byte that a terminal could act on, but for line ends. */
void assert_harmless(const char *text);

/* Puts a variable of the global vendor with the attributes of boot variables. */
void put_var(struct host *host, const char *name, const void *data, size_t size);

#endif
