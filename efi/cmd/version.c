#include "version.h"

#include "base/print.h"
#include "cmd/command.h"
#include "secure_rows.h"

static const char *vendor_text(const struct context *context)
{
    const char *vendor = context->ports->firmware.vendor;

    return vendor == NULL || vendor[0] == '\0' ? "not said" : vendor;
}

/* "2.7", "2.3.1" (UEFI Specification 4.2); the vendor's revision is no more than a number. */
static const char *uefi_text(const struct context *context)
{
    uint32_t uefi = context->ports->firmware.uefi;
    unsigned major = uefi >> 16;
    unsigned minor = (uefi & 0xffff) / 10;
    unsigned last = (uefi & 0xffff) % 10;

    if (uefi == 0)
        return "not said";
    return last == 0 ? arena_printf(context->arena, "%u.%u", major, minor)
                     : arena_printf(context->arena, "%u.%u.%u", major, minor, last);
}

static const char *revision_text(const struct context *context)
{
    return arena_printf(context->arena, "0x%08x", context->ports->firmware.revision);
}

void rows_program(struct rows *to)
{
    const struct context *context = to->context;

    row_open(to, ROW_PROGRAM);
    row_text(to, SHADOWBOOT_VERSION);
    row_text(to, context->ports->architecture);
    row_text(to, vendor_text(context));
    row_text(to, revision_text(context));
    row_text(to, uefi_text(context));
    row_text(to, secure_state_text(&context->machine.secure));
    row_close(to);
}

void say_program(struct context *context)
{
    const char *revision = revision_text(context);
    const char *uefi = uefi_text(context);

    say(context, "shadowboot " SHADOWBOOT_VERSION " (%s)\n", context->ports->architecture);
    say(context, "Firmware: %.60s, revision %s, UEFI %s. Secure Boot: %s.\n", vendor_text(context),
        revision == NULL ? "" : revision, uefi == NULL ? "" : uefi,
        secure_state_text(&context->machine.secure));
}

enum status cmd_version(struct context *context)
{
    struct rows rows = rows_of_tables(context);
    enum status status =
        secure_boot_read(context->arena, &context->ports->vars, &context->machine.secure);

    if (status == ST_NO_MEMORY)
        return status;
    if (context->sfo)
        rows_program(&rows);
    else
        say_program(context);
    return ST_OK;
}
