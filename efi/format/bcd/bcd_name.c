#include "format/bcd/bcd_name.h"

#include "base/text.h"

/*
 * An element: its format and the last three digits of its number, a letter for what its values are
 * called (see `letters`), a blank, and its name. The rows of a table are one text, which takes half
 * the room of an array.
 */
#define NUMBER_DIGITS 4u
#define NAME_AT       6u

static const char any_names[] = "1001_ device\0"
                                "1043_ bootstatdevice\0"
                                "1084_ windowssyspart\0"
                                "2002_ path\0"
                                "2004_ description\0"
                                "2005_ locale\0"
                                "2016_ targetname\0"
                                "2019_ busparams\0"
                                "201d_ key\0"
                                "2030_ loadoptions\0"
                                "2044_ bootstatfilepath\0"
                                "204a_ fontpath\0"
                                "4006_ inherit\0"
                                "4008_ recoverysequence\0"
                                "5007x truncatememory\0"
                                "500cB firstmegabytepolicy\0"
                                "500dx relocatephysical\0"
                                "500ex avoidlowmemory\0"
                                "5011D debugtype\0"
                                "5012x debugaddress\0"
                                "5013_ debugport\0"
                                "5014_ baudrate\0"
                                "5015_ channel\0"
                                "5018T debugstart\0"
                                "501a_ hostip\0"
                                "501b_ port\0"
                                "5022_ emsport\0"
                                "5023_ emsbaudrate\0"
                                "5042_ keyringaddress\0"
                                "5047A configaccesspolicy\0"
                                "504bI integrityservices\0"
                                "504c_ volumebandid\0"
                                "5051_ initialconsoleinput\0"
                                "5052R graphicsresolution\0"
                                "5065G displaymessage\0"
                                "5066G displaymessageoverride\0"
                                "507d_ booterrorux\0"
                                "507f_ measuredbootlogformat\0"
                                "5080_ displayrotation\0"
                                "5081_ logcontrol\0"
                                "6009_ recoveryenabled\0"
                                "600b_ badmemoryaccess\0"
                                "6010_ bootdebug\0"
                                "6017_ noumex\0"
                                "601c_ dhcp\0"
                                "6020_ bootems\0"
                                "6040_ advancedoptions\0"
                                "6041_ optionsedit\0"
                                "6045_ preservebootstat\0"
                                "6046_ graphicsmodedisabled\0"
                                "6048_ nointegritychecks\0"
                                "6049_ testsigning\0"
                                "6050_ extendedinput\0"
                                "6053_ restartonfailure\0"
                                "6054_ highestmode\0"
                                "6060_ isolatedcontext\0"
                                "606c_ bootuxdisabled\0"
                                "6072_ nokeyboard\0"
                                "6074_ bootshutdowndisabled\0"
                                "607b_ forcefipscrypto\0"
                                "607e_ flightsigning\0"
                                "6082_ nofirmwaresync\0"
                                "6087_ numlock\0"
                                "700ax badmemorylist\0"
                                "7077x allowedinmemorysettings\0";

static const char manager_names[] = "1022_ bcddevice\0"
                                    "2023_ bcdfilepath\0"
                                    "2040_ fverecoveryurl\0"
                                    "2041_ fverecoverymessage\0"
                                    "3003_ default\0"
                                    "3006_ resumeobject\0"
                                    "4001_ displayorder\0"
                                    "4002_ bootsequence\0"
                                    "4007_ startupsequence\0"
                                    "4010_ toolsdisplayorder\0"
                                    "5004_ timeout\0"
                                    "6005_ resume\0"
                                    "6020_ displaybootmenu\0"
                                    "6021_ noerrordisplay\0"
                                    "6025_ hiberboot\0"
                                    "6028_ processcustomactionsfirst\0"
                                    "6031_ persistbootsequence\0"
                                    "6032_ skipstartupsequence\0"
                                    "6042_ flightedbootmgr\0"
                                    "7030x customactions\0";

static const char loader_names[] = "1001_ osdevice\0"
                                   "1138_ imcdevice\0"
                                   "1150_ systemdatadevice\0"
                                   "1151_ osarcdevice\0"
                                   "1153_ osdatadevice\0"
                                   "1154_ bspdevice\0"
                                   "2002_ systemroot\0"
                                   "2011_ kernel\0"
                                   "2012_ hal\0"
                                   "2013_ dbgtransport\0"
                                   "2053_ evstore\0"
                                   "2117_ hypervisorloadoptions\0"
                                   "2137_ imchivename\0"
                                   "3003_ resumeobject\0"
                                   "5020N nx\0"
                                   "5021P pae\0"
                                   "5031_ removememory\0"
                                   "5032_ increaseuserva\0"
                                   "5033_ perfmem\0"
                                   "5050_ clustermodeaddressing\0"
                                   "5052_ restrictapiccluster\0"
                                   "5055_ x2apicpolicy\0"
                                   "5061_ numproc\0"
                                   "5063_ configflags\0"
                                   "5066_ groupsize\0"
                                   "5071_ msi\0"
                                   "5072_ pciexpress\0"
                                   "5080S safeboot\0"
                                   "50a6_ tscsyncpolicy\0"
                                   "50c1_ driverloadfailurepolicy\0"
                                   "50c2M bootmenupolicy\0"
                                   "50e0F bootstatuspolicy\0"
                                   "50f0H hypervisorlaunchtype\0"
                                   "50f3D hypervisordebugtype\0"
                                   "50f4_ hypervisordebugport\0"
                                   "50f5_ hypervisorbaudrate\0"
                                   "50f6_ hypervisorchannel\0"
                                   "50f7U bootux\0"
                                   "50fa_ hypervisornumproc\0"
                                   "5100E tpmbootentropy\0"
                                   "5115_ hypervisoriommupolicy\0"
                                   "511a_ hypervisorschedulertype\0"
                                   "5120_ xsavepolicy\0"
                                   "512b_ xsavedisable\0"
                                   "512c_ kerneldebugtype\0"
                                   "5130_ claimedtpmcounter\0"
                                   "5142_ vsmlaunchtype\0"
                                   "6004_ stampdisks\0"
                                   "6010_ detecthal\0"
                                   "6022_ winpe\0"
                                   "6024_ nocrashautoreboot\0"
                                   "6025_ lastknowngood\0"
                                   "6026_ oslnointegritychecks\0"
                                   "6027_ osltestsigning\0"
                                   "6030_ nolowmem\0"
                                   "6040_ vga\0"
                                   "6041_ quietboot\0"
                                   "6042_ novesa\0"
                                   "6043_ novga\0"
                                   "6051_ usephysicaldestination\0"
                                   "6054_ uselegacyapicmode\0"
                                   "6060_ onecpu\0"
                                   "6062_ maxproc\0"
                                   "6064_ maxgroup\0"
                                   "6065_ groupaware\0"
                                   "6070_ usefirmwarepcisettings\0"
                                   "6081_ safebootalternateshell\0"
                                   "6090_ bootlog\0"
                                   "6091_ sos\0"
                                   "60a0_ debug\0"
                                   "60a1_ halbreakpoint\0"
                                   "60a2_ useplatformclock\0"
                                   "60a3_ forcelegacyplatform\0"
                                   "60a4_ useplatformtick\0"
                                   "60a5_ disabledynamictick\0"
                                   "60b0_ ems\0"
                                   "60c3_ onetimeadvancedoptions\0"
                                   "60c4_ onetimeoptionsedit\0"
                                   "60e1_ disableelamdrivers\0"
                                   "60f2_ hypervisordebug\0"
                                   "60f8_ hypervisordisableslat\0";

static const char resume_names[] = "1001_ filedevice\0"
                                   "1005_ associatedosdevice\0"
                                   "2002_ filepath\0"
                                   "5007U bootux\0"
                                   "5008M bootmenupolicy\0"
                                   "6003_ customsettings\0"
                                   "6004P pae\0"
                                   "6006_ debugoptionenabled\0";

static const char tester_names[] = "5001_ passcount\0"
                                   "5002K testmix\0"
                                   "6003_ cacheenable\0"
                                   "6004_ failuresenabled\0";

static const char sector_names[] = "2001_ bpbstring\0";

static const char startup_names[] = "2002_ applicationname\0"
                                    "6001_ pxesoftreboot\0";

static const char device_names[] = "1003_ ramdisksdidevice\0"
                                   "2004_ ramdisksdipath\0"
                                   "5001_ ramdiskimageoffset\0"
                                   "5002_ ramdisktftpclientport\0"
                                   "5005_ ramdiskimagelength\0"
                                   "5007_ ramdisktftpblocksize\0"
                                   "5008_ ramdisktftpwindowsize\0"
                                   "6006_ exportascd\0"
                                   "6009_ ramdiskmcenabled\0"
                                   "600a_ ramdiskmctftpfallback\0"
                                   "600b_ ramdisktftpvarwindow\0"
                                   "600c_ vhdramdiskboot\0";

/* --- Kinds of objects ----------------------------------------------------------------------- */

enum { KIND_DEVICE = 3 };

/* Elements that only objects of a kind have: devices, or by the application (bits 0 to 19 of their
 * type). Objects from which others inherit have those of the application they are for. */
static const struct kind {
    uint8_t application;
    uint8_t first_digit; /* of the elements' numbers */
    const char *names;
} kinds[] = {
    {0, 3, device_names},  /* devices */
    {1, 2, manager_names}, /* the firmware's */
    {2, 2, manager_names}, {3, 2, loader_names}, {4, 2, resume_names}, {5, 2, tester_names},
    {6, 2, sector_names},  {7, 2, sector_names}, {8, 2, sector_names}, {9, 2, startup_names},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind library = {0, 1, any_names};

/* What only such objects have; NULL for nothing. */
static const struct kind *element_kind(uint32_t type)
{
    if (type >> 28 == KIND_DEVICE)
        return &kinds[0];
    for (size_t i = 1; i < KIND_COUNT; i++) {
        if ((type & 0xfffff) == kinds[i].application)
            return &kinds[i];
    }
    return NULL;
}

static enum bcd_words words_of(char letter)
{
    /* In the order of enum bcd_words. */
    static const char letters[BCD_WORDS_COUNT] = "_xDIGBTARNPSMFHUEK";
    unsigned words = 0;

    while (letters[words] != letter)
        words++;
    return (enum bcd_words)words;
}

/* Takes the row at `*io_row` apart and goes on to the next one; false behind the last one. */
static bool next_row(const struct kind *kind, const char **io_row, struct bcd_name *ret_name)
{
    const char *row = *io_row;
    uint32_t number = 0;

    if (row[0] == '\0')
        return false;
    for (unsigned i = 0; i < NUMBER_DIGITS; i++)
        number = number << 4 | (uint32_t)text_hex_digit(row[i]);
    ret_name->code = (uint32_t)kind->first_digit << 28 | (number & 0xf000) << 12 | (number & 0xfff);
    ret_name->words = words_of(row[NUMBER_DIGITS]);
    ret_name->name = row + NAME_AT;
    *io_row = row + text_length(row) + 1;
    return true;
}

static bool by_code(const struct kind *kind, uint32_t code, struct bcd_name *ret_name)
{
    struct bcd_name name;

    for (const char *row = kind == NULL ? "" : kind->names; next_row(kind, &row, &name);) {
        if (name.code == code) {
            *ret_name = name;
            return true;
        }
    }
    return false;
}

static bool by_name(const struct kind *kind, const char *text, struct bcd_name *ret_name)
{
    struct bcd_name name;

    for (const char *row = kind == NULL ? "" : kind->names; next_row(kind, &row, &name);) {
        if (text_equal_nocase(name.name, text)) {
            *ret_name = name;
            return true;
        }
    }
    return false;
}

bool bcd_name_of(uint32_t type, uint32_t code, struct bcd_name *ret_name)
{
    return by_code(&library, code, ret_name) || by_code(element_kind(type), code, ret_name);
}

enum status bcd_name_find(uint32_t type, const char *text, struct bcd_name *ret_name)
{
    struct bcd_name other;

    if (by_name(&library, text, ret_name) || by_name(element_kind(type), text, ret_name))
        return ST_OK;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (by_name(&kinds[i], text, &other))
            return ST_UNSUPPORTED;
    }
    return ST_ABSENT;
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
