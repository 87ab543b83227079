/* Firmware that keeps its variables in a file of an ESP: whether that can grow. */
#ifndef SHADOWBOOT_APPLY_VARIABLES_ROOM_H
#define SHADOWBOOT_APPLY_VARIABLES_ROOM_H

#include "model/machine.h"
#include "port/ports.h"

/*
 * False when the file is known to find no room for `more` bytes. The FAT driver of U-Boot 2023.01 looks for
 * clusters behind its last one only, and only when it has written over the first: what cannot grow is spoiled, all
 * variables are lost with the next start, and nobody is told. True also where there is no such file, or it cannot be
 * looked at. Takes nothing of `arena`.
 */
bool variables_have_room(const struct arena *arena, const struct ports *ports,
                         const struct machine *machine, uint64_t more);

#endif
