"""A TPM that firmware measures into, and BitLocker: the system is started by a reset, not from shadowboot.

The TPM is swtpm's, of either family. Debian's OVMF has a driver for TPM 2.0 and for TPM 1.2; of BitLocker there is
what its volumes are known by. Without a TPM the boot manager is started directly (test_unattended).
"""
import contextlib
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
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', [0, 1], kind=Measured)
    machine.family, machine.cold = family, True
    machine.nvram.order = [*own, windows]
    with machine.tpm(), machine.boot() as vm:
        vm.console.fatal = ()
        match = vm.expect(STANDIN, mirror_vm.NOTHING, mirror_vm.CRASH, timeout=240)
        assert match.re is STANDIN, vm.console.tail()
        text = vm.console.text
    assert standin_of(match).esp == setup.disk(0).parts['esp'].guid.lower()
    assert RESET in text and DIRECT not in text, text
    assert machine.nvram.next is None
