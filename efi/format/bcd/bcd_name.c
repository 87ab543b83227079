#include "format/bcd/bcd_name.h"

#include "base/text.h"

static const struct bcd_name any_names[] = {
    {0x11000001, WORDS_NONE, "device"},
    {0x11000043, WORDS_NONE, "bootstatdevice"},
    {0x11000084, WORDS_NONE, "windowssyspart"},
    {0x12000002, WORDS_NONE, "path"},
    {0x12000004, WORDS_NONE, "description"},
    {0x12000005, WORDS_NONE, "locale"},
    {0x12000016, WORDS_NONE, "targetname"},
    {0x12000019, WORDS_NONE, "busparams"},
    {0x1200001d, WORDS_NONE, "key"},
    {0x12000030, WORDS_NONE, "loadoptions"},
    {0x12000044, WORDS_NONE, "bootstatfilepath"},
    {0x1200004a, WORDS_NONE, "fontpath"},
    {0x14000006, WORDS_NONE, "inherit"},
    {0x14000008, WORDS_NONE, "recoverysequence"},
    {0x15000007, WORDS_HEX, "truncatememory"},
    {0x1500000c, WORDS_MEGABYTE, "firstmegabytepolicy"},
    {0x1500000d, WORDS_HEX, "relocatephysical"},
    {0x1500000e, WORDS_HEX, "avoidlowmemory"},
    {0x15000011, WORDS_DEBUG, "debugtype"},
    {0x15000012, WORDS_HEX, "debugaddress"},
    {0x15000013, WORDS_NONE, "debugport"},
    {0x15000014, WORDS_NONE, "baudrate"},
    {0x15000015, WORDS_NONE, "channel"},
    {0x15000018, WORDS_DEBUG_START, "debugstart"},
    {0x1500001a, WORDS_NONE, "hostip"},
    {0x1500001b, WORDS_NONE, "port"},
    {0x15000022, WORDS_NONE, "emsport"},
    {0x15000023, WORDS_NONE, "emsbaudrate"},
    {0x15000042, WORDS_NONE, "keyringaddress"},
    {0x15000047, WORDS_ACCESS, "configaccesspolicy"},
    {0x1500004b, WORDS_INTEGRITY, "integrityservices"},
    {0x1500004c, WORDS_NONE, "volumebandid"},
    {0x15000051, WORDS_NONE, "initialconsoleinput"},
    {0x15000052, WORDS_RESOLUTION, "graphicsresolution"},
    {0x15000065, WORDS_MESSAGE, "displaymessage"},
    {0x15000066, WORDS_MESSAGE, "displaymessageoverride"},
    {0x1500007d, WORDS_NONE, "booterrorux"},
    {0x1500007f, WORDS_NONE, "measuredbootlogformat"},
    {0x15000080, WORDS_NONE, "displayrotation"},
    {0x15000081, WORDS_NONE, "logcontrol"},
    {0x16000009, WORDS_NONE, "recoveryenabled"},
    {0x1600000b, WORDS_NONE, "badmemoryaccess"},
    {0x16000010, WORDS_NONE, "bootdebug"},
    {0x16000017, WORDS_NONE, "noumex"},
    {0x1600001c, WORDS_NONE, "dhcp"},
    {0x16000020, WORDS_NONE, "bootems"},
    {0x16000040, WORDS_NONE, "advancedoptions"},
    {0x16000041, WORDS_NONE, "optionsedit"},
    {0x16000045, WORDS_NONE, "preservebootstat"},
    {0x16000046, WORDS_NONE, "graphicsmodedisabled"},
    {0x16000048, WORDS_NONE, "nointegritychecks"},
    {0x16000049, WORDS_NONE, "testsigning"},
    {0x16000050, WORDS_NONE, "extendedinput"},
    {0x16000053, WORDS_NONE, "restartonfailure"},
    {0x16000054, WORDS_NONE, "highestmode"},
    {0x16000060, WORDS_NONE, "isolatedcontext"},
    {0x1600006c, WORDS_NONE, "bootuxdisabled"},
    {0x16000072, WORDS_NONE, "nokeyboard"},
    {0x16000074, WORDS_NONE, "bootshutdowndisabled"},
    {0x1600007b, WORDS_NONE, "forcefipscrypto"},
    {0x1600007e, WORDS_NONE, "flightsigning"},
    {0x16000082, WORDS_NONE, "nofirmwaresync"},
    {0x16000087, WORDS_NONE, "numlock"},
    {0x1700000a, WORDS_HEX, "badmemorylist"},
    {0x17000077, WORDS_HEX, "allowedinmemorysettings"},
};

static const struct bcd_name manager_names[] = {
    {0x21000022, WORDS_NONE, "bcddevice"},
    {0x22000023, WORDS_NONE, "bcdfilepath"},
    {0x22000040, WORDS_NONE, "fverecoveryurl"},
    {0x22000041, WORDS_NONE, "fverecoverymessage"},
    {0x23000003, WORDS_NONE, "default"},
    {0x23000006, WORDS_NONE, "resumeobject"},
    {0x24000001, WORDS_NONE, "displayorder"},
    {0x24000002, WORDS_NONE, "bootsequence"},
    {0x24000007, WORDS_NONE, "startupsequence"},
    {0x24000010, WORDS_NONE, "toolsdisplayorder"},
    {0x25000004, WORDS_NONE, "timeout"},
    {0x26000005, WORDS_NONE, "resume"},
    {0x26000020, WORDS_NONE, "displaybootmenu"},
    {0x26000021, WORDS_NONE, "noerrordisplay"},
    {0x26000025, WORDS_NONE, "hiberboot"},
    {0x26000028, WORDS_NONE, "processcustomactionsfirst"},
    {0x26000031, WORDS_NONE, "persistbootsequence"},
    {0x26000032, WORDS_NONE, "skipstartupsequence"},
    {0x26000042, WORDS_NONE, "flightedbootmgr"},
    {0x27000030, WORDS_HEX, "customactions"},
};

static const struct bcd_name loader_names[] = {
    {0x21000001, WORDS_NONE, "osdevice"},
    {0x21000138, WORDS_NONE, "imcdevice"},
    {0x21000150, WORDS_NONE, "systemdatadevice"},
    {0x21000151, WORDS_NONE, "osarcdevice"},
    {0x21000153, WORDS_NONE, "osdatadevice"},
    {0x21000154, WORDS_NONE, "bspdevice"},
    {0x22000002, WORDS_NONE, "systemroot"},
    {0x22000011, WORDS_NONE, "kernel"},
    {0x22000012, WORDS_NONE, "hal"},
    {0x22000013, WORDS_NONE, "dbgtransport"},
    {0x22000053, WORDS_NONE, "evstore"},
    {0x22000117, WORDS_NONE, "hypervisorloadoptions"},
    {0x22000137, WORDS_NONE, "imchivename"},
    {0x23000003, WORDS_NONE, "resumeobject"},
    {0x25000020, WORDS_NX, "nx"},
    {0x25000021, WORDS_PAE, "pae"},
    {0x25000031, WORDS_NONE, "removememory"},
    {0x25000032, WORDS_NONE, "increaseuserva"},
    {0x25000033, WORDS_NONE, "perfmem"},
    {0x25000050, WORDS_NONE, "clustermodeaddressing"},
    {0x25000052, WORDS_NONE, "restrictapiccluster"},
    {0x25000055, WORDS_NONE, "x2apicpolicy"},
    {0x25000061, WORDS_NONE, "numproc"},
    {0x25000063, WORDS_NONE, "configflags"},
    {0x25000066, WORDS_NONE, "groupsize"},
    {0x25000071, WORDS_NONE, "msi"},
    {0x25000072, WORDS_NONE, "pciexpress"},
    {0x25000080, WORDS_SAFE, "safeboot"},
    {0x250000a6, WORDS_NONE, "tscsyncpolicy"},
    {0x250000c1, WORDS_NONE, "driverloadfailurepolicy"},
    {0x250000c2, WORDS_MENU, "bootmenupolicy"},
    {0x250000e0, WORDS_STATUS, "bootstatuspolicy"},
    {0x250000f0, WORDS_HYPERVISOR, "hypervisorlaunchtype"},
    {0x250000f3, WORDS_DEBUG, "hypervisordebugtype"},
    {0x250000f4, WORDS_NONE, "hypervisordebugport"},
    {0x250000f5, WORDS_NONE, "hypervisorbaudrate"},
    {0x250000f6, WORDS_NONE, "hypervisorchannel"},
    {0x250000f7, WORDS_UX, "bootux"},
    {0x250000fa, WORDS_NONE, "hypervisornumproc"},
    {0x25000100, WORDS_ENTROPY, "tpmbootentropy"},
    {0x25000115, WORDS_NONE, "hypervisoriommupolicy"},
    {0x2500011a, WORDS_NONE, "hypervisorschedulertype"},
    {0x25000120, WORDS_NONE, "xsavepolicy"},
    {0x2500012b, WORDS_NONE, "xsavedisable"},
    {0x2500012c, WORDS_NONE, "kerneldebugtype"},
    {0x25000130, WORDS_NONE, "claimedtpmcounter"},
    {0x25000142, WORDS_NONE, "vsmlaunchtype"},
    {0x26000004, WORDS_NONE, "stampdisks"},
    {0x26000010, WORDS_NONE, "detecthal"},
    {0x26000022, WORDS_NONE, "winpe"},
    {0x26000024, WORDS_NONE, "nocrashautoreboot"},
    {0x26000025, WORDS_NONE, "lastknowngood"},
    {0x26000026, WORDS_NONE, "oslnointegritychecks"},
    {0x26000027, WORDS_NONE, "osltestsigning"},
    {0x26000030, WORDS_NONE, "nolowmem"},
    {0x26000040, WORDS_NONE, "vga"},
    {0x26000041, WORDS_NONE, "quietboot"},
    {0x26000042, WORDS_NONE, "novesa"},
    {0x26000043, WORDS_NONE, "novga"},
    {0x26000051, WORDS_NONE, "usephysicaldestination"},
    {0x26000054, WORDS_NONE, "uselegacyapicmode"},
    {0x26000060, WORDS_NONE, "onecpu"},
    {0x26000062, WORDS_NONE, "maxproc"},
    {0x26000064, WORDS_NONE, "maxgroup"},
    {0x26000065, WORDS_NONE, "groupaware"},
    {0x26000070, WORDS_NONE, "usefirmwarepcisettings"},
    {0x26000081, WORDS_NONE, "safebootalternateshell"},
    {0x26000090, WORDS_NONE, "bootlog"},
    {0x26000091, WORDS_NONE, "sos"},
    {0x260000a0, WORDS_NONE, "debug"},
    {0x260000a1, WORDS_NONE, "halbreakpoint"},
    {0x260000a2, WORDS_NONE, "useplatformclock"},
    {0x260000a3, WORDS_NONE, "forcelegacyplatform"},
    {0x260000a4, WORDS_NONE, "useplatformtick"},
    {0x260000a5, WORDS_NONE, "disabledynamictick"},
    {0x260000b0, WORDS_NONE, "ems"},
    {0x260000c3, WORDS_NONE, "onetimeadvancedoptions"},
    {0x260000c4, WORDS_NONE, "onetimeoptionsedit"},
    {0x260000e1, WORDS_NONE, "disableelamdrivers"},
    {0x260000f2, WORDS_NONE, "hypervisordebug"},
    {0x260000f8, WORDS_NONE, "hypervisordisableslat"},
};

static const struct bcd_name resume_names[] = {
    {0x21000001, WORDS_NONE, "filedevice"},
    {0x21000005, WORDS_NONE, "associatedosdevice"},
    {0x22000002, WORDS_NONE, "filepath"},
    {0x25000007, WORDS_UX, "bootux"},
    {0x25000008, WORDS_MENU, "bootmenupolicy"},
    {0x26000003, WORDS_NONE, "customsettings"},
    {0x26000004, WORDS_PAE, "pae"},
    {0x26000006, WORDS_NONE, "debugoptionenabled"},
};

static const struct bcd_name tester_names[] = {
    {0x25000001, WORDS_NONE, "passcount"},
    {0x25000002, WORDS_MIX, "testmix"},
    {0x26000003, WORDS_NONE, "cacheenable"},
    {0x26000004, WORDS_NONE, "failuresenabled"},
};

static const struct bcd_name sector_names[] = {
    {0x22000001, WORDS_NONE, "bpbstring"},
};

static const struct bcd_name startup_names[] = {
    {0x22000002, WORDS_NONE, "applicationname"},
    {0x26000001, WORDS_NONE, "pxesoftreboot"},
};

static const struct bcd_name device_names[] = {
    {0x31000003, WORDS_NONE, "ramdisksdidevice"},
    {0x32000004, WORDS_NONE, "ramdisksdipath"},
    {0x35000001, WORDS_NONE, "ramdiskimageoffset"},
    {0x35000002, WORDS_NONE, "ramdisktftpclientport"},
    {0x35000005, WORDS_NONE, "ramdiskimagelength"},
    {0x35000007, WORDS_NONE, "ramdisktftpblocksize"},
    {0x35000008, WORDS_NONE, "ramdisktftpwindowsize"},
    {0x36000006, WORDS_NONE, "exportascd"},
    {0x36000009, WORDS_NONE, "ramdiskmcenabled"},
    {0x3600000a, WORDS_NONE, "ramdiskmctftpfallback"},
    {0x3600000b, WORDS_NONE, "ramdisktftpvarwindow"},
    {0x3600000c, WORDS_NONE, "vhdramdiskboot"},
};

/* --- Kinds of objects ----------------------------------------------------------------------- */

enum { KIND_APPLICATION = 1, KIND_DEVICE = 3 };

#define ROWS(kind, number, table)                                 \
    {                                                             \
        kind, number, sizeof(table) / sizeof((table)[0]), (table) \
    }

/* The elements of objects of a kind (bits 28 to 31 of their type) for an application (bits 0 to
 * 19). Objects from which others inherit have the elements of those. */
static const struct kind {
    uint8_t kind;
    uint8_t application;
    uint8_t count;
    const struct bcd_name *names;
} kinds[] = {
    ROWS(KIND_APPLICATION, 1, manager_names), /* the firmware's */
    ROWS(KIND_APPLICATION, 2, manager_names), ROWS(KIND_APPLICATION, 3, loader_names),
    ROWS(KIND_APPLICATION, 4, resume_names),  ROWS(KIND_APPLICATION, 5, tester_names),
    ROWS(KIND_APPLICATION, 6, sector_names),  ROWS(KIND_APPLICATION, 7, sector_names),
    ROWS(KIND_APPLICATION, 8, sector_names),  ROWS(KIND_APPLICATION, 9, startup_names),
    ROWS(KIND_DEVICE, 0, device_names),
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind library = {0, 0, sizeof(any_names) / sizeof(any_names[0]), any_names};

static bool is_of_kind(uint32_t type, const struct kind *kind)
{
    bool is_device = type >> 28 == KIND_DEVICE;

    return is_device == (kind->kind == KIND_DEVICE) &&
           (is_device || (type & 0xfffff) == kind->application);
}

/* The table of what only such objects have; NULL for none. */
static const struct kind *element_kind(uint32_t type)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (is_of_kind(type, &kinds[i]))
            return &kinds[i];
    }
    return NULL;
}

static const struct bcd_name *by_code(const struct kind *kind, uint32_t code)
{
    for (size_t i = 0; kind != NULL && i < kind->count; i++) {
        if (kind->names[i].code == code)
            return &kind->names[i];
    }
    return NULL;
}

static const struct bcd_name *by_name(const struct kind *kind, const char *name)
{
    for (size_t i = 0; kind != NULL && i < kind->count; i++) {
        if (text_equal_nocase(kind->names[i].name, name))
            return &kind->names[i];
    }
    return NULL;
}

const struct bcd_name *bcd_name_of(uint32_t type, uint32_t code)
{
    const struct bcd_name *found = by_code(&library, code);

    return found != NULL ? found : by_code(element_kind(type), code);
}

const struct bcd_name *bcd_name_find(uint32_t type, const char *name, bool *ret_elsewhere)
{
    const struct bcd_name *found = by_name(&library, name);

    if (found == NULL)
        found = by_name(element_kind(type), name);
    *ret_elsewhere = false;
    for (size_t i = 0; i < KIND_COUNT && found == NULL; i++)
        *ret_elsewhere |= by_name(&kinds[i], name) != NULL;
    return found;
}

const char *bcd_words_text(enum bcd_words words)
{
    static const char *const texts[BCD_WORDS_COUNT] = {
        [WORDS_DEBUG] = "Serial 1394 USB NET Local",
        [WORDS_INTEGRITY] = "Default Enable Disable",
        [WORDS_MESSAGE] = "Default Resume HyperV Recovery StartupRepair SystemImageRecovery "
                          "CommandPrompt SystemRestore PushButtonReset",
        [WORDS_MEGABYTE] = "UseNone UseAll UsePrivate",
        [WORDS_DEBUG_START] = "Active AutoEnable Disable",
        [WORDS_ACCESS] = "Default DisallowMmConfig",
        [WORDS_RESOLUTION] = "1024x768 800x600 1024x600",
        [WORDS_NX] = "OptIn OptOut AlwaysOff AlwaysOn",
        [WORDS_PAE] = "Default ForceEnable ForceDisable",
        [WORDS_SAFE] = "Minimal Network DsRepair",
        [WORDS_MENU] = "Legacy Standard",
        [WORDS_STATUS] = "DisplayAllFailures IgnoreAllFailures IgnoreShutdownFailures "
                         "IgnoreBootFailures IgnoreCheckpointFailures DisplayShutdownFailures "
                         "DisplayBootFailures DisplayCheckpointFailures "
                         "AlwaysDisplayStartupFailures",
        [WORDS_HYPERVISOR] = "Off Auto",
        [WORDS_UX] = "Disabled Basic Standard",
        [WORDS_ENTROPY] = "Default ForceDisable ForceEnable",
        [WORDS_MIX] = "Basic Extended",
    };

    return texts[words] == NULL ? "" : texts[words];
}
