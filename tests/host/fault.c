#include "host/fault.h"

#include <stdlib.h>
#include <string.h>

#include "host/disk_path.h"
#include "host/host_alloc.h"
#include "host/host_reports.h"

#define MAX_RULES     8u
#define MAX_BAD_AREAS 8u
#define NEVER         UINT64_MAX

struct rule {
    enum fault_kind kind;
    uint64_t nth;
    enum status status;
    bool for_good;
    bool carry_out;
};

struct faulty_disk {
    struct fault *fault;
    const struct block_port *disk;
    uint64_t gone_after; /* calls in all */
    bool write_protected;
};

struct bad_area {
    size_t disk;
    uint64_t lba;
    uint64_t count;
};

struct fault {
    const struct ports *inner;
    struct ports ports;
    struct block_port *disks;
    struct faulty_disk *faulty_disks;
    uint64_t calls[FAULT_KIND_COUNT];
    bool failed[FAULT_KIND_COUNT];
    struct rule rules[MAX_RULES];
    size_t rule_count;
    struct bad_area bad_areas[MAX_BAD_AREAS];
    size_t bad_area_count;
    uint64_t cut_at; /* the n-th write, or NEVER */
    enum fault_cut cut;
    jmp_buf *cut_to;
    enum fault_kind last_write;
    bool dead;
    bool tripped;
};

/* What becomes of one call. */
enum fate {
    FATE_PASS,
    FATE_FAIL,       /* not carried out */
    FATE_FAIL_AFTER, /* carried out */
    FATE_CUT,        /* the power goes */
};

struct verdict {
    enum fate fate;
    enum status status; /* for the two that fail */
};

static bool is_write(enum fault_kind kind)
{
    return kind == FAULT_VAR_SET || kind == FAULT_FILE_WRITE || kind == FAULT_FILE_REMOVE ||
           kind == FAULT_BLOCK_WRITE;
}

static bool rule_covers(const struct rule *rule, enum fault_kind kind)
{
    return rule->kind == kind || rule->kind == FAULT_ANY ||
           (rule->kind == FAULT_WRITE && is_write(kind));
}

static const struct rule *rule_for(const struct fault *fault, enum fault_kind kind)
{
    for (size_t i = 0; i < fault->rule_count; i++) {
        const struct rule *rule = &fault->rules[i];
        uint64_t call = fault->calls[rule->kind];
        if (rule_covers(rule, kind) && (call == rule->nth || (rule->for_good && call > rule->nth)))
            return rule;
    }
    return NULL;
}

static struct verdict fail_with(struct fault *fault, enum status status)
{
    struct verdict verdict = {FATE_FAIL, status};

    fault->tripped = true;
    return verdict;
}

/* Counts a call and decides on it. */
static struct verdict judge(struct fault *fault, enum fault_kind kind)
{
    struct verdict verdict = {FATE_PASS, ST_OK};

    fault->calls[FAULT_ANY]++;
    fault->calls[kind]++;
    if (is_write(kind)) {
        fault->calls[FAULT_WRITE]++;
        fault->last_write = kind;
    }
    if (fault->dead)
        return fail_with(fault, ST_IO);
    const struct rule *rule = rule_for(fault, kind);
    if (rule != NULL) {
        fault->failed[kind] = true;
        verdict = fail_with(fault, rule->status);
        verdict.fate = rule->carry_out ? FATE_FAIL_AFTER : FATE_FAIL;
        return verdict;
    }
    if (is_write(kind) && fault->calls[FAULT_WRITE] == fault->cut_at)
        verdict.fate = FATE_CUT;
    return verdict;
}

static bool is_gone(const struct faulty_disk *disk)
{
    return disk->fault->calls[FAULT_ANY] > disk->gone_after;
}

/* True when one of `count` blocks from `lba` on is bad. */
static bool touches_bad_area(const struct faulty_disk *disk, uint64_t lba, uint32_t count)
{
    const struct fault *fault = disk->fault;
    size_t index = (size_t)(disk - fault->faulty_disks);

    for (size_t i = 0; i < fault->bad_area_count; i++) {
        const struct bad_area *area = &fault->bad_areas[i];
        bool before = area->lba < lba;
        uint64_t gap = before ? lba - area->lba : area->lba - lba;
        if (area->disk == index && gap < (before ? area->count : count))
            return true;
    }
    return false;
}

/* What the state of a disk makes of a call that was judged already. */
static struct verdict judge_disk(const struct faulty_disk *disk, enum fault_kind kind,
                                 struct verdict verdict)
{
    if (is_gone(disk))
        return fail_with(disk->fault, ST_IO);
    if (disk->write_protected && is_write(kind))
        return fail_with(disk->fault, ST_READ_ONLY);
    return verdict;
}

/* The same for a call on what lies at a device path, which goes with its disk. */
static struct verdict judge_path(struct fault *fault, enum fault_kind kind, struct span path)
{
    struct verdict verdict = judge(fault, kind);

    for (size_t i = 0; i < fault->inner->disk_count; i++) {
        if (disk_path_leads_through(path, fault->inner->disks[i].path))
            verdict = judge_disk(&fault->faulty_disks[i], kind, verdict);
    }
    return verdict;
}

static struct verdict judge_file(struct fault *fault, enum fault_kind kind, size_t volume)
{
    if (volume >= fault->ports.files.volume_count)
        return judge(fault, kind);
    return judge_path(fault, kind, fault->ports.files.volumes[volume].path);
}

/* The machine is off: does not return when there is somewhere to jump. */
static enum status power_off(struct fault *fault)
{
    fault->dead = true;
    fault->tripped = true;
    if (fault->cut_to != NULL)
        longjmp(*fault->cut_to, 1);
    return ST_IO;
}

static enum status faulty_block_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    const struct faulty_disk *faulty = ctx;
    struct verdict verdict = judge(faulty->fault, FAULT_BLOCK_READ);

    verdict = judge_disk(faulty, FAULT_BLOCK_READ, verdict);
    if (touches_bad_area(faulty, lba, count))
        verdict = fail_with(faulty->fault, ST_IO);
    if (verdict.fate != FATE_PASS)
        return verdict.status;
    return faulty->disk->read(faulty->disk->ctx, lba, count, ret_data);
}

/* What a write of blocks under way leaves in the disk's cache when the power goes. */
static void write_torn_blocks(const struct faulty_disk *faulty, uint64_t lba, uint32_t count,
                              const void *data)
{
    const struct block_port *disk = faulty->disk;
    enum fault_cut cut = faulty->fault->cut;
    size_t size = (size_t)count * disk->block_size;
    uint8_t *copy = host_copy(data, size);

    if (cut == FAULT_CUT_HALF)
        count /= 2;
    for (size_t i = size / 2; i < size && cut == FAULT_CUT_GARBAGE; i++)
        copy[i] ^= 0xa5;
    if (cut != FAULT_CUT_BEFORE && cut != FAULT_CUT_EMPTY && count > 0)
        (void)!disk->write(disk->ctx, lba, count, copy);
    free(copy);
}

static enum status faulty_block_write(void *ctx, uint64_t lba, uint32_t count, const void *data)
{
    const struct faulty_disk *faulty = ctx;
    const struct block_port *disk = faulty->disk;
    struct verdict verdict = judge(faulty->fault, FAULT_BLOCK_WRITE);

    verdict = judge_disk(faulty, FAULT_BLOCK_WRITE, verdict);
    if (verdict.fate == FATE_PASS)
        return disk->write(disk->ctx, lba, count, data);
    if (verdict.fate == FATE_CUT) {
        write_torn_blocks(faulty, lba, count, data);
        return power_off(faulty->fault);
    }
    if (verdict.fate == FATE_FAIL_AFTER)
        (void)!disk->write(disk->ctx, lba, count, data);
    return verdict.status;
}

static enum status faulty_block_flush(void *ctx)
{
    const struct faulty_disk *faulty = ctx;
    const struct block_port *disk = faulty->disk;
    struct verdict verdict = judge(faulty->fault, FAULT_BLOCK_FLUSH);

    verdict = judge_disk(faulty, FAULT_BLOCK_FLUSH, verdict);
    if (verdict.fate == FATE_PASS)
        return disk->flush(disk->ctx);
    if (verdict.fate == FATE_FAIL_AFTER)
        (void)!disk->flush(disk->ctx);
    return verdict.status;
}

static enum status faulty_var_next(void *ctx, bool restart, struct var_id *ret_id)
{
    struct fault *fault = ctx;
    const struct vars_port *vars = &fault->inner->vars;
    struct verdict verdict = judge(fault, FAULT_VAR_NEXT);

    if (verdict.fate != FATE_PASS)
        return verdict.status;
    return vars->next(vars->ctx, restart, ret_id);
}

static enum status faulty_var_get(void *ctx, const struct guid *vendor, const char *name,
                                  uint32_t *ret_attributes, void *ret_data, size_t size,
                                  size_t *ret_size)
{
    struct fault *fault = ctx;
    const struct vars_port *vars = &fault->inner->vars;
    struct verdict verdict = judge(fault, FAULT_VAR_GET);

    if (verdict.fate != FATE_PASS)
        return verdict.status;
    return vars->get(vars->ctx, vendor, name, ret_attributes, ret_data, size, ret_size);
}

static enum status faulty_var_set(void *ctx, const struct guid *vendor, const char *name,
                                  uint32_t attributes, const void *data, size_t size)
{
    struct fault *fault = ctx;
    const struct vars_port *vars = &fault->inner->vars;
    struct verdict verdict = judge(fault, FAULT_VAR_SET);
    enum status status = verdict.status;

    if (verdict.fate == FATE_PASS)
        return vars->set(vars->ctx, vendor, name, attributes, data, size);
    if (verdict.fate == FATE_FAIL_AFTER ||
        (verdict.fate == FATE_CUT && fault->cut == FAULT_CUT_AFTER))
        (void)!vars->set(vars->ctx, vendor, name, attributes, data, size);
    return verdict.fate == FATE_CUT ? power_off(fault) : status;
}

static enum status faulty_var_space(void *ctx, struct var_space *ret_space)
{
    struct fault *fault = ctx;
    const struct vars_port *vars = &fault->inner->vars;
    struct verdict verdict = judge(fault, FAULT_VAR_SPACE);

    if (verdict.fate != FATE_PASS)
        return verdict.status;
    return vars->space(vars->ctx, ret_space);
}

static enum status faulty_file_stat(void *ctx, size_t volume, const char *path,
                                    struct file_info *ret_info)
{
    struct fault *fault = ctx;
    const struct files_port *files = &fault->inner->files;
    struct verdict verdict = judge_file(fault, FAULT_FILE_STAT, volume);

    if (verdict.fate != FATE_PASS)
        return verdict.status;
    return files->stat(files->ctx, volume, path, ret_info);
}

static enum status faulty_file_list(void *ctx, size_t volume, const char *path, size_t index,
                                    struct file_info *ret_info)
{
    struct fault *fault = ctx;
    const struct files_port *files = &fault->inner->files;
    struct verdict verdict = judge_file(fault, FAULT_FILE_LIST, volume);

    if (verdict.fate != FATE_PASS)
        return verdict.status;
    return files->list(files->ctx, volume, path, index, ret_info);
}

static enum status faulty_file_read(void *ctx, size_t volume, const char *path, uint64_t offset,
                                    void *ret_data, size_t size, size_t *ret_size)
{
    struct fault *fault = ctx;
    const struct files_port *files = &fault->inner->files;
    struct verdict verdict = judge_file(fault, FAULT_FILE_READ, volume);

    if (verdict.fate != FATE_PASS)
        return verdict.status;
    return files->read(files->ctx, volume, path, offset, ret_data, size, ret_size);
}

/* What a file write under way leaves behind when the power goes. */
static void write_torn(const struct fault *fault, size_t volume, const char *path,
                       enum file_write_mode mode, struct span data)
{
    const struct files_port *files = &fault->inner->files;
    uint8_t *copy = host_copy(data.at, data.size);
    size_t size = data.size;

    if (fault->cut == FAULT_CUT_EMPTY)
        size = 0;
    if (fault->cut == FAULT_CUT_HALF)
        size /= 2;
    if (fault->cut == FAULT_CUT_GARBAGE) {
        for (size_t i = size / 2; i < size; i++)
            copy[i] ^= 0xa5;
    }
    host_reports_pause(true);
    if (fault->cut != FAULT_CUT_BEFORE)
        (void)!files->write(files->ctx, volume, path, mode, copy, size);
    host_reports_pause(false);
    free(copy);
}

static enum status faulty_file_write(void *ctx, size_t volume, const char *path,
                                     enum file_write_mode mode, const void *data, size_t size)
{
    struct fault *fault = ctx;
    const struct files_port *files = &fault->inner->files;
    struct verdict verdict = judge_file(fault, FAULT_FILE_WRITE, volume);

    if (verdict.fate == FATE_PASS)
        return files->write(files->ctx, volume, path, mode, data, size);
    if (verdict.fate == FATE_CUT) {
        write_torn(fault, volume, path, mode, span_of(data, size));
        return power_off(fault);
    }
    if (verdict.fate == FATE_FAIL_AFTER)
        (void)!files->write(files->ctx, volume, path, mode, data, size);
    return verdict.status;
}

static enum status faulty_file_remove(void *ctx, size_t volume, const char *path)
{
    struct fault *fault = ctx;
    const struct files_port *files = &fault->inner->files;
    struct verdict verdict = judge_file(fault, FAULT_FILE_REMOVE, volume);

    if (verdict.fate == FATE_PASS)
        return files->remove(files->ctx, volume, path);
    if (verdict.fate == FATE_FAIL_AFTER ||
        (verdict.fate == FATE_CUT && fault->cut == FAULT_CUT_AFTER))
        (void)!files->remove(files->ctx, volume, path);
    return verdict.fate == FATE_CUT ? power_off(fault) : verdict.status;
}

static enum status faulty_release(void *ctx, struct span disk_path)
{
    struct fault *fault = ctx;
    const struct files_port *files = &fault->inner->files;
    struct verdict verdict = judge_path(fault, FAULT_FILE_RELEASE, disk_path);

    if (verdict.fate != FATE_PASS)
        return verdict.status;
    return files->release(files->ctx, disk_path);
}

static enum status faulty_renew(void *ctx, struct files_port *io_port)
{
    struct fault *fault = ctx;
    const struct files_port *files = &fault->inner->files;
    struct files_port now = fault->ports.files;
    struct verdict verdict = judge(fault, FAULT_FILE_RENEW);
    enum status status = verdict.status;

    if (verdict.fate == FATE_PASS)
        status = files->renew(files->ctx, &now);
    if (status != ST_OK)
        return status;
    fault->ports.files = now;
    io_port->volumes = now.volumes;
    io_port->volume_count = now.volume_count;
    io_port->self = now.self;
    io_port->current = now.current;
    io_port->directory = now.directory;
    return ST_OK;
}

static enum status faulty_now(void *ctx, struct date_time *ret_time)
{
    struct fault *fault = ctx;
    const struct clock_port *clock = &fault->inner->clock;
    struct verdict verdict = judge(fault, FAULT_CLOCK);

    if (verdict.fate != FATE_PASS)
        return verdict.status;
    return clock->now(clock->ctx, ret_time);
}

/* Not a call that can fail. */
static uint64_t faulty_microseconds(void *ctx)
{
    const struct fault *fault = ctx;
    const struct clock_port *clock = &fault->inner->clock;

    return clock->microseconds(clock->ctx);
}

static void faulty_console_write(void *ctx, const char *text, size_t size)
{
    const struct fault *fault = ctx;

    if (!fault->dead)
        fault->inner->console.write(fault->inner->console.ctx, text, size);
}

static enum status faulty_read_line(void *ctx, char *ret_line, size_t size)
{
    const struct fault *fault = ctx;

    if (fault->dead)
        return ST_IO;
    return fault->inner->console.read_line(fault->inner->console.ctx, ret_line, size);
}

static struct screen_size faulty_screen_size(void *ctx)
{
    const struct fault *fault = ctx;

    return fault->inner->console.screen_size(fault->inner->console.ctx);
}

static enum status faulty_wait_key(void *ctx)
{
    const struct fault *fault = ctx;

    if (fault->dead)
        return ST_IO;
    return fault->inner->console.wait_key(fault->inner->console.ctx);
}

/* A machine without power starts nothing. */
static struct start_answer faulty_load(void *ctx, const struct start_source *source,
                                       void **ret_image)
{
    const struct fault *fault = ctx;
    const struct start_port *start = &fault->inner->start;

    *ret_image = NULL;
    if (fault->dead)
        return (struct start_answer){ST_IO, 7};
    return start->load(start->ctx, source, ret_image);
}

static struct start_answer faulty_start(void *ctx, void *image, struct span options)
{
    const struct fault *fault = ctx;
    const struct start_port *start = &fault->inner->start;

    return start->start(start->ctx, image, options);
}

static void faulty_unload(void *ctx, void *image)
{
    const struct fault *fault = ctx;

    fault->inner->start.unload(fault->inner->start.ctx, image);
}

static enum status faulty_reset(void *ctx, enum start_reset kind)
{
    const struct fault *fault = ctx;
    const struct start_port *start = &fault->inner->start;

    return fault->dead ? ST_UNSUPPORTED : start->reset(start->ctx, kind);
}

static void wrap_start(struct fault *fault)
{
    struct start_port *start = &fault->ports.start;

    start->ctx = fault;
    start->load = faulty_load;
    start->start = faulty_start;
    start->unload = faulty_unload;
    start->reset = faulty_reset;
}

static bool faulty_break_requested(void *ctx)
{
    const struct fault *fault = ctx;

    return fault->inner->console.break_requested(fault->inner->console.ctx);
}

static enum status faulty_read_key(void *ctx, uint32_t milliseconds, uint32_t *ret_key)
{
    const struct fault *fault = ctx;
    const struct console_port *console = &fault->inner->console;

    return fault->dead ? ST_IO : console->read_key(console->ctx, milliseconds, ret_key);
}

static void faulty_clear(void *ctx, bool cursor)
{
    const struct fault *fault = ctx;

    if (!fault->dead)
        fault->inner->console.clear(fault->inner->console.ctx, cursor);
}

static void faulty_move(void *ctx, unsigned column, unsigned row)
{
    const struct fault *fault = ctx;

    if (!fault->dead)
        fault->inner->console.move(fault->inner->console.ctx, column, row);
}

static void wrap_disks(struct fault *fault)
{
    size_t count = fault->inner->disk_count;

    fault->disks = host_alloc(count, sizeof(*fault->disks));
    fault->faulty_disks = host_alloc(count, sizeof(*fault->faulty_disks));
    for (size_t i = 0; i < count; i++) {
        fault->faulty_disks[i].fault = fault;
        fault->faulty_disks[i].disk = &fault->inner->disks[i];
        fault->faulty_disks[i].gone_after = NEVER;
        fault->disks[i] = fault->inner->disks[i];
        fault->disks[i].ctx = &fault->faulty_disks[i];
        fault->disks[i].read = faulty_block_read;
        fault->disks[i].write = faulty_block_write;
        fault->disks[i].flush = faulty_block_flush;
    }
    fault->ports.disks = fault->disks;
}

static void wrap_vars(struct fault *fault)
{
    struct vars_port *vars = &fault->ports.vars;

    vars->ctx = fault;
    vars->next = faulty_var_next;
    vars->get = faulty_var_get;
    vars->set = faulty_var_set;
    vars->space = faulty_var_space;
}

static void wrap_files(struct fault *fault)
{
    struct files_port *files = &fault->ports.files;

    files->ctx = fault;
    files->stat = faulty_file_stat;
    files->list = faulty_file_list;
    files->read = faulty_file_read;
    files->write = faulty_file_write;
    files->remove = faulty_file_remove;
    files->release = faulty_release;
    files->renew = faulty_renew;
}

static void wrap_console(struct fault *fault)
{
    struct console_port *console = &fault->ports.console;

    console->ctx = fault;
    console->write = faulty_console_write;
    console->read_line = faulty_read_line;
    console->screen_size = faulty_screen_size;
    console->wait_key = faulty_wait_key;
    console->read_key = faulty_read_key;
    console->break_requested = faulty_break_requested;
    console->clear = faulty_clear;
    console->move = faulty_move;
}

struct fault *fault_new(const struct ports *ports)
{
    struct fault *fault = host_alloc(1, sizeof(*fault));

    fault->inner = ports;
    fault->ports = *ports;
    fault->cut_at = NEVER;
    fault->last_write = FAULT_WRITE;
    wrap_disks(fault);
    wrap_vars(fault);
    wrap_files(fault);
    wrap_console(fault);
    wrap_start(fault);
    fault->ports.clock.ctx = fault;
    fault->ports.clock.now = faulty_now;
    fault->ports.clock.microseconds = faulty_microseconds;
    return fault;
}

void fault_free(struct fault *fault)
{
    if (fault == NULL)
        return;
    free(fault->disks);
    free(fault->faulty_disks);
    free(fault);
}

const struct ports *fault_ports(const struct fault *fault)
{
    return &fault->ports;
}

static void add_rule(struct fault *fault, const struct rule *rule)
{
    bool writes_only =
        rule->kind == FAULT_WRITE || rule->kind == FAULT_BLOCK_FLUSH || is_write(rule->kind);

    if (fault->rule_count == MAX_RULES)
        host_fail("too many fault rules");
    if ((rule->status == ST_OK || rule->carry_out) && !writes_only)
        host_fail("a fault that only makes sense for writes");
    fault->rules[fault->rule_count++] = *rule;
}

void fault_fail(struct fault *fault, enum fault_kind kind, uint64_t nth, enum status status,
                bool for_good)
{
    struct rule rule = {.kind = kind, .nth = nth, .status = status, .for_good = for_good};

    add_rule(fault, &rule);
}

void fault_fail_after(struct fault *fault, enum fault_kind kind, uint64_t nth, enum status status)
{
    struct rule rule = {.kind = kind, .nth = nth, .status = status, .carry_out = true};

    add_rule(fault, &rule);
}

void fault_vanish(struct fault *fault, size_t disk, uint64_t calls)
{
    if (disk >= fault->inner->disk_count)
        host_fail("no such disk");
    fault->faulty_disks[disk].gone_after = calls;
}

void fault_bad_blocks(struct fault *fault, size_t disk, uint64_t lba, uint64_t count)
{
    struct bad_area area = {.disk = disk, .lba = lba, .count = count};

    if (disk >= fault->inner->disk_count)
        host_fail("no such disk");
    if (fault->bad_area_count == MAX_BAD_AREAS)
        host_fail("too many bad areas");
    fault->bad_areas[fault->bad_area_count++] = area;
}

void fault_write_protect(struct fault *fault, size_t disk)
{
    if (disk >= fault->inner->disk_count)
        host_fail("no such disk");
    fault->faulty_disks[disk].write_protected = true;
}

void fault_power_cut(struct fault *fault, uint64_t nth, enum fault_cut how, jmp_buf *where)
{
    fault->cut_at = nth;
    fault->cut = how;
    fault->cut_to = where;
}

uint64_t fault_calls(const struct fault *fault, enum fault_kind kind)
{
    return fault->calls[kind];
}

bool fault_has_failed(const struct fault *fault, enum fault_kind kind)
{
    return fault->failed[kind];
}

enum fault_kind fault_last_write(const struct fault *fault)
{
    return fault->last_write;
}

bool fault_tripped(const struct fault *fault)
{
    return fault->tripped;
}
