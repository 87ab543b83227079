/* What is to be typed here where the texts of the core name the firmware's program. */
#ifndef SHADOWBOOT_LINUX_ADVICE_H
#define SHADOWBOOT_LINUX_ADVICE_H

#include "options.h"

/* Says on standard error what "shadowboot" stands for: the words of the command line up to the command,
 * as a shell takes them; what is lacking of it to change something; and what JOURNAL: is. */
void linux_advice_tell(const struct linux_options *options, char *const *words);

#endif
