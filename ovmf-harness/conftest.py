"""Fixtures for the machine tests.

    product     Path of the program under test: $SHADOWBOOT_EFI, else as firmware.py says
    standin     Path of the stand-in boot manager: $SHADOWBOOT_STANDIN, else as firmware.py says
    stick_image Path of the stick that the build makes: $SHADOWBOOT_STICK or build/shadowboot-usb.img
    machine     an empty Machine in the test's own directory, switched off at the end
    stick       a USB stick in `machine` with shadowbootx64.efi, also under the name bootcfg.efi
    linux       a linux.Linux: Debian's kernel, for machines and by itself
    pair        a Machine with two disks and an entry for the first, see `Pair`
    bench       makes the rescue.Bench of a machine with damages
    fast        a serve.Server: commands on machines of image files in one process
    checked     the same under the sanitizers
    repairs     a serve.Server that repairs such machines and says what a repair has broken
    truths      a serve.Server that says what firmware makes of them: see truth.py

A file that is missing fails the test; it never skips it. Run in parallel with -n: nothing is
shared between machines, no port and no path.
"""
import os
import secrets
import tempfile
from pathlib import Path

import pytest

import damage
import mirror
import reports
from firmware import FIRMWARE, ROOT
from gpt import ESP, Partition
from linux import Linux
from machine import LOADER, MIB, Machine
from rescue import Bench
from serve import Server
from sweep import allowances


REPORTS = set()                      # of which it is known that they are valid


@pytest.fixture(scope='session', autouse=True)
def reports_are_kept():
    with tempfile.TemporaryDirectory() as name:
        os.environ['SHADOWBOOT_REPORTS'] = name
        yield
        del os.environ['SHADOWBOOT_REPORTS']


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item):
    """Each report that the test has made is one that the schema allows."""
    new = reports.check(os.environ['SHADOWBOOT_REPORTS'], REPORTS)
    REPORTS.update(new)
    if new:
        item.user_properties.append(('reports, valid by the schema', len(new)))


@pytest.fixture(scope='session')
def folder():
    """Where images go that are copied many times: into memory, if there is such a place."""
    memory = Path('/dev/shm')
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        os.environ['TMPDIR'] = name
        yield Path(name)


@pytest.fixture(scope='session')
def bases(folder):
    """The healthy machines of `mirror` by name, each built when it is asked for. Copies share their
    images: whoever has written to one has spoiled the machines of all later tests."""
    built = {}

    def base(name):
        if name not in built:
            machine = mirror.build(name, folder / name)
            built[name] = machine, machine.fingerprint()
        return built[name][0]

    yield base
    assert [name for name, (machine, was) in built.items() if machine.fingerprint() != was] == []


def required(variable, default):
    """A file that the build makes."""
    path = Path(os.environ.get(variable, ROOT / default)).absolute()
    if not path.is_file():
        pytest.fail(f'{path} is missing: build it, or set ${variable}')
    return path


def tool(name, checked=False):
    """A program of tests/tools; of those that run commands by the thousand also under the sanitizers."""
    variable, default = (('SHADOWBOOT_CHECKED', 'build/host/checked') if checked else
                         ('SHADOWBOOT_TOOLS', 'build/host/tools'))
    path = (Path(os.environ.get(variable, ROOT / default)) / name).absolute()
    if not path.is_file():
        pytest.fail(f'{path} is missing: build it, or set ${variable}')
    return path


@pytest.fixture(scope='session')
def fast():
    with Server(tool('serve')) as server:
        yield server


@pytest.fixture(scope='session')
def checked():
    with Server(tool('serve', checked=True)) as server:
        yield server


@pytest.fixture(scope='session')
def repairs():
    with Server(tool('sweep'), '-images', *allowances()) as server:
        yield server


@pytest.fixture(scope='session')
def truths():
    with Server(tool('sweep'), '-truth') as server:
        yield server


@pytest.fixture(scope='session')
def product():
    return required('SHADOWBOOT_EFI', FIRMWARE.program)


@pytest.fixture(scope='session')
def standin():
    return required('SHADOWBOOT_STANDIN', FIRMWARE.standin)


@pytest.fixture(scope='session')
def stick_image():
    return required('SHADOWBOOT_STICK', 'build/shadowboot-usb.img')


@pytest.fixture(scope='session')
def linux():
    """Debian's Linux, to run inside a machine or by itself."""
    folder = Path(os.environ.get('SHADOWBOOT_BUILD', ROOT / 'build')).absolute() / 'linux'
    if not (folder / 'vmlinuz.efi').is_file():
        pytest.fail(f'{folder}/vmlinuz.efi is missing: fetch it with "make debian-linux"')
    return Linux(folder)


@pytest.fixture
def bench(bases, folder, tmp_path, request):
    """Makes the bench of a machine with damages that `damage` knows; its images are its own."""
    def make(base, *lines):
        setup = bases(base).copy(folder / f'{request.node.name}-{len(list(folder.iterdir()))}')
        for line in lines:
            damage.apply(setup, line)
        for index in setup.present():
            setup.writable(index)
        return Bench(setup, tmp_path)
    return make


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    yield made
    if made.vm:
        made.vm.close()


@pytest.fixture
def stick(machine, product):
    return machine.add_stick({'shadowbootx64.efi': product, 'bootcfg.efi': product})


def install_standin(volume, standin, loader=LOADER):
    """Put the stand-in and a fresh random token on a formatted volume; gives the token."""
    token = secrets.token_hex(8)
    volume.put(loader, standin)
    volume.put('/token.txt', token.encode())
    return token


class Pair:
    """NVMe as Disk 0 and SATA as Disk 1, an ESP on each (first block 63), the stand-in as loader.

    `tokens` are the texts on the first and the second ESP. Boot0000 "Windows Boot Manager" starts
    from Disk 0; for Disk 1 there is no entry.
    """

    def __init__(self, machine, standin):
        self.machine = machine
        self.disks = [machine.add_disk(kind, 64 * MIB, partitions=[
            Partition(ESP, first_lba=63, blocks=100000, name='EFI system partition')])
            for kind in ('nvme', 'ahci')]
        self.esps = [disk.esp.format() for disk in self.disks]
        self.tokens = [install_standin(esp, standin) for esp in self.esps]
        machine.nvram.set_entry(0, 'Windows Boot Manager', self.esps[0].short_path(LOADER))


@pytest.fixture
def pair(machine, standin):
    return Pair(machine, standin)


def pytest_terminal_summary(terminalreporter):
    """Say what tests counted with record_property, all of a name added up."""
    totals = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, 'when', '') == 'call':
                for name, count in report.user_properties:
                    totals[name] = totals.get(name, 0) + count
    for name, count in totals.items():
        terminalreporter.write_line(f'{count} {name}')
