/*
 * What programs say of themselves, wherever they lie and whatever they are called.
 *
 *   .sbat      a section with lines "component,generation,vendor,..." of which the first is that of
 *              the list itself, "sbat,1,..." (UEFI shim, SBAT.md); the next names the program
 *   .sdmagic   a section of systemd-boot, "#### LoaderInfo: systemd-boot ..."
 *   .linux     the section of a unified kernel image with the kernel (UAPI Group Specification)
 *   PDB name   Microsoft's linker leaves the name of the debugging file in the image
 */
#ifndef SHADOWBOOT_FORMAT_PE_MARK_H
#define SHADOWBOOT_FORMAT_PE_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum pe_mark {
    PE_MARK_NONE,
    PE_MARK_WINDOWS_MANAGER,
    PE_MARK_SHIM, /* also its fallback and MokManager, which only their names tell apart */
    PE_MARK_GRUB,
    PE_MARK_SYSTEMD_BOOT,
    PE_MARK_REFIND,
    PE_MARK_XEN,
    PE_MARK_KERNEL, /* of Linux, also with all it needs in one file */
    PE_MARK_UPDATER,
    PE_MARK_MEMORY_TESTER,
    PE_MARK_NETWORK,
    PE_MARK_SHADOWBOOT,
};

/* As much of .sbat as holds the lines of a program and of who built it. */
#define PE_SBAT_HEAD 512

/* What the start of a .sbat section says; PE_MARK_NONE for a program that is not known here. */
enum pe_mark pe_mark_of_sbat(struct span sbat);

/*
 * The version that the line of the program's own component gives in its fifth field, "1.2.3" with up
 * to three numbers below 1024, as one number that grows with it: 1.2.3 is (1 << 20) + (2 << 10) + 3.
 * 0 where there is none, or it is written otherwise.
 */
uint32_t pe_mark_version(struct span sbat);

/* Looks for the name of Windows' boot manager's debugging file in bytes that come in pieces. */
struct pe_pdb_search {
    size_t matched; /* private; 0 to start */
};

void pe_pdb_feed(struct pe_pdb_search *search, struct span piece);
bool pe_pdb_found(const struct pe_pdb_search *search);

#endif
