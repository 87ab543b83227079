/* Machines in memory made of image files: what host_options describes, read once and never written
 * back. */
#ifndef SHADOWBOOT_UNIT_IMAGE_MACHINE_FIXTURE_H
#define SHADOWBOOT_UNIT_IMAGE_MACHINE_FIXTURE_H

#include "host/host_options.h"
#include "host/host_ports.h"

/*
 * A machine with copies of the images and of the variables, the time and the architecture of the
 * options; with `stick`, also a stick that the program was started from, else it was from where the
 * options say. With `image`, the content of that file is the program's own, on the stick. Its volumes
 * follow its disks (unit/disk_machine_fixture.h). NULL, with a message on standard error, when a file
 * is wrong. To be freed.
 */
struct host *image_machine_new(const struct host_options *options, bool stick, const char *image);

#endif
