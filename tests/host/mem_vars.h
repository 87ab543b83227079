/*
 * A variable store in memory that behaves as edk2's does, with the defects real firmware has at
 * hand.
 *
 * A set through the port is refused (ST_REFUSED) when the global vendor has no variable of that
 * name ("Boot001a", "Boot20", "MyData"), when the attributes are not the name's own or not those
 * the variable has already, when the content is not what the name asks for (a malformed load
 * option, an odd BootOrder), or when name and data are longer than the largest variable. A deletion
 * is not checked. Attributes 0 with data, which firmware takes for a deletion, are refused: nothing
 * should count on it.
 *
 * The enumeration gives variables in the order they were created. Going on with a walk after a set
 * gives ST_IO, because firmware may lose its place.
 */
#ifndef SHADOWBOOT_HOST_MEM_VARS_H
#define SHADOWBOOT_HOST_MEM_VARS_H

#include "base/bytes.h"
#include "port/vars.h"

/* What OVMF says of a fresh store. */
#define MEM_VARS_TOTAL   262044u
#define MEM_VARS_LARGEST 33732u

struct mem_vars;

struct mem_var {
    struct guid vendor;
    char *name; /* ASCII of any length */
    uint32_t attributes;
    uint8_t *data;
    size_t size;
    bool huge; /* claims to need 4 GiB */
    bool listed_twice;
};

struct mem_vars_op {
    char name[VAR_NAME_SIZE];
    size_t size; /* 0 is a deletion */
    enum status status;
};

/* An empty store of `total` bytes. Non-volatile variables take 60 + 2 * (name length + 1) +
 * size. */
struct mem_vars *mem_vars_new(uint64_t total);
void mem_vars_free(struct mem_vars *vars);

/* A store of its own with the same variables and settings, and an empty log. */
struct mem_vars *mem_vars_clone(const struct mem_vars *vars);

/* True when both hold the same variables, in whatever order. */
bool mem_vars_equal(const struct mem_vars *a, const struct mem_vars *b);

/* The port, valid as long as the store. */
struct vars_port mem_vars_port(struct mem_vars *vars);

/* A store that has no variable, takes none, and does not tell its space. */
struct vars_port mem_vars_none(void);

/*
 * Creates or replaces a variable past all rules, quota and log, as firmware itself or an earlier
 * program may have left it. `vendor` NULL is the global one; `data` may be empty.
 */
void mem_vars_put(struct mem_vars *vars, const struct guid *vendor, const char *name,
                  uint32_t attributes, const void *data, size_t size);

/* Deletes in the same way; does nothing when the variable is not there. */
void mem_vars_drop(struct mem_vars *vars, const struct guid *vendor, const char *name);

/* The variable of a vendor (NULL: the global one), or NULL. Valid until the next change. */
const struct mem_var *mem_vars_find(const struct mem_vars *vars, const struct guid *vendor,
                                    const char *name);

/* The variables in the order of the enumeration. */
size_t mem_vars_count(const struct mem_vars *vars);
const struct mem_var *mem_vars_at(const struct mem_vars *vars, size_t index);

/* Bytes in use by non-volatile variables. */
uint64_t mem_vars_used(const struct mem_vars *vars);

/* The store from now on takes `total` bytes, which may be less than it holds. */
void mem_vars_set_total(struct mem_vars *vars, uint64_t total);
void mem_vars_set_read_only(struct mem_vars *vars, bool read_only);

/* The firmware cannot tell the space left, as before UEFI 2.0. */
void mem_vars_set_space_unknown(struct mem_vars *vars, bool unknown);

/* After the last variable the enumeration starts again with the first. */
void mem_vars_set_endless(struct mem_vars *vars, bool endless);

/* The enumeration names this variable of the global vendor once more at its end. */
void mem_vars_list_twice(struct mem_vars *vars, const char *name);

/* This variable of the global vendor claims a size of 4 GiB whatever buffer it is offered. */
void mem_vars_make_huge(struct mem_vars *vars, const char *name);

/* What was set and deleted through the port, failures included, oldest first. */
size_t mem_vars_log_count(const struct mem_vars *vars);
const struct mem_vars_op *mem_vars_log_at(const struct mem_vars *vars, size_t index);
void mem_vars_log_clear(struct mem_vars *vars);

/* Successful changes through the port since the store was made. */
uint64_t mem_vars_changes(const struct mem_vars *vars);

/*
 * The next start of a machine under edk2, in which `auto_count` disks are present whose own
 * entries, with the boot manager's mark, are `auto_entries` (whole values of Boot####):
 *   - BootOrder loses numbers whose variable is missing or malformed (the latter is deleted);
 *   - listed entries with the mark that equal none of `auto_entries` are deleted;
 *   - each of `auto_entries` that is not listed gets the lowest number that is neither in BootOrder
 *     nor BootNext, an unlisted variable of that number being overwritten, and goes to the end of
 *     BootOrder;
 *   - BootNext is used up.
 */
void mem_vars_bdsp(struct mem_vars *vars, const struct span *auto_entries, size_t auto_count);

#endif
