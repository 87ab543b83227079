#include "sweep/truth_system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/truth_log.h"
#include "sweep/truth_store.h"
#include "sweep/truth_volumes.h"

#define STORE     "\\EFI\\Microsoft\\Boot\\BCD"
#define STAGE     "grubx64.efi"
#define FALLBACK  "fbx64.efi"
#define ENTRIES   "\\loader\\entries\\linux.conf"
#define CSV       "BOOTX64.CSV"
#define PATH_TEXT 300
#define DEPTH_MAX 4u /* programs that start each other */
#define OPTIONAL  24u
#define HIVE_BASE 4096u

/* --- Images --------------------------------------------------------------------------------- */

static const char *section_refusal(const struct truth_file *file, uint32_t table, uint16_t count,
                                   uint32_t headers, uint32_t image_size)
{
    for (uint16_t i = 0; i < count; i++) {
        const uint8_t *section = file->data + table + 40u * i;
        uint64_t memory = ld_le32(section + 8);
        uint64_t virtual = ld_le32(section + 12);
        uint64_t size = ld_le32(section + 16);
        uint64_t place = ld_le32(section + 20);
        if (size != 0 && (place < headers || place + size > file->size))
            return "a section that is not inside the file";
        if (virtual + memory > image_size)
            return "a section that is not inside the image";
    }
    return NULL;
}

static const char *headers_refusal(const struct truth_file *file, uint32_t at)
{
    const uint8_t *optional = file->data + at + OPTIONAL;
    uint16_t count = ld_le16(file->data + at + 6);
    uint16_t size = ld_le16(file->data + at + 20);
    uint32_t image_size = ld_le32(optional + 56);
    uint32_t headers = ld_le32(optional + 60);
    uint32_t directories = ld_le32(optional + 108);
    uint32_t table = at + OPTIONAL + size;

    if (directories > 16 || size != 112 + 8 * directories || table + 40u * count > headers)
        return "headers that contradict each other";
    if (headers > file->size || headers > image_size)
        return "headers longer than the file";
    uint64_t place = directories > 4 ? ld_le32(optional + 144) : 0;
    uint64_t length = directories > 4 ? ld_le32(optional + 148) : 0;
    if (length != 0 && place + length > file->size)
        return "a certificate table behind the end of the file";
    return section_refusal(file, table, count, headers, image_size);
}

const char *truth_refusal(const struct truth_file *file)
{
    if (file->size < 64 || memcmp(file->data, "MZ", 2) != 0)
        return "no MZ";
    uint32_t at = ld_le32(file->data + 60);
    if (at > file->size || file->size - at < 264 || memcmp(file->data + at, "PE\0\0", 4) != 0)
        return "no PE headers";
    if (ld_le16(file->data + at + 4) != 0x8664)
        return "for another machine";
    if (ld_le16(file->data + at + OPTIONAL) != 0x20b || ld_le16(file->data + at + 92) != 10)
        return "no application of 64 bits";
    return headers_refusal(file, at);
}

/* The sum of all words but the checksum's own, and the size. */
static bool checksum_is_right(const struct truth_file *file)
{
    uint32_t at = ld_le32(file->data + 60) + OPTIONAL + 64;
    uint64_t sum = 0;

    for (size_t i = 0; i < file->size; i += 2) {
        if (i != at && i != at + 2)
            sum += file->data[i] | (i + 1 < file->size ? (uint32_t)file->data[i + 1] << 8 : 0);
    }
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return ld_le32(file->data + at) == (uint32_t)(sum + file->size);
}

/* What Windows' boot manager carries behind its name. */
#define MARK      "bootmgfw.pdb"
#define MARK_SIZE (sizeof(MARK) - 1)

enum role { ROLE_WINDOWS, ROLE_SHIM, ROLE_FALLBACK, ROLE_LINUX, ROLE_SYSTEMD, ROLE_NONE };

static enum role role_of(const char *name)
{
    static const struct {
        const char *name;
        enum role role;
    } roles[] = {{"shim", ROLE_SHIM},
                 {"fallback", ROLE_FALLBACK},
                 {"grub", ROLE_LINUX},
                 {"kernel", ROLE_LINUX},
                 {"systemd-boot", ROLE_SYSTEMD}};
    /* "another grub" is one, too. */
    const char *word = strrchr(name, ' ');
    const char *own = word != NULL ? word + 1 : name;
    size_t length = strcspn(own, ".@");

    if (strstr(name, "bootmgfw") != NULL)
        return ROLE_WINDOWS;
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strlen(roles[i].name) == length && strncmp(roles[i].name, own, length) == 0)
            return roles[i].role;
    }
    return ROLE_NONE;
}

/* The name in the last bytes of the first `size`; "" where none is. */
static void read_name(const struct truth_file *file, size_t size, char ret_name[TRUTH_NAME + 1])
{
    size_t length = 0;

    memset(ret_name, 0, TRUTH_NAME + 1);
    if (size < TRUTH_NAME)
        return;
    const char *from = (const char *)file->data + size - TRUTH_NAME;
    while (length < TRUTH_NAME && from[length] >= ' ' && from[length] < 0x7f)
        length++;
    size_t end = TRUTH_NAME;
    if (memcmp(from + TRUTH_NAME - MARK_SIZE, MARK, MARK_SIZE) == 0)
        end -= MARK_SIZE;
    for (size_t i = length; i < end; i++) {
        if (from[i] != 0)
            return;
    }
    memcpy(ret_name, from, length);
}

/* Where the signatures of a program begin; 0 without any. They stand behind all else. */
static uint32_t signatures_of(const struct truth_file *file)
{
    if (truth_refusal(file) != NULL)
        return 0;
    const uint8_t *optional = file->data + ld_le32(file->data + 60) + OPTIONAL;

    return ld_le32(optional + 108) > 4 && ld_le32(optional + 148) > 0 ? ld_le32(optional + 144) : 0;
}

/* What the file says that it is; of a signed program before the zeros that fill it up to 8
 * bytes. */
static void take_name(const struct truth_file *file, char ret_name[TRUTH_NAME + 1])
{
    uint32_t signatures = signatures_of(file);

    read_name(file, file->size, ret_name);
    for (uint32_t fill = 0; fill < 8 && signatures > fill; fill++) {
        read_name(file, signatures - fill, ret_name);
        if (role_of(ret_name) != ROLE_NONE)
            return;
    }
}

/* True for the image that returns an error to firmware: it is one section of a few bytes. */
static bool gives_up(const struct truth_file *file)
{
    static const uint8_t code[] = {0x48, 0xb8, 3, 0, 0, 0, 0, 0, 0, 0x80, 0xc3};

    for (size_t i = 0; file->size < 4096 && i + sizeof(code) <= file->size; i++) {
        if (memcmp(file->data + i, code, sizeof(code)) == 0)
            return true;
    }
    return false;
}

/* --- What programs need --------------------------------------------------------------------- */

static void end_with(struct truth_run *run, enum truth_verdict verdict, const char *why)
{
    run->verdict = verdict;
    run->why = why;
}

/* The part of a name behind '@'. */
static const char *system_in(const char *name)
{
    const char *at = strchr(name, '@');

    return at != NULL ? at + 1 : "";
}

static const char *hive_problem(const struct truth_file *hive)
{
    if (hive->data == NULL)
        return "no store";
    if (hive->size < HIVE_BASE + 64 || memcmp(hive->data, "regf", 4) != 0)
        return "the store is no hive";
    uint32_t sum = 0;
    for (size_t i = 0; i < 508; i += 4)
        sum ^= ld_le32(hive->data + i);
    if (sum != ld_le32(hive->data + 508))
        return "the store has a wrong checksum";
    if (memcmp(hive->data + HIVE_BASE, "hbin", 4) != 0)
        return "the store has no bin";
    uint64_t root = HIVE_BASE + (uint64_t)ld_le32(hive->data + 36);
    if (ld_le32(hive->data + 40) + (uint64_t)HIVE_BASE > hive->size)
        return "the store is cut off";
    if (root + 6 > hive->size || memcmp(hive->data + root + 4, "nk", 2) != 0)
        return "the store has no root";
    return NULL;
}

/* What there is of Windows where the store looks for it. */
static enum truth_verdict find_windows(const struct truth_scene *scene, enum truth_place place,
                                       const uint8_t guid[16], const struct truth_run *run)
{
    switch (place) {
    case PLACE_ANYWHERE:
        return truth_windows(scene, run->system);
    case PLACE_PARTITION:
        return truth_windows_on(scene, guid, run->system);
    case PLACE_ESP:
        return TRUTH_FAILS;
    default:
        return TRUTH_UNSURE;
    }
}

static void run_windows(const struct truth_scene *scene, const struct truth_fat *fat,
                        struct truth_run *run)
{
    struct truth_file store = truth_fat_read(fat, STORE);
    struct truth_file log = truth_fat_read(fat, STORE ".LOG");
    const char *problem = truth_log_replay(&store, &log) ? hive_problem(&store)
                                                         : "the store is dirty, and has no log";
    char name[TRUTH_NAME + 1] = "";
    struct truth_store target;

    if (problem == NULL)
        take_name(&store, name);
    if (problem == NULL)
        problem = truth_store_read(&store, &target);
    free(store.data);
    free(log.data);
    snprintf(run->system, sizeof(run->system), "%s", system_in(name));
    if (problem != NULL) {
        end_with(run, TRUTH_FAILS, problem);
        return;
    }
    if (run->system[0] == 0 && target.system.place == PLACE_PARTITION)
        truth_system_on(scene, target.system.guid, run->system);
    enum truth_verdict windows = find_windows(scene, target.loader.place, target.loader.guid, run);
    enum truth_verdict system = find_windows(scene, target.system.place, target.system.guid, run);
    windows = target.odd_file && windows != TRUTH_FAILS ? TRUTH_UNSURE : windows;
    windows = system < windows ? system : windows;
    end_with(run, windows, windows == TRUTH_STARTS ? "Windows" : "no Windows of this store");
}

static void run_linux(const struct truth_scene *scene, const char *name, struct truth_run *run)
{
    bool there = truth_has_root(scene, system_in(name));

    snprintf(run->system, sizeof(run->system), "%s", system_in(name));
    end_with(run, there ? TRUTH_STARTS : TRUTH_FAILS,
             there ? "Linux" : "its root file system is not there");
}

/* --- Programs that start programs ------------------------------------------------------------ */

static void run_at(const struct truth_scene *scene, const struct truth_fat *fat, const char *path,
                   const struct truth_file *file, unsigned depth, struct truth_run *run);

/* Starts what lies under `name` in the folder of `path`; false when nothing does. */
static bool run_beside(const struct truth_scene *scene, const struct truth_fat *fat,
                       const char *path, const char *name, unsigned depth, struct truth_run *run)
{
    const char *slash = strrchr(path, '\\');
    char other[PATH_TEXT];

    snprintf(other, sizeof(other), "%.*s\\%s", slash != NULL ? (int)(slash - path) : 0, path, name);
    struct truth_file file = truth_fat_read(fat, other);
    if (file.data == NULL)
        return false;
    if (truth_refusal(&file) != NULL || depth == DEPTH_MAX)
        end_with(run, TRUTH_FAILS, "the next stage is no program");
    else
        run_at(scene, fat, other, &file, depth + 1, run);
    free(file.data);
    return true;
}

struct csv_search {
    const struct truth_fat *fat;
    char path[PATH_TEXT]; /* of the loader that the first of them names; "" for none */
};

/* The first field of a line of a CSV in UCS-2 is the name of a file beside it. */
static void look_for_csv(void *ctx, const char *folder)
{
    struct csv_search *search = ctx;
    char path[PATH_TEXT];

    if (search->path[0] != 0)
        return;
    snprintf(path, sizeof(path), "\\EFI\\%s\\" CSV, folder);
    struct truth_file csv = truth_fat_read(search->fat, path);
    if (csv.data == NULL)
        return;
    int used = snprintf(search->path, sizeof(search->path), "\\EFI\\%s\\", folder);
    for (size_t i = csv.size >= 2 && csv.data[0] == 0xff ? 2 : 0; i + 1 < csv.size; i += 2) {
        if (csv.data[i] == ',' || (size_t)used + 1 >= sizeof(search->path))
            break;
        search->path[used++] = (char)csv.data[i];
        search->path[used] = 0;
    }
    free(csv.data);
}

/* fbx64 makes entries of what the CSVs name and starts the first. */
static void run_fallback(const struct truth_scene *scene, const struct truth_fat *fat,
                         unsigned depth, struct truth_run *run)
{
    struct csv_search search = {.fat = fat};

    truth_fat_folders(fat, "\\EFI", look_for_csv, &search);
    struct truth_file file = truth_fat_read(fat, search.path);
    if (file.data == NULL || truth_refusal(&file) != NULL || depth == DEPTH_MAX)
        end_with(run, TRUTH_FAILS, "no CSV that leads to a program");
    else
        run_at(scene, fat, search.path, &file, depth + 1, run);
    free(file.data);
}

static void run_shim(const struct truth_scene *scene, const struct truth_fat *fat, const char *path,
                     unsigned depth, struct truth_run *run)
{
    bool from_fallback = strncmp(path, "\\EFI\\BOOT\\", 10) == 0;

    if (from_fallback && run_beside(scene, fat, path, FALLBACK, depth, run))
        return;
    if (!run_beside(scene, fat, path, STAGE, depth, run))
        end_with(run, TRUTH_FAILS, "shim: no GRUB beside it");
}

/* --- All programs --------------------------------------------------------------------------- */

static void run_systemd(const struct truth_scene *scene, const struct truth_fat *fat,
                        const char *name, struct truth_run *run)
{
    struct truth_file entry = truth_fat_read(fat, ENTRIES);
    bool found = entry.data != NULL;

    free(entry.data);
    run_linux(scene, name, run);
    if (!found)
        end_with(run, TRUTH_FAILS, "systemd-boot: no entry");
}

static void run_role(const struct truth_scene *scene, const struct truth_fat *fat, const char *path,
                     const char *name, unsigned depth, struct truth_run *run)
{
    switch (role_of(name)) {
    case ROLE_WINDOWS:
        run_windows(scene, fat, run);
        return;
    case ROLE_SHIM:
        run_shim(scene, fat, path, depth, run);
        return;
    case ROLE_FALLBACK:
        run_fallback(scene, fat, depth, run);
        return;
    case ROLE_LINUX:
        run_linux(scene, name, run);
        return;
    case ROLE_SYSTEMD:
        run_systemd(scene, fat, name, run);
        return;
    case ROLE_NONE:
        end_with(run, TRUTH_FAILS, "a program that is no system");
        return;
    }
}

static void run_at(const struct truth_scene *scene, const struct truth_fat *fat, const char *path,
                   const struct truth_file *file, unsigned depth, struct truth_run *run)
{
    char name[TRUTH_NAME + 1];

    take_name(file, name);
    bool unchanged = name[0] != 0 && checksum_is_right(file);
    if (unchanged && depth == 0)
        strcpy(run->program, name);
    if (unchanged)
        run_role(scene, fat, path, name, depth, run);
    else
        end_with(run, gives_up(file) ? TRUTH_RETURNS : TRUTH_FAILS, "not the bytes it was made of");
}

void truth_run(const struct truth_scene *scene, const struct truth_fat *fat, const char *path,
               const struct truth_file *file, struct truth_run *ret_run)
{
    *ret_run = (struct truth_run){.verdict = TRUTH_FAILS};
    run_at(scene, fat, path, file, 0, ret_run);
}
