/* What lies on the ESPs and volumes of drawn machines, each with a name of its own in its bytes
 * (sweep/truth_system.h). */
#ifndef SHADOWBOOT_SWEEP_CONTENT_H
#define SHADOWBOOT_SWEEP_CONTENT_H

#include <stddef.h>
#include <stdint.h>

struct content {
    uint8_t *at; /* to be freed */
    size_t size;
};

/*
 * A program of that name. What it says of itself as real ones do: shim, GRUB, systemd-boot and
 * testers in a section .sbat, Windows' boot manager by the name of its debugging file.
 */
struct content content_program(const char *name);

/* A store of that name. */
struct content content_store(const char *name);

/* "shimx64.efi,NAME,," in UCS-2. */
struct content content_csv(const char *name);

/* Bytes without meaning. */
struct content content_filler(const char *name, size_t size);

/* Superblock 1.2 of member `index` of a RAID 1 of that name; it lies at byte 4096 of the member. */
#define CONTENT_MD_SIZE 512u
void content_md(const char *name, unsigned index, unsigned members, uint64_t sectors,
                uint8_t ret_block[CONTENT_MD_SIZE]);

/* What lies at byte 1024 of an ext4 file system of that name. */
#define CONTENT_EXT_SIZE 256u
void content_ext(const char *name, uint8_t ret_block[CONTENT_EXT_SIZE]);

#endif
