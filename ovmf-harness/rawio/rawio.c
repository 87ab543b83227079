/*
 * Raw Block I/O, measured: the least that copying to another disk can take on this machine.
 *
 *   rawio FROM-SLOT FROM-BLOCK TO-SLOT TO-BLOCK BYTES REPEATS
 *
 * reads so many bytes from one disk, writes them to another, flushes that, and reads and compares
 * what it has written, all in pieces of 1 MiB. A disk is named by its PCI slot, a place by its
 * block of 512 bytes. Everything is done REPEATS times; the median of each part is printed, in
 * microseconds:
 *
 *   RAWIO bytes=22020096 read=4000 write=5000 readback=4000 compare=3000 total=16000
 *
 * `total` is the median of whole rounds, so it need not be the sum. After RAWIO ERROR it ends with
 * a status other than 0.
 */
#include <efi.h>

#define PIECE       0x100000u
#define MAX_REPEATS 99
#define STALL       10000u /* microseconds by which the counter is measured */

enum part { READ, WRITE, READBACK, COMPARE, TOTAL, PART_COUNT };

static const CHAR16 *const part_names[PART_COUNT] = {L" read=", L" write=", L" readback=",
                                                     L" compare=", L" total="};

struct job {
    EFI_BLOCK_IO *from, *to;
    UINT64 from_block, to_block;
    UINTN size;
    UINT8 *data, *copy; /* `size` bytes and one piece */
};

static EFI_SYSTEM_TABLE *st;
static EFI_BOOT_SERVICES *bs;

static EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;

static void print(const CHAR16 *text)
{
    st->ConOut->OutputString(st->ConOut, (CHAR16 *)text);
}

static void print_number(UINT64 value)
{
    CHAR16 text[24];
    CHAR16 *at = text + 23;

    *at = 0;
    do {
        *--at = L'0' + (CHAR16)(value % 10);
        value /= 10;
    } while (value > 0);
    print(at);
}

static EFI_STATUS fail(const CHAR16 *what, EFI_STATUS status)
{
    print(L"RAWIO ERROR ");
    print(what);
    print(L"\r\n");
    return status;
}

static UINT64 ticks(void)
{
    UINT32 low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (UINT64)high << 32 | low;
}

/* The decimal number at `*at`, which is moved behind it; 0 when there is none. */
static UINT64 next_number(const CHAR16 **at, const CHAR16 *end)
{
    UINT64 value = 0;

    while (*at < end && (**at < L'0' || **at > L'9'))
        ++*at;
    for (; *at < end && **at >= L'0' && **at <= L'9'; ++*at)
        value = value * 10 + (**at - L'0');
    return value;
}

/* True when the path leads through this slot of the first PCI bus: PciRoot(0)/Pci(slot,0)/... */
static BOOLEAN is_in_slot(const UINT8 *path, UINT64 slot)
{
    const UINT8 *node = path + (path[2] | path[3] << 8);

    return path[0] == 2 && node[0] == 1 && node[1] == 1 && node[4] == 0 && node[5] == slot;
}

/* The whole disk in a slot, or NULL. */
static EFI_BLOCK_IO *disk_in_slot(UINT64 slot)
{
    EFI_HANDLE *handles;
    UINTN count;

    if (EFI_ERROR(bs->LocateHandleBuffer(ByProtocol, &block_io_guid, NULL, &count, &handles)))
        return NULL;
    for (UINTN i = 0; i < count; i++) {
        EFI_BLOCK_IO *disk;
        void *path;
        if (!EFI_ERROR(bs->HandleProtocol(handles[i], &block_io_guid, (void **)&disk)) &&
            !EFI_ERROR(bs->HandleProtocol(handles[i], &device_path_guid, &path)) &&
            !disk->Media->LogicalPartition && is_in_slot(path, slot))
            return disk;
    }
    return NULL;
}

static UINTN piece_at(const struct job *job, UINTN at)
{
    return job->size - at < PIECE ? job->size - at : PIECE;
}

static EFI_STATUS read_source(const struct job *job)
{
    EFI_STATUS status = EFI_SUCCESS;

    for (UINTN at = 0; at < job->size && !EFI_ERROR(status); at += PIECE)
        status =
            job->from->ReadBlocks(job->from, job->from->Media->MediaId, job->from_block + at / 512,
                                  piece_at(job, at), job->data + at);
    return status;
}

static EFI_STATUS write_target(const struct job *job)
{
    EFI_STATUS status = EFI_SUCCESS;

    for (UINTN at = 0; at < job->size && !EFI_ERROR(status); at += PIECE)
        status = job->to->WriteBlocks(job->to, job->to->Media->MediaId, job->to_block + at / 512,
                                      piece_at(job, at), job->data + at);
    return EFI_ERROR(status) ? status : job->to->FlushBlocks(job->to);
}

static BOOLEAN is_same(const UINT64 *a, const UINT64 *b, UINTN size)
{
    for (UINTN i = 0; i < size / sizeof(*a); i++) {
        if (a[i] != b[i])
            return FALSE;
    }
    return TRUE;
}

/* Adds to `spent` the ticks of reading and of comparing. */
static EFI_STATUS check_target(const struct job *job, UINT64 spent[PART_COUNT])
{
    for (UINTN at = 0; at < job->size; at += PIECE) {
        UINTN size = piece_at(job, at);
        UINT64 start = ticks();
        EFI_STATUS status = job->to->ReadBlocks(job->to, job->to->Media->MediaId,
                                                job->to_block + at / 512, size, job->copy);
        UINT64 middle = ticks();
        if (EFI_ERROR(status))
            return status;
        if (!is_same((UINT64 *)job->copy, (UINT64 *)(job->data + at), size))
            return EFI_CRC_ERROR;
        spent[READBACK] += middle - start;
        spent[COMPARE] += ticks() - middle;
    }
    return EFI_SUCCESS;
}

static EFI_STATUS run_round(const struct job *job, UINT64 spent[PART_COUNT])
{
    for (int part = 0; part < PART_COUNT; part++)
        spent[part] = 0;
    UINT64 start = ticks();
    EFI_STATUS status = read_source(job);
    UINT64 middle = ticks();
    if (EFI_ERROR(status))
        return fail(L"reading", status);
    status = write_target(job);
    if (EFI_ERROR(status))
        return fail(L"writing", status);
    spent[READ] = middle - start;
    spent[WRITE] = ticks() - middle;
    status = check_target(job, spent);
    spent[TOTAL] = ticks() - start;
    return EFI_ERROR(status) ? fail(L"reading back", status) : EFI_SUCCESS;
}

/* The median; sorts the values. */
static UINT64 median(UINT64 *values, UINTN count)
{
    for (UINTN i = 1; i < count; i++) {
        for (UINTN j = i; j > 0 && values[j - 1] > values[j]; j--) {
            UINT64 value = values[j];
            values[j] = values[j - 1];
            values[j - 1] = value;
        }
    }
    return values[count / 2];
}

static EFI_STATUS run(const struct job *job, UINTN repeats)
{
    static UINT64 spent[PART_COUNT][MAX_REPEATS];
    UINT64 start = ticks();

    bs->Stall(STALL);
    UINT64 rate = (ticks() - start) / (STALL / 1000); /* ticks of a millisecond */
    for (UINTN i = 0; i < repeats; i++) {
        UINT64 round[PART_COUNT];
        EFI_STATUS status = run_round(job, round);
        if (EFI_ERROR(status))
            return status;
        for (int part = 0; part < PART_COUNT; part++)
            spent[part][i] = round[part];
    }
    print(L"RAWIO bytes=");
    print_number(job->size);
    for (int part = 0; part < PART_COUNT; part++) {
        print(part_names[part]);
        print_number(median(spent[part], repeats) * 1000 / rate);
    }
    print(L"\r\n");
    return EFI_SUCCESS;
}

static EFI_STATUS take_memory(struct job *job)
{
    EFI_PHYSICAL_ADDRESS pages;
    EFI_STATUS status =
        bs->AllocatePages(AllocateAnyPages, EfiLoaderData, (job->size + PIECE) / 4096 + 1, &pages);

    if (EFI_ERROR(status))
        return status;
    job->copy = (UINT8 *)pages;
    job->data = job->copy + PIECE;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table)
{
    EFI_LOADED_IMAGE *image;
    struct job job = {0};

    st = table;
    bs = table->BootServices;
    if (EFI_ERROR(bs->HandleProtocol(self, &loaded_image_guid, (void **)&image)))
        return EFI_UNSUPPORTED;
    const CHAR16 *at = image->LoadOptions;
    const CHAR16 *end = at + image->LoadOptionsSize / sizeof(*at);
    while (at < end && *at != L' ') /* the program's own name */
        at++;
    job.from = disk_in_slot(next_number(&at, end));
    job.from_block = next_number(&at, end);
    job.to = disk_in_slot(next_number(&at, end));
    job.to_block = next_number(&at, end);
    job.size = next_number(&at, end) / 512 * 512;
    UINTN repeats = next_number(&at, end);
    if (!job.from || !job.to || job.from == job.to || job.from->Media->BlockSize != 512 ||
        job.to->Media->BlockSize != 512)
        return fail(L"no two disks of 512-byte blocks in these slots", EFI_NOT_FOUND);
    if (job.size == 0 || repeats == 0 || repeats > MAX_REPEATS)
        return fail(L"rawio FROM-SLOT FROM-BLOCK TO-SLOT TO-BLOCK BYTES REPEATS",
                    EFI_INVALID_PARAMETER);
    if (EFI_ERROR(take_memory(&job)))
        return fail(L"no memory", EFI_OUT_OF_RESOURCES);
    EFI_STATUS status = run(&job, repeats);
    bs->FreePages((EFI_PHYSICAL_ADDRESS)job.copy, (job.size + PIECE) / 4096 + 1);
    return status;
}
