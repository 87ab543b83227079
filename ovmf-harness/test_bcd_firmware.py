"""Boot stores and identities changed on firmware, in one session at the Shell, judged by programs of others.

Each line is typed on a mirror that is switched on. What it has made of the stores is read from the disks with
mtools, hivex, reglookup and reged, and differs from before in what was asked for. At the end the stand-in boot
manager, which reads stores by itself, starts each disk alone and says which partition it would start. All of it
is one test, since a machine takes longer to start than a line to run.
"""
import struct
import subprocess
from contextlib import contextmanager
from pathlib import Path

import gpt
import regf
import store_model
import stores
from fat import Volume
from repair_vm import Server
from test_bcd_edit import BINARY, MANAGER, element
from test_hive_tools import apply, described, set_value

OTHER = '66666666-7777-4888-8999-aaaaaaaaaaaa'
NX = '25000020'


class Session:
    """The machine at its Shell."""

    def __init__(self, server, vm, folder):
        self.server, self.vm, self.folder = server, vm, folder

    def esp(self, index):
        disk = self.server.disks[index]
        part = next(part for part in gpt.read(disk.image, 512).partitions if part.type == gpt.ESP)
        return Volume(disk.image, part.first_lba * 512, part.blocks * 512, 512)

    def store(self, index):
        return self.esp(index).get(stores.STORE)

    def content(self, index):
        """All that is in a store, as all of them read it."""
        hive = self.folder / f'store-{index}'
        hive.write_bytes(self.store(index))
        return described(hive)

    def both(self):
        return [self.content(index) for index in (0, 1)]

    def run(self, line, status=0):
        done = self.vm.run(line)
        assert done.status == status, done.text
        return done.text

    @contextmanager
    def changes(self, *scripts):
        """What is done inside makes these of the stores of both disks; None: the store stays."""
        before = self.both()
        yield
        for old, new, script in zip(before, self.both(), scripts * (2 // len(scripts))):
            assert new == apply(old, script or [])

    def plex(self, index):
        disk = self.server.disks[index]
        part = next(part for part in gpt.read(disk.image, 512).partitions if part.type == gpt.LDM_DATA)
        return part.guid

    def started(self, index):
        """The partitions of the loader and the system that the store of a disk starts, as hivex reads it."""
        return {str(guid).lower() for guid in store_model.devices_of(self.store(index))}


def made(identifier, code, kind, data):
    path = element(identifier, code)
    return [('create', path), set_value(path, 'Element', kind, data)]


def number(identifier, code, value):
    return made(identifier, code, BINARY, struct.pack('<Q', value))


def stores_are_listed_with_the_disks_of_the_machine(session):
    said = session.run('shadowboot bcd list')
    for disk in (0, 1):
        assert f'Boot store of Disk {disk} Partition' in said
        assert f'Disk {disk} Partition 4 (LDM data, plex of C:)' in said
    assert session.run('shadowboot bcd check') == 'Nothing is wrong with the boot stores.'


def elements_are_set_in_the_stores_of_both_disks(session):
    with session.changes(number(regf.LOADER, NX, 2)):
        session.run('shadowboot bcd set {default} nx AlwaysOff -y')
    with session.changes(number(MANAGER, '25000004', 99)):
        session.run('shadowboot bcd timeout 99 -y')


def default_and_order_are_changed_and_taken_back(session):
    before = [session.store(0), session.store(1)]
    second = made(MANAGER, '23000003', *regf.text(stores.SECOND))
    with session.changes(second):
        session.run(f'shadowboot bcd default {stores.SECOND} -y -force')
    order = made(MANAGER, '24000001', *regf.objects(stores.SECOND, regf.LOADER))
    with session.changes(order):
        session.run(f'shadowboot bcd order {stores.SECOND} -addfirst -y -force')
    session.run('shadowboot undo -y')
    session.run('shadowboot undo -y')
    assert [session.store(0), session.store(1)] == before


def change_after_which_a_disk_starts_less_well_is_refused(session):
    with session.changes(None):
        said = session.run(f'shadowboot bcd default {stores.SECOND} -y', 15)
    assert '-force' in said and 'Nothing was changed.' in said


def safe_mode_is_set_by_a_word_and_taken_back_by_another(session):
    with session.changes(number(regf.LOADER, '25000080', 0)):
        assert 'bcd start normal' in session.run('shadowboot bcd start safe -y')
    with session.changes([('delete', element(regf.LOADER, '25000080'))]):
        session.run('shadowboot bcd start normal -y')


def lines_of_bcdedit_work_by_both_names(session):
    with session.changes(number(regf.LOADER, '250000e0', 1)):
        said = session.run('shadowboot bcdedit /set {default} bootstatuspolicy IgnoreAllFailures')
    assert said == 'The operation completed successfully.'
    with session.changes([('delete', element(regf.LOADER, '250000e0'))]):
        session.run('bcdedit /deletevalue {default} bootstatuspolicy')
    disk = session.server.disks[1]
    name = session.vm.fs(disk.esp)
    session.vm.cd(session.server.stick)
    with session.changes(None, number(regf.LOADER, NX, 3)):
        session.run(f'bcdedit.efi /store {name}\\EFI\\Microsoft\\Boot\\BCD /set {{default}} nx AlwaysOn')
    assert 'AlwaysOn' in session.run('bcdedit /enum')


def retarget_has_each_store_start_its_own_disk(session):
    own, other = session.plex(1), session.plex(0)
    session.run('shadowboot bcd retarget -from 1/4 -to 0/4 -on 1 -y -force')
    assert (session.started(1), session.started(0)) == ({other}, {other})
    assert session.run('shadowboot status', 65)
    assert 'shadowboot repair' in session.run('shadowboot bcd check', 10)
    session.run('shadowboot bcd retarget -y')
    assert (session.started(1), session.started(0)) == ({own}, {other})
    assert session.run('shadowboot bcd retarget -y').startswith('Nothing to do')
    session.run('shadowboot undo -y')
    session.run('shadowboot undo -y')
    assert session.started(1) == {own}


def identity_that_was_changed_is_found_and_given_back(session):
    """The store goes on naming what the partition was called."""
    assert session.plex(1) == OTHER
    expected, = session.started(1)
    assert 'no disk here has that partition' in session.run('shadowboot diskid 1')
    assert 'Disk 1' in session.run('shadowboot bcd check', 10)
    session.run('shadowboot status', 65)
    session.run('shadowboot diskid 1 -from-store -y')
    assert session.plex(1) == expected
    checked = subprocess.run(['sgdisk', '-v', str(session.server.disks[1].image)], capture_output=True, text=True,
                             check=False)
    assert 'No problems found' in checked.stdout
    session.run('shadowboot status')


STEPS = [identity_that_was_changed_is_found_and_given_back, stores_are_listed_with_the_disks_of_the_machine,
         elements_are_set_in_the_stores_of_both_disks, default_and_order_are_changed_and_taken_back,
         change_after_which_a_disk_starts_less_well_is_refused,
         safe_mode_is_set_by_a_word_and_taken_back_by_another, lines_of_bcdedit_work_by_both_names,
         retarget_has_each_store_start_its_own_disk]


def test_stores_and_identities_are_changed_on_firmware(bases, tmp_path, product):
    setup = bases('mirror').copy(tmp_path / 'mirror')
    plex = setup.disk(1).parts['plex']
    subprocess.run(['sgdisk', '-u', f'{plex.number}:{OTHER}', str(setup.writable(1))], check=True, capture_output=True)
    server = Server(setup, tmp_path, product)
    server.stick.volume.put('/bcdedit.efi', Path(product))
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        for step in STEPS:
            step(Session(server, vm, tmp_path))
        after = server.snapshot('after')
    for disk in server.disks.values():
        (tmp_path / disk.name).mkdir()
        seen, token = after.start_alone(disk, tmp_path / disk.name)
        own = after.place(disk, gpt.LDM_DATA)
        assert seen.standin and (seen.standin.token, seen.standin.loader, seen.standin.system) == (token, own, own)
