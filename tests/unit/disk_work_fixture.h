/* Changes of the disks of unit/disk_machine_fixture.h, planned by hand and carried out. */
#ifndef SHADOWBOOT_UNIT_DISK_WORK_FIXTURE_H
#define SHADOWBOOT_UNIT_DISK_WORK_FIXTURE_H

#include "plan/undo.h"
#include "unit/disk_machine_fixture.h"
#include "unit/plan_fixture.h"

#define LANGUAGE  "\\EFI\\Microsoft\\Boot\\la-00\\bootmgfw.efi.mui"
#define JOURNAL_1 "\\EFI\\shadowboot\\J0000001.SBJ"

/* An empty plan for such a machine, scanned in full; disk_work_set_up for the usual one. */
struct planning *disk_work_planning(struct disk_machine_shape shape);
int disk_work_set_up(void **state);

/* --- Plans ---------------------------------------------------------------------------------- */

/* The index of the ESP on a disk. */
size_t esp_on(const struct planning *p, size_t disk);

/* The file `path` of an ESP as the scan found it, to be put somewhere. */
struct file_copy item_of(const struct planning *p, size_t esp, const char *path);

/* A change of the ESP on Disk 1. */
struct disk_change change_of_esp(const struct planning *p, enum disk_change_kind kind,
                                 const struct file_copy *items, size_t count);

/* Plans to bring the boot manager from Disk 0 to Disk 1. */
void plan_boot_manager(struct planning *p);

/* Plans to make the ESP of Disk 1 anew with all files of Disk 0's. */
void plan_format(struct planning *p);

/* Plans to give the ESP of a disk another name in the partition table, both copies of it. */
void plan_rename(struct planning *p, size_t disk);

/* Works out action `index` as it would be carried out over `ports` now; and reads what is to be
 * kept of what it overwrites. Both lie in the arena. */
struct disk_work *work_of(struct planning *p, const struct ports *ports, size_t index);
struct journal *records_of(struct planning *p, struct disk_work *work);

/* --- Carrying out --------------------------------------------------------------------------- */

/* Applies the plan to the machine itself, or takes back what its first journal tells. */
enum status disk_work_apply(struct planning *p, struct apply_result *ret_result);
enum status disk_work_undo(struct planning *p, struct apply_result *ret_result);

/* Applies the plan over `ports`, telling `progress` how far it is. */
enum status disk_work_apply_told(struct planning *p, const struct ports *ports,
                                 disk_work_progress *progress, void *progress_ctx,
                                 struct apply_result *ret_result);

/* The journal that the change has left on the stick, in the arena. */
const struct journal *journal_of(struct planning *p);

/* Fail the test unless the file is the same on both disks; */
void assert_same_file(struct planning *p, const char *path);

/* ... the disk has not changed since `before`. */
void assert_disk_unchanged(const struct planning *p, struct mem_block *before, size_t disk);

#endif
