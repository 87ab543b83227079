#define _GNU_SOURCE

#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "efivars.h"

#if defined(__aarch64__)
#define ARCHITECTURE "AA64"
#elif defined(__i386__)
#define ARCHITECTURE "IA32"
#else
#define ARCHITECTURE "X64"
#endif

struct option_row {
    const char *name;  /* without "--" */
    const char *value; /* what the help calls its value; NULL for none */
    bool may_lack;     /* the value goes behind "=", or is left out */
    enum status (*take)(struct linux_options *options, const char *value);
    const char *help;
};

enum status linux_complain(enum status status, const char *which, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "shadowboot-linux: %s: %s\n", which, what);
    return status;
}

static enum status take_disk_name(struct linux_options *options, const char *value)
{
    if (options->disk_count == LINUX_DISKS_MAX)
        return linux_complain(ST_USAGE, value, "too many disks");
    options->disks[options->disk_count++].file = value;
    return ST_OK;
}

static enum status take_block_size(struct linux_options *options, const char *value)
{
    char *end = NULL;
    unsigned long size = strtoul(value, &end, 10);

    if (options->disk_count == 0)
        return linux_complain(ST_USAGE, "--sector-size", "it goes behind the --disk it is said of");
    if (*end != 0 || size < 512 || size > 65536 || (size & (size - 1)) != 0)
        return linux_complain(ST_USAGE, value, "no power of two from 512 to 65536");
    options->disks[options->disk_count - 1].block_size = (uint32_t)size;
    return ST_OK;
}

static enum status take_efivars(struct linux_options *options, const char *value)
{
    options->efivars = value == NULL ? LINUX_EFIVARS_FOLDER : value;
    return ST_OK;
}

static enum status take_write(struct linux_options *options, const char *value)
{
    (void)value;
    options->write = true;
    return ST_OK;
}

static enum status take_journal(struct linux_options *options, const char *value)
{
    options->journal = value;
    return ST_OK;
}

static enum status take_in_memory(struct linux_options *options, const char *value)
{
    (void)value;
    options->journal_in_memory = true;
    return ST_OK;
}

static enum status take_architecture(struct linux_options *options, const char *value)
{
    options->architecture = value;
    return ST_OK;
}

static enum status take_help(struct linux_options *options, const char *value)
{
    (void)value;
    options->help = true;
    return ST_OK;
}

static enum status take_version(struct linux_options *options, const char *value)
{
    (void)value;
    options->version = true;
    return ST_OK;
}

static const struct option_row rows[] = {
    {"disk", "FILE", false, take_disk_name,
     "A disk: a block device as /dev/sdb, or a raw image file. Given once for each disk of the "
     "machine; the first one is called Disk 0, the next one Disk 1. A partition is no disk."},
    {"sector-size", "BYTES", false, take_block_size,
     "How long the blocks of the image before it are: 512 or 4096. Without it the place of the GPT "
     "tells, and 512 is taken where there is none, which is said. A device says it itself, "
     "and another length than that is refused."},
    {"efivars", "DIR", true, take_efivars,
     "The boot entries of the machine are those of the system that this runs on: its variables are "
     "in DIR, /sys/firmware/efi/efivars without one. DIR may also be a copy of that folder. For "
     "disks in their own machine that was started by UEFI. Without this option boot entries are not "
     "known: disks are judged by their files, and no entry is made."},
    {"write", NULL, false, take_write,
     "Changes may be made. Without it every disk is opened for reading only, and each command that "
     "would change something shows its plan, as with -n. It is refused for a disk of which anything "
     "is mounted, swapped to, or taken by device mapper, md or a loop device, "
     "and for two paths to one disk."},
    {"journal", "DIR", false, take_journal,
     "Where the old content is saved before anything is changed, on a file system that is on none of "
     "the disks: DIR/EFI/shadowboot/J0000001.SBJ. --write needs it. The program calls it JOURNAL:, "
     "and undo looks there too."},
    {"journal-in-memory", NULL, false, take_in_memory,
     "The journal may be on a file system in memory (tmpfs, ramfs, an overlay that writes to one as "
     "the root of most live systems, a device over one), which is lost with the power: then nothing "
     "takes back a change that the power interrupts."},
    {"arch", "NAME", false, take_architecture,
     "The processor of the machine the disks are for, as in BOOTX64.EFI: X64, AA64, IA32. Without it "
     "that of this program: " ARCHITECTURE "."},
    {"version", NULL, false, take_version, "The version."},
    {"help", NULL, false, take_help, "This text."},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* The option that the word names, with what is behind its "=" or NULL. */
static const struct option_row *option_row_of(const char *word, const char **ret_value)
{
    const char *equals = strchr(word, '=');
    size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);

    *ret_value = equals == NULL ? NULL : equals + 1;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strlen(rows[i].name) == length && strncmp(rows[i].name, word, length) == 0)
            return &rows[i];
    }
    return NULL;
}

static enum status take_option(struct linux_options *options, int argc, char **argv, int *io_at)
{
    const char *word = argv[(*io_at)++];
    const char *value = NULL;
    const struct option_row *row = option_row_of(word + 2, &value);

    if (row == NULL)
        return linux_complain(ST_USAGE, word, "no such option; --help lists them");
    if (row->value == NULL && value != NULL)
        return linux_complain(ST_USAGE, word, "this option has no value");
    if (row->value != NULL && value == NULL && !row->may_lack) {
        if (*io_at == argc)
            return linux_complain(ST_USAGE, word, "this option needs a value");
        value = argv[(*io_at)++];
    }
    return row->take(options, value);
}

enum status linux_options_take(int argc, char **argv, struct linux_options *ret_options)
{
    struct linux_options options = {.architecture = ARCHITECTURE};
    enum status status = ST_OK;
    int at = 1;

    while (status == ST_OK && at < argc && strncmp(argv[at], "--", 2) == 0) {
        if (argv[at][2] == 0) {
            at++;
            break;
        }
        status = take_option(&options, argc, argv, &at);
    }
    options.first_word = at;
    if (status == ST_OK)
        *ret_options = options;
    return status;
}

/* What the manual page says beside the options; a line that is not indented is a heading. */
static const char *const before_options[] = {
    "SYNOPSIS",
    "shadowboot-linux --disk FILE [--disk FILE ...] [OPTION ...] COMMAND [ARGUMENT ...]",
    "DESCRIPTION",
    "Looks at the disks of a machine that does not start, from a Linux that runs beside them: a "
    "rescue system, or another machine that they are attached to. It says whether the machine would "
    "start from each of them alone, and mends partition tables, EFI System Partitions, boot files "
    "and boot stores (BCD). It needs no UEFI and nothing but the kernel.",
    "COMMAND is one of those of shadowboot.efi and does the same here; \"shadowboot-linux help\" "
    "lists them, \"shadowboot-linux help COMMAND\" explains one. Where its texts say \"shadowboot "
    "repair\", type \"shadowboot-linux\" with the same options before it: the line is said at the end. The commands auto, install, "
    "menu and test are the firmware's: they start programs or the machine.",
};

static const char *const behind_options[] = {
    "BOOT ENTRIES",
    "A machine's boot entries are in its firmware, not on its disks. Without --efivars they are not "
    "known: \"perhaps\" says that the removable-media path on the disk starts it, \"not known\" that "
    "its boot manager would, when an entry names it. repair, prepare and copy then change disks alone "
    "and leave a note; once the disks are back in their machine, \"shadowboot repair\" there makes the "
    "entries.",
    "WRITING",
    "Each change is shown, agreed to, saved in the journal, written, flushed (fsync, then out of the "
    "kernel's cache), read back and compared. What lies behind the device (a drive's own cache, the "
    "file under a loop or network block device) may still answer from memory. \"undo\" takes it back, and so does shadowboot.efi when DIR is on "
    "a stick that is in the machine then. The other way round, journals of shadowboot.efi are taken "
    "back from here: those on the disks' own EFI System Partitions, and those of a stick that is "
    "mounted, with --journal and where it is mounted. What changed boot entries too needs --efivars, "
    "in that machine. The kernel is told when a partition table has changed. \"bcd set ... -on 0\" and "
    "the like change the store of one disk.",
    "A journal that firmware holds in a variable (NVRAM:) is not shown to Linux: that one is taken "
    "back in the machine, by shadowboot.efi.",
    "FILES ON DISKS",
    "FAT file systems on the disks are called FS0:, FS1:, ... and can be read: bcd -store "
    "'FS0:\\EFI\\Microsoft\\Boot\\BCD'. A name without a volume lies in the file system of Linux, from "
    "the current folder, with / or \\ between its parts.",
    "OTHER IMAGES",
    "qcow2, VHDX and others are read through a block device:",
    "    modprobe nbd",
    "    qemu-nbd --read-only --connect=/dev/nbd0 disk.vhdx",
    "    shadowboot-linux --disk /dev/nbd0 status",
    "    qemu-nbd --disconnect /dev/nbd0",
    "Without --read-only it can be written as well.",
    "EXIT STATUS",
    "That of the command, which \"shadowboot-linux help\" lists; 2 for wrong options, 14 for a file "
    "that is not there, 15 for a disk in use.",
    "EXAMPLES",
    "Would the server whose two disks are here start from each?",
    "    shadowboot-linux --disk /dev/sdb --disk /dev/sdc status",
    "Windows stops with 0xc000000e after its disk was attached to another machine (diskpart's "
    "uniqueid disk, and bcdedit /store d:\\boot\\bcd, are what is done about it there):",
    "    shadowboot-linux --disk /dev/sdb bcd list",
    "    shadowboot-linux --disk /dev/sdb --write --journal /mnt/usb bcd retarget",
    "    shadowboot-linux --disk /dev/sdb diskid",
    "Make what can be made from here:",
    "    shadowboot-linux --disk /dev/sdb --disk /dev/sdc repair",
    "    shadowboot-linux --disk /dev/sdb --disk /dev/sdc --write \\",
    "        --journal /mnt/usb repair",
    "SEE ALSO",
    "efibootmgr(8), sgdisk(8), qemu-nbd(8), wipefs(8)",
};

#define WIDTH 78u

/* Words up to the width, behind so many blanks. */
static void print_wrapped(const char *text, size_t indent)
{
    size_t column = 0;

    while (*text != 0) {
        size_t length = strcspn(text, " ");
        if (column > 0 && column + 1 + length > WIDTH) {
            putchar('\n');
            column = 0;
        }
        column += (size_t)printf("%*s%.*s", column == 0 ? (int)indent : 1, "", (int)length, text);
        text += length + (text[length] == ' ');
    }
    putchar('\n');
}

static bool is_heading(const char *text)
{
    for (; *text != 0; text++) {
        if (*text != ' ' && (*text < 'A' || *text > 'Z'))
            return false;
    }
    return true;
}

static void print_parts(const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool example = strncmp(parts[i], "    ", 4) == 0;
        bool follows = i > 0 && (is_heading(parts[i - 1]) || strncmp(parts[i - 1], "    ", 4) == 0);
        if (!follows || (!example && !is_heading(parts[i - 1])))
            putchar('\n');
        if (example)
            printf("    %s\n", parts[i]);
        else
            print_wrapped(parts[i], is_heading(parts[i]) ? 0 : 4);
    }
}

void linux_options_help(void)
{
    printf("shadowboot-linux " SHADOWBOOT_VERSION
           " - the disks of a machine, looked at from Linux\n");
    print_parts(before_options, sizeof(before_options) / sizeof(before_options[0]));
    printf("\nOPTIONS\n");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const char *value = rows[i].value;
        printf("%s    --%s%s%s%s\n", i == 0 ? "" : "\n", rows[i].name,
               value == NULL      ? ""
               : rows[i].may_lack ? "[="
                                  : " ",
               value == NULL ? "" : value, rows[i].may_lack ? "]" : "");
        print_wrapped(rows[i].help, 8);
    }
    print_parts(behind_options, sizeof(behind_options) / sizeof(behind_options[0]));
}
