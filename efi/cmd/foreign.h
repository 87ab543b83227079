/* What the lines of Windows' own commands have in common. */
#ifndef SHADOWBOOT_CMD_FOREIGN_H
#define SHADOWBOOT_CMD_FOREIGN_H

#include <stdbool.h>

/* True when the argument is that switch, with '/' or '-', in any case. */
bool is_switch(const char *argument, const char *name);

#endif
