#include "plan/install.h"

#include "cmd/command.h"
#include "disk_word.h"
#include "format/pe.h"
#include "mend.h"
#include "run.h"

#define IMAGE_MOST (16u << 20) /* bytes */

/* Reads the file that this program came from, and makes sure that it is this program. Statuses:
 * ST_OK; ST_ABSENT, ST_DAMAGED, ST_IO, ST_NO_MEMORY, reported. */
static enum status read_own_file(struct context *context, struct install_request *io_request)
{
    const struct files_port *files = &context->ports->files;
    const char *path = context->ports->start.program;
    struct pe_check *check = arena_alloc(context->arena, 1, sizeof(*check));
    struct file_info info = {.size = 0};
    size_t got = 0;

    if (files->self >= files->volume_count || path[0] == '\0')
        return report(context, ST_ABSENT,
                      "The file that shadowboot was started from is on no file system that is seen "
                      "from here. Start it from a stick. Nothing was changed.");
    enum status status = files->stat(files->ctx, files->self, path, &info);
    uint8_t *image = status == ST_OK && info.size <= IMAGE_MOST
                         ? arena_alloc(context->arena, 1, (size_t)info.size)
                         : NULL;
    if (check == NULL || (status == ST_OK && image == NULL))
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    if (status == ST_OK)
        status = files->read(files->ctx, files->self, path, 0, image, (size_t)info.size, &got);
    if (status != ST_OK)
        return report(context, status,
                      "%s, which shadowboot was started from, cannot be read: %s. Nothing was "
                      "changed.",
                      path, status_text(status));
    pe_check_start(check, got, context->machine.architecture, false);
    pe_check_feed(check, span_of(image, got));
    if (pe_check_finish(check) != PE_GOOD || pe_check_mark(check) != PE_MARK_SHADOWBOOT)
        return report(context, ST_DAMAGED,
                      "%s, which shadowboot was started from, is damaged or another program by "
                      "now. Nothing was changed.",
                      path);
    io_request->image = span_of(image, got);
    io_request->version = pe_check_version(check);
    return ST_OK;
}

/* The ESP that a word means: a partition's GUID, or the disk whose ESP counts. */
static enum status esp_word(struct context *context, const char *word, size_t *ret_esp)
{
    const struct machine *machine = &context->machine;
    size_t disk = NO_INDEX;
    struct guid guid;

    if (guid_parse(word, &guid) == ST_OK) {
        size_t partition = machine_find_partition(machine, &guid, NULL);
        *ret_esp = partition == NO_INDEX ? NO_INDEX : machine_find_esp(machine, partition);
        if (*ret_esp != NO_INDEX)
            return ST_OK;
    }
    enum status status = disk_word(context, word, &disk);
    if (status != ST_OK)
        return status;
    *ret_esp = roles_esp_of(machine, disk);
    if (*ret_esp != NO_INDEX)
        return ST_OK;
    return report(context, ST_ABSENT,
                  "Disk %zu has no EFI System Partition. On a disk of the mirror \"shadowboot "
                  "repair\" makes one. Nothing was changed.",
                  disk);
}

static enum status esps_of_words(struct context *context, struct install_request *io_request)
{
    size_t *esps = arena_alloc(context->arena, context->word_count, sizeof(*esps));

    if (esps == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    for (size_t i = 0; i < context->word_count; i++) {
        enum status status = esp_word(context, context->words[i], &esps[i]);
        if (status != ST_OK)
            return status;
    }
    io_request->esps = context->word_count > 0 ? esps : NULL;
    io_request->esp_count = context->word_count;
    return ST_OK;
}

static enum status make_install_plan(struct context *context, const struct install_request *request,
                                     struct plan *io_plan)
{
    struct judgement judgement;
    enum status status = audit_machine(context->arena, &context->machine, &judgement);

    return status == ST_OK ? plan_install(io_plan, &judgement.roles, request) : status;
}

enum status cmd_install(struct context *context)
{
    bool remove = option(context, "-remove") != NULL;
    struct install_request request = {.disk_in_name = option(context, "-disk") != NULL};
    struct judgement judgement;
    struct plan plan;

    if (remove && context->word_count > 0)
        return report(context, ST_USAGE,
                      "-remove takes it off all disks: shadowboot install -remove. Nothing was "
                      "changed.");
    enum status status = mend_begin(context, SCAN_FULL);
    if (status == ST_OK && !remove)
        status = read_own_file(context, &request);
    if (status == ST_OK)
        status = esps_of_words(context, &request);
    if (status != ST_OK)
        return status;
    request.now = context_now(context);
    run_begin(context, &plan);
    enum status made = remove ? plan_uninstall(&plan) : make_install_plan(context, &request, &plan);
    return mend_run_whole(context, &plan, made, false, &judgement);
}
