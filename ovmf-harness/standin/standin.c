/*
 * A stand-in for an operating system's boot manager, for tests only.
 *
 * It proves that it was started, and from where, by one line on the console:
 *
 *   STANDIN token=<text of \token.txt> esp=<partition GUID> entry=Boot0005 file=<its own path>
 *   loader=<disk GUID>/<partition GUID> system=<the same> description=<of that entry>
 *
 * (one line, blanks between the fields). A token that a test made up and put on one volume only
 * can be known only to what was started from that volume. `esp` is "none" on a volume that is
 * not a GPT partition, `entry` is "none" without BootCurrent.
 *
 * `loader` and `system` are where Windows' boot manager finds winload.efi and \Windows by the store
 * of this ESP (manager.h). `loader` is a status of Windows, such as 0xc000000e, where it stops,
 * "odd" where it goes on to something else, and "none" in programs that play another part: a boot
 * manager's file ends in "bootmgfw.pdb". `system` is "none" where the store names none, or it does
 * not start. A line before it, PCR4=..., is there with a TPM 2.0 (measured.h).
 *
 * Then it does what files in the root of its volume say:
 *
 *   \next.efi      is loaded and started; BootCurrent stays as it is
 *   \standin.cfg   one word: "shell" starts the firmware's built-in Shell, "error" returns
 *                  EFI_LOAD_ERROR (the firmware goes on to the next entry), "success" returns
 *                  EFI_SUCCESS (the firmware opens its menu), "reset" resets the machine,
 *                  "watchdog" waits without disarming the boot manager's watchdog timer
 *   neither        it waits forever
 */
#include "manager.h"
#include "measured.h"

#define TEXT_SIZE 512
#define PATH_SIZE 1024

EFI_SYSTEM_TABLE *st;
EFI_BOOT_SERVICES *bs;

static EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static EFI_GUID global_guid = EFI_GLOBAL_VARIABLE;
static EFI_GUID firmware_volume_guid = {
    0x220e73b6, 0x6bdb, 0x4413, {0x84, 0x05, 0xb9, 0x74, 0xb1, 0x08, 0x61, 0x9a}};
static const EFI_GUID shell_guid = {
    0x7c04a583, 0x9e3e, 0x4f1c, {0xad, 0x65, 0xe0, 0x52, 0x68, 0xd0, 0xb4, 0xd1}};

void print(const CHAR16 *text)
{
    st->ConOut->OutputString(st->ConOut, (CHAR16 *)text);
}

void print_char(CHAR16 c)
{
    CHAR16 text[2] = {c, 0};

    print(text);
}

void print_hex(UINT64 value, int digits)
{
    while (digits > 0) {
        digits--;
        print_char(L"0123456789abcdef"[(value >> (4 * digits)) & 15]);
    }
}

void print_guid(const UINT8 *b)
{
    static const UINT8 order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            print_char('-');
        print_hex(b[order[i]], 2);
    }
}

UINTN node_length(const UINT8 *node)
{
    return node[2] | (UINTN)node[3] << 8;
}

BOOLEAN is_end(const UINT8 *node)
{
    return node[0] == 0x7f || node_length(node) < 4;
}

static void copy_bytes(UINT8 *to, const UINT8 *from, UINTN count)
{
    for (UINTN i = 0; i < count; i++)
        to[i] = from[i];
}

/* Bytes of the path without its end node. */
UINTN path_length(const UINT8 *path)
{
    UINTN length = 0;

    while (!is_end(path + length))
        length += node_length(path + length);
    return length;
}

/* `path` with one more node; FALSE when it does not fit. */
static BOOLEAN append_node(UINT8 *ret, const UINT8 *path, const UINT8 *node)
{
    static const UINT8 end[4] = {0x7f, 0xff, 4, 0};
    UINTN length = path_length(path);

    if (length + node_length(node) + sizeof(end) > PATH_SIZE)
        return FALSE;
    copy_bytes(ret, path, length);
    copy_bytes(ret + length, node, node_length(node));
    copy_bytes(ret + length + node_length(node), end, sizeof(end));
    return TRUE;
}

/* Up to TEXT_SIZE - 1 bytes of a file, NUL-terminated and cut at the first control character. */
static BOOLEAN read_text(EFI_FILE *root, CHAR16 *name, char *ret_text)
{
    EFI_FILE *file;
    UINTN size = TEXT_SIZE - 1;
    UINTN length = 0;

    ret_text[0] = 0;
    if (EFI_ERROR(root->Open(root, &file, name, EFI_FILE_MODE_READ, 0)))
        return FALSE;
    if (EFI_ERROR(file->Read(file, &size, ret_text)))
        size = 0;
    file->Close(file);
    while (length < size && (UINT8)ret_text[length] > ' ')
        length++;
    ret_text[length] = 0;
    return TRUE;
}

static BOOLEAN same_text(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

BOOLEAN same_bytes(const UINT8 *a, const UINT8 *b, UINTN count)
{
    UINTN same = 0;

    while (same < count && a[same] == b[same])
        same++;
    return same == count;
}

const UINT8 *path_partition(const UINT8 *path)
{
    const UINT8 *found = NULL;

    for (; path && !is_end(path); path += node_length(path)) {
        if (path[0] == 4 && path[1] == 1 && node_length(path) == 42 && path[41] == 2)
            found = path + 24;
    }
    return found;
}

static void print_partition(const UINT8 *path)
{
    const UINT8 *found = path_partition(path);

    if (found)
        print_guid(found);
    else
        print(L"none");
}

static void print_entry_name(UINT16 number)
{
    print(L"Boot");
    for (int shift = 12; shift >= 0; shift -= 4)
        print_char(L"0123456789ABCDEF"[(number >> shift) & 15]);
}

/* The description in Boot####, printed; nothing when the variable is absent. */
static void print_description(UINT16 number)
{
    static UINT8 value[4096];
    CHAR16 name[] = L"Boot0000";
    UINTN size = sizeof(value);

    for (int i = 0; i < 4; i++)
        name[7 - i] = L"0123456789ABCDEF"[(number >> (4 * i)) & 15];
    if (EFI_ERROR(st->RuntimeServices->GetVariable(name, &global_guid, NULL, &size, value)))
        return;
    for (UINTN at = 6; at + 1 < size && (value[at] | value[at + 1]); at += 2)
        print_char((CHAR16)(value[at] | value[at + 1] << 8));
}

static BOOLEAN read_boot_current(UINT16 *ret_number)
{
    UINTN size = sizeof(*ret_number);

    return !EFI_ERROR(
        st->RuntimeServices->GetVariable(L"BootCurrent", &global_guid, NULL, &size, ret_number));
}

/* All File nodes of the path the firmware loaded this image from. */
static void file_of(const UINT8 *path, CHAR16 ret_name[TEXT_SIZE])
{
    UINTN count = 0;

    for (; path && !is_end(path); path += node_length(path)) {
        if (path[0] != 4 || path[1] != 4)
            continue;
        for (UINTN at = 4; at + 1 < node_length(path); at += 2) {
            if (le16(path + at) && count + 1 < TEXT_SIZE)
                ret_name[count++] = le16(path + at);
        }
    }
    ret_name[count] = 0;
}

/* The mark stands here in two parts, else every stand-in would carry it. */
static BOOLEAN is_boot_manager(EFI_FILE *root, CHAR16 *name)
{
    static const UINT8 mark[] = {'b', 'o', 'o', 't', 'm', 'g', 'f', 'w'};
    static const UINT8 kind[] = {'.', 'p', 'd', 'b'};
    EFI_FILE *file;
    UINT8 end[sizeof(mark) + sizeof(kind)];
    UINT64 size = 0;
    UINTN count = sizeof(end);

    if (EFI_ERROR(root->Open(root, &file, name, EFI_FILE_MODE_READ, 0)))
        return FALSE;
    EFI_STATUS status = file->SetPosition(file, ~(UINT64)0);
    if (!EFI_ERROR(status))
        status = file->GetPosition(file, &size);
    if (!EFI_ERROR(status) && size >= sizeof(end))
        status = file->SetPosition(file, size - sizeof(end));
    if (!EFI_ERROR(status))
        status = file->Read(file, &count, end);
    file->Close(file);
    return !EFI_ERROR(status) && count == sizeof(end) && same_bytes(end, mark, sizeof(mark)) &&
           same_bytes(end + sizeof(mark), kind, sizeof(kind));
}

static void print_place(const struct place *place)
{
    print_guid(place->disk);
    print_char('/');
    print_guid(place->partition);
}

static void report_store(EFI_LOADED_IMAGE *image, EFI_FILE *root, const UINT8 *device, CHAR16 *name)
{
    struct started started = {0};
    BOOLEAN plays = is_boot_manager(root, name);

    if (plays)
        manager_follow(root, device, image->LoadOptions, image->LoadOptionsSize, &started);
    BOOLEAN starts = plays && !started.odd && started.code == 0;
    print(L" loader=");
    if (starts) {
        print_place(&started.loader);
    } else if (started.code != 0) {
        print(L"0x");
        print_hex(started.code, 8);
    } else {
        print(plays ? L"odd" : L"none");
    }
    print(L" system=");
    if (starts && started.has_system)
        print_place(&started.system);
    else
        print(L"none");
}

static void report(EFI_LOADED_IMAGE *image, EFI_FILE *root, const UINT8 *device, const char *token)
{
    CHAR16 name[TEXT_SIZE];
    UINT16 number = 0;
    BOOLEAN has_entry = read_boot_current(&number);

    print(L"\r\nSTANDIN token=");
    while (*token)
        print_char((UINT8)*token++);
    print(L" esp=");
    print_partition(device);
    print(L" entry=");
    if (has_entry)
        print_entry_name(number);
    else
        print(L"none");
    print(L" file=");
    file_of((const UINT8 *)image->FilePath, name);
    print(name);
    report_store(image, root, device, name);
    print(L" description=");
    if (has_entry)
        print_description(number);
    print(L"\r\n");
}

/* Loads and starts what a path names; gives what it returned, or why it could not be loaded. */
static EFI_STATUS start_path(EFI_HANDLE self, UINT8 *path)
{
    EFI_HANDLE image = NULL;
    EFI_STATUS status = bs->LoadImage(FALSE, self, (EFI_DEVICE_PATH *)path, NULL, 0, &image);

    if (EFI_ERROR(status))
        return status;
    return bs->StartImage(image, NULL, NULL);
}

static EFI_STATUS start_next(EFI_HANDLE self, const UINT8 *device)
{
    static const CHAR16 name[] = L"\\next.efi";
    static UINT8 path[PATH_SIZE];
    UINT8 node[4 + sizeof(name)] = {4, 4, 4 + sizeof(name), 0};

    copy_bytes(node + 4, (const UINT8 *)name, sizeof(name));
    if (!append_node(path, device, node))
        return EFI_BUFFER_TOO_SMALL;
    return start_path(self, path);
}

/* The Shell is a file in one of the firmware's own volumes. */
static EFI_STATUS start_shell(EFI_HANDLE self)
{
    static UINT8 path[PATH_SIZE];
    UINT8 node[20] = {4, 6, 20, 0};
    EFI_HANDLE *handles;
    UINTN count;
    EFI_STATUS status =
        bs->LocateHandleBuffer(ByProtocol, &firmware_volume_guid, NULL, &count, &handles);

    copy_bytes(node + 4, (const UINT8 *)&shell_guid, 16);
    for (UINTN i = 0; !EFI_ERROR(status) && i < count; i++) {
        void *volume;

        if (EFI_ERROR(bs->HandleProtocol(handles[i], &device_path_guid, &volume)))
            continue;
        if (!append_node(path, volume, node))
            continue;
        if (start_path(self, path) != EFI_NOT_FOUND)
            return EFI_SUCCESS;
    }
    print(L"STANDIN: no Shell in this firmware\r\n");
    return EFI_NOT_FOUND;
}

/* Waits on an event that never comes, so that the processor sleeps. */
static void wait_forever(void)
{
    EFI_EVENT event;
    UINTN index;

    if (EFI_ERROR(bs->CreateEvent(EVT_TIMER, 0, NULL, NULL, &event)))
        return;
    for (;;)
        bs->WaitForEvent(1, &event, &index);
}

static EFI_STATUS obey(EFI_HANDLE self, EFI_FILE *root, const UINT8 *device)
{
    char word[TEXT_SIZE];
    EFI_FILE *file;

    read_text(root, L"\\standin.cfg", word);
    if (!same_text(word, "watchdog"))
        bs->SetWatchdogTimer(0, 0, 0, NULL);
    if (!EFI_ERROR(root->Open(root, &file, L"\\next.efi", EFI_FILE_MODE_READ, 0))) {
        file->Close(file);
        return start_next(self, device);
    }
    if (same_text(word, "shell"))
        return start_shell(self);
    if (same_text(word, "error"))
        return EFI_LOAD_ERROR;
    if (same_text(word, "success"))
        return EFI_SUCCESS;
    if (same_text(word, "reset"))
        st->RuntimeServices->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
    wait_forever();
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table)
{
    char token[TEXT_SIZE];
    EFI_LOADED_IMAGE *image;
    EFI_FILE_IO_INTERFACE *volume;
    EFI_FILE *root;
    void *device;

    st = table;
    bs = table->BootServices;
    if (EFI_ERROR(bs->HandleProtocol(self, &loaded_image_guid, (void **)&image)) ||
        EFI_ERROR(bs->HandleProtocol(image->DeviceHandle, &device_path_guid, &device)) ||
        EFI_ERROR(bs->HandleProtocol(image->DeviceHandle, &file_system_guid, (void **)&volume)) ||
        EFI_ERROR(volume->OpenVolume(volume, &root))) {
        print(L"STANDIN: not started from a volume\r\n");
        return EFI_UNSUPPORTED;
    }
    read_text(root, L"\\token.txt", token);
    print_boot_manager_measurement();
    report(image, root, device, token);
    return obey(self, root, device);
}
