/* Boot stores of this machine's ESPs, and the partitions that they name on it. */
#ifndef SHADOWBOOT_MODEL_BOOT_STORE_H
#define SHADOWBOOT_MODEL_BOOT_STORE_H

#include "base/arena.h"
#include "format/bcd/bcd.h"
#include "model/machine.h"

/*
 * The first partition from index `from` on that the store's descriptor names; NO_INDEX when there
 * is none. More than one have the same name where a disk is a raw copy of another.
 */
size_t boot_store_partition(const struct machine *machine, const struct bcd_partition *named,
                            size_t from);

/* A partition of that name, on `disk` if there is one there; NO_INDEX when there is none. */
size_t boot_store_partition_near(const struct machine *machine, const struct bcd_partition *named,
                                 size_t disk);

/* True when a disk of this machine has the GUID or signature that the descriptor names. */
bool boot_store_disk_is_here(const struct machine *machine, const struct bcd_partition *named);

/* The partition as a descriptor names it. */
struct bcd_partition boot_store_name(const struct machine *machine, size_t partition);

/*
 * What Windows' boot manager on the ESP comes to by the store there, started as the object
 * `manager` of it (bcd_choose). BCD_NOT_UNDERSTOOD also when the store cannot be used.
 * What `ret_choice` borrows lives as long as the scan.
 */
enum bcd_end boot_store_choose(struct arena *arena, const struct esp *esp,
                               const struct guid *manager, struct bcd_choice *ret_choice);

/* True when the ESP's store can be used and has a loader of Windows under that name. */
bool boot_store_has_loader(struct arena *arena, const struct esp *esp, const struct guid *guid);

/* A boot store that a boot manager of Windows can use. */
struct boot_store {
    size_t partition;
    bool is_bios;     /* \Boot\BCD of an active partition, which the one for BIOS reads */
    struct span file; /* lives as long as the scan */
};

/* The store number `index`, from 0; false when there is none of that number that can be used, which
 * those from boot_store_count on are. */
bool boot_store_at(const struct machine *machine, size_t index, struct boot_store *ret_store);
size_t boot_store_count(const struct machine *machine);

/* What the store comes to, as boot_store_choose. */
enum bcd_end boot_store_choose_by(struct arena *arena, const struct boot_store *store,
                                  const struct guid *manager, struct bcd_choice *ret_choice);

/*
 * True when the store was read and Windows' boot manager has one in it: it is good, or its last
 * write was cut short and BCD.LOG holds the rest. The boot manager completes and writes it back
 * then, from that log alone (seen with 10.0.19041).
 */
bool boot_store_is_usable(const struct esp *esp);

/* True when a folder has the name of the store. */
bool boot_store_is_folder(const struct esp *esp);

/*
 * Takes `file`, which has to live as long as the scan, for the ESP's store, and judges it; `log` is
 * the file BCD.LOG beside it, empty without one, and is needed during the call only. Statuses:
 * ST_OK, whatever it is worth; ST_NO_MEMORY.
 */
MUST_CHECK enum status boot_store_take(struct arena *arena, struct span file, struct span log,
                                       struct esp *io_esp);

#endif
