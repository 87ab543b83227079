#include "manager.h"

#include "hive.h"

#define STORE_MAX (1u << 18) /* bytes of a store, and of its log */
#define PATH_MAX  260u
#define HEAD      512u /* of the loader's file */
#define GUID_TEXT 39u  /* with the NUL */
#define DEPTH     4    /* of objects that inherit from each other */

#define UNSUCCESSFUL   0xc0000001u
#define NO_SUCH_DEVICE 0xc000000eu
#define NO_SUCH_FILE   0xc000000fu
#define NAME_NOT_FOUND 0xc0000034u
#define INVALID_IMAGE  0xc000007bu
#define FILE_INVALID   0xc0000098u
#define NOT_FOUND      0xc0000225u

#define DEVICE        "11000001"
#define LOADER_PATH   "12000002"
#define DESCRIPTION   "12000004"
#define INHERIT       "14000006"
#define SYSTEM_DEVICE "21000001"
#define DEFAULT       "23000003"
#define DISPLAY_ORDER "24000001"
#define BOOT_SEQUENCE "24000002"
#define LOADER_TYPE   0x10200003u

static const char manager_name[] = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}";

struct store {
    struct hive hive;
    UINT32 objects;
    const UINT8 *own; /* device path of the ESP */
};

/* --- Elements ------------------------------------------------------------------------------- */

static const UINT8 *own_element(const struct store *store, UINT32 object, const char *code,
                                UINTN *ret_size)
{
    UINT32 elements = hive_child(&store->hive, object, "Elements");

    return hive_value(&store->hive, hive_child(&store->hive, elements, code), "Element", ret_size);
}

/* The object at a place in text of "{guid}"s; 0: behind the last one. */
static BOOLEAN name_at(const UINT8 *data, UINTN size, UINTN index, char *ret_name)
{
    UINTN at = 2 * GUID_TEXT * index;

    if (data == NULL || at + 2 * (GUID_TEXT - 1) > size || le16(data + at) != '{')
        return FALSE;
    for (UINTN i = 0; i < GUID_TEXT - 1; i++)
        ret_name[i] = (char)data[at + 2 * i];
    ret_name[GUID_TEXT - 1] = 0;
    return TRUE;
}

static const UINT8 *element(const struct store *store, UINT32 object, const char *code, int depth,
                            UINTN *ret_size)
{
    const UINT8 *found = own_element(store, object, code, ret_size);
    char name[GUID_TEXT];
    UINTN size = 0;

    const UINT8 *list = found ? NULL : own_element(store, object, INHERIT, &size);
    for (UINTN i = 0; depth < DEPTH && !found && name_at(list, size, i, name); i++)
        found = element(store, hive_child(&store->hive, store->objects, name), code, depth + 1,
                        ret_size);
    return found;
}

/* The first object of an element that the store has. */
static UINT32 first_of(const struct store *store, UINT32 manager, const char *code,
                       BOOLEAN *io_named)
{
    char name[GUID_TEXT];
    UINTN size = 0;
    const UINT8 *data = own_element(store, manager, code, &size);

    for (UINTN i = 0; name_at(data, size, i, name); i++) {
        UINT32 object = hive_child(&store->hive, store->objects, name);
        *io_named = TRUE;
        if (object != HIVE_NONE)
            return object;
    }
    return HIVE_NONE;
}

/* --- Devices -------------------------------------------------------------------------------- */

static void text_of(const UINT8 *data, UINTN size, CHAR16 *ret_text)
{
    UINTN count = 0;

    while (data && count + 1 < PATH_MAX && 2 * count + 1 < size && le16(data + 2 * count)) {
        ret_text[count] = le16(data + 2 * count);
        count++;
    }
    ret_text[count] = 0;
}

static UINT32 resolve(const struct store *store, const UINT8 *data, UINTN size, const CHAR16 *path,
                      struct place *ret_place, BOOLEAN *ret_odd)
{
    UINT32 type = size < 32 ? 0 : le32(data + 16);

    if (type == 5)
        return NO_SUCH_FILE;
    if (type == 8)
        return disks_locate(path, store->own, ret_place) ? 0 : NO_SUCH_DEVICE;
    *ret_odd = type != 6 || size != 88 || le32(data + 48) || le32(data + 52);
    if (*ret_odd || disks_find(data + 32, store->own, ret_place))
        return 0;
    return disks_have(data + 56) ? NOT_FOUND : NO_SUCH_DEVICE;
}

/* What comes of the loader's file, as far as the firmware can read it. */
static UINT32 try_file(const struct place *place, const CHAR16 *path)
{
    static UINT8 head[HEAD];
    UINTN size = HEAD;

    EFI_STATUS status = disks_read(place, path, head, &size);
    if (status == EFI_UNSUPPORTED)
        return 0;
    if (EFI_ERROR(status))
        return NO_SUCH_FILE;
    UINT32 at = size < 64 ? HEAD : le32(head + 60);
    return at < HEAD - 6 && head[0] == 'M' && le32(head + at) == 0x4550 &&
                   le16(head + at + 4) == 0x8664
               ? 0
               : INVALID_IMAGE;
}

/* --- What is started ------------------------------------------------------------------------ */

static UINT32 start_loader(const struct store *store, UINT32 loader, struct started *to)
{
    static const CHAR16 usual[] = L"\\Windows\\System32\\winload.efi";
    CHAR16 path[PATH_MAX];
    UINTN size = 0;

    const UINT8 *type =
        hive_value(&store->hive, hive_child(&store->hive, loader, "Description"), "Type", &size);
    to->odd = type == NULL || size != 4 || le32(type) != LOADER_TYPE;
    if (to->odd)
        return 0;
    if (element(store, loader, DESCRIPTION, 0, &size) == NULL)
        return UNSUCCESSFUL;
    const UINT8 *data = element(store, loader, LOADER_PATH, 0, &size);
    text_of(data, size, path);
    const CHAR16 *file = path[0] ? path : usual;
    data = element(store, loader, DEVICE, 0, &size);
    UINT32 code =
        data == NULL ? UNSUCCESSFUL : resolve(store, data, size, file, &to->loader, &to->odd);
    if (code == 0 && !to->odd)
        code = try_file(&to->loader, file);
    data = element(store, loader, SYSTEM_DEVICE, 0, &size);
    to->has_system = data != NULL;
    if (code != 0 || to->odd || data == NULL)
        return code;
    return resolve(store, data, size, L"\\Windows", &to->system, &to->odd);
}

/* The boot manager's own object: load options may name another one. */
static UINT32 manager_of(const struct store *store, const UINT8 *options, UINTN size)
{
    static const char mark[] = "BCDOBJECT=";
    char name[GUID_TEXT];

    for (UINTN at = 0; at + 2 * (sizeof(mark) - 1) <= size; at++) {
        UINTN same = 0;
        while (same < sizeof(mark) - 1 && le16(options + at + 2 * same) == (UINT8)mark[same])
            same++;
        if (same == sizeof(mark) - 1 &&
            name_at(options + at + 2 * same, size - at - 2 * same, 0, name))
            return hive_child(&store->hive, store->objects, name);
    }
    return hive_child(&store->hive, store->objects, manager_name);
}

static UINT32 choose(const struct store *store, UINT32 manager, struct started *to)
{
    static const char *const order[] = {BOOT_SEQUENCE, DEFAULT, DISPLAY_ORDER};
    BOOLEAN named = FALSE;
    BOOLEAN once = FALSE;

    for (int i = 0; i < 3; i++) {
        UINT32 loader = first_of(store, manager, order[i], i == 0 ? &once : &named);
        if (loader != HIVE_NONE)
            return start_loader(store, loader, to);
    }
    return named ? NAME_NOT_FOUND : FILE_INVALID;
}

/* --- The store ------------------------------------------------------------------------------ */

/* The size of the file; FALSE when it cannot be read. */
static BOOLEAN read_all(EFI_FILE *root, const CHAR16 *name, UINT8 *ret_data, UINTN *ret_size)
{
    EFI_FILE *file;
    UINTN size = STORE_MAX;

    if (EFI_ERROR(root->Open(root, &file, (CHAR16 *)name, EFI_FILE_MODE_READ, 0)))
        return FALSE;
    EFI_STATUS status = file->Read(file, &size, ret_data);
    file->Close(file);
    *ret_size = size;
    return !EFI_ERROR(status);
}

static void write_back(EFI_FILE *root, const CHAR16 *name, const struct hive *hive)
{
    EFI_FILE *file;
    UINTN size = hive->size;

    if (EFI_ERROR(
            root->Open(root, &file, (CHAR16 *)name, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0)))
        return;
    if (EFI_ERROR(file->Write(file, &size, hive->data)))
        print(L"STANDIN: the store was not written back\r\n");
    file->Close(file);
}

static UINT32 open_store(EFI_FILE *root, struct store *store)
{
    static const CHAR16 name[] = L"\\EFI\\Microsoft\\Boot\\BCD";
    static const CHAR16 log_name[] = L"\\EFI\\Microsoft\\Boot\\BCD.LOG";
    UINT8 *log = store->hive.data + STORE_MAX;
    UINTN log_size = 0;

    store->hive.capacity = STORE_MAX;
    if (!read_all(root, name, store->hive.data, &store->hive.size))
        return NO_SUCH_FILE;
    BOOLEAN has_log = read_all(root, log_name, log, &log_size);
    UINT32 code = hive_open(&store->hive, has_log ? log : NULL, log_size);
    if (code == 0 && store->hive.mended)
        write_back(root, name, &store->hive);
    if (code != 0)
        return code;
    store->objects = hive_child(&store->hive, hive_root(&store->hive), "Objects");
    return hive_child_count(&store->hive, store->objects) == 0 ? NAME_NOT_FOUND : 0;
}

static void follow(struct store *store, EFI_FILE *root, const UINT8 *options, UINTN size,
                   struct started *ret_started)
{
    ret_started->code = open_store(root, store);
    if (ret_started->code != 0)
        return;
    UINT32 manager = manager_of(store, options, size);
    ret_started->odd = manager == HIVE_NONE;
    if (manager != HIVE_NONE)
        ret_started->code = choose(store, manager, ret_started);
}

void manager_follow(EFI_FILE *root, const UINT8 *own, const UINT8 *options, UINTN size,
                    struct started *ret_started)
{
    struct store store = {.own = own};

    ret_started->code = UNSUCCESSFUL;
    if (EFI_ERROR(bs->AllocatePool(EfiLoaderData, 2 * STORE_MAX, (void **)&store.hive.data)))
        return;
    follow(&store, root, options, size, ret_started);
    bs->FreePool(store.hive.data);
}
