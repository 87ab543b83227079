/*
 * Keeps the reports of `status -json` that test programs make, for those who hold them against the schema
 * (tests/reports.py). Where the environment has no SHADOWBOOT_REPORTS, nothing is kept.
 */
#ifndef HOST_REPORTS_H
#define HOST_REPORTS_H

#include "base/bytes.h"

/* To be told of every file that the program writes, before anything is made of that. A report among them goes into
 * the folder that SHADOWBOOT_REPORTS names, under its digest: equal ones are kept once. */
void host_reports_keep(struct span file);

/* Keeps none of those that come until this is asked with false: what a fault makes of a file is no report. */
void host_reports_pause(bool paused);

#endif
