#include "host/mem_vars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"
#include "host/var_rules.h"

#define HEADER_BYTES 60u
#define HUGE_SIZE    ((size_t)4 * 1024 * 1024 * 1024)
#define ORDER_MAX    65536u

struct mem_vars {
    struct mem_var **at;
    size_t count;
    uint64_t total;
    bool read_only;
    bool space_unknown;
    bool endless;
    size_t cursor; /* place of the walk; past `count` among those listed twice */
    bool walk_broken;
    struct mem_vars_op *log;
    size_t log_count;
    uint64_t changes;
};

static const struct guid global_vendor = VAR_GLOBAL_VENDOR;

static void free_var(struct mem_var *var)
{
    free(var->name);
    free(var->data);
    free(var);
}

struct mem_vars *mem_vars_new(uint64_t total)
{
    struct mem_vars *vars = host_alloc(1, sizeof(*vars));

    vars->total = total;
    vars->walk_broken = true;
    return vars;
}

void mem_vars_free(struct mem_vars *vars)
{
    if (vars == NULL)
        return;
    for (size_t i = 0; i < vars->count; i++)
        free_var(vars->at[i]);
    free(vars->at);
    free(vars->log);
    free(vars);
}

struct mem_vars *mem_vars_clone(const struct mem_vars *vars)
{
    struct mem_vars *clone = mem_vars_new(vars->total);

    for (size_t i = 0; i < vars->count; i++) {
        const struct mem_var *var = vars->at[i];
        mem_vars_put(clone, &var->vendor, var->name, var->attributes, var->data, var->size);
        clone->at[i]->huge = var->huge;
        clone->at[i]->listed_twice = var->listed_twice;
    }
    clone->read_only = vars->read_only;
    clone->space_unknown = vars->space_unknown;
    clone->endless = vars->endless;
    return clone;
}

/* The place of a variable, or `count` when it is not there. */
static size_t index_of(const struct mem_vars *vars, const struct guid *vendor, const char *name)
{
    size_t i = 0;

    if (vendor == NULL)
        vendor = &global_vendor;
    while (i < vars->count &&
           (!guid_equal(&vars->at[i]->vendor, vendor) || strcmp(vars->at[i]->name, name) != 0))
        i++;
    return i;
}

static struct mem_var *find(const struct mem_vars *vars, const struct guid *vendor,
                            const char *name)
{
    size_t i = index_of(vars, vendor, name);

    return i < vars->count ? vars->at[i] : NULL;
}

const struct mem_var *mem_vars_find(const struct mem_vars *vars, const struct guid *vendor,
                                    const char *name)
{
    return find(vars, vendor, name);
}

static bool same_content(const struct mem_var *a, const struct mem_var *b)
{
    return a->attributes == b->attributes &&
           span_equal(span_of(a->data, a->size), span_of(b->data, b->size));
}

bool mem_vars_equal(const struct mem_vars *a, const struct mem_vars *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct mem_var *other = find(b, &a->at[i]->vendor, a->at[i]->name);
        if (other == NULL || !same_content(a->at[i], other))
            return false;
    }
    return true;
}

void mem_vars_put(struct mem_vars *vars, const struct guid *vendor, const char *name,
                  uint32_t attributes, const void *data, size_t size)
{
    struct mem_var *var = find(vars, vendor, name);

    if (var == NULL) {
        var = host_alloc(1, sizeof(*var));
        var->vendor = vendor != NULL ? *vendor : global_vendor;
        var->name = host_copy_text(name);
        vars->at = host_grow(vars->at, (vars->count + 1) * sizeof(*vars->at));
        vars->at[vars->count++] = var;
    }
    uint8_t *copy = host_copy(data, size);
    free(var->data);
    var->data = copy;
    var->size = size;
    var->attributes = attributes;
    vars->walk_broken = true;
}

void mem_vars_drop(struct mem_vars *vars, const struct guid *vendor, const char *name)
{
    size_t i = index_of(vars, vendor, name);

    if (i == vars->count)
        return;
    free_var(vars->at[i]);
    vars->count--;
    memmove(&vars->at[i], &vars->at[i + 1], (vars->count - i) * sizeof(*vars->at));
    vars->walk_broken = true;
}

size_t mem_vars_count(const struct mem_vars *vars)
{
    return vars->count;
}

const struct mem_var *mem_vars_at(const struct mem_vars *vars, size_t index)
{
    return vars->at[index];
}

static uint64_t bytes_taken(const char *name, uint32_t attributes, size_t size)
{
    if ((attributes & VAR_NON_VOLATILE) == 0)
        return 0;
    return HEADER_BYTES + 2 * ((uint64_t)strlen(name) + 1) + size;
}

static uint64_t bytes_taken_by(const struct mem_var *var)
{
    return var != NULL ? bytes_taken(var->name, var->attributes, var->size) : 0;
}

uint64_t mem_vars_used(const struct mem_vars *vars)
{
    uint64_t used = 0;

    for (size_t i = 0; i < vars->count; i++)
        used += bytes_taken_by(vars->at[i]);
    return used;
}

void mem_vars_set_total(struct mem_vars *vars, uint64_t total)
{
    vars->total = total;
}

void mem_vars_set_read_only(struct mem_vars *vars, bool read_only)
{
    vars->read_only = read_only;
}

void mem_vars_set_space_unknown(struct mem_vars *vars, bool unknown)
{
    vars->space_unknown = unknown;
}

void mem_vars_set_endless(struct mem_vars *vars, bool endless)
{
    vars->endless = endless;
}

static struct mem_var *must_find(struct mem_vars *vars, const char *name)
{
    struct mem_var *var = find(vars, NULL, name);

    if (var == NULL)
        host_fail("no such variable");
    return var;
}

void mem_vars_list_twice(struct mem_vars *vars, const char *name)
{
    must_find(vars, name)->listed_twice = true;
}

void mem_vars_make_huge(struct mem_vars *vars, const char *name)
{
    must_find(vars, name)->huge = true;
}

/* FNV-1a over the whole name. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *name != 0; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    return hash;
}

static struct var_id id_of(const struct mem_var *var)
{
    struct var_id id = {.vendor = var->vendor, .hash = hash_name(var->name)};

    for (size_t i = 0; i < VAR_NAME_SIZE - 1 && var->name[i] != 0; i++)
        id.name[i] = var->name[i] >= 0x20 && var->name[i] < 0x7f ? var->name[i] : '?';
    return id;
}

/* The variable the walk stands at, moving on; NULL at its end. */
static const struct mem_var *step(struct mem_vars *vars)
{
    while (vars->cursor < 2 * vars->count) {
        size_t place = vars->cursor++;
        if (place < vars->count)
            return vars->at[place];
        if (vars->at[place - vars->count]->listed_twice)
            return vars->at[place - vars->count];
    }
    return NULL;
}

static enum status vars_next(void *ctx, bool restart, struct var_id *ret_id)
{
    struct mem_vars *vars = ctx;

    if (restart) {
        vars->cursor = 0;
        vars->walk_broken = false;
    }
    if (vars->walk_broken)
        return ST_IO;
    const struct mem_var *var = step(vars);
    if (var == NULL && vars->endless) {
        vars->cursor = 0;
        var = step(vars);
    }
    if (var == NULL)
        return ST_ABSENT;
    *ret_id = id_of(var);
    return ST_OK;
}

static enum status vars_get(void *ctx, const struct guid *vendor, const char *name,
                            uint32_t *ret_attributes, void *ret_data, size_t size, size_t *ret_size)
{
    struct mem_vars *vars = ctx;
    const struct mem_var *var = find(vars, vendor, name);

    if (var == NULL)
        return ST_ABSENT;
    size_t needed = var->huge ? HUGE_SIZE : var->size;
    if (var->huge || size < needed) {
        *ret_size = needed;
        return ST_TOO_SMALL;
    }
    if (var->size > 0)
        memcpy(ret_data, var->data, var->size);
    *ret_attributes = var->attributes;
    *ret_size = var->size;
    return ST_OK;
}

static enum status delete_var(struct mem_vars *vars, const struct guid *vendor, const char *name)
{
    if (vars->read_only)
        return ST_READ_ONLY;
    if (find(vars, vendor, name) == NULL)
        return ST_ABSENT;
    mem_vars_drop(vars, vendor, name);
    return ST_OK;
}

static enum status write_var(struct mem_vars *vars, const struct guid *vendor, const char *name,
                             uint32_t attributes, struct span data)
{
    const struct mem_var *old = find(vars, vendor, name);

    if (vendor == NULL && !var_rules_accept(name, attributes, data))
        return ST_REFUSED;
    if (old != NULL && old->attributes != attributes)
        return ST_REFUSED;
    if (2 * (strlen(name) + 1) + data.size > MEM_VARS_LARGEST)
        return ST_REFUSED;
    if (vars->read_only)
        return ST_READ_ONLY;
    uint64_t used = mem_vars_used(vars) - bytes_taken_by(old);
    uint64_t wanted = bytes_taken(name, attributes, data.size);
    if (used > vars->total || wanted > vars->total - used)
        return ST_NO_SPACE;
    mem_vars_put(vars, vendor, name, attributes, data.at, data.size);
    return ST_OK;
}

static void log_op(struct mem_vars *vars, const char *name, size_t size, enum status status)
{
    vars->log = host_grow(vars->log, (vars->log_count + 1) * sizeof(*vars->log));
    struct mem_vars_op *op = &vars->log[vars->log_count++];
    snprintf(op->name, sizeof(op->name), "%s", name);
    op->size = size;
    op->status = status;
    if (status == ST_OK)
        vars->changes++;
}

static enum status vars_set(void *ctx, const struct guid *vendor, const char *name,
                            uint32_t attributes, const void *data, size_t size)
{
    struct mem_vars *vars = ctx;
    enum status status = size == 0 ? delete_var(vars, vendor, name)
                                   : write_var(vars, vendor, name, attributes, span_of(data, size));

    log_op(vars, name, size, status);
    return status;
}

static enum status vars_space(void *ctx, struct var_space *ret_space)
{
    const struct mem_vars *vars = ctx;
    uint64_t used = mem_vars_used(vars);

    if (vars->space_unknown)
        return ST_UNSUPPORTED;
    ret_space->total = vars->total;
    ret_space->remaining = used < vars->total ? vars->total - used : 0;
    ret_space->largest = MEM_VARS_LARGEST;
    return ST_OK;
}

struct vars_port mem_vars_port(struct mem_vars *vars)
{
    struct vars_port port = {
        .ctx = vars,
        .next = vars_next,
        .get = vars_get,
        .set = vars_set,
        .space = vars_space,
    };
    return port;
}

size_t mem_vars_log_count(const struct mem_vars *vars)
{
    return vars->log_count;
}

const struct mem_vars_op *mem_vars_log_at(const struct mem_vars *vars, size_t index)
{
    return &vars->log[index];
}

void mem_vars_log_clear(struct mem_vars *vars)
{
    vars->log_count = 0;
}

uint64_t mem_vars_changes(const struct mem_vars *vars)
{
    return vars->changes;
}

/* BootOrder while the machine starts. */
struct order {
    uint16_t numbers[ORDER_MAX];
    size_t count;
};

static void name_entry(unsigned number, char ret_name[VAR_NAME_SIZE])
{
    snprintf(ret_name, VAR_NAME_SIZE, "Boot%04X", number & 0xffffu);
}

static struct mem_var *entry(struct mem_vars *vars, unsigned number)
{
    char name[VAR_NAME_SIZE];

    name_entry(number, name);
    return find(vars, NULL, name);
}

static void drop_entry(struct mem_vars *vars, unsigned number)
{
    char name[VAR_NAME_SIZE];

    name_entry(number, name);
    mem_vars_drop(vars, NULL, name);
}

static bool is_among(struct span value, const struct span *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(value, values[i]))
            return true;
    }
    return false;
}

/* Whether a listed entry stays; deletes it where the boot manager does. */
static bool keep_entry(struct mem_vars *vars, unsigned number, const struct span *auto_entries,
                       size_t auto_count)
{
    const struct mem_var *var = entry(vars, number);

    if (var == NULL)
        return false;
    struct span value = span_of(var->data, var->size);
    if (var_rules_load_option(value) &&
        (!var_rules_is_auto_created(value) || is_among(value, auto_entries, auto_count)))
        return true;
    drop_entry(vars, number);
    return false;
}

static void read_order(struct mem_vars *vars, const struct span *auto_entries, size_t auto_count,
                       struct order *order)
{
    const struct mem_var *var = find(vars, NULL, "BootOrder");
    struct span bytes = var != NULL ? span_of(var->data, var->size) : span_of(NULL, 0);
    uint8_t *copy = host_copy(bytes.at, bytes.size);

    for (size_t at = 0; at + 2 <= bytes.size && order->count < ORDER_MAX; at += 2) {
        uint16_t number = ld_le16(copy + at);
        if (keep_entry(vars, number, auto_entries, auto_count))
            order->numbers[order->count++] = number;
    }
    free(copy);
}

static bool order_has(const struct order *order, unsigned number)
{
    for (size_t i = 0; i < order->count; i++) {
        if (order->numbers[i] == number)
            return true;
    }
    return false;
}

static bool order_has_value(struct mem_vars *vars, const struct order *order, struct span value)
{
    for (size_t i = 0; i < order->count; i++) {
        const struct mem_var *var = entry(vars, order->numbers[i]);
        if (var != NULL && span_equal(span_of(var->data, var->size), value))
            return true;
    }
    return false;
}

static void add_auto_entry(struct mem_vars *vars, struct order *order, struct span value)
{
    const struct mem_var *next = find(vars, NULL, "BootNext");
    char name[VAR_NAME_SIZE];
    unsigned number = 0;

    while (order_has(order, number) ||
           (next != NULL && next->size == 2 && ld_le16(next->data) == number))
        number++;
    if (number >= ORDER_MAX || order->count == ORDER_MAX)
        host_fail("no boot entry number left");
    name_entry(number, name);
    mem_vars_put(vars, NULL, name, VAR_BOOT_OPTION, value.at, value.size);
    order->numbers[order->count++] = (uint16_t)number;
}

static void write_order(struct mem_vars *vars, const struct order *order)
{
    uint8_t *bytes = host_alloc(order->count, 2);

    for (size_t i = 0; i < order->count; i++)
        st_le16(bytes + 2 * i, order->numbers[i]);
    if (order->count > 0)
        mem_vars_put(vars, NULL, "BootOrder", VAR_BOOT_OPTION, bytes, 2 * order->count);
    else
        mem_vars_drop(vars, NULL, "BootOrder");
    free(bytes);
}

void mem_vars_bdsp(struct mem_vars *vars, const struct span *auto_entries, size_t auto_count)
{
    struct order *order = host_alloc(1, sizeof(*order));

    read_order(vars, auto_entries, auto_count, order);
    for (size_t i = 0; i < auto_count; i++) {
        if (!order_has_value(vars, order, auto_entries[i]))
            add_auto_entry(vars, order, auto_entries[i]);
    }
    write_order(vars, order);
    mem_vars_drop(vars, NULL, "BootNext");
    free(order);
}

/* --- No store --------------------------------------------------------------------------------- */

static enum status get_none(void *ctx, const struct guid *vendor, const char *name,
                            uint32_t *ret_attributes, void *ret_data, size_t size, size_t *ret_size)
{
    (void)ctx, (void)vendor, (void)name, (void)ret_attributes, (void)ret_data, (void)size;
    (void)ret_size;
    return ST_ABSENT;
}

static enum status set_none(void *ctx, const struct guid *vendor, const char *name,
                            uint32_t attributes, const void *data, size_t size)
{
    (void)ctx, (void)vendor, (void)name, (void)attributes, (void)data, (void)size;
    return ST_READ_ONLY;
}

static enum status next_none(void *ctx, bool restart, struct var_id *ret_id)
{
    (void)ctx, (void)restart, (void)ret_id;
    return ST_ABSENT;
}

static enum status space_none(void *ctx, struct var_space *ret_space)
{
    (void)ctx, (void)ret_space;
    return ST_UNSUPPORTED;
}

struct vars_port mem_vars_none(void)
{
    return (struct vars_port){NULL, next_none, get_none, set_none, space_none};
}
