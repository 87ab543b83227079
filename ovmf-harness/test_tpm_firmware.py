"""A TPM that firmware measures into, and BitLocker: the system is started by a reset, not from shadowboot.

The TPM is swtpm's, of either family. Debian's OVMF has a driver for TPM 2.0 and for TPM 1.2; of BitLocker there is
what its volumes are known by. Without a TPM the boot manager is started directly (test_unattended).
"""
import contextlib
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

import damage
import mirror_vm
import night_vm
from machine import STANDIN, Machine, scaled, standin_of

RESET = 'The machine is reset to start from'
DIRECT = 'Starting from Disk'
FAMILIES = {'2.0': ['--tpm2'], '1.2': []}
PCR_4 = re.compile('PCR4=([0-9a-f]{64})\n')      # what firmware has measured of boot managers, says what it started


class Measured(Machine):
    """A machine with a TPM of that `family`."""
    family = None

    def parts(self):
        return [*super().parts(), '-chardev', f'socket,id=tpmc,path={self.socket}', '-tpmdev',
                'emulator,id=tpm0,chardev=tpmc', '-device', 'tpm-tis,tpmdev=tpm0']

    @contextlib.contextmanager
    def tpm(self):
        """swtpm, which ends with the machine."""
        with tempfile.TemporaryDirectory() as folder:
            self.socket = Path(folder) / 'tpm'
            process = subprocess.Popen(['swtpm', 'socket', *FAMILIES[self.family], '--tpmstate', f'dir={folder}',
                                        '--ctrl', f'type=unixio,path={self.socket}', '--terminate'])
            try:
                end = time.monotonic() + scaled(20)
                while not self.socket.exists() and time.monotonic() < end:
                    time.sleep(0.05)
                yield
            finally:
                process.terminate()
                process.wait()


@pytest.fixture(scope='module')
def standing_by(folder, bases):
    return night_vm.standing_by(bases('mirror'), folder)


@pytest.mark.parametrize('family', FAMILIES)
def test_what_bitlocker_measures_is_measured_as_every_day(family, standing_by, tmp_path):
    setup = standing_by.copy(tmp_path / 'setup')
    for line in ('ntfs 0 bitlocker', 'ntfs 1 bitlocker'):
        damage.apply(setup, line)
    windows, *own = setup.order()
    machine = measured(setup, tmp_path, family)
    found, text = start(machine, [*own, windows])
    assert found.esp == setup.disk(0).parts['esp'].guid.lower()
    assert RESET in text and DIRECT not in text, text
    assert machine.nvram.next is None


def measured(setup, folder, family):
    """The virtual PC with that TPM."""
    machine = mirror_vm.as_machine(setup, folder / 'vm', [0, 1], kind=Measured)
    machine.family, machine.cold = family, True
    return machine


def start(machine, order):
    """(what the stand-in says, all that the console said)"""
    machine.nvram.order = order
    with machine.tpm(), machine.boot() as vm:
        vm.console.fatal = ()
        match = vm.expect(STANDIN, mirror_vm.NOTHING, mirror_vm.CRASH, timeout=240)
        assert match.re is STANDIN, vm.console.tail()
        return standin_of(match), vm.console.text


def test_pcr_4_is_every_days_after_a_reset_and_another_behind_the_program(standing_by, tmp_path):
    """By what the TPM itself says then: started by the firmware as every day; by the program with BootNext and a reset;
    by the program directly, which has been measured before."""
    machine = measured(standing_by, tmp_path, '2.0')
    windows, *own = standing_by.order()
    ways = {'every day': ([windows, *own], b''), 'reset': ([*own, windows], b'start = reset\n'),
            'direct': ([*own, windows], b'start = direct\n')}
    registers = {}
    for way, (order, settings) in ways.items():
        for index in (0, 1):
            night_vm.esp_of(standing_by, machine, index).put('/EFI/shadowboot/shadowboot.conf', b'timeout = 0\n' + settings)
        _, text = start(machine, order)
        assert (RESET in text, DIRECT in text) == (way == 'reset', way == 'direct'), text
        registers[way], = PCR_4.findall(text)
    assert registers['reset'] == registers['every day'] != registers['direct'], registers
