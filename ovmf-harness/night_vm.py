"""Virtual machines on which shadowboot stands by, and what kills them in the middle of a repair.

    setup = standing_by(base, folder, settings)      # installed on both ESPs, by the host program, and left `alone`
    night = Night(setup, folder, [0, 1])             # switched on until shadowboot counts down
    night.total                                      # how often a run writes from there to the system's start
    count, said = night.killed(at)                   # killed when it has written so often
    night.killed(at, lost=True)                      # ... and with it what no flush has made safe
    standin, said = night.start()                    # what the next start brings

The machine that is killed goes on from a state that was kept behind the firmware's own start, so it runs
for a second or two. What it writes, to the disks and to the firmware's variables, goes through one log
(`blklog`), whose length is how far it is. SIGKILL takes from QEMU only what the guest has not handed over:
the host keeps the rest, as a disk keeps what is in its cache while it has power. `lost` takes that away
too, but for the flash of the variables, which has no cache.
"""
import contextlib
import tempfile
from pathlib import Path

import early
import mirror_vm
import repaired
from blklog import WriteLog
from conftest import required
from fat import Volume
from machine import STANDIN, standin_of
from sparse import copy_range
from unattended import Unattended

COUNTS_DOWN = 'Press a key for the menu'
PATIENCE = 120
POLL = 0.001


def installed(base, folder, settings=b'timeout = 0\n'):
    """A healthy machine with shadowboot on both ESPs."""
    program, stick = required('SHADOWBOOT_EFI', 'build/shadowbootx64.efi'), folder / 'vm-stick.img'
    repaired.make_stick(stick)
    box = Unattended(base, Path(tempfile.mkdtemp(prefix='vm-night', dir=folder)), stick, program)
    done = box.run('install', '-y')
    assert done.status == 0, done.text
    for index in (0, 1):
        box.setup.volume(index, change=True).put('/EFI/shadowboot/shadowboot.conf', settings)
    return box.setup


def alone(setup):
    """Takes off what else would start the shadow: Windows' entry, and what OVMF's own entries for disks start."""
    if setup.variables.pop('Boot0001', None) and 'BootOrder' in setup.variables:
        setup.set_order([number for number in setup.order() if number != 1])
    for index in setup.present():
        with contextlib.suppress(LookupError, ValueError, RuntimeError, FileNotFoundError):
            setup.volume(index, change=True).delete('/EFI/BOOT')
    return setup


def standing_by(base, folder, settings=b'timeout = 0\n'):
    """Installed on both ESPs of a healthy machine; no entry of Windows' for the shadow."""
    return alone(installed(base, folder, settings))


def esp_of(setup, machine, index):
    """The ESP in the image that the virtual machine has."""
    disk = setup.disks[index]
    return Volume(machine.disks[index].image, disk.offset('esp'), disk.size('esp'), disk.block_size)


class Night:
    """A machine about to mend itself, to be killed again and again."""

    def __init__(self, setup, folder, indexes):
        self.folder = Path(folder)
        self.setup = setup.copy(self.folder / 'setup')
        for disk in filter(None, self.setup.disks):
            disk.controller = 'ahci'        # QEMU keeps no state of an NVMe disk
        self.machine = mirror_vm.as_machine(self.setup, self.folder / 'vm', indexes)
        self.state = self.folder / 'night.state'
        with self.machine.boot() as vm:
            vm.console.fatal = ()
            vm.expect(COUNTS_DOWN, timeout=PATIENCE)
            vm.qmp.execute('stop')
            early.save(vm.qmp, self.state)
        self._kept = [(path, path.with_suffix('.kept')) for path in self._images()]
        for path, kept in self._kept:
            copy_range(path, 0, path.stat().st_size, kept)
        with self._gone_on() as (vm, log):
            vm.expect(STANDIN, timeout=PATIENCE)
            self.total = log.count()

    def _images(self):
        return [self.machine.nvram.path, *(disk.image for disk in self.machine.disks if not disk.pulled)]

    @contextlib.contextmanager
    def _gone_on(self):
        """The machine as it was when it was kept, running on, and the log of what it writes."""
        for path, kept in self._kept:
            copy_range(kept, 0, kept.stat().st_size, path)
        log = WriteLog(self.machine)
        self.machine.state = lambda: self.state
        try:
            with self.machine.boot() as vm:
                vm.console.fatal = ()
                yield vm, log
        finally:
            del self.machine.state

    def killed(self, at, lost=False):
        """Kill it when it has written `at` times; gives how often it really had, and what it said."""
        with self._gone_on() as (vm, log):
            while log.count() < at and not vm.console.ended:
                vm.console.pump(POLL)
            vm.process.kill()
            vm.process.wait()
            said = vm.console.text
        count = log.count()
        if lost:
            log.keep_safe(self.folder / 'replay')
        else:
            log.keep()
        return count, said

    def start(self):
        """Switch on what was left; gives the Standin and all that the console said."""
        with self.machine.boot() as vm:
            vm.console.fatal = ()
            match = vm.expect(STANDIN, mirror_vm.NOTHING, mirror_vm.CRASH, timeout=PATIENCE)
            if match.re is not STANDIN:
                raise vm.console.error('the next start came to nothing')
            return standin_of(match), vm.console.text
