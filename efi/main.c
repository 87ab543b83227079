/*
 * Where the firmware starts the program: memory, ports and arguments are set up, the command runs,
 * and everything is given back, for the Shell goes on after us.
 */
#include "base/arena.h"
#include "cmd/cmd.h"
#include "firmware/arguments.h"
#include "firmware/block.h"
#include "firmware/clock.h"
#include "firmware/console.h"
#include "firmware/files.h"
#include "firmware/memory.h"
#include "firmware/net.h"
#include "firmware/smbios.h"
#include "firmware/start.h"
#include "firmware/uefi.h"
#include "firmware/vars.h"
#include "port/ports.h"

#if defined(__x86_64__)
#define ARCHITECTURE "X64"
#elif defined(__aarch64__)
#define ARCHITECTURE "AA64"
#elif defined(__i386__)
#define ARCHITECTURE "IA32"
#else
#error "no default boot file name is known for this machine"
#endif

struct program {
    struct uefi uefi;
    struct uefi_memory memory;
    struct arena arena;
    struct arguments arguments;
    struct uefi_blocks blocks;
    struct uefi_vars vars;
    struct uefi_files files;
    struct uefi_console console;
    struct uefi_clock clock;
    struct uefi_start start;
    struct uefi_net net;
    struct ports ports;
};

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static unsigned run_with_ports(struct program *program)
{
    return cmd_main(&program->ports, &program->arena, program->arguments.count,
                    program->arguments.words);
}

/* Opens the ports one after the other and runs the command in the middle of them. */
static EFI_STATUS with_files(struct program *program)
{
    struct ports *ports = &program->ports;

    if (uefi_files_open(&program->uefi, &program->arena, &program->files, &ports->files) != ST_OK)
        return EFI_OUT_OF_RESOURCES;
    uefi_console_open(&program->uefi, &program->console, &ports->console);
    uefi_clock_open(&program->uefi, &program->clock, &ports->clock);
    uefi_start_open(&program->uefi, &program->files, program->arguments.program, &program->start,
                    &ports->start);
    uefi_net_open(&program->uefi, &program->arena, &program->net, &ports->net);
    ports->smbios = uefi_smbios(&program->uefi);
    ports->architecture = ARCHITECTURE;
    ports->firmware = uefi_firmware(&program->uefi, &program->arena);
    unsigned error = run_with_ports(program);
    uefi_console_close(&program->console);
    uefi_files_close(&program->files);
    return error == 0 ? EFI_SUCCESS : EFIERR((UINTN)error);
}

static EFI_STATUS with_vars(struct program *program)
{
    if (uefi_vars_open(&program->uefi, &program->vars, &program->ports.vars) != ST_OK)
        return EFI_OUT_OF_RESOURCES;
    EFI_STATUS efi = with_files(program);
    uefi_vars_close(&program->vars);
    return efi;
}

static EFI_STATUS with_disks(struct program *program)
{
    if (uefi_blocks_open(&program->uefi, &program->arena, &program->blocks) != ST_OK)
        return EFI_OUT_OF_RESOURCES;
    program->ports.disks = program->blocks.disks;
    program->ports.disk_count = program->blocks.count;
    EFI_STATUS efi = with_vars(program);
    uefi_blocks_close(&program->blocks);
    return efi;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    struct program program = {0};

    /* A boot manager gives a loader five minutes before it resets the machine: a repair, or a user
     * who reads the question first, may take longer. */
    system->BootServices->SetWatchdogTimer(0, 0, 0, NULL);
    uefi_open(&program.uefi, image, system);
    if (program.uefi.shell == NULL)
        uefi_connect_all(&program.uefi); /* in the Shell that is the user's "connect -r" */
    if (uefi_memory_open(program.uefi.boot, &program.memory, &program.arena) != ST_OK)
        return EFI_OUT_OF_RESOURCES;
    EFI_STATUS efi = EFI_OUT_OF_RESOURCES;
    if (uefi_arguments(&program.uefi, &program.arena, &program.arguments) == ST_OK)
        efi = with_disks(&program);
    uefi_memory_close(&program.memory);
    return efi;
}
