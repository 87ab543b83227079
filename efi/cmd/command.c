#include "cmd/command.h"

#include "base/text.h"

/* Of several commands. */
#define DISK_IN_NAME                                                               \
    {                                                                              \
        "-disk", NULL, "names with their disk, for firmware that drops equal ones" \
    }

static const struct option_spec common[] = {
    {"-n", NULL, "show the plan only; change nothing"},
    {"-y", NULL, "do not ask"},
    {"-bitlocker", NULL, "under -y: change what a key of BitLocker's depends on"},
    {"-v", NULL, "say more; at the end, what was read and written"},
    {"-b", NULL, "stop after each screen"},
    {"-sfo", NULL, "tables for scripts instead of text (standard-format output)"},
    {NULL, NULL, NULL},
};

static const struct option_spec status_options[] = {
    {"-quick", NULL, "of files read the boot stores alone: at most 1 MiB of each disk"},
    {"-json", "FILE", "also write everything that is known to a new file"},
    {NULL, NULL, NULL},
};

static const struct option_spec clone_options[] = {
    {"-sg", "GUID", "source: partition that the entries name now"},
    {"-tg", "GUID", "target: partition that the clones are to name"},
    {"-d", "TEXT", "name of the clones"},
    {"-d+", "TEXT", "the originals' names with TEXT behind them"},
    DISK_IN_NAME,
    {"-short", NULL, "short paths, which find the disk wherever it is plugged in"},
    {"-full", NULL, "full hardware paths, for firmware that needs them"},
    {NULL, NULL, NULL},
};

static const struct option_spec mirror_options[] = {
    {"-d", "TEXT", "name of the new entry"},
    {"-from", "ID", "entry whose boot file and load options are taken"},
    {NULL, NULL, NULL},
};

static const struct option_spec add_options[] = {
    {"-d", "TEXT", "name of the new entry"},
    {"-opt", "TEXT", "optional data: text handed to the program that is started"},
    {"-at", "PLACE", "place in the list, from 1; at the end without it"},
    {"-full", NULL, "full hardware path instead of a short one"},
    {NULL, NULL, NULL},
};

static const struct option_spec import_options[] = {
    {"-sg", "GUID", "partition that the saved entries name"},
    {"-tg", "GUID", "partition that they are to name instead"},
    {NULL, NULL, NULL},
};

static const struct option_spec copy_options[] = {
    {"-sg", "GUID", "source: ESP that the files are taken from"},
    {"-tg", "GUID", "target: ESP that is brought up to date"},
    {NULL, NULL, NULL},
};

static const struct option_spec repair_options[] = {
    {"-format", NULL, "under -y: partition and format where that is needed"},
    {"-msr", NULL, "under -y: give up a Microsoft reserved partition for an ESP"},
    DISK_IN_NAME,
    {NULL, NULL, NULL},
};

static const struct option_spec prepare_options[] = {
    {"-sg", "GUID", "source: ESP that sizes and files are taken from"},
    {"-format", NULL, "under -y: partition and format without asking"},
    {"-msr", NULL, "under -y: give up the Microsoft reserved partition for it"},
    {"-gpt", NULL, "mend the partition table only"},
    {"-new-guids", NULL, "with -gpt: new GUIDs for a copy of another disk"},
    DISK_IN_NAME,
    {NULL, NULL, NULL},
};

static const struct option_spec rebuild_options[] = {
    {"-store", NULL, "the boot store alone, made anew whatever is there"},
    {"-files", NULL, "the files alone"},
    {"-format", NULL, "under -y: partition and format where that is needed"},
    {"-msr", NULL, "under -y: give up a Microsoft reserved partition for an ESP"},
    DISK_IN_NAME,
    {NULL, NULL, NULL},
};

static const struct option_spec diskid_options[] = {
    {"-set", "ID", "the identity to give it; \"new\": one that nothing has"},
    {"-partition", "NUMBER", "with -set: that partition of the disk instead of the disk"},
    {"-from-store", NULL, "what the boot store on the disk expects"},
    {NULL, NULL, NULL},
};

static const struct option_spec install_options[] = {
    {"-remove", NULL, "take it off all disks again"},
    DISK_IN_NAME,
    {NULL, NULL, NULL},
};

static const struct option_spec secureboot_options[] = {
    {"-ask", NULL, "have firmware load each file, and start none"},
    {NULL, NULL, NULL},
};

static const struct option_spec undo_options[] = {
    {"-l", NULL, "list the journals; take nothing back"},
    {"-force", NULL, "interrupted: also where neither old nor new content is"},
    {"-drop", NULL, "interrupted: give it up; what was changed stays"},
    {NULL, NULL, NULL},
};

static const struct option_spec test_options[] = {
    {"-all", NULL, "each disk of the mirror in turn, one start each"},
    {NULL, NULL, NULL},
};

static const struct option_spec bcd_options[] = {
    {"-all", NULL, "list: every object, not only what is on the menu"},
    {"-on", "DISK", "the store of that disk's ESP alone: a disk's number, or a GUID"},
    {"-store", "FILE", "the store in a file"},
    {"-d", "TEXT", "copy: description of the copy"},
    {"-addfirst", NULL, "order: to the front; the rest stays as it is"},
    {"-addlast", NULL, "order: to the end"},
    {"-remove", NULL, "order: off the menu"},
    {"-from", "PART", "retarget: partition that is named now"},
    {"-to", "PART", "retarget: partition to be named instead"},
    {"-force", NULL, "change it though a disk would start less well"},
    {NULL, NULL, NULL},
};

static const struct command table[] = {
    {"status", "[-quick] [-json FILE]", "says whether the machine starts from each disk alone",
     "Shows the disks, which of them carry the system, and for each whether the machine would "
     "start if the others were gone, with everything that stands in the way and what to do about "
     "it. Nothing is changed. -v with -sfo lists every file of the ESPs with its digest.\n"
     "Exit status 0 when each disk starts alone; 64 when one starts only through the "
     "removable-media path; 65 only from the primary; 66 only from the shadow; 67 from none; 68 "
     "when there is no second disk; 69 when it cannot be told; 10 when nothing to start was found.",
     status_options, 0, 0, cmd_status, 0},
    {"disks", "[DISK]", "lists disks and their partitions",
     "Shows every disk the firmware has, or one, with its partitions: place, size, GUIDs, type and "
     "names. Damaged partition tables are reported, and the good copy is used.\n"
     "Exit status 10 when something is damaged.",
     NULL, 0, 1, cmd_disks, 0},
    {"volumes", "[VOLUME]", "lists the volumes on dynamic disks",
     "Shows disk groups, volumes, their copies (plexes) with the place of each piece, and the "
     "disks that belong to a group, those that are not here as well: what diskpart's list volume, "
     "detail volume and list disk show. Exit status 10 when a database or a copy is damaged.",
     NULL, 0, 1, cmd_volumes, 0},
    {"entries", "", "lists the boot entries",
     "Shows timeout, BootOrder and every boot entry: what it is called, what it starts, on which "
     "disk and partition that lies now, and whether the file is there. Entries are counted in the "
     "order of BootOrder; commands take that id (5) or the variable's name (Boot0005).\n"
     "Exit status 10 when something is damaged.",
     NULL, 0, 0, cmd_entries, 0},
    {"clone", "[-sg GUID] [-tg GUID] [-d[+] TEXT | -disk] [-short | -full]",
     "clones boot entries to the other disk's ESP",
     "Every entry that refers to the source partition gets a twin that refers to the target. The "
     "originals stay as they are, the clones go to the end of BootOrder, and a clone that exists "
     "is not made again. Entries of the firmware's own are never cloned. Clones are called as "
     "their originals, or with \" (Disk 1)\" behind that under -disk. Without GUIDs source and "
     "target are found, if the machine leaves one choice; otherwise the choices are listed.",
     clone_options, 0, 0, cmd_clone, COMMAND_CHANGES_ENTRIES},
    {"mirror", "GUID [-d TEXT] [-from ID]", "adds an entry for the system on a mirrored partition",
     "The new entry starts the system on the data partition GUID with the boot manager of this "
     "machine's own ESP. For systems whose entries name the system's partition; newer ones keep "
     "that in the boot store.",
     mirror_options, 1, 1, cmd_mirror, COMMAND_CHANGES_ENTRIES},
    {"add", "GUID FILE -d TEXT [-opt TEXT] [-at PLACE] [-full]", "adds a boot entry",
     "The new entry starts FILE on the partition GUID. An entry that starts the same is not made "
     "twice.",
     add_options, 2, 2, cmd_add, COMMAND_CHANGES_ENTRIES},
    {"delete", "ID...", "deletes boot entries",
     "All ids mean the list as it is now, however many are given.", NULL, 1, ARGS_MAX, cmd_delete,
     COMMAND_CHANGES_ENTRIES},
    {"order", "ID...", "sets the order entries are tried in",
     "The entries named come first, in this sequence; all others follow as they were.", NULL, 1,
     ARGS_MAX, cmd_order, COMMAND_CHANGES_ENTRIES},
    {"default", "ID", "makes an entry the first",
     "The entry is tried first; all others follow as they were.", NULL, 1, 1, cmd_default,
     COMMAND_CHANGES_ENTRIES},
    {"next", "ID | none", "chooses the entry for the next start only",
     "Firmware forgets it when it has been used. \"none\" takes it back.", NULL, 1, 1, cmd_next,
     COMMAND_CHANGES_ENTRIES},
    {"timeout", "SECONDS | none", "sets how long the firmware waits",
     "\"none\" waits for ever. Some firmware sets its own value again at the next start.", NULL, 1,
     1, cmd_timeout, COMMAND_CHANGES_ENTRIES},
    {"prune", "", "deletes entries that lead nowhere, and duplicates",
     "Entries whose partition or file is gone, and entries that start the same as one before them; "
     "BootOrder is mended too. Entries of the firmware's own stay, and so does one that alone "
     "tells of a loader. Everything is shown before you are asked. A disk that is only unplugged "
     "looks like one that is gone.",
     NULL, 0, 0, cmd_prune, COMMAND_CHANGES_ENTRIES},
    {"export", "DIRECTORY [ID...]", "saves boot entries to files",
     "Each entry becomes a file Boot#### with the bytes of the variable. All entries without ids. "
     "Files that exist are not overwritten. Keep a copy away from the machine.",
     NULL, 1, ARGS_MAX, cmd_export, 0},
    {"import", "FILE|DIRECTORY... [-sg GUID -tg GUID]", "makes boot entries from files",
     "Each file becomes an entry with a number of its own at the end of BootOrder. Of a directory, "
     "all files named Boot#### are taken. With -sg and -tg one partition is put in another's "
     "place.",
     import_options, 1, ARGS_MAX, cmd_import, COMMAND_CHANGES_ENTRIES},
    {"copy", "[-sg GUID] [-tg GUID] [PATH]", "brings the boot files of one ESP up to date",
     "What the source ESP has at PATH (\\EFI\\Microsoft without one; a file, or a folder with all "
     "in it) and the target lacks or has otherwise comes to the target; \"/\" stands for "
     "everything. Without GUIDs the source is a healthy ESP of the mirror, the primary's before "
     "others, and the target that of the other disk. A boot store, its logs and BOOTSTAT.DAT "
     "belong to each ESP: they come only where there is none, or a damaged one. Files that only "
     "the target has stay. Each file is the old one or the new one whenever the power fails. -v "
     "lists every file.",
     copy_options, 0, 1, cmd_copy, 0},
    {"repair", "[-format] [-msr] [-disk]", "mends everything that can be mended from here",
     "Looks at the whole machine, as status does, and makes one plan for all that is wrong with "
     "the disks of the mirror: partition tables, ESPs, boot files, boot entries. Healthy is never "
     "overwritten from damaged. The plan is shown before you are asked; partitioning and "
     "formatting, and giving up a reserved partition, are asked for by themselves. Under -y they "
     "are left out unless -format and -msr are given. At the end the machine is looked at again.\n"
     "Exit status as of status: 0 when each disk starts alone, 64 to 69 else.",
     repair_options, 0, 0, cmd_repair, 0},
    {"prepare", "DISK [-sg GUID] [-format] [-msr] [-disk] [-gpt [-new-guids]]",
     "makes a disk ready to start the machine",
     "DISK is a number as in \"shadowboot disks\", or the disk's GUID. A blank disk gets a "
     "partition table with an EFI system partition and a Microsoft reserved partition, sized as on "
     "the disk that the files come from. A disk without an EFI system partition gets one in free "
     "space; where nothing is free, in place of its Microsoft reserved partition, if you agree. "
     "One that is damaged or not formatted is formatted, and what can still be read on it is kept; "
     "where only the boot sector of FAT32 is dead, that is written back from its backup. Then "
     "files and boot entries are brought up to date from the other disk. A damaged copy of the "
     "partition table is mended from the good one.\n"
     "Partitioning and formatting are asked for separately. Dynamic volumes, members of a Linux "
     "RAID and partitions of any other kind are never touched.",
     prepare_options, 1, 1, cmd_prepare, 0},
    {"rebuild", "[DISK] [-store | -files] [-format] [-msr] [-disk]",
     "makes boot files and store from Windows itself",
     "For a disk with a copy of Windows when no ESP is left that is worth copying: what bcdboot does "
     "from a running Windows. Files come from \\Windows\\Boot of that copy, or of another one "
     "where it cannot be relied on: boot manager, languages, fonts, resources, and the removable-"
     "media file. A boot store is made where there is none that can be used: Windows on this disk by "
     "default, the other copy as a second entry, settings from a store that can still be read and "
     "from Windows' template. An ESP is made first where there is none, as by prepare, and boot "
     "entries at the end. A newer boot manager is not replaced by an older one.\n"
     "DISK is a number as in \"shadowboot disks\", or the disk's GUID; without it the one that does "
     "not start.",
     rebuild_options, 0, 1, cmd_rebuild, 0},
    {"diskid", "[DISK [-partition NUMBER] -set ID | DISK -from-store]",
     "shows and sets the identities of disks",
     "Shows by what each disk and partition is found: GUIDs of a GPT, the signature of an MBR; "
     "which "
     "of them two disks have, and what the boot stores name. -set gives a disk or a partition "
     "another identity: a GUID, or eight hexadecimal digits for an MBR. Boot entries and boot "
     "stores "
     "that name the old one are made to name the new one in the same plan. -set new is for a copy "
     "of another disk: it and all its partitions get identities that nothing has, and what names "
     "the old ones means the other disk. -from-store gives the disk what its own boot store "
     "expects, where that is nowhere.",
     diskid_options, 0, 1, cmd_diskid, 0},
    {"diskpart", "[LINE]", "diskpart's lines for identities",
     "list disk, select disk NUMBER, uniqueid disk, and uniqueid disk id=ID, as typed in Windows' "
     "rescue mode; without words the lines come from the keyboard, until exit. Disks have the "
     "numbers of \"shadowboot disks\".",
     NULL, 0, ARGS_MAX, cmd_diskpart, 0},
    {"install", "[DISK | GUID ...] [-remove] [-disk]", "puts shadowboot on the disks, to stand by",
     "Puts this program on the ESP of each disk of the mirror, or of those named, as "
     "\\EFI\\shadowboot\\shadowboot<arch>.efi, with a boot entry behind all others, and under "
     "the removable-media path where nothing lies. So it is started when nothing else is, and then "
     "does what \"shadowboot help auto\" says. A newer version takes the place of an older one, "
     "never the other way round; run again it puts back what is missing. -remove leaves journals, "
     "settings and reports.",
     install_options, 0, ARGS_MAX, cmd_install, 0},
    {"auto", "", "starts the first disk that can start, unattended",
     "What runs when the firmware starts this program and no command is given: a countdown, in "
     "which a key leads to the menu; a look at the machine; then what keeps a disk from starting is "
     "mended as far as that may be done unattended (boot entries, files that an ESP lacks or has "
     "damaged, boot stores; never partitions, formats or what BitLocker measures), and the boot "
     "manager of the first disk that can start is started: the primary's, or what \"shadowboot config\" says. One that "
     "comes back gives way to the next. After three starts in a row within minutes it waits for a "
     "person, or a quarter of an hour where none can come (no keyboard) or the clock stands still. "
     "To the firmware it ends with an error, so that the next boot entry is tried.\n"
     "It leaves \\EFI\\shadowboot\\last.log (what the last runs have said, 16 KiB at most), "
     "last.json (\"help json\") and for running systems the volatile variable "
     "ShadowbootReport-7b6f3a52-4f0e-4d0b-9c1e-5ad0b007c0de: time, version, outcome, state (a "
     "status of \"status\"), starts in a row, text, a line each.",
     NULL, 0, 0, cmd_auto, 0},
    {"config", "", "shows the settings of unattended starts",
     "Which settings are in force, and the line of \\EFI\\shadowboot\\shadowboot.conf, on the "
     "volume that shadowboot was started from, that says so. mode: start, repair (mends also what "
     "keeps no disk from starting), report (starts nothing), menu. timeout: seconds for a key, at "
     "most 300. start: direct, or reset (by BootNext, as it is always done with BitLocker and a "
     "TPM). disk: the number of the disk to start first. allow-format, allow-msr: yes or no. "
     "report: log, json, variable, none. send: where the report goes as well (\"help network\"). "
     "serial: auto, ascii, boxes.\n"
     "Where the file cannot be read, or a line is not understood and none says which mode, nothing "
     "is done unasked: if no key is pressed, the firmware goes on with its next boot entry.\n"
     "Exit status 10 when a line cannot be understood.",
     NULL, 0, 0, cmd_config, 0},
    {"secureboot", "[-ask]", "shows what Secure Boot trusts and makes of the boot files",
     "Its state, the lists PK, KEK, db and dbx in words, and of each file that firmware loads from "
     "an ESP whether those lists let it start: by its digest and the certificates in its "
     "signatures. Signatures are not computed: firmware does that.\n"
     "-ask has firmware load each of these files, without starting it, and shows its answer beside "
     "that. Where there is a TPM it notes the loads: restart before Windows is started, or "
     "BitLocker asks for its key.\n"
     "Exit status 0x0A when Secure Boot is on and refuses one of them.",
     secureboot_options, 0, 0, cmd_secureboot, 0},
    {"undo", "[JOURNAL] [-l | -force | -drop]", "takes a change back",
     "Every change is journaled on the volume shadowboot was started from. Without a number the "
     "newest one that still stands is taken back; an undo itself is taken back by its number. When "
     "two volumes have journals of the same number, the volume goes before it: FS0:3.",
     undo_options, 0, 1, cmd_undo, 0},
    {"bootcfg", "[/list DISK | /clone ... | /mirror ... | /delete ... | /?]",
     "the lines of Microsoft's KB 814070, as typed there",
     "Takes bootcfg's own switches and prints what bootcfg prints; \"bootcfg /?\" lists them. It "
     "asks nothing, but -n shows the plan without changing anything. -v and -b work as everywhere, "
     "-sfo does not. The program does the same when it is named bootcfg.efi.",
     NULL, 0, ARGS_MAX, cmd_bootcfg, COMMAND_FOREIGN},
    {"bcd", "VERB ...", "lists and changes boot stores (BCD)",
     "What Windows' bcdedit does, from firmware: names and values are bcdedit's.\n"
     "list [DISK|GUID] [-all] prints each store as bcdedit does, with devices as the disks of this "
     "machine; -v gives GUIDs. One that BIOS starts from is only read. check says what is wrong with them. export FILE saves one.\n"
     "set OBJECT ELEMENT VALUE, delete OBJECT [ELEMENT], copy OBJECT -d TEXT, default OBJECT, "
     "order OBJECT... and timeout SECONDS change them. A device is boot, locate or partition=X, X "
     "being the letter of a dynamic volume (C: is the plex on the store's own disk), "
     "disk/partition (1/4), or a GUID.\n"
     "retarget has each store start the copy of Windows on its own disk; with -from and -to, what "
     "names one partition names the other then.\n"
     "start normal, safe, safe-network, safe-command, recovery, last-known-good, menu or "
     "never-recovery says how Windows is to start: what a recovery console offers.\n"
     "Without -on or -store the stores of all disks of the mirror are changed. -store takes a "
     "file that the UEFI Shell knows (FS0:\\BCD); one on a dynamic volume (D:\\boot\\bcd) is read "
     "only.",
     bcd_options, 0, ARGS_MAX, cmd_bcd, 0},
    {"bcdedit", "[/enum ... | /set ... | /copy ... | /?]", "the lines of bcdedit, as typed there",
     "Takes bcdedit's own switches; \"bcdedit /?\" lists them. It asks nothing but whether BitLocker's "
     "recovery key is at hand; -n shows the plan without changing anything. The program does the same when it is named bcdedit.efi.",
     NULL, 0, ARGS_MAX, cmd_bcdedit, COMMAND_FOREIGN},
    {"bcdboot",
     "C:\\Windows [/s PLACE] [/l xx-XX] [/f UEFI] [/addlast | /p] [/d] [/c | /m [{ID}]] [/v]",
     "the lines of bcdboot, as typed there",
     "What rebuild does, with bcdboot's words. The ESP is named as FS0:, by disk and partition (1/1) "
     "or by its GUID: letters of ESPs are known to Windows alone. Without /s it is the one that the "
     "machine starts from, and a boot entry is made. /l is the language of a new store, one that "
     "Windows has messages in; /m {ID} takes settings from that loader of an old store, /c from none. "
     "What does not go here (/f BIOS, /offline) is refused.",
     NULL, 0, ARGS_MAX, cmd_bcdboot, COMMAND_FOREIGN},
    {"test", "[DISK | -all]", "restarts the machine once from one disk",
     "Sets BootNext to the entry that starts from DISK (the shadow without one), remembers that in a "
     "variable of its own, and restarts. You see which system comes up; the start after that is as "
     "before. The next status says whether the firmware has taken the entry; no more than that can be "
     "known from here. With -all each disk in turn, one start each: when shadowboot runs again its menu "
     "begins with the next disk, status shows the table so far, and auto goes on by itself within a day, "
     "as long as the machine starts from each disk. At the end there is a table.",
     test_options, 0, 1, cmd_test, 0},
    {"menu", "", "shows the machine and what can be done, to choose from",
     "The disks, the verdict and what was found, and below it what can be done: arrows or digits "
     "choose, Enter does it, Esc goes back. Each choice that changes something is a command, named "
     "on the screen's last line, that shows its plan and asks. Needs a screen of 70 columns and 20 "
     "rows; over a serial line the frame is ASCII unless the terminal takes UTF-8. When you "
     "leave it, a boot manager that has started it goes on with its next entry.",
     NULL, 0, 0, cmd_menu, 0},
    {"version", "", "names the program and its firmware",
     "Its version and architecture, the firmware's vendor and revision, the version of UEFI, and the "
     "state of Secure Boot: what to name when you ask somebody. Reports have it too.",
     NULL, 0, 0, cmd_version, 0},
    {"help", "[COMMAND | findings | FINDING | sfo | json]", "explains a command",
     "Without a command it lists them all, with the options and exit statuses they share. "
     "findings lists what can be found, and the name of one tells what to do about it. sfo "
     "describes the tables that -sfo prints, json the report of status -json.",
     NULL, 0, 1, cmd_help, COMMAND_HELP},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, NULL, 0},
};

const struct command *command_table(void)
{
    return table;
}

const struct option_spec *common_options(void)
{
    return common;
}
