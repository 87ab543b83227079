#include "store_mend.h"

#include "base/mem.h"
#include "format/bcd/bcd_edit.h"

#define TIME_AT    12u /* of a hive: when it was written last; it stays unless a log goes by it */
#define SPARE      4096u
#define GUID_UNITS 39u /* "{8-4-4-4-12}" and the closing NUL */

/* What is changed next. */
struct step {
    struct guid object;
    uint32_t code;
    struct span data; /* empty: the element goes */
    bool ends_order;  /* for the next start */
};

static void put_object_name(const struct guid *guid, uint8_t *to)
{
    char text[GUID_TEXT_SIZE];

    guid_format(guid, text);
    for (size_t i = 0; i < GUID_UNITS; i++)
        st_le16(to + 2 * i, (uint8_t)text[i]);
}

/* The objects of a list that are there, as a list; empty when there are none. */
static enum status without_gone(struct arena *arena, const struct bcd_store *store,
                                struct span data, struct span *ret_data)
{
    uint8_t *list = arena_alloc(arena, 1, data.size + 2 * (size_t)GUID_UNITS + 2);
    struct bcd_object object;
    struct guid guid;
    size_t size = 0;

    if (list == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; bcd_guid_at(data, i, &guid) == ST_OK; i++) {
        if (bcd_find(store, &guid, &object) == ST_ABSENT || size + 2 * GUID_UNITS > data.size)
            continue;
        put_object_name(&guid, list + size);
        size += 2 * (size_t)GUID_UNITS;
    }
    st_le16(list + size, 0);
    *ret_data = span_of(list, size == 0 ? 0 : size + 2);
    return ST_OK;
}

/* What becomes of an element that names what is not there. */
static enum status step_for(struct arena *arena, const struct bcd_store *store,
                            const struct bcd_element *element, struct step *io_step)
{
    struct bcd_choice choice;

    io_step->code = element->code;
    io_step->data = span_of(NULL, 0);
    io_step->ends_order = false;
    if (bcd_format(element->code) == BCD_FORMAT_LIST)
        return without_gone(arena, store, element->data, &io_step->data);
    if (element->code != BCD_DEFAULT || !guid_equal(&io_step->object, &bcd_manager) ||
        bcd_choose(store, &bcd_manager, &choice) != BCD_STARTS || choice.once)
        return ST_OK;
    uint8_t *text = arena_alloc(arena, 2, GUID_UNITS);
    if (text == NULL)
        return ST_NO_MEMORY;
    put_object_name(&choice.loader.guid, text);
    io_step->data = span_of(text, 2 * (size_t)GUID_UNITS);
    return ST_OK;
}

/* The first element that names what is not there. ST_ABSENT: none does. */
static enum status find_dangling(struct arena *arena, const struct bcd_store *store,
                                 struct step *ret_step)
{
    size_t objects = bcd_object_count(store);
    struct bcd_element element;
    struct bcd_object object;

    for (size_t i = 0; i < objects; i++) {
        if (bcd_object_at(store, i, &object) != ST_OK)
            continue;
        for (size_t j = 0; bcd_element_at(store, &object, j, &element) == ST_OK; j++) {
            if (!bcd_is_reference(element.code) || bcd_count_gone(store, element.data) == 0)
                continue;
            ret_step->object = object.guid;
            return step_for(arena, store, &element, ret_step);
        }
    }
    return ST_ABSENT;
}

/* An order for the next start that would start this system from elsewhere, or from nowhere. */
static enum status find_order(const struct store_work *work, const struct bcd_store *store,
                              struct step *ret_step)
{
    struct bcd_choice choice;

    if (bcd_choose(store, &bcd_manager, &choice) != BCD_STARTS || !choice.once ||
        !store_choice_is_elsewhere(work, &choice))
        return ST_ABSENT;
    *ret_step = (struct step){bcd_manager, BCD_BOOT_SEQUENCE, span_of(NULL, 0), true};
    return ST_OK;
}

static enum status next_step(const struct store_work *work, const struct bcd_store *store,
                             struct step *ret_step)
{
    enum status status = find_order(work, store, ret_step);

    return status == ST_ABSENT ? find_dangling(work->plan->arena, store, ret_step) : status;
}

static enum status edit_step(struct bcd_edit *edit, const struct step *step)
{
    return step->data.size == 0 ? bcd_edit_unset(edit, &step->object, step->code)
                                : bcd_edit_set(edit, &step->object, step->code, step->data);
}

/* Carries out one step after the other. ST_ABSENT, ST_DAMAGED and so on: the store cannot be
 * edited. */
static enum status edit_all(struct store_work *work, uint8_t *bytes, size_t size, size_t capacity,
                            struct span *ret_file)
{
    struct bcd_edit edit;
    struct step step;
    bool dirty = work->esp->store == REGF_DIRTY;
    bool ends_order = false;
    bool mended = false;

    enum status status = bcd_edit_open(work->plan->arena, bytes, size, capacity,
                                       ld_le64(bytes + TIME_AT) + dirty, &edit);
    while (status == ST_OK) {
        status = next_step(work, &edit.store, &step);
        if (status == ST_OK)
            status = edit_step(&edit, &step);
        if (status != ST_OK)
            continue;
        mended = true;
        ends_order |= step.ends_order;
    }
    if (status != ST_ABSENT)
        return status;
    *ret_file = regf_edit_finish(&edit.hive);
    work->mended = mended;
    work->completed = dirty;
    work->ends_order = ends_order;
    return ST_OK;
}

enum status store_mend(struct store_work *work, struct span *io_file)
{
    struct arena *arena = work->plan->arena;
    struct bcd_store store;
    struct step step;

    work->mended = false;
    work->completed = false;
    work->ends_order = false;
    if (bcd_open(arena, *io_file, &store) != ST_OK)
        return ST_OK;
    enum status status = next_step(work, &store, &step);
    if (status == ST_ABSENT && work->esp->store == REGF_GOOD)
        return ST_OK;
    if (status == ST_NO_MEMORY)
        return status;
    size_t capacity = io_file->size + SPARE;
    uint8_t *bytes = arena_alloc(arena, 1, capacity);
    if (bytes == NULL)
        return ST_NO_MEMORY;
    memcpy(bytes, io_file->at, io_file->size);
    status = edit_all(work, bytes, io_file->size, capacity, io_file);
    return status == ST_NO_MEMORY ? status : ST_OK;
}
