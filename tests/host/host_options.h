/*
 * What machine a program on the host is to run on, from its command line. Options come in pairs of
 * words and end before the first word without "--" in front, or behind a "--":
 *
 *   --disk FILE[:BLOCKSIZE][:CONTROLLER]  the next disk; 512 and nvme unless given. CONTROLLER is
 *                                         nvme, ahci, virtio, scsi or usb. --disk none leaves the
 *                                         place of the next disk empty: the others keep theirs.
 *   --bad PLACE:LBA:COUNT
 *                       blocks that cannot be read on the disk at PLACE (from 0, empty places
 *                       counted); may be repeated
 *   --vars FILE         the variable store (see vars_file.h); created when there is something to
 *                       keep. Without it the store is empty and lost at the end.
 *   --self DISK:PART    the volume the program was started from: place of the disk from 0, number
 *                       of the partition from 1
 *   --program PATH      a boot manager has started the program from this file of that volume
 *   --tpm yes           firmware measures what it loads into a TPM
 *   --start WORD:CODE   what firmware says to the next load or start (WORD) of another program: the
 *                       number of a UEFI error, 0 for success; may be repeated. Without any, a load
 *                       is a success, and what is started takes the machine over
 *   --started FILE      what was loaded and started, one a line, with paths and options as
 *                       hexadecimal digits: "load PATH CODE", "start PATH OPTIONS CODE",
 *                       "unload PATH", "reset KIND"; "-" for none; CODE "away" for what did not return
 *   --answer TEXT       the next answer to a question; may be repeated. Without any, standard input
 *                       is asked.
 *   --date Y-M-DTh:m:s  the time, standing still; the host's own otherwise
 *   --screen COLUMNSxROWS  the screen, also where the output is no terminal
 *   --arch NAME         X64 unless given
 *   --name NAME         the name the program is called by; the file's own otherwise
 */
#ifndef SHADOWBOOT_HOST_HOST_OPTIONS_H
#define SHADOWBOOT_HOST_HOST_OPTIONS_H

#include "base/date.h"
#include "host/disk_path.h"
#include "host/mem_vars.h"
#include "port/console.h"

#define HOST_OPTIONS_DISKS   64
#define HOST_OPTIONS_BAD     8
#define HOST_OPTIONS_ANSWERS 64

struct host_disk_option {
    char *file;
    uint32_t block_size;
    enum disk_controller controller;
    unsigned position;
};

struct host_bad_option {
    unsigned position; /* of the disk */
    unsigned long long lba;
    unsigned long long count;
};

struct host_options {
    struct host_disk_option disks[HOST_OPTIONS_DISKS];
    size_t disk_count;
    unsigned next_position;
    const char *vars_file;     /* or NULL */
    struct screen_size screen; /* 0 and 0: what the console finds */
    const char *architecture;
    const char *firmware; /* the vendor it says it is of; NULL: it does not say */
    const char *name;
    bool has_self;
    struct {
        unsigned disk;      /* from 0, empty places counted */
        unsigned partition; /* from 1 */
    } self;
    const char *program; /* or NULL */
    bool has_tpm;
    struct {
        bool is_load;
        unsigned code;
    } starts[HOST_OPTIONS_ANSWERS];
    size_t start_count;
    const char *started_file; /* or NULL */
    bool has_date;
    struct date_time date;
    struct host_bad_option bad[HOST_OPTIONS_BAD];
    size_t bad_count;
    const char *answers[HOST_OPTIONS_ANSWERS];
    size_t answer_count;
    int first_word; /* where the command starts in argv */
};

/* Takes the options; false, with a message, when one is wrong. Texts lie in argv. To be freed. */
bool host_options_take(int argc, char **argv, struct host_options *ret_options);
void host_options_free(struct host_options *options);

/* Says what is wrong on standard error; gives false. */
bool host_options_complain(const char *what, const char *which);

/* The index among the disks of that at `position`; disk_count when that place is empty. */
size_t host_options_disk_at(const struct host_options *options, unsigned position);

/* The store in the options' file, or an empty one; NULL, with a message, when it cannot be read. */
struct mem_vars *host_options_load_vars(const struct host_options *options);

#endif
