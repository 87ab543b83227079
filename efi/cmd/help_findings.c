#include "audit/finding.h"
#include "base/text.h"
#include "help.h"
#include "show.h"
#include "machine_words.h"

#define TEXT_COLUMN 2

static void show_name(struct context *context, enum finding_code code)
{
    say(context, "[%s] %s\n%*s", severity_text(finding_severity(code)), finding_name(code),
        TEXT_COLUMN, "");
    help_wrapped(context, TEXT_COLUMN, finding_text(code));
}

void help_findings(struct context *context)
{
    help_wrapped(context, 0,
                 "What commands find, with the name it has in tables and in the report. Damage "
                 "stops a start, or may; a warning is to be seen to; a note is to be known. "
                 "\"shadowboot help NAME\" tells what to do about it; status does so for this "
                 "machine.\n");
    for (int i = 0; i < FINDING_COUNT; i++)
        show_name(context, (enum finding_code)i);
}

bool help_finding(struct context *context, const char *name)
{
    const struct machine none = {0};
    struct finding finding = {FINDING_COUNT, NO_INDEX, NO_INDEX, NO_INDEX, NO_INDEX, ""};

    for (int i = 0; i < FINDING_COUNT; i++) {
        if (text_equal_nocase(name, finding_name((enum finding_code)i)))
            finding.code = (enum finding_code)i;
    }
    if (finding.code == FINDING_COUNT)
        return false;
    show_name(context, finding.code);
    const char *advice = finding_advice(context->arena, &none, &finding, false);
    if (advice[0] == '\0')
        return true;
    say(context, "\n%*s", TEXT_COLUMN, "");
    help_wrapped(context, TEXT_COLUMN, advice);
    return true;
}
