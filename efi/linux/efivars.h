/*
 * Variables as Linux shows them in /sys/firmware/efi/efivars (efivarfs): a file NAME-VENDOR for each,
 * its attributes in the first four bytes. A copy of that folder, made with cp, is read as well.
 */
#ifndef SHADOWBOOT_LINUX_EFIVARS_H
#define SHADOWBOOT_LINUX_EFIVARS_H

#include "port/vars.h"

#define LINUX_EFIVARS_FOLDER "/sys/firmware/efi/efivars"

struct linux_efivars {
    const char *folder;
    bool write; /* variables may be set */
    void *walk; /* the DIR of an enumeration under way, or NULL */
};

/* The port over `folder`, which must outlive it. Without `write` a set is ST_READ_ONLY. Where it is
 * not the kernel's own, but a copy, the variable SecureBoot is not absent when it is not there, but
 * ST_UNSUPPORTED; and so are db and dbx where SecureBoot is on. */
struct vars_port linux_efivars_open(const char *folder, bool write, struct linux_efivars *ret_vars);
void linux_efivars_close(struct linux_efivars *vars);

/* The port where the variables of the machine that the disks belong to are not here: nothing is listed
 * (ST_UNSUPPORTED), found (ST_ABSENT; ST_UNSUPPORTED for whether it has Secure Boot), or set. */
struct vars_port linux_efivars_none(void);

#endif
