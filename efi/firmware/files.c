#include "files.h"

#include "base/mem.h"
#include "base/text.h"
#include "disk_cache.h"
#include "files_opening.h"
#include "volumes.h"

#define SCRATCH_SIZE 8192     /* bytes; twice a path of 2000 characters */
#define PIECE_SIZE   0x100000 /* bytes handed to a driver in one call */
#define END_OF_FILE  UINT64_MAX

/* A name that the file system cannot hold is a name of no file. */
static const struct status_row look_statuses[] = {
    {EFI_NOT_FOUND, ST_ABSENT},
    {EFI_INVALID_PARAMETER, ST_ABSENT},
};

/* A driver without write support says "unsupported"; a read-only file answers "access denied". */
static const struct status_row change_statuses[] = {
    {EFI_NOT_FOUND, ST_ABSENT},          {EFI_VOLUME_FULL, ST_NO_SPACE},
    {EFI_WRITE_PROTECTED, ST_READ_ONLY}, {EFI_ACCESS_DENIED, ST_READ_ONLY},
    {EFI_UNSUPPORTED, ST_READ_ONLY},     {EFI_INVALID_PARAMETER, ST_REFUSED},
};

static enum status look_status(EFI_STATUS efi)
{
    return uefi_status(efi, look_statuses, COUNT_OF(look_statuses));
}

static enum status change_status(EFI_STATUS efi)
{
    return uefi_status(efi, change_statuses, COUNT_OF(change_statuses));
}

/* The first of two results that is a failure: the cause, not what followed from it. */
static EFI_STATUS first_error(EFI_STATUS first, EFI_STATUS second)
{
    return EFI_ERROR(first) ? first : second;
}

/* ---- looking ---- */

static enum status files_stat(void *ctx, size_t volume, const char *path,
                              struct file_info *ret_info)
{
    struct uefi_files *files = ctx;
    EFI_FILE_PROTOCOL *file;
    EFI_STATUS efi = file_open_path(files, volume, path, EFI_FILE_MODE_READ, &file);

    if (EFI_ERROR(efi))
        return look_status(efi);
    efi = file_get_info(files, file);
    file->Close(file);
    if (EFI_ERROR(efi))
        return ST_IO;
    file_tell_info(files, ret_info);
    return ST_OK;
}

static void close_walk(struct uefi_files *files)
{
    if (files->walk.directory != NULL)
        files->walk.directory->Close(files->walk.directory);
    files->walk.directory = NULL;
}

static bool walk_can_go_on(const struct uefi_files *files, size_t volume, const char *path,
                           size_t index)
{
    return files->walk.directory != NULL && files->walk.volume == volume &&
           index >= files->walk.next && text_equal(files->walk.path, path);
}

/* Opens the directory to list. Statuses: ST_OK; ST_ABSENT also when it is a file; ST_IO. */
static enum status start_walk(struct uefi_files *files, size_t volume, const char *path)
{
    EFI_FILE_PROTOCOL *directory;
    size_t length = text_length(path);

    close_walk(files);
    if (length >= sizeof(files->walk.path))
        return ST_ABSENT;
    EFI_STATUS efi = file_open_path(files, volume, path, EFI_FILE_MODE_READ, &directory);
    if (EFI_ERROR(efi))
        return look_status(efi);
    efi = file_get_info(files, directory);
    if (EFI_ERROR(efi) || !file_is_directory(files)) {
        directory->Close(directory);
        return EFI_ERROR(efi) ? ST_IO : ST_ABSENT;
    }
    memcpy(files->walk.path, path, length + 1);
    files->walk.directory = directory;
    files->walk.volume = volume;
    files->walk.next = 0;
    return ST_OK;
}

static bool is_dot_or_dots(const CHAR16 *name)
{
    return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

/* Reads the next entry into `files->info`. Statuses: ST_OK; ST_ABSENT at the end; ST_IO. */
static enum status walk_on(struct uefi_files *files)
{
    do {
        UINTN size = FILE_INFO_SIZE;
        EFI_FILE_PROTOCOL *directory = files->walk.directory;
        if (EFI_ERROR(directory->Read(directory, &size, files->info)))
            return ST_IO;
        if (size == 0)
            return ST_ABSENT;
    } while (is_dot_or_dots(files->info->FileName));
    files->walk.next++;
    return ST_OK;
}

static enum status files_list(void *ctx, size_t volume, const char *path, size_t index,
                              struct file_info *ret_info)
{
    struct uefi_files *files = ctx;
    enum status status = ST_OK;

    if (!walk_can_go_on(files, volume, path, index))
        status = start_walk(files, volume, path);
    while (status == ST_OK && files->walk.next <= index)
        status = walk_on(files);
    if (status != ST_OK) {
        close_walk(files);
        return status;
    }
    file_tell_info(files, ret_info);
    return ST_OK;
}

/* Reads until `size` bytes or the end; the size read, or an error. */
static EFI_STATUS read_file_pieces(EFI_FILE_PROTOCOL *file, uint8_t *to, size_t size,
                                   size_t *ret_size)
{
    size_t done = 0;

    while (done < size) {
        UINTN piece = size - done < PIECE_SIZE ? size - done : PIECE_SIZE;
        EFI_STATUS efi = file->Read(file, &piece, to + done);
        if (EFI_ERROR(efi))
            return efi;
        if (piece == 0)
            break;
        done += piece;
    }
    *ret_size = done;
    return EFI_SUCCESS;
}

static enum status files_read(void *ctx, size_t volume, const char *path, uint64_t offset,
                              void *ret_data, size_t size, size_t *ret_size)
{
    struct uefi_files *files = ctx;
    EFI_FILE_PROTOCOL *file;
    size_t done = 0;
    EFI_STATUS efi = file_open(files, volume, path, EFI_FILE_MODE_READ, &file);

    if (EFI_ERROR(efi))
        return look_status(efi);
    uint64_t left = offset < files->info->FileSize ? files->info->FileSize - offset : 0;
    if (left > 0)
        efi = file->SetPosition(file, offset); /* behind the end some drivers fail to read */
    if (left > 0 && !EFI_ERROR(efi))
        efi = read_file_pieces(file, ret_data, left < size ? (size_t)left : size, &done);
    file->Close(file);
    if (EFI_ERROR(efi))
        return ST_IO;
    *ret_size = done;
    return ST_OK;
}

/* ---- changing ---- */

/*
 * Makes one directory unless it is there. edk2's FAT driver must not be asked to when the volume is
 * full: it leaves a name there that leads back to the root.
 */
static EFI_STATUS make_directory(struct uefi_files *files, size_t volume, const char *path,
                                 size_t length)
{
    const UINT64 mode = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE;
    EFI_FILE_PROTOCOL *directory;
    EFI_STATUS efi = file_open_part(files, volume, path, length, EFI_FILE_MODE_READ, 0, &directory);

    if (efi == EFI_NOT_FOUND) {
        volume_refresh(files, volume);
        if (files->volumes[volume].free == VOLUME_FULL)
            return EFI_VOLUME_FULL;
        efi = file_open_part(files, volume, path, length, mode, EFI_FILE_DIRECTORY, &directory);
        if (!EFI_ERROR(efi))
            efi = directory->Flush(directory);
    }
    if (!EFI_ERROR(efi))
        efi = directory->Close(directory);
    return efi;
}

/* Makes the directories on the way to `path`. */
static EFI_STATUS make_directories(struct uefi_files *files, size_t volume, const char *path)
{
    for (size_t i = 1; path[i] != '\0'; i++) {
        if (path[i] != '\\')
            continue;
        EFI_STATUS efi = make_directory(files, volume, path, i);
        if (EFI_ERROR(efi))
            return efi;
    }
    return EFI_SUCCESS;
}

static EFI_STATUS create_file(struct uefi_files *files, size_t volume, const char *path,
                              EFI_FILE_PROTOCOL **ret_file)
{
    const UINT64 mode = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE;
    EFI_STATUS efi = make_directories(files, volume, path);

    if (EFI_ERROR(efi))
        return efi;
    return file_open_path(files, volume, path, mode, ret_file);
}

/*
 * Cuts an open file, whose information is in `files->info`, to nothing. Where the driver cannot do
 * that the file is deleted and made anew. The handle is closed when this fails.
 */
static EFI_STATUS empty_file(struct uefi_files *files, size_t volume, const char *path,
                             EFI_FILE_PROTOCOL **io_file)
{
    EFI_GUID guid = file_info_guid;
    EFI_FILE_PROTOCOL *file = *io_file;

    if (files->info->FileSize == 0)
        return EFI_SUCCESS;
    files->info->FileSize = 0;
    if (!EFI_ERROR(file->SetInfo(file, &guid, files->info->Size, files->info)))
        return EFI_SUCCESS;
    EFI_STATUS efi = file->Delete(file); /* closes the handle in any case */
    if (efi != EFI_SUCCESS)
        return EFI_ERROR(efi) ? efi : EFI_WRITE_PROTECTED; /* failure to delete is a warning */
    return create_file(files, volume, path, io_file);
}

/* Opens the file that is there, at the place where the data goes. */
static EFI_STATUS open_there(struct uefi_files *files, size_t volume, const char *path,
                             enum file_write_mode mode, EFI_FILE_PROTOCOL **ret_file)
{
    const UINT64 access = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE;
    EFI_FILE_PROTOCOL *file;
    EFI_STATUS efi = file_open(files, volume, path, access, &file);

    if (EFI_ERROR(efi))
        return efi;
    if (mode == FILE_REPLACE) {
        efi = empty_file(files, volume, path, &file);
    } else {
        efi = file->SetPosition(file, END_OF_FILE);
        if (EFI_ERROR(efi))
            file->Close(file);
    }
    if (!EFI_ERROR(efi))
        *ret_file = file;
    return efi;
}

/* Opens the file to write, new or not. Statuses: those of writing. */
static enum status open_to_write(struct uefi_files *files, size_t volume, const char *path,
                                 enum file_write_mode mode, EFI_FILE_PROTOCOL **ret_file)
{
    struct file_info there;
    enum status status = files_stat(files, volume, path, &there);

    if (status == ST_OK && mode == FILE_CREATE)
        return ST_EXISTS;
    if (status == ST_OK && there.is_directory)
        return ST_REFUSED;
    if (status == ST_OK)
        return change_status(open_there(files, volume, path, mode, ret_file));
    if (status != ST_ABSENT || mode == FILE_APPEND)
        return status;
    status = change_status(create_file(files, volume, path, ret_file));
    return status == ST_ABSENT ? ST_REFUSED : status; /* a file stands where a directory should */
}

static EFI_STATUS write_pieces(EFI_FILE_PROTOCOL *file, const uint8_t *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        UINTN piece = size - done < PIECE_SIZE ? size - done : PIECE_SIZE;
        EFI_STATUS efi = file->Write(file, &piece, (void *)(data + done));
        if (EFI_ERROR(efi))
            return efi;
        if (piece == 0)
            return EFI_VOLUME_FULL;
        done += piece;
    }
    return EFI_SUCCESS;
}

/*
 * Data reaches the disk only with Flush, and a driver may keep the directory entry for Close: the
 * file is written when both have succeeded, and the disk has emptied its own cache.
 */
static enum status files_write(void *ctx, size_t volume, const char *path,
                               enum file_write_mode mode, const void *data, size_t size)
{
    struct uefi_files *files = ctx;
    EFI_FILE_PROTOCOL *file;

    close_walk(files); /* the order of a directory may change now */
    if (volume_is_released(files, volume))
        return ST_ABSENT;
    enum status status = open_to_write(files, volume, path, mode, &file);
    if (status != ST_OK)
        return status;
    EFI_STATUS efi = write_pieces(file, data, size);
    efi = first_error(efi, file->Flush(file));
    efi = first_error(efi, file->Close(file));
    efi = first_error(efi, disk_cache_flush(files->uefi, files->handles[volume]));
    volume_refresh(files, volume);
    return change_status(efi);
}

static enum status files_remove(void *ctx, size_t volume, const char *path)
{
    const UINT64 access = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE;
    struct uefi_files *files = ctx;
    EFI_FILE_PROTOCOL *file;

    close_walk(files);
    EFI_STATUS efi = file_open(files, volume, path, access, &file);
    if (efi == EFI_INVALID_PARAMETER)
        return ST_ABSENT;
    if (EFI_ERROR(efi))
        return change_status(efi);
    efi = file->Delete(file);
    volume_refresh(files, volume);
    if (efi == EFI_WARN_DELETE_FAILURE)
        return files->volumes[volume].read_only ? ST_READ_ONLY : ST_IO;
    efi = first_error(efi, disk_cache_flush(files->uefi, files->handles[volume]));
    return change_status(efi);
}

static enum status files_release(void *ctx, struct span disk_path)
{
    struct uefi_files *files = ctx;

    close_walk(files);
    return volumes_release(files, disk_path);
}

static enum status files_renew(void *ctx, struct files_port *io_port)
{
    struct uefi_files *files = ctx;

    close_walk(files);
    return volumes_renew(files, io_port);
}

/* Where this program came from; an empty path when nobody knows. Statuses: ST_OK; ST_NO_MEMORY. */
static enum status find_home(struct uefi_files *files, struct arena *arena)
{
    const EFI_LOADED_IMAGE *loaded = files->uefi->loaded;
    enum status status = ST_ABSENT;

    if (loaded != NULL)
        status = uefi_handle_path(files->uefi, loaded->DeviceHandle, arena, &files->self_path);
    return status == ST_ABSENT ? ST_OK : status;
}

enum status uefi_files_open(const struct uefi *uefi, struct arena *arena,
                            struct uefi_files *ret_files, struct files_port *ret_port)
{
    struct uefi_files files = {.uefi = uefi};
    void *scratch = arena_alloc(arena, SCRATCH_SIZE, 1);

    files.info = arena_alloc(arena, FILE_INFO_SIZE, 1);
    if (scratch == NULL || files.info == NULL)
        return ST_NO_MEMORY;
    arena_init(&files.scratch, scratch, SCRATCH_SIZE);
    enum status status = find_home(&files, arena);
    if (status == ST_OK)
        status = volumes_find(&files, arena);
    if (status != ST_OK)
        return status;
    struct files_port port = {.ctx = ret_files,
                              .volumes = files.volumes,
                              .volume_count = files.count,
                              .stat = files_stat,
                              .list = files_list,
                              .read = files_read,
                              .write = files_write,
                              .remove = files_remove,
                              .release = files_release,
                              .renew = files_renew};
    status = volumes_locate_user(&files, arena, &port);
    if (status != ST_OK)
        return status;
    *ret_files = files;
    *ret_port = port;
    return ST_OK;
}

void uefi_files_rest(struct uefi_files *files)
{
    close_walk(files);
}

void uefi_files_close(struct uefi_files *files)
{
    close_walk(files);
    volumes_close(files);
}
