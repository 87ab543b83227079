#include "plan/clone.h"

#include "audit/audit.h"
#include "audit/installed.h"
#include "base/text.h"
#include "model/boot_name.h"
#include "model/firmware_entry.h"
#include "plan/place.h"

/* This program's own entries are `install`'s, which brings their file as well. */
static bool is_selected(struct plan *plan, size_t index, const struct guid *source)
{
    const struct entry *entry = &plan->machine->entries[index];

    if (!entry_mentions_guid(entry, source) || entry_is_firmwares(entry))
        return false;
    const char *own = installed_path(plan->arena, plan->machine);
    return own == NULL || !installed_entry_is_own(entry, own);
}

static bool boots_from(const struct entry *entry, const struct guid *source)
{
    return entry->status == ST_OK && devpath_mentions_guid(entry->option.paths, source);
}

/* Says what the copy of the optional data could not make right. */
static void warn_of_optional(struct plan *plan, const struct entry *entry,
                             const struct clone_pair *pair)
{
    if (entry->optional_kind == OPTIONAL_WINDOWS_BROKEN)
        plan_warn(plan, "Boot%04X: its Windows data is malformed and is copied as it is.",
                  entry->number);
    bool named = optional_data_mentions_guid_text(entry->option.optional, &pair->source);
    if (entry->optional_kind == OPTIONAL_OTHER && named)
        plan_warn(plan,
                  "Boot%04X: its optional data names the source partition as text. It is copied as "
                  "it is; check whether the system it starts needs the source disk.",
                  entry->number);
}

/* The clone's name: the original's, that with the disk or the request's behind it, or the request's
 * alone. */
static enum status clone_description(struct plan *plan, const struct entry *entry,
                                     const struct clone_pair *pair, struct span *ret_text)
{
    const struct clone_request *request = pair->request;
    struct span own = entry->option.description;
    struct arena *arena = plan->arena;
    struct span given;
    struct builder builder;

    if (request->description == NULL && request->disk_in_name)
        return boot_description_on_disk(arena, own, plan->machine->partitions[pair->target].disk,
                                        ret_text);
    if (request->description == NULL) {
        *ret_text = own;
        return ST_OK;
    }
    enum status status = text_to_ucs2(arena, request->description, &given);
    if (status != ST_OK)
        return status;
    if (!request->append) {
        *ret_text = given;
        return ST_OK;
    }
    builder_in_arena(&builder, arena, own.size + given.size);
    builder_bytes(&builder, span_part(own, 0, own.size - 2));
    builder_le16(&builder, ' ');
    builder_bytes(&builder, given);
    *ret_text = builder_span(&builder);
    return builder.failed ? ST_NO_MEMORY : ST_OK;
}

static enum status clone_value(struct plan *plan, const struct entry *entry,
                               const struct clone_pair *pair, struct span *ret_value)
{
    struct load_option clone;

    enum status status = retarget_option(plan->arena, &entry->option, &pair->how, &clone);
    if (status == ST_OK)
        status = clone_description(plan, entry, pair, &clone.description);
    if (status != ST_OK)
        return status;
    if (pair->activate)
        clone.attributes |= LOAD_OPTION_ACTIVE;
    status = load_option_build(plan->arena, &clone, ret_value);
    if (status == ST_REFUSED)
        return plan_refuse(plan, status,
                           "The clone of Boot%04X would be longer than a boot entry can be.",
                           entry->number);
    return status;
}

enum status clone_entry(struct boot_edit *edit, const struct clone_pair *pair, size_t index,
                        size_t position)
{
    struct plan *plan = edit->plan;
    const struct machine *machine = plan->machine;
    const struct entry *entry = &machine->entries[index];
    enum devpath_form form = DEVPATH_FORM_EMPTY;
    struct span value;
    struct load_option clone;
    size_t equal = NO_INDEX;

    enum status status = clone_value(plan, entry, pair, &value);
    if (status == ST_OK)
        status = load_option_parse(value, &clone);
    if (status != ST_OK)
        return status;
    if (pair->request->form != PATH_KEEP)
        form = devpath_form_of(clone.path);
    status = place_find_equal(plan, value, form, &equal);
    if (status == ST_OK) {
        (void)edit_adopt(edit, equal, position);
        return ST_OK;
    }
    if (status != ST_ABSENT)
        return status;
    if (place_is_planned(plan, value))
        return ST_OK;
    warn_of_optional(plan, entry, pair);
    const char *detail =
        arena_printf(plan->arena, "\"%s\" from Boot%04X, to start from %s",
                     text_shown_from_ucs2(plan->arena, clone.description), entry->number,
                     place_text(plan->arena, machine, pair->target));
    return edit_create(edit, value, position, detail, index, NULL);
}

/* An ESP takes the place of an ESP, data that of data: anything else is a mistyped GUID. */
static enum status check_kinds(struct plan *plan, const struct clone_pair *pair)
{
    const struct machine *machine = plan->machine;
    const struct partition *target = &machine->partitions[pair->target];
    size_t source = machine_find_partition(machine, &pair->source, NULL);
    bool want_esp = false;

    for (size_t i = 0; i < machine->entry_count; i++)
        want_esp |= boots_from(&machine->entries[i], &pair->source);
    if (source != NO_INDEX)
        want_esp = machine->partitions[source].kind == PT_ESP;
    if (want_esp == (target->kind == PT_ESP))
        return ST_OK;
    return plan_refuse(
        plan, ST_REFUSED,
        "%s is of type \"%s\", and the source is %s EFI system partition. Check both "
        "GUIDs with \"shadowboot disks\".",
        place_text(plan->arena, machine, pair->target), partition_type_name(target->kind),
        want_esp ? "an" : "not an");
}

static enum status check_clone_source(struct plan *plan, const struct guid *source,
                                      size_t *ret_selected)
{
    const struct machine *machine = plan->machine;
    char text[GUID_TEXT_SIZE];
    size_t selected = 0;

    for (size_t i = 0; i < machine->entry_count; i++)
        selected += is_selected(plan, i, source);
    *ret_selected = selected;
    if (selected > 0)
        return ST_OK;
    guid_format(source, text);
    if (machine_find_partition(machine, source, NULL) == NO_INDEX)
        return plan_refuse(
            plan, ST_ABSENT,
            "The source GUID %s is unknown: no disk has such a partition and no boot "
            "entry names it. \"shadowboot entries\" lists the entries.",
            text);
    return plan_refuse(plan, ST_ABSENT,
                       "No boot entry refers to the source %s, those of the firmware's and of "
                       "shadowboot's own left aside, so there is nothing to clone. \"shadowboot "
                       "entries\" lists the entries.",
                       text);
}

enum status clone_begin(struct plan *plan, const struct clone_request *request,
                        struct clone_pair *ret_pair)
{
    struct clone_pair pair = {.request = request, .source = request->source};

    enum status status = place_find(plan, &request->target, &pair.target);
    if (status == ST_OK)
        status = check_clone_source(plan, &pair.source, &pair.selected);
    if (status == ST_OK)
        status = check_kinds(plan, &pair);
    if (status != ST_OK)
        return status;
    pair.how = retarget_to(plan->machine, &pair.source, pair.target, request->form);
    *ret_pair = pair;
    return ST_OK;
}

static enum status clone_all(struct plan *plan, const struct clone_request *request)
{
    struct clone_pair pair;
    struct boot_edit edit;

    if (guid_equal(&request->source, &request->target))
        return plan_refuse(plan, ST_USAGE,
                           "Source and target are the same partition. Give the GUID of the other "
                           "disk's EFI system partition as target.");
    enum status status = clone_begin(plan, request, &pair);
    if (status == ST_OK)
        status = edit_begin(plan, pair.selected, &edit);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < plan->machine->entry_count && status == ST_OK; i++) {
        if (is_selected(plan, i, &pair.source))
            status = clone_entry(&edit, &pair, i, ORDER_END);
    }
    return status == ST_OK ? edit_finish(&edit) : status;
}

static struct clone_request between(const struct clone_request *request, const struct guid *source,
                                    const struct guid *target)
{
    struct clone_request pair = *request;

    pair.has_source = true;
    pair.has_target = true;
    pair.source = *source;
    pair.target = *target;
    return pair;
}

/* The ways to understand a machine for which no source or no target was given. */
struct choices {
    struct plan *plan;
    const struct clone_request *request;
    size_t pairs;       /* pairs there are */
    size_t useful;      /* pairs that would make at least one new entry */
    size_t done;        /* pairs for which nothing is missing */
    struct guid source; /* of the last useful pair; while there is none, of one that failed */
    struct guid target;
    struct text_buffer text; /* the useful pairs as commands */
};

static const char *const form_words[] = {
    [PATH_KEEP] = "",
    [PATH_SHORT] = " -short",
    [PATH_FULL] = " -full",
};

/* Notes the pair, and whether it would lead to anything. The trial's memory is given back. */
static void consider_pair(struct choices *choices, const struct guid *source,
                          const struct guid *target)
{
    struct arena *arena = choices->plan->arena;
    size_t mark = arena_mark(arena);
    struct plan trial;
    char source_text[GUID_TEXT_SIZE];
    char target_text[GUID_TEXT_SIZE];

    if (guid_equal(source, target))
        return;
    choices->pairs++;
    plan_init(&trial, arena, choices->plan->machine);
    struct clone_request pair = between(choices->request, source, target);
    enum status status = clone_all(&trial, &pair);
    bool useful = status == ST_OK && trial.count > 0;
    arena_release(arena, mark);
    choices->useful += useful;
    choices->done += status == ST_OK && !useful;
    if (useful || (choices->useful == 0 && status != ST_OK)) {
        choices->source = *source;
        choices->target = *target;
    }
    if (!useful)
        return;
    guid_format(source, source_text);
    guid_format(target, target_text);
    text_buffer_printf(&choices->text, "\n  shadowboot clone -sg %s -tg %s%s", source_text,
                       target_text, form_words[choices->request->form]);
}

static void consider_source(struct choices *choices, const struct guid *source)
{
    const struct machine *machine = choices->plan->machine;

    if (choices->request->has_target) {
        consider_pair(choices, source, &choices->request->target);
        return;
    }
    for (size_t i = 0; i < machine->partition_count; i++) {
        if (place_is_fixed_esp(machine, i))
            consider_pair(choices, source, &machine->partitions[i].unique);
    }
}

/* The GUID an entry starts from, when that can be the source of a mirror: an ESP of a fixed disk,
 * or of a disk that is gone. */
static bool source_of_entry(const struct machine *machine, const struct entry *entry,
                            struct guid *ret_guid)
{
    const struct target *boot = &entry->boot;

    if (entry->status != ST_OK || !boot->has_hd || boot->hd.signature_type != HD_SIGNATURE_GUID)
        return false;
    if (boot->partition != NO_INDEX && !place_is_fixed_esp(machine, boot->partition))
        return false;
    *ret_guid = guid_load(boot->hd.signature);
    return true;
}

static bool named_before(const struct machine *machine, size_t entry, const struct guid *guid)
{
    struct guid other;

    for (size_t i = 0; i < entry; i++) {
        if (source_of_entry(machine, &machine->entries[i], &other) && guid_equal(&other, guid))
            return true;
    }
    return false;
}

static void consider_all(struct choices *choices)
{
    const struct machine *machine = choices->plan->machine;
    struct guid guid;

    if (choices->request->has_source) {
        consider_source(choices, &choices->request->source);
        return;
    }
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (source_of_entry(machine, &machine->entries[i], &guid) &&
            !named_before(machine, i, &guid))
            consider_source(choices, &guid);
    }
}

static enum status choose_pair(struct plan *plan, const struct clone_request *request)
{
    char *text = arena_alloc(plan->arena, 1, 8192);
    struct choices choices = {.plan = plan, .request = request};

    if (text == NULL)
        return ST_NO_MEMORY;
    text_buffer_init(&choices.text, text, 8192);
    consider_all(&choices);
    bool only_failures = choices.pairs > 0 && choices.useful == 0 && choices.done == 0;
    if (choices.useful == 1 || only_failures) {
        struct clone_request pair = between(request, &choices.source, &choices.target);
        return clone_all(plan, &pair);
    }
    if (choices.useful > 1)
        return plan_refuse_plainly(plan, ST_REFUSED,
                                   "There are %zu ways to understand this machine. Choose one:%s",
                                   choices.useful, text);
    if (choices.pairs > 0)
        return ST_OK;
    return plan_refuse(plan, ST_ABSENT,
                       "There is no pair of EFI system partitions to clone between: one that boot "
                       "entries name, and another on a fixed disk. \"shadowboot disks\" and "
                       "\"shadowboot entries\" show what there is.");
}

enum status plan_clone(struct plan *plan, const struct clone_request *request)
{
    if (request->has_source && request->has_target)
        return clone_all(plan, request);
    return choose_pair(plan, request);
}
