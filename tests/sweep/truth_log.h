/* What Windows' boot manager makes of a boot store whose last write was cut short. */
#ifndef SHADOWBOOT_SWEEP_TRUTH_LOG_H
#define SHADOWBOOT_SWEEP_TRUTH_LOG_H

#include "sweep/truth_fat.h"

/* Completes the hive, in place, from the log that BCD.LOG is (of Windows 8.1 and later). False when
 * the log is not of that write. A hive that is whole is left alone. */
bool truth_log_replay(struct truth_file *hive, const struct truth_file *log);

#endif
