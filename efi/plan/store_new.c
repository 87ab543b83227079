#include "store_new.h"

#include "esp_usable.h"
#include "format/bcd/bcd_make.h"
#include "model/boot_store.h"
#include "plan/new_guid.h"

#define FIRST_WINDOWS_11 22000u /* build */
#define FIRST_WINDOWS_10 10240u

/* `surely`: one that could not be looked into is none. */
static bool has_system(const struct machine *later, size_t partition, bool surely)
{
    for (size_t i = 0; i < later->copy_count; i++) {
        const struct system_copy *copy = &later->copies[i];
        /* The boot manager knows partitions of the table alone: what is a part of one is no place
         * it can be sent to. */
        enum status windows = system_copy_windows(copy);
        if (copy->partition == partition && (windows == ST_OK || (!surely && windows != ST_ABSENT)))
            return copy->pieces <= 1 && copy->lba == later->partitions[partition].first_lba;
    }
    return false;
}

bool store_new_is_possible(const struct store_work *work)
{
    const struct esp *esp = work->esp;

    return work->roles->windows && work->own != NO_INDEX && esp->status == ST_OK &&
           esp_has_manager(work->later, esp) && has_system(work->later, work->own, true);
}

bool store_new_is_due(const struct store_work *work)
{
    bool lacks = work->esp->store_status == ST_ABSENT || esp_store_is_bad(work->esp);

    return lacks && store_new_is_possible(work);
}

/* --- What it is made of ----------------------------------------------------------------------- */

static bool partition_is_here(void *ctx, const struct bcd_partition *partition)
{
    return boot_store_partition(ctx, partition, 0) != NO_INDEX;
}

/* How good the store is to take settings from. */
static int worth_of(const struct store_work *work, const struct store_wishes *wishes,
                    const struct esp *esp)
{
    const struct machine *now = work->plan->machine;
    const struct partition *own = &now->partitions[esp->partition];
    const struct partition *place = &work->later->partitions[work->esp->partition];

    if (!boot_store_is_usable(esp) ||
        (wishes->merges && !boot_store_has_loader(work->plan->arena, esp, &wishes->merged)))
        return 0;
    return 1 + 2 * (esp->store_end == BCD_STARTS) +
           (own->disk == place->disk && own->first_lba == place->first_lba);
}

static struct span old_store(const struct store_work *work, const struct store_wishes *wishes)
{
    const struct machine *now = work->plan->machine;
    struct span found = {NULL, 0};
    int best = 0;

    for (size_t i = 0; i < now->esp_count; i++) {
        int worth = worth_of(work, wishes, &now->esps[i]);
        if (worth > best) {
            best = worth;
            found = now->esps[i].store_file;
        }
    }
    return found;
}

/* The partition of another member's copy; NO_INDEX when there is none. */
static size_t second_system(const struct store_work *work)
{
    for (size_t i = 0; i < work->roles->member_count; i++) {
        size_t partition = store_copy_partition(work->plan, work->later, &work->roles->members[i]);
        if (partition != NO_INDEX && partition != work->own &&
            has_system(work->later, partition, false))
            return partition;
    }
    return NO_INDEX;
}

/* What is known of Windows on the own copy, or on another one of the mirror; NULL when nobody looked
 * at its files. */
static const struct boot_source *source_of_own(const struct store_work *work)
{
    const struct machine *now = work->plan->machine;
    const struct partition *own = &work->later->partitions[work->own];
    const struct boot_source *found = NULL;

    for (size_t i = 0; i < now->source_count; i++) {
        const struct boot_source *source = now->esps[now->esp_count + i].source;
        const struct system_copy *copy = &now->copies[source->copy];
        if (copy->disk == own->disk && copy->lba == own->first_lba)
            return source;
        found = source;
    }
    return found;
}

static void describe_windows(const struct boot_source *source, struct bcd_new *io_wanted)
{
    io_wanted->description = "Windows";
    if (source == NULL)
        return;
    io_wanted->template_file = source->template_file;
    io_wanted->is_server = source->is_server;
    if (source->build >= FIRST_WINDOWS_10)
        io_wanted->description = source->build >= FIRST_WINDOWS_11 ? "Windows 11" : "Windows 10";
    if (source->is_server)
        io_wanted->description = "Windows Server";
    io_wanted->names_system_of_resume = !source->is_server && source->build >= FIRST_WINDOWS_11;
}

/* --- Names of objects ------------------------------------------------------------------------- */

/* What starts Windows from that partition, under names that are the same in every store. */
static void name_objects(const struct machine *later, size_t partition,
                         struct bcd_system *ret_system)
{
    struct identity identity;

    identity_begin_for(&identity, later, &later->partitions[partition].unique);
    ret_system->partition = boot_store_name(later, partition);
    ret_system->loader = identity_guid(&identity);
    ret_system->resume = identity_guid(&identity);
}

/* The object that an element of `object` names first. */
static bool named_by(const struct bcd_store *store, const struct bcd_object *object, uint32_t code,
                     size_t index, struct bcd_object *ret_object)
{
    struct span data;
    struct guid guid;

    return bcd_element(store, object, code, &data) == ST_OK &&
           bcd_guid_at(data, index, &guid) == ST_OK && bcd_find(store, &guid, ret_object) == ST_OK;
}

/* A loader and what resumes it keep their names where the ESP's own store has them, so that a store
 * that is made once more comes out as it is. */
static void keep_names(const struct bcd_store *store, size_t index, struct bcd_system *io_system)
{
    struct bcd_object manager;
    struct bcd_object loader;
    struct bcd_object resume;

    if (bcd_find(store, &bcd_manager, &manager) != ST_OK ||
        !named_by(store, &manager, BCD_DISPLAY_ORDER, index, &loader) ||
        loader.type != BCD_TYPE_LOADER || !named_by(store, &loader, BCD_RESUME_OBJECT, 0, &resume))
        return;
    io_system->loader = loader.guid;
    io_system->resume = resume.guid;
}

/* True when no two objects of the store have one name. */
static bool names_differ(const struct bcd_new *wanted)
{
    const struct guid *names[] = {&wanted->system.loader, &wanted->system.resume,
                                  &wanted->other.loader, &wanted->other.resume};
    size_t count = wanted->has_other ? 4 : 2;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (guid_equal(names[i], names[j]))
                return false;
        }
    }
    return true;
}

/* Names of the store there are kept where that gives each object one of its own: of a store that came
 * from another disk the first name may be what the other copy is called here. */
static void keep_both_names(const struct bcd_store *store, struct bcd_new *io_wanted)
{
    struct bcd_new kept = *io_wanted;

    keep_names(store, 0, &kept.system);
    keep_names(store, 1, &kept.other);
    if (names_differ(&kept))
        *io_wanted = kept;
}

/* Makes it under the names that the store there has; that one stays where it says the same. */
static enum status make_over(const struct store_work *work, struct bcd_new *io_wanted,
                             uint8_t *buffer, struct span *ret_file)
{
    struct arena *arena = work->plan->arena;
    struct bcd_store before;
    struct bcd_store after;
    bool had =
        boot_store_is_usable(work->esp) && bcd_open(arena, work->esp->store_file, &before) == ST_OK;

    if (had)
        keep_both_names(&before, io_wanted);
    enum status status = bcd_make(arena, io_wanted, buffer, BCD_MAKE_BYTES, ret_file);
    if (status == ST_OK && had)
        status = bcd_open(arena, *ret_file, &after);
    if (status == ST_OK && had && bcd_equal(&before, &after))
        *ret_file = span_of(NULL, 0);
    return status;
}

enum status store_new(const struct store_work *work, const struct store_wishes *wishes,
                      const struct date_time *now, struct span *ret_file)
{
    const struct machine *later = work->later;
    struct arena *arena = work->plan->arena;
    uint8_t *buffer = arena_alloc(arena, 1, BCD_MAKE_BYTES);
    size_t other = second_system(work);
    struct bcd_new wanted = {.esp = boot_store_name(later, work->esp->partition),
                             .has_other = other != NO_INDEX,
                             .locale = wishes->locale == NULL ? "en-US" : wishes->locale,
                             .keeps_locale = wishes->locale != NULL,
                             .takes_loader = wishes->merges,
                             .old_loader = wishes->merged,
                             .is_here = partition_is_here,
                             .ctx = work->later,
                             .now = date_filetime(now)};

    if (buffer == NULL)
        return ST_NO_MEMORY;
    if (!wishes->clean)
        wanted.old_file = old_store(work, wishes);
    name_objects(later, work->own, &wanted.system);
    if (wanted.has_other)
        name_objects(later, other, &wanted.other);
    describe_windows(source_of_own(work), &wanted);
    return make_over(work, &wanted, buffer, ret_file);
}
