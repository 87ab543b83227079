#include "audit/program.h"

#include "audit/esp_path.h"
#include "base/text.h"

/* How programs are called by their architecture, as in "grubx64.efi". */
static const char *const architectures[] = {"x64", "ia32", "aa64", "arm", "riscv64", "loongarch64"};

/* Kind, name and system of a program, and whether it is this one. */
#define NOT_KNOWN   PROGRAM_UNKNOWN, "", PROGRAM_ANY_SYSTEM, false
#define WINDOWS     PROGRAM_WINDOWS, "Windows Boot Manager", PROGRAM_ANY_SYSTEM, false
#define SHIM(name)  PROGRAM_SHIM, name, PROGRAM_ANY_SYSTEM, false
#define ANY(name)   PROGRAM_LOADER, name, PROGRAM_ANY_SYSTEM, false
#define LINUX(name) PROGRAM_LOADER, name, PROGRAM_LINUX, false
#define OTHER(name) PROGRAM_LOADER, name, PROGRAM_OTHER_SYSTEM, false
#define TOOL(name)  PROGRAM_TOOL, name, PROGRAM_ANY_SYSTEM, false
#define OWN         PROGRAM_TOOL, "shadowboot", PROGRAM_ANY_SYSTEM, true
#define MAKER       TOOL("a program of the machine's maker")

/*
 * What a place tells. A pattern with a backslash stands for whole paths, another one for names in
 * any folder; '*' is any run of characters, '@' an architecture. The first that fits counts.
 */
static const struct {
    const char *pattern;
    enum program_kind kind;
    const char *name;
    enum program_system system;
    bool is_own;
} places[] = {
    {"\\EFI\\Linux\\*", LINUX("a Linux kernel")},
    {"shadowboot*.efi", OWN},
    {"\\EFI\\shadowboot\\*", OWN},
    {"\\EFI\\Microsoft\\Boot\\memtest.efi", TOOL("Windows Memory Diagnostic")},
    {"*memtest*.efi", TOOL("a memory tester")},
    {"mt86*.efi", TOOL("a memory tester")},
    {"\\EFI\\memtest*\\*", TOOL("a memory tester")},
    {"*shell*.efi", TOOL("a UEFI Shell")},
    {"fwup*.efi", TOOL("a firmware updater")},
    {"*flash*.efi", TOOL("a firmware updater")},
    {"*bios*.efi", TOOL("a firmware updater")},
    {"*diag*.efi", TOOL("a diagnostics program")},
    {"SecureBootRecovery.efi", TOOL("a recovery program")},
    {"*recovery*.efi", TOOL("a recovery program")},
    {"*rescue*.efi", TOOL("a recovery program")},
    {"mm@.efi", TOOL("MokManager")},
    {"MokManager.efi", TOOL("MokManager")},
    {"HashTool*.efi", TOOL("a tool for Secure Boot")},
    {"KeyTool*.efi", TOOL("a tool for Secure Boot")},
    {"LockDown*.efi", TOOL("a tool for Secure Boot")},
    {"*ipxe*.efi", TOOL("a network boot program")},
    {"snponly*.efi", TOOL("a network boot program")},
    {"gptsync*.efi", TOOL("a partitioning tool")},
    {"*bootmgfw*.efi", WINDOWS},
    {"\\EFI\\Microsoft\\*bootmgr*.efi", WINDOWS},

    {"shim*.efi", SHIM("shim")},
    {"PreLoader*.efi", SHIM("PreLoader")},
    {"fb@.efi", PROGRAM_SHIM_FALLBACK, "shim's fallback", PROGRAM_ANY_SYSTEM, false},
    {"fallback*.efi", PROGRAM_SHIM_FALLBACK, "shim's fallback", PROGRAM_ANY_SYSTEM, false},

    {"*grub*.efi", ANY("GRUB")},
    {"gcd@.efi", ANY("GRUB")},
    {"*refind*.efi", ANY("rEFInd")},
    {"*clover*.efi", ANY("Clover")},
    {"OpenCore.efi", ANY("OpenCore")},
    {"*limine*.efi", ANY("Limine")},
    {"systemd-boot*.efi", ANY("systemd-boot")},
    {"gummiboot*.efi", ANY("systemd-boot")},
    {"\\EFI\\systemd\\*", ANY("systemd-boot")},
    {"*vmlinuz*.efi", LINUX("a Linux kernel")},
    {"*bzImage*.efi", LINUX("a Linux kernel")},
    {"*zfsbootmenu*.efi", LINUX("ZFSBootMenu")},
    {"\\EFI\\zbm\\*", LINUX("ZFSBootMenu")},
    {"elilo*.efi", LINUX("elilo")},
    {"*syslinux*.efi", LINUX("syslinux")},
    {"\\EFI\\xen\\*", LINUX("Xen")},
    {"xen*.efi", LINUX("Xen")},
    {"\\EFI\\freebsd\\*", OTHER("FreeBSD's loader")},
    {"\\EFI\\openbsd\\*", OTHER("OpenBSD's loader")},
    {"\\EFI\\netbsd\\*", OTHER("NetBSD's loader")},
    {"\\EFI\\VMware\\*", OTHER("ESXi's loader")},
    {"*safeboot64.efi", OTHER("ESXi's loader")},
    {"loader.efi", ANY("a boot loader")},
    {"loader_lua.efi", OTHER("FreeBSD's loader")},

    {"\\EFI\\HP\\*", MAKER},
    {"\\EFI\\Hewlett-Packard\\*", MAKER},
    {"\\EFI\\Dell\\*", MAKER},
    {"\\EFI\\Lenovo\\*", MAKER},
    {"\\EFI\\ASUS\\*", MAKER},
    {"\\EFI\\Acer\\*", MAKER},
    {"\\EFI\\OEM\\*", MAKER},
    {"\\EFI\\Intel\\*", MAKER},
    {"\\EFI\\Insyde\\*", MAKER},
    {"\\EFI\\tools\\*", TOOL("a tool")},
    {"\\EFI\\utils\\*", TOOL("a tool")},
    {"\\EFI\\recovery\\*", TOOL("a recovery program")},
    {"\\EFI\\rescue\\*", TOOL("a recovery program")},
};

/* Folders below \EFI that distributions of Linux install themselves into. */
static const char *const linux_folders[] = {
    "debian",   "ubuntu", "fedora",    "redhat", "centos",  "rocky",   "almalinux", "oracle",
    "opensuse", "sles",   "arch",      "gentoo", "manjaro", "proxmox", "kali",      "linuxmint",
    "mint",     "pop",    "nixos",     "void",   "alpine",  "mageia",  "neon",      "elementary",
    "endless",  "amazon", "slackware", "artix",  "zorin",   "clear",   "deepin",    "parrot",
};

static size_t architecture_length(const char *text)
{
    for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++) {
        if (text_has_prefix_nocase(text, architectures[i]))
            return text_length(architectures[i]);
    }
    return 0;
}

/* What the marks inside programs tell. */
static const struct program marks[] = {
    [PE_MARK_NONE] = {NOT_KNOWN},
    [PE_MARK_WINDOWS_MANAGER] = {WINDOWS},
    [PE_MARK_SHIM] = {SHIM("shim")},
    [PE_MARK_GRUB] = {ANY("GRUB")},
    [PE_MARK_SYSTEMD_BOOT] = {ANY("systemd-boot")},
    [PE_MARK_REFIND] = {ANY("rEFInd")},
    [PE_MARK_XEN] = {LINUX("Xen")},
    [PE_MARK_KERNEL] = {LINUX("a Linux kernel")},
    [PE_MARK_UPDATER] = {TOOL("a firmware updater")},
    [PE_MARK_MEMORY_TESTER] = {TOOL("a memory tester")},
    [PE_MARK_NETWORK] = {TOOL("a network boot program")},
    [PE_MARK_SHADOWBOOT] = {OWN},
};

struct program program_by_mark(enum pe_mark mark)
{
    return marks[mark];
}

/* True when `pattern` stands for all of `text`. After a '*' only the last one is gone back to. */
static bool fits(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *rest = text;

    while (*text != '\0') {
        size_t architecture = *pattern == '@' ? architecture_length(text) : 0;
        if (*pattern == '*') {
            star = pattern++;
            rest = text;
        } else if (architecture > 0) {
            pattern++;
            text += architecture;
        } else if (*pattern != '\0' && text_lower(*pattern) == text_lower(*text)) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++rest;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

struct span program_folder(const char *path)
{
    const size_t start = sizeof("\\EFI\\") - 1;
    const char *name = esp_path_name(path);

    if (!text_has_prefix_nocase(path, "\\EFI\\") || name <= path + start)
        return span_of(NULL, 0);
    size_t length = (size_t)(name - path) - start - 1;
    for (size_t i = 0; i < length; i++) {
        if (path[start + i] == '\\')
            return span_of(NULL, 0);
    }
    return span_of(path + start, length);
}

static bool is_linux_folder(const char *path)
{
    struct span folder = program_folder(path);

    if (folder.at == NULL)
        return false;
    for (size_t i = 0; i < sizeof(linux_folders) / sizeof(linux_folders[0]); i++) {
        if (text_length(linux_folders[i]) == folder.size &&
            text_has_prefix_nocase((const char *)folder.at, linux_folders[i]))
            return true;
    }
    return false;
}

struct program program_at(const char *path)
{
    const char *name = esp_path_name(path);

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        bool whole = places[i].pattern[0] == '\\';
        if (fits(places[i].pattern, whole ? path : name))
            return (struct program){places[i].kind, places[i].name, places[i].system,
                                    places[i].is_own};
    }
    if (is_linux_folder(path))
        return (struct program){LINUX("a Linux boot loader")};
    return (struct program){NOT_KNOWN};
}
