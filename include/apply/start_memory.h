/* The variable in which tests of starts are remembered (format/start_tests.h). */
#ifndef SHADOWBOOT_APPLY_START_MEMORY_H
#define SHADOWBOOT_APPLY_START_MEMORY_H

#include "format/start_tests.h"
#include "port/vars.h"

/* What is remembered; nothing where the variable is missing or damaged. */
struct start_tests start_memory_read(const struct vars_port *vars);

/* Remembers these, or forgets all for none. Statuses: ST_OK; those of setting a variable, which is then as it was. */
MUST_CHECK enum status start_memory_write(const struct vars_port *vars,
                                          const struct start_tests *tests);

#endif
