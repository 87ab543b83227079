#include "disk_word.h"

#include "base/text.h"

/* The disk with that GUID. Statuses: ST_OK; ST_ABSENT or ST_REFUSED, reported. */
static enum status disk_of_guid(struct context *context, const struct guid *guid, size_t *ret_disk)
{
    const struct machine *machine = &context->machine;
    char text[GUID_TEXT_SIZE];
    size_t count = 0;

    guid_format(guid, text);
    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *disk = &machine->disks[i];
        if (disk->style != DISK_GPT || !guid_equal(&disk->guid, guid))
            continue;
        *ret_disk = i;
        count++;
    }
    if (count == 1)
        return ST_OK;
    if (count == 0)
        return report(context, ST_ABSENT,
                      "No disk has the GUID %s. \"shadowboot disks\" lists them. Nothing was "
                      "changed.",
                      text);
    return report(context, ST_REFUSED,
                  "%zu disks have the GUID %s. Name the one you mean by its number. Nothing was "
                  "changed.",
                  count, text);
}

enum status disk_word(struct context *context, const char *word, size_t *ret_disk)
{
    size_t count = context->machine.disk_count;
    uint64_t number = 0;
    struct guid guid;

    if (text_parse_number(word, 10, &number) == ST_OK) {
        if (number >= count)
            return report(context, ST_ABSENT,
                          "There is no Disk %llu. This machine has %zu: \"shadowboot disks\" lists "
                          "them. Nothing was changed.",
                          (unsigned long long)number, count);
        *ret_disk = (size_t)number;
        return ST_OK;
    }
    if (guid_parse(word, &guid) == ST_OK)
        return disk_of_guid(context, &guid, ret_disk);
    return report(
        context, ST_USAGE,
        "A disk is named by its number, such as 1, or its GUID; \"shadowboot disks\" lists "
        "them. Nothing was changed.");
}
