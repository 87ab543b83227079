#include "journal_variable.h"

#include "apply/apply.h"
#include "base/mem.h"

#define ID_SIZE    4u
#define TOTAL_AT   8u /* of a journal: its bytes without marks (format/journal.h) */
#define ROOM       (ID_SIZE + JOURNAL_VARIABLE_MOST + JOURNAL_MARK_SIZE)
#define OVERHEAD   128u /* bytes a store spends on a variable besides its data */
#define ATTRIBUTES (VAR_NON_VOLATILE | VAR_BOOT_SERVICE)

static const struct guid own_vendor = VAR_OWN_VENDOR;

/* Reads it into `room`, of ROOM bytes. A variable that running systems see may be anybody's. Statuses: as
 * journal_variable_read. */
static enum status read_into(const struct vars_port *vars, uint8_t *room, size_t *ret_size)
{
    uint32_t attributes = 0;
    enum status status =
        vars->get(vars->ctx, &own_vendor, JOURNAL_VARIABLE_NAME, &attributes, room, ROOM, ret_size);

    if (status == ST_TOO_SMALL ||
        (status == ST_OK && (*ret_size < ID_SIZE || attributes != ATTRIBUTES)))
        return ST_DAMAGED;
    return status;
}

enum status journal_variable_read(struct arena *arena, const struct vars_port *vars,
                                  uint32_t *ret_id, struct span *ret_data)
{
    uint32_t attributes = 0;
    size_t size = 0;
    enum status status =
        vars->get(vars->ctx, &own_vendor, JOURNAL_VARIABLE_NAME, &attributes, NULL, 0, &size);

    if (status != ST_TOO_SMALL)
        return status == ST_OK ? ST_DAMAGED : status;
    uint8_t *room = arena_alloc(arena, 1, ROOM);
    if (room == NULL)
        return ST_NO_MEMORY;
    status = read_into(vars, room, &size);
    if (status != ST_OK)
        return status;
    *ret_id = ld_le32(room);
    *ret_data = span_of(room + ID_SIZE, size - ID_SIZE);
    return ST_OK;
}

/* The number of the journal of an interrupted change that is there, else 0; takes no memory for good. Statuses:
 * ST_OK; those of reading, when nobody can tell. */
static enum status find_interrupted(struct arena *arena, const struct vars_port *vars,
                                    uint32_t *ret_id)
{
    size_t mark = arena_mark(arena);
    struct journal journal;
    struct span data;
    uint32_t id = 0;

    enum status status = journal_variable_read(arena, vars, &id, &data);
    if (status == ST_OK)
        status = journal_parse(arena, data, &journal);
    *ret_id = status == ST_OK && journal_is_interrupted(&journal) ? id : 0;
    arena_release(arena, mark);
    return status == ST_ABSENT || status == ST_DAMAGED || status == ST_UNSUPPORTED ? ST_OK : status;
}

uint32_t journal_variable_interrupted(struct arena *arena, const struct vars_port *vars)
{
    uint32_t id = 0;

    return find_interrupted(arena, vars, &id) == ST_OK ? id : 0;
}

/* Whether the store has room for it, and then for the variables that the change writes. */
static enum status check_room(const struct vars_port *vars, const struct journal *journal,
                              size_t size)
{
    struct var_space space;
    uint64_t more = size + OVERHEAD;

    if (vars->space(vars->ctx, &space) != ST_OK)
        return ST_OK;
    for (size_t i = 0; i < journal->count; i++) {
        if (journal->records[i].kind == JOURNAL_VARIABLE)
            more += journal->records[i].new_data.size + OVERHEAD;
    }
    return space.remaining < more + STORE_MARGIN || space.largest < size ? ST_NO_SPACE : ST_OK;
}

static enum status delete_it(const struct vars_port *vars)
{
    return vars->set(vars->ctx, &own_vendor, JOURNAL_VARIABLE_NAME, ATTRIBUTES, NULL, 0);
}

static enum status write_it(const struct vars_port *vars, struct span data)
{
    return vars->set(vars->ctx, &own_vendor, JOURNAL_VARIABLE_NAME, ATTRIBUTES, data.at, data.size);
}

static enum status put_variable_journal(const struct vars_port *vars, struct span data,
                                        uint8_t *back)
{
    size_t got = 0;
    enum status status = write_it(vars, data);

    /* Attributes of one that is there cannot be changed (UEFI Specification 8.2). */
    if (status == ST_REFUSED && delete_it(vars) == ST_OK)
        status = write_it(vars, data);
    if (status == ST_OK)
        status = read_into(vars, back, &got);
    return status == ST_OK && !span_equal(span_of(back, got), data) ? ST_IO : status;
}

static enum status build_and_put(struct arena *arena, const struct vars_port *vars, uint32_t id,
                                 const struct journal *journal, uint64_t *ret_size)
{
    uint8_t *data = arena_alloc(arena, 1, ROOM);
    uint8_t *back = arena_alloc(arena, 1, ROOM);
    struct span file;

    if (data == NULL || back == NULL)
        return ST_NO_MEMORY;
    enum status status = journal_build_small(arena, journal, JOURNAL_VARIABLE_MOST, &file);
    if (status == ST_OK)
        status = check_room(vars, journal, ID_SIZE + file.size + JOURNAL_MARK_SIZE);
    if (status != ST_OK)
        return status;
    st_le32(data, id);
    memcpy(data + ID_SIZE, file.at, file.size);
    *ret_size = file.size;
    status = put_variable_journal(vars, span_of(data, ID_SIZE + file.size), back);
    if (status == ST_IO) /* no change is begun, so nothing may look interrupted */
        (void)delete_it(vars);
    return status;
}

enum status journal_variable_write(struct arena *arena, const struct vars_port *vars, uint32_t id,
                                   const struct journal *journal, uint64_t *ret_size)
{
    size_t mark = arena_mark(arena);
    uint32_t interrupted = 0;

    enum status status = find_interrupted(arena, vars, &interrupted);
    if (status == ST_OK && interrupted != 0)
        status = ST_EXISTS;
    if (status == ST_OK)
        status = build_and_put(arena, vars, id, journal, ret_size);
    arena_release(arena, mark);
    return status;
}

enum status journal_variable_mark(const struct vars_port *vars, uint32_t id,
                                  enum journal_state state)
{
    uint8_t data[ROOM];
    size_t size = 0;
    enum status status = read_into(vars, data, &size);

    if (status == ST_OK && ld_le32(data) != id)
        status = ST_ABSENT;
    if (status != ST_OK)
        return status;
    if (state == JOURNAL_UNDONE)
        return delete_it(vars);
    size_t total = size < ID_SIZE + JOURNAL_HEAD_SIZE ? ROOM : ld_le32(data + ID_SIZE + TOTAL_AT);
    if (total > size - ID_SIZE || total > JOURNAL_VARIABLE_MOST)
        return ST_DAMAGED;
    /* One is enough, in the place of the one before: the variable is written as a whole. */
    memcpy(data + ID_SIZE + total, journal_mark(state).at, JOURNAL_MARK_SIZE);
    return write_it(vars, span_of(data, ID_SIZE + total + JOURNAL_MARK_SIZE));
}
