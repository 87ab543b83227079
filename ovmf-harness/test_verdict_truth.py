"""The verdict of `status` is true: each disk of each machine in tests/repair is really tried alone.

For all cases by `firmware_model`, which shares nothing with the program; for a choice of them also by
the firmware itself: the machine is switched on with one disk, nobody touches a key, and the stand-in
must come up from the ESP, the entry and the file that were foretold, or must not come up.
"""
import csv
import io

import pytest

import damage
import firmware_model
import mirror
import mirror_vm
from devicepath import LoadOption, file, hd, modern_options, path, pci_root
from firmware_disks import disk_nodes
from truth import disagreement

CASES = damage.all_cases()
# What the program may say when the model has come to a conclusion. It may promise less by "unknown"
# where a disk does not start, or where nobody can say, and only in these cases (by printed number).
ALLOWED = {'starts': {'starts'}, 'fallback': {'fallback'}, 'perhaps': {'perhaps'}, 'fails': {'fails', 'unknown'},
           'unsure': {'fails', 'unknown'}}
UNKNOWN = {
    'bitlocker': {0, 1},                        # encrypted, nobody can look inside
    'basic-bitlocker': {0, 1},
    'basic-ntfs-zero': {0, 1},                  # Windows is nowhere to be seen
    '4k-shadow-esp-512-sectors': {1},           # some firmware mounts it, some does not
    'shadow-esp-4096-sectors': {1},
    'three-members-settings-missing-second-empty': {0},  # what GRUB goes on to without them
    'shadow-store-ramdisk': {1},                # what is there nobody looks into
    'shadow-store-once-tester': {1},            # nor what follows the memory tester
    'shadow-store-odd-device': {1},
    'shadow-store-other-store': {1},            # what a boot manager does that is sent to another store
    'shadow-store-wakes': {1},                  # or that wakes Windows
    'shadow-store-missing-primary-wakes': {0},
    'shadow-store-other-loader': {1},
    'shadow-store-other-root': {1},
    'databases-differ': {0, 1},                 # two databases of one age that contradict each other
    'log-dirty': {0, 1},                        # the copies may differ
    'transaction-pending': {0, 1},
    'transaction-pending-on-one': {0, 1},
    'shadow-is-dd-copy': {0, 1},                # two disks claim one identity
    'third-disk-is-copy': {1, 2},
    'shadow-ntfs-mft-zero': {1},                # NTFS that cannot be looked into
    'shadow-ntfs-root-torn': {1},
    'mdesp-halves-differ': {1},                 # GRUB without its settings may stop
    'unknown-program-first': {0},               # nobody knows what that starts
    'both-esps-formatted-unknown-first': {0},
    'data-mirror-beside-bitlocker': {0},
    'md-data-beside-linux': {0},                # a file system that is not looked into
    'bios-mirror': {0, 1},                      # started by the code in an MBR
    'bios-basic-disk': {0},
    'bios-md': {0, 1},
    'bios-md-hybrid': {1},
    'healthy-freebsd': {0, 1},                  # ZFS, nobody can look inside
    'freebsd-nvram-wiped': {0, 1},
    'freebsd-shadow-memtest': {0},
    'debian-grub-settings-missing': {1},        # it may stop at a prompt
    'systemd-boot-no-entries': {1},             # nor what it starts without
    'grub-first-on-windows': {0},               # it may go on to Windows
    'fallback-unknown-nvram-wiped': {1},        # nobody knows the program
}
# What only firmware_model knows: a program of another name that plays an older one, certificates behind a
# program, and load options that name the next stage.
PLAYED_BY_OTHERS = {'md-grub-older', 'debian-shim-signed-odd', 'debian-shim-signed-twice',
                    'debian-firmware-updater-first'}
# Disks that nothing connects with the system any more.
NOT_MENTIONED = {'basic-nothing-found': {0, 1}, 'shadow-disk-blank': {1}, 'shadow-disk-vmfs': {1},
                 'shadow-disk-raid': {1}, 'md-superblock-zero': {1}}


@pytest.fixture
def built(bases, tmp_path):
    """The machine of a case, after what happened to it."""
    def build(case):
        setup = bases(case.base).copy(tmp_path / 'case')
        case.apply(setup)
        return setup
    return build


def verdicts(setup):
    """{printed number of a disk: (verdict, number of the entry or None)} as the program tells them."""
    rows = [row for row in csv.reader(io.StringIO(setup.run('status', '-sfo', program=mirror.bare()).text))
            if row and row[0] == 'VerdictInfo']
    return {int(row[1]): (row[2], int(row[3][4:], 16) if row[3] else None) for row in rows}


# Entries of other forms than those that Windows and Debian make. Each acts on the entry of Disk 1.

def change_path(setup, nodes_of_disk, size=0, start=0, name=mirror.LOADER):
    """The entry of Disk 1 with a path through hardware; `size` and `start` make its HD() node wrong."""
    disk = setup.disk(1)
    part = disk.parts['esp']
    node = hd(part.number, part.first_lba + start, part.blocks + size, part.guid)
    nodes = [pci_root(), *disk_nodes(disk)] if nodes_of_disk else []
    option = setup.entry(1)
    option.path = path(*nodes, node, file(name))
    setup.set_entry(1, option)


def path_of_disk(setup):
    """The whole disk: the firmware looks for the fallback file on its volumes."""
    setup.set_entry(1, LoadOption('UEFI disk', path(pci_root(), *disk_nodes(setup.disk(1)))))


def path_of_file(setup):
    """Only a file: the firmware looks on all volumes."""
    setup.set_entry(1, LoadOption('Some disk', path(file(mirror.LOADER)), modern_options()))


def split_file(setup):
    """The file in two nodes, folder and name."""
    part = setup.disk(1).parts['esp']
    folder, _, name = mirror.LOADER.rpartition('\\')
    option = setup.entry(1)
    option.path = path(hd(part.number, part.first_lba, part.blocks, part.guid), file(folder), file(name))
    setup.set_entry(1, option)


FORMS = {
    'full-path': lambda setup: change_path(setup, True),
    'full-path-wrong-size': lambda setup: change_path(setup, True, size=8),
    'full-path-wrong-start': lambda setup: change_path(setup, True, start=8),
    'short-path-wrong-size': lambda setup: change_path(setup, False, size=8),
    'other-case-of-letters': lambda setup: change_path(setup, False, name=mirror.LOADER.upper()),
    'whole-disk': path_of_disk,
    'file-only': path_of_file,
    'file-in-two-nodes': split_file,
}


class Form:
    """A case of FORMS in the shape of damage.Case."""
    base = 'mirror'

    def __init__(self, name):
        self.name, self.apply = name, FORMS[name]


ALL = CASES + [Form(name) for name in FORMS]


@pytest.mark.parametrize('case', ALL, ids=lambda case: case.name)
def test_verdict_is_what_firmware_and_boot_manager_make_of_each_disk(case, built, truths):
    setup = built(case)
    found, outcomes = verdicts(setup), firmware_model.model(setup)
    for index in outcomes:
        if case.name not in PLAYED_BY_OTHERS:
            assert not disagreement(truths, setup, [index], firmware_model.only(setup, index))
    expected = {setup.printed(index): outcome for index, outcome in outcomes.items()}
    for number, outcome in expected.items():
        trace = f'disk {number}: {outcome.verdict} {outcome.entry}\n' + '\n'.join(outcome.trace)
        if number in NOT_MENTIONED.get(case.name, ()):
            assert outcome.verdict == 'fails', trace
            continue
        verdict, entry = found.pop(number, (None, None))
        assert verdict in ALLOWED[outcome.verdict], trace
        assert (verdict == 'unknown') == (number in UNKNOWN.get(case.name, ())), trace
        if verdict == 'starts':
            assert entry == outcome.entry, trace
    assert not found


# What stops the start of a disk that it is found at: "all is well" never stands beside one.
STOPS = {'esp-missing', 'esp-unformatted', 'esp-not-fat', 'esp-unreadable', 'esp-empty', 'esp-no-boot-files',
         'esp-no-entry', 'esp-no-store', 'esp-store-damaged', 'esp-store-no-system', 'esp-store-gone',
         'esp-store-other-disk', 'esp-other-architecture', 'nvram-wiped',
         'order-never-reaches', 'starts-another-disk', 'windows-not-found', 'mirror-disk-missing'}


def test_safe_machine_has_no_damage_that_stops_a_start():
    """The findings of a case are all that `status` has to say (test_repair_catalogue.py)."""
    assert STOPS <= {name for case in CASES for name, _ in case.finds}
    beside = {case.name: {name for name, _ in case.finds} & STOPS for case in CASES if case.status == 0}
    assert not {name for name, found in beside.items() if found}


# For the firmware itself: what it finds, refuses and starts. Damage that only the started system would
# notice, or that makes a program crash in its own way, is not for the stand-in to show.
FIRMWARE_CASES = {
    'healthy', 'healthy-4k', 'shadow-bootmgr-missing', 'shadow-bootmgr-other-machine',
    'shadow-bootmgr-truncated', 'shadow-fat-zero', 'shadow-esp-formatted', 'shadow-no-protective-mbr',
    'shadow-store-of-primary', 'shadow-store-nowhere', 'shadow-store-missing', 'shadow-store-default-gone',
    'shadow-store-all-gone', 'shadow-store-os-of-primary', 'shadow-store-dirty-with-log', 'shadow-store-dirty-log-flipped',
    'shadow-gpt-primary-zero', 'shadow-disk-grown-primary-zero', 'nvram-wiped', 'shadow-entry-wrong-number',
    'shadow-entry-inactive', 'esp-guids-equal', 'shell-first', 'network-first',
    'full-path', 'full-path-wrong-size', 'file-only'}
# Where what happened to Disk 1 alone changes nothing for Disk 0, that one is not started again.
BOTH = {'healthy', 'healthy-4k', 'nvram-wiped', 'shell-first', 'network-first', 'esp-guids-equal'}
STARTS = [(case, index) for case in ALL if case.name in FIRMWARE_CASES for index in (0, 1)
          if index or case.name in BOTH]


def test_every_case_for_the_firmware_is_in_the_catalogue():
    assert FIRMWARE_CASES == {case.name for case, _ in STARTS}


def windows_starts(seen, disk):
    """Whether a boot manager came up, and its store names the copy of Windows on this disk."""
    if seen.standin is None:
        return False
    own = disk.parts['plex'].guid
    return all(place.endswith(f'/{own}') for place in (seen.standin.loader, seen.standin.system))


@pytest.mark.parametrize('case, index', STARTS, ids=lambda value: getattr(value, 'name', str(value)))
def test_firmware_starts_a_disk_alone_as_the_verdict_says(case, index, built, tmp_path):
    setup = built(case)
    verdict, entry = verdicts(setup)[setup.printed(index)]
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', [index])
    seen = mirror_vm.start(machine)
    if verdict != 'perhaps':            # then this firmware may do either
        assert windows_starts(seen, setup.disk(index)) == (verdict in ('starts', 'fallback')), seen
    if seen.standin:
        guid = setup.disk(index).parts['esp'].guid
        assert (seen.standin.esp, seen.standin.token) == (guid, machine.tokens[guid])
    if verdict == 'starts':
        assert seen.standin.entry == entry
    if verdict == 'fallback':
        assert seen.standin.file.upper() == firmware_model.FALLBACK
