#include "foreign.h"

#include "base/text.h"

bool is_switch(const char *argument, const char *name)
{
    return (argument[0] == '/' || argument[0] == '-') && text_equal_nocase(argument + 1, name);
}
