#include "model/secure_boot.h"

#include "model/scan_vars.h"

static const struct guid security_vendor =
    GUID_INIT(0xd719b2cb, 0x3d3a, 0x4596, 0xa3bc, 0xdad00e67656f);
static const struct guid shim_vendor =
    GUID_INIT(0x605dab50, 0xe046, 0x4300, 0xabb6, 0x3dd810dd8b23);

#define POLICY_LATEST 1u

/* PK and KEK are of the global vendor, the others of one for what they are about. */
static const char *const names[SECURE_LIST_COUNT] = {"PK", "KEK", "db", "dbx", "dbt"};

const char *secure_list_name(enum secure_list_id id)
{
    return names[id];
}

static enum status read_secure_value(struct arena *arena, const struct vars_port *vars,
                                     const struct guid *vendor, const char *name,
                                     struct span *ret_value)
{
    uint32_t attributes = 0;
    uint64_t claimed = 0;

    return scan_variable(arena, vars, vendor, name, &attributes, ret_value, &claimed);
}

/* Counts the entry, and keeps the highest number where it is one. */
static void count_signature(struct secure_list *list, const struct signature *signature)
{
    enum svn_program program = SVN_PROGRAM_COUNT;
    uint32_t svn = 0;

    if (!signature_is_svn(signature, &program, &svn)) {
        list->counts[signature->kind]++;
        return;
    }
    list->svn_count++;
    if (program != SVN_PROGRAM_COUNT && svn > list->svns[program])
        list->svns[program] = svn;
}

static enum status read_certificates(struct arena *arena, struct secure_list *list)
{
    struct signature_walk walk = signature_walk_start(list->lists);
    struct signature signature;

    list->certificates =
        arena_alloc(arena, list->counts[SIGNATURE_CERTIFICATE], sizeof(*list->certificates));
    if (list->certificates == NULL)
        return ST_NO_MEMORY;
    while (signature_next(&walk, &signature) == ST_OK) {
        if (signature.kind != SIGNATURE_CERTIFICATE)
            continue;
        struct certificate *own = &list->certificates[list->certificate_count++];
        if (certificate_parse(signature.data, own) != ST_OK)
            own->digest = sha256_of(signature.data);
    }
    return ST_OK;
}

static enum status read_list(struct arena *arena, const struct vars_port *vars,
                             enum secure_list_id id, struct secure_list *ret_list)
{
    const struct guid *vendor = id >= SECURE_DB ? &security_vendor : NULL;
    struct secure_list list = {.certificates = NULL};
    struct signature signature;

    list.status = read_secure_value(arena, vars, vendor, names[id], &list.lists);
    if (list.status == ST_OK) {
        struct signature_walk walk = signature_walk_start(list.lists);
        enum status status = ST_OK;
        while ((status = signature_next(&walk, &signature)) == ST_OK)
            count_signature(&list, &signature);
        if (status != ST_ABSENT)
            list.status = ST_DAMAGED;
    }
    enum status status = list.status;
    if (status != ST_NO_MEMORY)
        status = read_certificates(arena, &list);
    *ret_list = list;
    return status;
}

/* A variable of one byte, 0 or 1. */
static enum status read_flag(struct arena *arena, const struct vars_port *vars, const char *name,
                             bool *ret_flag)
{
    struct span value = span_of(NULL, 0);
    enum status status = read_secure_value(arena, vars, NULL, name, &value);

    if (status != ST_OK)
        return status;
    *ret_flag = value.size == 1 && value.at[0] == 1;
    return value.size == 1 ? ST_OK : ST_DAMAGED;
}

enum status secure_boot_read(struct arena *arena, const struct vars_port *vars,
                             struct secure_boot *ret_state)
{
    struct secure_boot state = {.asked = true, .levels = span_of(NULL, 0)};
    enum status status = ST_OK;

    state.status = read_flag(arena, vars, "SecureBoot", &state.on);
    if (state.status == ST_OK)
        status = read_flag(arena, vars, "SetupMode", &state.setup);
    for (int i = 0; i < SECURE_LIST_COUNT && state.status == ST_OK && status != ST_NO_MEMORY; i++)
        status = read_list(arena, vars, (enum secure_list_id)i, &state.lists[i]);
    /* What shim goes by; SbatLevelRT is a copy of it for operating systems. */
    if (state.status == ST_OK && status != ST_NO_MEMORY)
        status = read_secure_value(arena, vars, &shim_vendor, "SbatLevel", &state.levels);
    struct span policy = span_of(NULL, 0);
    if (state.status == ST_OK && status != ST_NO_MEMORY)
        status = read_secure_value(arena, vars, &shim_vendor, "SbatPolicy", &policy);
    state.latest_levels = status == ST_OK && policy.size == 1 && policy.at[0] == POLICY_LATEST;
    if (state.status == ST_NO_MEMORY || status == ST_NO_MEMORY)
        return ST_NO_MEMORY;
    *ret_state = state;
    return ST_OK;
}

bool secure_boot_looks_up(const struct secure_boot *state)
{
    return state->lists[SECURE_DB].counts[SIGNATURE_SHA256] +
               state->lists[SECURE_DBX].counts[SIGNATURE_SHA256] >
           0;
}
