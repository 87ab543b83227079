#include "base/text.h"
#include "cmd/command.h"

const struct command *command_find(const struct command *table, const char *name)
{
    for (const struct command *command = table; command->name != NULL; command++) {
        if (text_equal_nocase(command->name, name))
            return command;
    }
    return NULL;
}
