/* Whether the volumes of systems are there, for truth_system.h. */
#ifndef SHADOWBOOT_SWEEP_TRUTH_VOLUMES_H
#define SHADOWBOOT_SWEEP_TRUTH_VOLUMES_H

#include "sweep/truth_system.h"

/* True when a disk has the root file system of that name, or a member of the array of that name
 * (version 1.2) that holds it; "": of any. */
bool truth_has_root(const struct truth_scene *scene, const char *name);

#endif
