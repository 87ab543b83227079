/*
 * New identities for disks, partitions and file systems. There is no source of random numbers among
 * the ports, so they are made from what no other machine has in the same moment: the disk's place
 * and size, every GUID of the machine, and the time. The same request gives the same identities, so
 * plans can be tested as text.
 */
#ifndef SHADOWBOOT_PLAN_NEW_GUID_H
#define SHADOWBOOT_PLAN_NEW_GUID_H

#include "base/date.h"
#include "base/guid.h"
#include "base/sha256.h"
#include "model/machine.h"

struct identity {
    const struct machine *machine;
    struct sha256 seed;
    uint32_t counter; /* a number for each value that was made */
};

/* Starts a sequence for one disk of the machine, which must outlive it. */
void identity_begin(struct identity *identity, const struct machine *machine, size_t disk,
                    const struct date_time *now);

/* Starts a sequence that is always the same for that GUID: names for what belongs to it. */
void identity_begin_for(struct identity *identity, const struct machine *machine,
                        const struct guid *guid);

/* A GUID of version 4 (RFC 4122, section 4.4) that no disk or partition of the machine has. */
struct guid identity_guid(struct identity *identity);

/* A disk signature of an MBR, not zero, that no disk of the machine has. */
uint32_t identity_signature(struct identity *identity);

/* A volume serial number, not zero, that no ESP of the machine has. */
uint32_t identity_serial(struct identity *identity);

#endif
