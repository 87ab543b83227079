/*
 * Starts a program and counts what it asks of the firmware.
 *
 *   watch PROGRAM.EFI [ARGUMENT...]
 *
 * The program lies in the root of the volume that this one comes from, and gets what stands behind
 * `watch` as its load options. Afterwards one line says what it did, calls from elsewhere (of
 * drivers, say) left out:
 *
 *   WATCH status=0 pages=1 largest=1 most=1 left=0 strings=1 connects=1 disconnects=1 us=1000
 *
 * (the status without its error bit): calls that gave pages, most pages of one call, most that it
 * had at once, pages it did not give back; strings printed; drivers put on and taken off
 * controllers; microseconds from its start to its end, and of these in pages_us=, strings_us= and
 * connects_us=. After WATCH ERROR it ends with a status other than 0.
 */
#include <efi.h>

#define STALL      10000u /* microseconds by which the counter is measured */
#define FILE_NODE  4      /* bytes of a file path node before its text */
#define PATH_UNITS 64     /* the longest name of a program, with its NUL */
#define PATH_BYTES 1024

struct service {
    UINT64 calls, ticks;
};

struct memory {
    INT64 now, most, largest;
};

static EFI_SYSTEM_TABLE *st;
static EFI_BOOT_SERVICES *bs;
static EFI_LOADED_IMAGE *child;

static EFI_ALLOCATE_PAGES allocate_pages;
static EFI_FREE_PAGES free_pages;
static EFI_CONNECT_CONTROLLER connect;
static EFI_DISCONNECT_CONTROLLER disconnect;
static EFI_TEXT_OUTPUT_STRING output;

static struct service pages, strings, connects, disconnects;
static struct memory page_memory;

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

static UINT64 ticks(void)
{
    UINT32 low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (UINT64)high << 32 | low;
}

/* True for a call that came from the program itself. */
static BOOLEAN is_ours(const void *caller)
{
    UINTN at = (UINTN)caller;
    UINTN base = (UINTN)child->ImageBase;

    return at >= base && at < base + child->ImageSize;
}

#define OURS is_ours(__builtin_return_address(0))

static void count(struct service *service, UINT64 since, BOOLEAN ours)
{
    if (!ours)
        return;
    service->calls++;
    service->ticks += ticks() - since;
}

static void change(struct memory *memory, INT64 by)
{
    memory->now += by;
    if (memory->now > memory->most)
        memory->most = memory->now;
    if (by > memory->largest)
        memory->largest = by;
}

static EFI_STATUS EFIAPI watch_allocate_pages(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE kind,
                                              UINTN number, EFI_PHYSICAL_ADDRESS *io_address)
{
    UINT64 since = ticks();
    EFI_STATUS status = allocate_pages(type, kind, number, io_address);

    if (OURS && !EFI_ERROR(status)) {
        count(&pages, since, TRUE);
        change(&page_memory, (INT64)number);
    }
    return status;
}

static EFI_STATUS EFIAPI watch_free_pages(EFI_PHYSICAL_ADDRESS address, UINTN number)
{
    UINT64 since = ticks();
    EFI_STATUS status = free_pages(address, number);

    if (OURS && !EFI_ERROR(status)) {
        pages.ticks += ticks() - since;
        change(&page_memory, -(INT64)number);
    }
    return status;
}

static EFI_STATUS EFIAPI watch_connect(EFI_HANDLE controller, EFI_HANDLE *drivers,
                                       EFI_DEVICE_PATH *rest, BOOLEAN recursive)
{
    UINT64 since = ticks();
    EFI_STATUS status = connect(controller, drivers, rest, recursive);

    count(&connects, since, OURS);
    return status;
}

static EFI_STATUS EFIAPI watch_disconnect(EFI_HANDLE controller, EFI_HANDLE driver,
                                          EFI_HANDLE below)
{
    UINT64 since = ticks();
    EFI_STATUS status = disconnect(controller, driver, below);

    count(&disconnects, since, OURS);
    return status;
}

static EFI_STATUS EFIAPI watch_output(SIMPLE_TEXT_OUTPUT_INTERFACE *device, CHAR16 *text)
{
    UINT64 since = ticks();
    EFI_STATUS status = output(device, text);

    count(&strings, since, OURS);
    return status;
}

static void watch_on(void)
{
    allocate_pages = bs->AllocatePages;
    free_pages = bs->FreePages;
    connect = bs->ConnectController;
    disconnect = bs->DisconnectController;
    output = st->ConOut->OutputString;
    bs->AllocatePages = watch_allocate_pages;
    bs->FreePages = watch_free_pages;
    bs->ConnectController = watch_connect;
    bs->DisconnectController = watch_disconnect;
    st->ConOut->OutputString = watch_output;
}

static void watch_off(void)
{
    bs->AllocatePages = allocate_pages;
    bs->FreePages = free_pages;
    bs->ConnectController = connect;
    bs->DisconnectController = disconnect;
    st->ConOut->OutputString = output;
}

static void print(const CHAR16 *text)
{
    st->ConOut->OutputString(st->ConOut, (CHAR16 *)text);
}

static void print_number(const CHAR16 *name, UINT64 value)
{
    CHAR16 text[24];
    CHAR16 *at = text + 23;

    *at = 0;
    do {
        *--at = L'0' + (CHAR16)(value % 10);
        value /= 10;
    } while (value > 0);
    print(name);
    print(at);
}

static EFI_STATUS fail(const CHAR16 *what, EFI_STATUS status)
{
    print(L"WATCH ERROR ");
    print(what);
    print(L"\r\n");
    return status;
}

/* Text behind the first word and the blanks around it. */
static CHAR16 *behind_word(CHAR16 *text)
{
    while (*text == L' ')
        text++;
    while (*text != 0 && *text != L' ')
        text++;
    while (*text == L' ')
        text++;
    return text;
}

/* Bytes of a device path before its end node. */
static UINTN path_size(const UINT8 *path)
{
    UINTN size = 0;

    while (path[size] != 0x7f)
        size += (UINTN)(path[size + 2] | path[size + 3] << 8);
    return size;
}

/* The path of the file that the first word of `line` names, on the volume of `home`. */
static EFI_STATUS make_path(EFI_HANDLE home, const CHAR16 *line, UINT8 *ret_path)
{
    UINT8 *volume;
    UINTN units = 0;
    EFI_STATUS status = bs->HandleProtocol(home, &device_path_guid, (void **)&volume);

    if (EFI_ERROR(status))
        return status;
    UINTN size = path_size(volume);
    if (size + FILE_NODE + 2 * PATH_UNITS + 4 > PATH_BYTES)
        return EFI_BUFFER_TOO_SMALL;
    bs->CopyMem(ret_path, volume, size);
    CHAR16 *text = (CHAR16 *)(ret_path + size + FILE_NODE);
    text[units++] = L'\\';
    for (; *line != 0 && *line != L' ' && units < PATH_UNITS - 1; line++)
        text[units++] = *line;
    text[units++] = 0;
    UINTN node = FILE_NODE + 2 * units;
    const UINT8 head[] = {4, 4, (UINT8)node, (UINT8)(node >> 8)};
    const UINT8 end[] = {0x7f, 0xff, 4, 0};
    bs->CopyMem(ret_path + size, (void *)head, sizeof(head));
    bs->CopyMem(ret_path + size + node, (void *)end, sizeof(end));
    return EFI_SUCCESS;
}

static UINT64 ticks_per_ms(void)
{
    UINT64 start = ticks();

    bs->Stall(STALL);
    return (ticks() - start) * 1000 / STALL;
}

static void report(EFI_STATUS status, UINT64 spent, UINT64 per_ms)
{
    if (per_ms == 0)
        per_ms = 1;
    print_number(L"\r\nWATCH status=", status & ~EFI_ERROR_MASK);
    print_number(L" pages=", pages.calls);
    print_number(L" largest=", (UINT64)page_memory.largest);
    print_number(L" most=", (UINT64)page_memory.most);
    print_number(L" left=", (UINT64)page_memory.now);
    print_number(L" strings=", strings.calls);
    print_number(L" connects=", connects.calls);
    print_number(L" disconnects=", disconnects.calls);
    print_number(L" us=", spent * 1000 / per_ms);
    print_number(L" pages_us=", pages.ticks * 1000 / per_ms);
    print_number(L" strings_us=", strings.ticks * 1000 / per_ms);
    print_number(L" connects_us=", (connects.ticks + disconnects.ticks) * 1000 / per_ms);
    print(L"\r\n");
}

static EFI_STATUS run(EFI_HANDLE self, CHAR16 *line, UINTN size)
{
    static UINT8 path[PATH_BYTES] __attribute__((aligned(8)));
    EFI_LOADED_IMAGE *own;
    EFI_HANDLE image = NULL;
    EFI_STATUS status = bs->HandleProtocol(self, &loaded_image_guid, (void **)&own);

    if (!EFI_ERROR(status))
        status = make_path(own->DeviceHandle, line, path);
    if (!EFI_ERROR(status))
        status = bs->LoadImage(FALSE, self, (EFI_DEVICE_PATH *)path, NULL, 0, &image);
    if (!EFI_ERROR(status))
        status = bs->HandleProtocol(image, &loaded_image_guid, (void **)&child);
    if (EFI_ERROR(status))
        return fail(L"no such program", status);
    child->LoadOptions = line;
    child->LoadOptionsSize = (UINT32)size;
    UINT64 per_ms = ticks_per_ms();
    watch_on();
    UINT64 start = ticks();
    status = bs->StartImage(image, NULL, NULL);
    UINT64 spent = ticks() - start;
    watch_off();
    report(status, spent, per_ms);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    EFI_LOADED_IMAGE *own;

    st = system;
    bs = system->BootServices;
    EFI_STATUS status = bs->HandleProtocol(image, &loaded_image_guid, (void **)&own);
    if (EFI_ERROR(status) || own->LoadOptionsSize < 2 * sizeof(CHAR16))
        return fail(L"no arguments", EFI_INVALID_PARAMETER);
    CHAR16 *line = behind_word(own->LoadOptions);
    UINTN behind = (UINTN)((UINT8 *)line - (UINT8 *)own->LoadOptions);
    return run(image, line, own->LoadOptionsSize - behind);
}
