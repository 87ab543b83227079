/* The words of findings, in two tables: finding.c has those of disks, entries and ESPs. */
#ifndef SHADOWBOOT_AUDIT_FINDING_WORDS_H
#define SHADOWBOOT_AUDIT_FINDING_WORDS_H

#include "audit/finding.h"

struct finding_words {
    enum severity severity;
    const char *name;
    const char *text;
    const char *advice;
    const char *advice_linux; /* on a machine without Windows; NULL: the same */
};

/* Those of shadowboot itself, of what starts, of volumes and of Windows: of codes from this one on. */
#define FINDING_SYSTEM_FIRST FINDING_INSTALL_MISSING
extern const struct finding_words finding_system_words[FINDING_COUNT - FINDING_SYSTEM_FIRST];

#endif
