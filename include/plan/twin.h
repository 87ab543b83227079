/*
 * The boot manager that Windows keeps for firmware with the certificate of 2023
 * (\Windows\Boot\EFI_EX\bootmgfw_EX.efi), and why it is not the one that is taken.
 */
#ifndef SHADOWBOOT_PLAN_TWIN_H
#define SHADOWBOOT_PLAN_TWIN_H

#include "base/arena.h"
#include "model/machine.h"

/*
 * Why the twin in the source (index into machine.esps), which was looked for with twins
 * (model/scan_source.h), is not to be taken, and what mends that, as sentences with a space before
 * them. "" where there is nothing to say: no Secure Boot with lists, a firmware without the
 * certificate of 2023 and a Windows without twins, or a boot manager that is of 2023 without being
 * one. NULL where it is to be taken: it is whole, and the lists take it.
 */
const char *twin_judge(struct arena *arena, const struct machine *machine, size_t source);

#endif
