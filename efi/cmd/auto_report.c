#include "auto.h"

#include "apply/run_log.h"
#include "plan/esp_files.h"
#include "report_json.h"

#define SUMMARY_SIZE 512u /* bytes of the variable */

static const struct guid own_vendor = VAR_OWN_VENDOR;

/* --- What is said --------------------------------------------------------------------------- */

static void tee_write(void *ctx, const char *text, size_t size)
{
    struct auto_log *log = ctx;
    struct sink sink = text_buffer_sink(&log->text);

    for (size_t i = 0; i < size; i++) {
        if (!is_colour(text[i]) && text[i] != '\r')
            sink.put(sink.ctx, &text[i], 1);
    }
    log->console->write(log->console->ctx, text, size);
}

/* The rest of what a screen asks its console for. */
static struct screen_size tee_screen_size(void *ctx)
{
    const struct console_port *console = ((const struct auto_log *)ctx)->console;

    return console->screen_size(console->ctx);
}

static enum status tee_wait_key(void *ctx)
{
    const struct console_port *console = ((const struct auto_log *)ctx)->console;

    return console->wait_key(console->ctx);
}

void auto_log_begin(struct auto_run *run)
{
    struct context *context = run->context;
    struct auto_log *log = arena_alloc(context->arena, 1, sizeof(*log));

    if (log == NULL)
        return;
    screen_flush(context->screen);
    log->console = context->screen->console;
    log->tee = (struct console_port){
        .ctx = log, .write = tee_write, .screen_size = tee_screen_size, .wait_key = tee_wait_key};
    text_buffer_init(&log->text, log->room, sizeof(log->room));
    run->log = log;
    context->screen->console = &log->tee;
}

/* --- Where it goes -------------------------------------------------------------------------- */

/* True where a system is to start as soon as the report is there. */
static bool is_awaited(const struct auto_run *run)
{
    return run->settings.mode != MODE_REPORT;
}

static void write_json(struct auto_run *run)
{
    struct context *context = run->context;
    size_t mark = arena_mark(context->arena);
    struct span text;

    if (report_json_text(context, &run->judgement, is_awaited(run), &text) == ST_OK)
        (void)!run_log_replace(&context->ports->files, RUN_LOG_JSON, text);
    arena_release(context->arena, mark);
}

/* Where the report goes: that address, with the network card's name where that is a folder. */
static enum status report_goes_to(const struct auto_run *run, struct net_address *ret_address)
{
    const char *name = run->context->ports->net.hardware;

    enum status status = net_address_read(run->settings.send, ret_address);
    if (status != ST_OK)
        return status;
    bool unnamed = name == NULL || name[0] == '\0';
    return net_address_name(ret_address, unnamed ? "report" : name, ".json");
}

/* Sends the report to the server that the settings name, and says what became of that. */
static void send_json(struct auto_run *run)
{
    struct context *context = run->context;
    const struct net_port *net = &context->ports->net;
    size_t mark = arena_mark(context->arena);
    struct net_address to;
    struct span text;

    enum status status = report_goes_to(run, &to);
    if (status == ST_OK)
        status = report_json_text(context, &run->judgement, is_awaited(run), &text);
    if (status == ST_OK)
        status = net->is_source ? net->send(net->ctx, &to, text) : ST_UNSUPPORTED;
    if (status == ST_OK)
        say(context, "The report (%zu bytes) was sent to %s as %s.\n", text.size,
            run->settings.send, to.path);
    else if (net->is_source)
        say(context, "The report could not be sent to %s: %s.\n", run->settings.send,
            status_text(status));
    else
        say(context,
            "The report was not sent to %s: this program was not started from a "
            "network.\n",
            run->settings.send);
    arena_release(context->arena, mark);
}

/* "time=... version=... outcome=start state=65 starts=1", lines that every system can read. */
static void set_summary(struct auto_run *run, const char *outcome)
{
    struct context *context = run->context;
    const struct vars_port *vars = &context->ports->vars;
    const struct date_time now = context_now(context);
    struct text_buffer text;
    char room[SUMMARY_SIZE];

    text_buffer_init(&text, room, sizeof(room));
    text_buffer_printf(&text,
                       "time=%04u-%02u-%02uT%02u:%02u:%02u\nversion=" SHADOWBOOT_VERSION
                       "\noutcome=%s\nstate=%u\nstarts=%u\n",
                       now.year, now.month, now.day, now.hour, now.minute, now.second, outcome,
                       run->judged ? (unsigned)run->judgement.state : 0u, run->guard.starts);
    if (run->judged)
        text_buffer_printf(
            &text, "text=%s\n",
            machine_state_text(run->judgement.state, run->judgement.roles.member_count));
    (void)!vars->set(vars->ctx, &own_vendor, RUN_LOG_VARIABLE, VAR_BOOT_SERVICE | VAR_RUNTIME, room,
                     text.used);
}

/* True when files may go to the volume that the program came from: an ESP that is half of an array
 * must not differ from its other half, and what a driver writes into a damaged file system may take
 * others' files with it. */
static bool takes_files(const struct auto_run *run)
{
    const struct machine *machine = &run->context->machine;
    size_t own = run->context->ports->files.self;

    if (!run->looked || machine_mount_is_in_array(machine, own))
        return false;
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *esp = &machine->esps[i];
        const struct partition *partition = &machine->partitions[esp->partition];
        if (partition->volume == own)
            return esp_files_readable(esp) &&
                   !owner_is_raid(machine->disks[partition->disk].owner.owner);
    }
    return true;
}

void auto_report(struct auto_run *run, const char *outcome)
{
    struct context *context = run->context;
    unsigned wanted = run->settings.reports;

    if (run->judged && run->settings.send[0] != '\0')
        send_json(run);
    screen_flush(context->screen);
    if ((wanted & REPORT_VARIABLE) != 0)
        set_summary(run, outcome);
    if ((wanted & REPORT_JSON) != 0 && run->judged && takes_files(run))
        write_json(run);
    if ((wanted & REPORT_LOG) != 0 && run->log != NULL && takes_files(run))
        (void)!run_log_append(context->arena, &context->ports->files, &context->ports->clock,
                              span_of(run->log->room, run->log->text.used));
    if (run->log != NULL) /* what comes now is a run of its own */
        text_buffer_init(&run->log->text, run->log->room, sizeof(run->log->room));
}
