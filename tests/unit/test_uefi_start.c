/*
 * The port for starting programs against a firmware that answers what it is told to: what is handed
 * on, what is freed, and which answers come with an image.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../efi/firmware/start.c"
#include "../../efi/firmware/uefi.c"

#define WATCHDOG_NEVER 1000u

/* The firmware. */
static struct {
    EFI_BOOT_SERVICES boot;
    EFI_RUNTIME_SERVICES runtime;
    EFI_LOADED_IMAGE loaded;
    EFI_STATUS answer;   /* of the load or the start */
    bool gives_image;    /* a load sets the handle */
    size_t pools;        /* not given back */
    UINTN watchdog;      /* as set last */
    UINTN watchdog_then; /* as it was when the image was started */
    uint8_t options[16]; /* that the image saw */
    size_t options_size;
    const void *path;
    const void *bytes;
    size_t bytes_size;
    unsigned unloads;
    int reset; /* the kind asked for; -1: none */
    bool tpm_there;
    bool tpm_present;
    EFI_STATUS tpm_answer;
    bool old_tpm_there; /* 1.2 */
    bool old_tpm_present;
    bool old_tpm_off;
    EFI_STATUS old_tpm_answer;
    bool rests;             /* no directory is open */
    bool rested_then;       /* when the image was started */
    bool has_no_image_info; /* the image has no EFI_LOADED_IMAGE_PROTOCOL */
    bool has_no_memory;
} firmware;

static int image_place;
static struct uefi uefi;
static struct uefi_start start;
static struct uefi_files files;

void uefi_files_rest(struct uefi_files *io_files)
{
    assert_ptr_equal(io_files, &files);
    firmware.rests = true;
}

static EFI_STATUS EFIAPI load_image(BOOLEAN policy, EFI_HANDLE parent,
                                    EFI_DEVICE_PATH_PROTOCOL *path, VOID *bytes, UINTN size,
                                    EFI_HANDLE *ret_image)
{
    assert_true(policy);
    assert_ptr_equal(parent, uefi.image);
    firmware.path = path;
    firmware.bytes = bytes;
    firmware.bytes_size = size;
    *ret_image = firmware.gives_image ? &image_place : (void *)16; /* rubbish, not NULL */
    return firmware.answer;
}

static EFI_STATUS EFIAPI start_image_call(EFI_HANDLE image, UINTN *ret_size, CHAR16 **ret_words)
{
    assert_ptr_equal(image, &image_place);
    firmware.watchdog_then = firmware.watchdog;
    firmware.rested_then = firmware.rests;
    firmware.options_size = firmware.loaded.LoadOptionsSize;
    assert_in_range(firmware.options_size, 0, sizeof(firmware.options));
    if (firmware.options_size > 0)
        memcpy(firmware.options, firmware.loaded.LoadOptions, firmware.options_size);
    *ret_words = malloc(4); /* what the program says at its end, in the firmware's memory */
    *ret_size = 4;
    firmware.pools++;
    return firmware.answer;
}

static EFI_STATUS EFIAPI unload_image(EFI_HANDLE image)
{
    assert_ptr_equal(image, &image_place);
    firmware.unloads++;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_watchdog(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data)
{
    (void)code;
    (void)size;
    (void)data;
    firmware.watchdog = seconds;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE kind, UINTN size, void **ret_buffer)
{
    (void)kind;
    if (firmware.has_no_memory)
        return EFI_OUT_OF_RESOURCES;
    *ret_buffer = malloc(size);
    firmware.pools++;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
    free(buffer);
    firmware.pools--;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
    (void)guid;
    if (handle != &image_place || firmware.has_no_image_info)
        return EFI_UNSUPPORTED;
    *ret_interface = &firmware.loaded;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI tpm_capability(struct tcg2 *tcg2, struct tcg2_capability *io_capability)
{
    (void)tcg2;
    assert_int_equal(io_capability->size, 36); /* TCG EFI Protocol Specification 6.4 */
    io_capability->present = firmware.tpm_present;
    return firmware.tpm_answer;
}

/* TCG EFI Protocol Specification for TPM 1.1 or 1.2, 5.1: the size, two versions of four bytes, the hash
 * algorithms, then whether a TPM is present and whether it is deactivated. */
static EFI_STATUS EFIAPI old_tpm_status(struct tcg *tcg, struct tcg_capability *ret_capability,
                                        UINT32 *ret_features, EFI_PHYSICAL_ADDRESS *ret_log,
                                        EFI_PHYSICAL_ADDRESS *ret_last)
{
    uint8_t *bytes = (uint8_t *)ret_capability;

    (void)tcg;
    assert_int_equal(sizeof(*ret_capability), 12);
    bytes[0] = 12;
    bytes[10] = firmware.old_tpm_present;
    bytes[11] = firmware.old_tpm_off;
    *ret_features = 0;
    *ret_log = 0;
    *ret_last = 0;
    return firmware.old_tpm_answer;
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *registration, void **ret_interface)
{
    static const EFI_GUID old = {
        0xf541796d, 0xa62e, 0x4954, {0xa7, 0x75, 0x95, 0x84, 0xf6, 0x1b, 0x9c, 0xdd}};
    static struct tcg2 tcg2 = {tpm_capability};
    static struct tcg tcg = {old_tpm_status};

    (void)registration;
    if (firmware.old_tpm_there && uefi_guid_equal(guid, &old)) {
        *ret_interface = &tcg;
        return EFI_SUCCESS;
    }
    if (!firmware.tpm_there || !uefi_guid_equal(guid, &tcg2_guid))
        return EFI_NOT_FOUND;
    *ret_interface = &tcg2;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset_system(EFI_RESET_TYPE kind, EFI_STATUS status, UINTN size,
                                      CHAR16 *data)
{
    (void)size;
    (void)data;
    assert_int_equal(status, EFI_SUCCESS);
    firmware.reset = (int)kind;
    return EFI_UNSUPPORTED;
}

static struct start_port open_port(void)
{
    struct start_port port;

    firmware.boot.LoadImage = load_image;
    firmware.boot.StartImage = start_image_call;
    firmware.boot.UnloadImage = unload_image;
    firmware.boot.SetWatchdogTimer = set_watchdog;
    firmware.boot.AllocatePool = allocate_pool;
    firmware.boot.FreePool = free_pool;
    firmware.boot.HandleProtocol = handle_protocol;
    firmware.boot.LocateProtocol = locate_protocol;
    firmware.runtime.ResetSystem = reset_system;
    uefi = (struct uefi){.image = &uefi, .boot = &firmware.boot, .runtime = &firmware.runtime};
    uefi_start_open(&uefi, &files, "", &start, &port);
    return port;
}

static int setup(void **state)
{
    (void)state;
    memset(&firmware, 0, sizeof(firmware));
    firmware.watchdog = WATCHDOG_NEVER;
    firmware.reset = -1;
    return 0;
}

/* UEFI Specification 7.4.1: an image comes with success and with a security violation only. */
static void test_image_comes_with_two_answers_only(void **state)
{
    static const struct {
        EFI_STATUS efi;
        enum status status;
        unsigned code;
        bool image;
    } rows[] = {
        {EFI_SUCCESS, ST_OK, 0, true},
        {EFI_SECURITY_VIOLATION, ST_REFUSED, 26, true},
        {EFI_ACCESS_DENIED, ST_REFUSED, 15, false},
        {EFI_NOT_FOUND, ST_ABSENT, 14, false},
        {EFI_UNSUPPORTED, ST_UNSUPPORTED, 3, false},
        {EFI_LOAD_ERROR, ST_DAMAGED, 1, false},
        {EFI_OUT_OF_RESOURCES, ST_NO_MEMORY, 9, false},
        {EFI_DEVICE_ERROR, ST_IO, 7, false},
    };
    struct start_port port = open_port();
    const uint8_t path[] = {0x7f, 0xff, 4, 0};
    struct start_source source = {span_of(path, sizeof(path)), span_of(NULL, 0)};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        void *image = &port;
        firmware.answer = rows[i].efi;
        firmware.gives_image = rows[i].image;
        struct start_answer answer = port.load(port.ctx, &source, &image);
        assert_int_equal(answer.status, rows[i].status);
        assert_int_equal(answer.code, rows[i].code);
        assert_ptr_equal(image, rows[i].image ? &image_place : NULL);
        assert_ptr_equal(firmware.path, path);
        assert_null(firmware.bytes);
    }
}

static void test_image_from_memory_needs_no_path(void **state)
{
    struct start_port port = open_port();
    const uint8_t bytes[] = "MZ";
    struct start_source source = {span_of(NULL, 0), span_of(bytes, 2)};
    void *image = NULL;

    (void)state;
    firmware.gives_image = true;
    assert_int_equal(port.load(port.ctx, &source, &image).status, ST_OK);
    assert_null(firmware.path);
    assert_ptr_equal(firmware.bytes, bytes);
    assert_int_equal(firmware.bytes_size, 2);
}

static void test_start_hands_options_on_under_the_watchdog(void **state)
{
    struct start_port port = open_port();
    const uint8_t options[] = {1, 2, 3};

    (void)state;
    firmware.answer = EFIERR(21);
    struct start_answer answer = port.start(port.ctx, &image_place, span_of(options, 3));
    assert_int_equal(answer.code, 21);
    assert_int_equal(answer.status, ST_CANCELLED);
    assert_int_equal(firmware.options_size, 3);
    assert_memory_equal(firmware.options, options, 3);
    assert_int_equal(firmware.watchdog_then, 300); /* UEFI Specification 3.1.2: five minutes */
    assert_int_equal(firmware.watchdog, 0);
    assert_int_equal(firmware.pools, 0);
}

static void test_program_that_returns_success_is_a_success(void **state)
{
    struct start_port port = open_port();

    (void)state;
    struct start_answer answer = port.start(port.ctx, &image_place, span_of(NULL, 0));
    assert_int_equal(answer.status, ST_OK);
    assert_int_equal(answer.code, 0);
    assert_int_equal(firmware.options_size, 0);
    assert_int_equal(firmware.pools, 0);
}

static void test_unload_ignores_none(void **state)
{
    struct start_port port = open_port();

    (void)state;
    port.unload(port.ctx, NULL);
    assert_int_equal(firmware.unloads, 0);
    port.unload(port.ctx, &image_place);
    assert_int_equal(firmware.unloads, 1);
}

static void test_resets(void **state)
{
    struct start_port port = open_port();

    (void)state;
    assert_int_equal(port.reset(port.ctx, START_RESET_COLD), ST_UNSUPPORTED); /* it came back */
    assert_int_equal(firmware.reset, EfiResetCold);
    (void)port.reset(port.ctx, START_RESET_WARM);
    assert_int_equal(firmware.reset, EfiResetWarm);
    (void)port.reset(port.ctx, START_POWER_OFF);
    assert_int_equal(firmware.reset, EfiResetShutdown);
}

static void test_tpm_is_seen(void **state)
{
    (void)state;
    assert_false(open_port().has_tpm);
    firmware.tpm_there = true;
    assert_false(open_port().has_tpm); /* the protocol without a TPM behind it */
    firmware.tpm_present = true;
    assert_true(open_port().has_tpm);
    firmware.tpm_present = false;
    firmware.tpm_answer = EFI_DEVICE_ERROR;
    assert_true(open_port().has_tpm);
}

/* TPM 1.2 measures as well. One that is switched off does not. */
static void test_old_tpm_is_seen(void **state)
{
    (void)state;
    firmware.old_tpm_there = true;
    assert_false(open_port().has_tpm);
    firmware.old_tpm_present = true;
    assert_true(open_port().has_tpm);
    firmware.old_tpm_off = true;
    assert_false(open_port().has_tpm);
    firmware.old_tpm_answer = EFI_DEVICE_ERROR;
    assert_true(open_port().has_tpm);
    firmware.old_tpm_answer = EFI_SUCCESS;
    firmware.tpm_there = true; /* a firmware that has both protocols for one TPM 2.0 */
    firmware.tpm_present = true;
    assert_true(open_port().has_tpm);
}

/* The started system need not close what this program has left open, nor can it. */
static void test_no_directory_is_open_when_a_program_starts(void **state)
{
    struct start_port port = open_port();

    (void)state;
    (void)port.start(port.ctx, &image_place, span_of(NULL, 0));
    assert_true(firmware.rested_then);
}

static void test_program_that_cannot_be_started_is_unloaded(void **state)
{
    struct start_port port = open_port();

    (void)state;
    firmware.has_no_memory = true;
    assert_int_equal(port.start(port.ctx, &image_place, span_of("x", 1)).status, ST_NO_MEMORY);
    assert_int_equal(firmware.unloads, 1);
    firmware.has_no_image_info = true;
    assert_int_equal(port.start(port.ctx, &image_place, span_of("x", 1)).status, ST_IO);
    assert_int_equal(firmware.unloads, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_image_comes_with_two_answers_only, setup),
        cmocka_unit_test_setup(test_image_from_memory_needs_no_path, setup),
        cmocka_unit_test_setup(test_start_hands_options_on_under_the_watchdog, setup),
        cmocka_unit_test_setup(test_program_that_returns_success_is_a_success, setup),
        cmocka_unit_test_setup(test_unload_ignores_none, setup),
        cmocka_unit_test_setup(test_resets, setup),
        cmocka_unit_test_setup(test_tpm_is_seen, setup),
        cmocka_unit_test_setup(test_old_tpm_is_seen, setup),
        cmocka_unit_test_setup(test_no_directory_is_open_when_a_program_starts, setup),
        cmocka_unit_test_setup(test_program_that_cannot_be_started_is_unloaded, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
