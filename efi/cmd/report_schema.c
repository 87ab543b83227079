#include "cmd/report_schema.h"

#include "schema_values.h"

#define MEMBERS_MAX 32

struct schema {
    struct json json;
    struct arena *arena;
    enum status status; /* the first that was not ST_OK */
};

/* --- A value ----------------------------------------------------------------------------------- */

static void schema_put_words(struct schema *schema, enum row_value value, bool or_null)
{
    struct schema_words words;
    enum status status = schema_words_of(schema->arena, value, &words);

    if (schema->status == ST_OK)
        schema->status = status;
    json_open_array(&schema->json, "enum");
    for (size_t i = 0; i < words.count; i++)
        json_text(&schema->json, NULL, words.at[i]);
    if (or_null)
        json_null(&schema->json, NULL);
    json_close_array(&schema->json);
}

static void schema_put_states(struct json *json)
{
    unsigned state = 0;

    json_open_array(json, "enum");
    for (unsigned i = 0; schema_state_at(i, &state); i++)
        json_number(json, NULL, state);
    json_close_array(json);
}

static void schema_put_type(struct json *json, enum schema_form form, bool or_null)
{
    static const char *const types[] = {
        [SCHEMA_TEXT] = "string",   [SCHEMA_WORDS] = "string", [SCHEMA_NUMBER] = "integer",
        [SCHEMA_STATE] = "integer", [SCHEMA_BOOL] = "boolean",
    };

    if (!or_null) {
        json_text(json, "type", types[form]);
        return;
    }
    json_open_array(json, "type");
    json_text(json, NULL, types[form]);
    json_text(json, NULL, "null");
    json_close_array(json);
}

static void schema_put_field(struct schema *schema, const struct row_field *field)
{
    enum row_value value = (enum row_value)field->value;
    const struct schema_value kind = schema_value_of(value);
    struct json *json = &schema->json;
    bool or_null = field->presence == OR_NULL;

    json_open_object(json, field->member);
    if (row_value_words(value) != NULL)
        json_text(json, "description", row_value_words(value));
    schema_put_type(json, kind.form, or_null);
    if (kind.form == SCHEMA_WORDS)
        schema_put_words(schema, value, or_null);
    else if (kind.form == SCHEMA_STATE)
        schema_put_states(json);
    if (kind.form == SCHEMA_NUMBER) {
        json_number(json, "minimum", kind.least);
        json_number(json, "maximum", kind.most);
    }
    if (kind.pattern != NULL)
        json_text(json, "pattern", kind.pattern);
    json_close_object(json);
}

/* --- An object --------------------------------------------------------------------------------- */

/* Members of an object, one after the other: its fields, then the kinds inside it. */
struct own_member {
    const char *name;
    enum row_presence presence;
};

static size_t members_of(unsigned row, struct own_member *ret_members);
static void schema_put_object(struct schema *schema, unsigned row);

/* The kind behind `row` that lies right inside `parent`, ROW_COUNT behind the last one. */
static unsigned next_inside(unsigned parent, unsigned row)
{
    bool in_report = parent == ROW_REPORT;
    unsigned depth = in_report ? 0 : row_kind((enum row)parent)->depth + 1;

    for (row++; row < ROW_COUNT; row++) {
        const struct row_kind *kind = row_kind((enum row)row);
        if (kind->member == NULL)
            continue;
        if (!in_report && kind->depth < depth)
            return ROW_COUNT;
        if (kind->depth == depth)
            return row;
    }
    return ROW_COUNT;
}

static size_t members_of(unsigned row, struct own_member *ret_members)
{
    size_t count = 0;

    for (const struct row_field *field = row_kind((enum row)row)->fields;
         field->column != NULL || field->member != NULL; field++) {
        if (field->member != NULL)
            ret_members[count++] =
                (struct own_member){field->member, (enum row_presence)field->presence};
    }
    for (unsigned in = next_inside(row, row); in < ROW_COUNT; in = next_inside(row, in)) {
        const struct row_kind *kind = row_kind((enum row)in);
        ret_members[count++] = (struct own_member){kind->member, (enum row_presence)kind->presence};
    }
    return count;
}

/* The names of those members but `own`. */
static void schema_put_names(struct json *json, const char *key, const struct own_member *members,
                             size_t count, bool missing, enum row_presence group, const char *own)
{
    json_open_array(json, key);
    for (size_t i = 0; i < count; i++) {
        bool may_miss = members[i].presence >= OR_MISSING;
        bool wanted = missing ? members[i].presence == group && members[i].name != own : !may_miss;
        if (wanted)
            json_text(json, NULL, members[i].name);
    }
    json_close_array(json);
}

static size_t count_of_group(const struct own_member *members, size_t count,
                             enum row_presence group)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += members[i].presence == group;
    return found;
}

/* Those that may be missing, with what is there when they are. */
static void schema_put_groups(struct json *json, const struct own_member *members, size_t count)
{
    json_open_object(json, "dependentRequired");
    for (size_t i = 0; i < count; i++) {
        enum row_presence group = members[i].presence;
        if (group >= OR_MISSING && count_of_group(members, count, group) > 1)
            schema_put_names(json, members[i].name, members, count, true, group, members[i].name);
    }
    json_close_object(json);
}

static void schema_put_inside(struct schema *schema, unsigned row)
{
    const struct row_kind *kind = row_kind((enum row)row);
    struct json *json = &schema->json;

    json_open_object(json, kind->member);
    if (kind->is_list) {
        json_text(json, "type", "array");
        json_open_object(json, "items");
    }
    schema_put_object(schema, row);
    if (kind->is_list)
        json_close_object(json);
    json_close_object(json);
}

static void schema_put_object(struct schema *schema, unsigned row)
{
    const struct row_kind *kind = row_kind((enum row)row);
    struct json *json = &schema->json;
    struct own_member members[MEMBERS_MAX];
    size_t count = members_of(row, members);

    if (kind->member_note != NULL)
        json_text(json, "description", kind->member_note);
    json_text(json, "type", "object");
    json_bool(json, "additionalProperties", false);
    schema_put_names(json, "required", members, count, false, ALWAYS, NULL);
    schema_put_groups(json, members, count);
    json_open_object(json, "properties");
    for (const struct row_field *field = kind->fields;
         field->column != NULL || field->member != NULL; field++) {
        if (field->member != NULL)
            schema_put_field(schema, field);
    }
    for (unsigned in = next_inside(row, row); in < ROW_COUNT; in = next_inside(row, in))
        schema_put_inside(schema, in);
    json_close_object(json);
}

enum status report_schema(struct arena *arena, struct sink sink)
{
    struct schema schema = {.arena = arena, .status = ST_OK};
    struct json *json = &schema.json;

    json_start(json, sink);
    json_open_object(json, NULL);
    json_text(json, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_text(json, "title", "The report of shadowboot " SHADOWBOOT_VERSION);
    schema_put_object(&schema, ROW_REPORT);
    json_close_object(json);
    json_finish(json);
    return schema.status;
}
