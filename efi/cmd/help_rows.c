#include "help.h"

#include "rows.h"

#define TABLE_COLUMN  19 /* where the columns of a table are named */
#define MEMBER_COLUMN 18

/* Names of one form with what they can be, ", " between: what a row's line in the reference is. */
static const char *join_fields(struct arena *arena, const struct row_kind *kind, bool tables)
{
    const char *text = "";

    for (const struct row_field *field = kind->fields;
         (field->column != NULL || field->member != NULL) && text != NULL; field++) {
        const char *name = tables ? field->column : field->member;
        const char *words = row_value_words((enum row_value)field->value);
        bool listed = words != NULL;
        if (name != NULL)
            text = arena_printf(arena, "%s%s%s%s%s%s", text, text[0] == '\0' ? "" : ", ", name,
                                listed ? " (" : "", listed ? words : "", listed ? ")" : "");
    }
    return text;
}

/* One row's line, or lines. */
static void show_kind(struct context *context, const struct row_kind *kind, bool tables)
{
    const char *note = tables ? kind->table_note : kind->member_note;
    size_t mark = arena_mark(context->arena);
    const char *text = join_fields(context->arena, kind, tables);

    if (text != NULL && note != NULL)
        text = arena_printf(context->arena, "%s; %s", text, note);
    help_wrapped(context, tables ? TABLE_COLUMN : MEMBER_COLUMN, text == NULL ? "" : text);
    arena_release(context->arena, mark);
}

void help_tables(struct context *context)
{
    help_wrapped(context, 0,
                 "Under -sfo commands print tables for scripts (standard-format output, as the "
                 "UEFI Shell's own commands do). The first line names the program, each further "
                 "line is a row: the table's name, then values in quotes; ^\" stands for a quote "
                 "inside a value, and ^^ for a ^. A value that is not known is empty.\n"
                 "The tables and their columns, from column 2 on:\n");
    for (int row = 0; row < ROW_COUNT; row++) {
        const struct row_kind *kind = row_kind((enum row)row);
        if (kind->table == NULL)
            continue;
        say(context, "  %-*s", TABLE_COLUMN - 2, kind->table);
        show_kind(context, kind, true);
    }
}

void help_report(struct context *context)
{
    help_wrapped(context, 0,
                 "shadowboot status -json FILE writes one JSON object to a new file, on the volume "
                 "the Shell is in unless FILE names another. Numbers are decimal, GUIDs texts "
                 "without braces, null where nothing is known. Members may be added; reportVersion "
                 "grows when one changes its meaning.\n"
                 "The members of its objects; [] is a list of them, and indented is what lies "
                 "inside the one above:\n");
    for (int row = 0; row < ROW_COUNT; row++) {
        const struct row_kind *kind = row_kind((enum row)row);
        if (kind->member == NULL)
            continue;
        const char *own = kind->member[0] == '\0' ? "(report)" : kind->member;
        const char *name = arena_printf(context->arena, "%*s%s%s", (int)(2 * kind->depth), "", own,
                                        kind->is_list ? "[]" : "");
        say(context, "  %-*s", MEMBER_COLUMN - 2, name == NULL ? "" : name);
        show_kind(context, kind, false);
    }
}
