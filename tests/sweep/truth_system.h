/*
 * What programs of the tests' machines do once firmware has started them: whether the system that
 * they are to start is there. They are told by their bytes: the last TRUTH_NAME bytes are a name,
 * closed by zeros, and the checksum of the image has to be right. A name is that of a program, in
 * the machines of the sweep with the system it belongs to: "grub@B".
 *
 *   bootmgfw      needs the store \EFI\Microsoft\Boot\BCD of its ESP, a hive; its last TRUTH_NAME
 * bytes name the system in the same way ("BCD@A"; one that a repair has made names none: it is of the
 * system on the partition it leads to, else of any), and Windows itself
 * where the store looks for it (truth_store.h):
 * NTFS with winload.efi and ntoskrnl.exe in \Windows\System32, its serial number that of the system
 *   shim          starts grubx64.efi beside it; from \EFI\BOOT without that fbx64.efi, which takes
 * the first \EFI\*\BOOTX64.CSV, and that its shim grub          needs its root: a plain file system
 * or a member of an array systemd-boot  the same, and \loader\entries others        are no system:
 * testers, tools, shells
 */
#ifndef SHADOWBOOT_SWEEP_TRUTH_SYSTEM_H
#define SHADOWBOOT_SWEEP_TRUTH_SYSTEM_H

#include "sweep/truth_fat.h"

#define TRUTH_NAME 64u

enum truth_verdict { TRUTH_RETURNS, TRUTH_FAILS, TRUTH_UNSURE, TRUTH_FALLBACK, TRUTH_STARTS };

/* The disks that are there. */
struct truth_scene {
    const struct block_port *disks[64];
    size_t count;
};

struct truth_run {
    enum truth_verdict verdict;
    char program[TRUTH_NAME + 1]; /* its name, not that of a next stage; "" for bytes that are not
                                     an unchanged program's */
    char system[TRUTH_NAME + 1];  /* what came up, or ought to: "" where it has no name */
    const char *why;
};

/* Why edk2 would not start a file, or NULL. */
const char *truth_refusal(const struct truth_file *file);

/* What becomes of a program that was started from `path` of a volume. */
void truth_run(const struct truth_scene *scene, const struct truth_fat *fat, const char *path,
               const struct truth_file *file, struct truth_run *ret_run);

/* The serial number of the Windows volume of a system: what a volume's boot sector holds. */
uint64_t truth_serial_of(const char *system);

/* True when Windows is there, and on NTFS that can be walked. `system` "": any. */
enum truth_verdict truth_windows(const struct truth_scene *scene, const char *system);

/* The same of the first partition with that GUID. */
enum truth_verdict truth_windows_on(const struct truth_scene *scene, const uint8_t guid[16],
                                    const char *system);

/* The name of the system whose Windows volume is the first partition with that GUID: a letter, as
 * machines of the sweep have it; "" for none of those. */
void truth_system_on(const struct truth_scene *scene, const uint8_t guid[16],
                     char ret_name[TRUTH_NAME + 1]);

#endif
