/* What firmware has measured of boot managers. */
#ifndef STANDIN_MEASURED_H
#define STANDIN_MEASURED_H

#include "standin.h"

/* PCR 4 of a TPM 2.0 on a line of its own, "PCR4=<SHA-256 in hexadecimal>"; nothing without such a TPM. */
void print_boot_manager_measurement(void);

#endif
