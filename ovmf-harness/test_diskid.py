"""Identities of disks: what diskid and diskpart's lines set, read back by sgdisk, sfdisk and hivex.

Whatever named the old identity names the new one: entries, and the stores on both disks. What comes after
is judged by repair, which has nothing to do then, and undone to the last byte.
"""
import re
import subprocess
import uuid

import mirror_bases  # noqa: F401 (further machines)
import gpt
import pytest
from sparse import digest, holes_kept
import store_model
import stores
from repair_vm import Server
from repaired import Repaired, make_stick

STORE = stores.STORE
GUID = uuid.UUID('11111111-2222-4333-8444-555555555555')
OTHER = uuid.UUID('66666666-7777-4888-8999-aaaaaaaaaaaa')


def braced(guid):
    return '{%s}' % guid


def told(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False).stdout


def disk_guid(machine, index):
    said = told('sgdisk', '-p', machine.setup.disk(index).image)
    return uuid.UUID(re.search(r'Disk identifier \(GUID\): (\S+)', said)[1])


def partition_guid(machine, index, role):
    disk = machine.setup.disk(index)
    said = told('sgdisk', '-i', disk.parts[role].number, disk.image)
    return uuid.UUID(re.search(r'Partition unique GUID: (\S+)', said)[1])


def assert_table_is_sound(machine, index):
    assert 'No problems found' in told('sgdisk', '-v', machine.setup.disk(index).image)


def signature(machine, index):
    return told('sfdisk', '--disk-id', machine.setup.disk(index).image).strip()


def store_of(machine, index):
    """The boot store of a disk, as mtools reads it."""
    disk = machine.setup.disk(index)
    return subprocess.run(['mcopy', '-i', f'{disk.image}@@{disk.offset("esp")}', f'::{STORE}', '-'], check=True,
                          capture_output=True).stdout


def started_by_store(machine, index):
    """The partitions that the loader of a disk's store names, as hivex reads it."""
    return {str(guid).strip('{}').lower() for guid in store_model.devices_of(store_of(machine, index))}


@pytest.fixture(scope='module')
def stick(tmp_path_factory):
    image = tmp_path_factory.mktemp('stick') / 'stick.img'
    make_stick(image)
    return image


@pytest.fixture
def make(bases, stick, tmp_path):
    """A machine with a stick to keep journals on."""
    def made(base):
        (tmp_path / base).mkdir()
        return Repaired(bases(base), tmp_path / base, stick)
    return made


def assert_undone(machine, before):
    assert machine.run('undo', '-y').status == 0
    assert machine.left_behind(before) == []


def test_disk_gets_the_guid_that_is_asked_for(make):
    machine = make('mirror')
    before = machine.state()
    done = machine.run('diskid', '1', '-set', braced(GUID), '-y')
    assert done.status == 0 and f'give Disk 1 the GUID {braced(GUID)}' in done.text
    assert disk_guid(machine, 1) == GUID
    assert_table_is_sound(machine, 1)
    assert 'Nothing to do' in machine.run('repair', '-y').text
    assert_undone(machine, before)


@pytest.mark.parametrize('role, number', [('esp', 1), ('plex', 4)])
def test_what_names_a_partition_follows_it(make, role, number):
    machine = make('mirror')
    before = machine.state()
    assert machine.run('diskid', '1', '-partition', str(number), '-set', braced(GUID), '-y').status == 0
    assert partition_guid(machine, 1, role) == GUID
    assert_table_is_sound(machine, 1)
    assert (str(GUID) in machine.run('entries').text.lower()) == (role == 'esp')
    assert started_by_store(machine, 1) == {str(partition_guid(machine, 1, 'plex'))}
    assert started_by_store(machine, 0) == {str(partition_guid(machine, 0, 'plex'))}
    assert machine.run('status').status == 0
    assert 'Nothing to do' in machine.run('repair', '-y').text
    assert_undone(machine, before)


def test_second_loader_of_the_other_store_follows_too(make):
    """Disk 0's store has the plex of Disk 1 as its second choice."""
    machine = make('mirror')
    old = machine.setup.disk(1).parts['plex'].guid
    raw = uuid.UUID(old).bytes_le
    assert raw in store_of(machine, 0)
    assert machine.run('diskid', '1', '-partition', '4', '-set', braced(GUID), '-y').status == 0
    store = store_of(machine, 0)
    assert raw not in store and GUID.bytes_le in store


def test_disk_is_given_what_its_store_expects(make):
    """The store is right, and the partition is called otherwise since."""
    machine = make('mirror')
    plex = machine.setup.disk(1).parts['plex']
    subprocess.run(['sgdisk', '-u', f'{plex.number}:{OTHER}', str(machine.setup.disk(1).image)], check=True,
                   capture_output=True)
    assert machine.run('status').status == 65
    assert 'no disk here has that partition' in machine.run('diskid', '1').text
    assert machine.run('diskid', '1', '-from-store', '-y').status == 0
    assert str(partition_guid(machine, 1, 'plex')) == plex.guid
    assert_table_is_sound(machine, 1)
    assert machine.run('status').status == 0
    again = machine.run('diskid', '1', '-from-store', '-y')
    assert again.status == 14 and 'names a partition that is not here' in again.text


def test_signature_of_an_mbr_is_set_and_nothing_else(make, tmp_path):
    machine = make('bios-basic')
    image, expected, state = machine.setup.disk(0).image, tmp_path / 'expected', machine.state()
    holes_kept(image, expected)
    gpt.poke(expected, 440, bytes.fromhex('cdded942'))
    assert digest(image) != digest(expected)
    assert machine.run('diskid', '0', '-set', '42D9DECD', '-y').status == 0
    assert signature(machine, 0) == '0x42d9decd'
    assert digest(image) == digest(expected)
    assert_undone(machine, state)


def test_signature_that_a_store_for_bios_expects_is_given_back(make):
    machine = make('bios-basic')
    was, state = signature(machine, 0), machine.state()
    assert ', for BIOS, starts Windows from Disk 0 Partition 1.' in machine.run('diskid', '0').text
    said = machine.run('diskid', '0', '-set', '42D9DECD', '-y').text
    assert 'names the old identity and is only read here' in ' '.join(said.split())
    assert f'signature {was[2:].upper()}, which is not here' in machine.run('diskid', '0').text
    back = machine.run('diskid', '0', '-from-store', '-y')
    assert back.status == 0 and 'old identity' not in back.text
    assert signature(machine, 0) == was and machine.left_behind(state) == []


def test_store_for_bios_is_listed_and_only_read(make):
    machine = make('bios-basic')
    state = machine.state()
    assert 'osdevice                Disk 0 Partition 1\n' in machine.run('bcd', 'list').text
    for words in (['set', '{default}', 'nx', 'AlwaysOn'], ['set', '{default}', 'nx', 'AlwaysOn', '-on', '0']):
        refused = machine.run('bcd', *words, '-y')
        assert refused.status == 15 and 'only read here' in ' '.join(refused.text.split())
    assert machine.state().same(state)


def test_lines_of_diskpart_are_taken_as_typed(make):
    machine = make('bios-basic')
    old = signature(machine, 0)[2:].upper()
    assert f'Disk ID: {old}\n' in machine.run('diskpart', 'SELECT', 'DISK', '0', 'UNIQUEID', 'DISK').text
    assert machine.run('diskpart', 'SELECT', 'DISK', '0', 'UNIQUEID', 'DISK', 'id=42D9DECD', '-y').status == 0
    assert signature(machine, 0) == '0x42d9decd'
    refused = machine.run('diskpart', 'uniqueid', 'disk')
    assert refused.status == 2 and 'select disk 1' in refused.text
    odd = machine.run('diskpart', 'clean', 'all')
    assert odd.status == 2 and 'uniqueid disk' in odd.text


def test_copy_of_a_disk_gets_identities_of_its_own(make):
    """Two disks with one identity: the second was copied sector by sector, its store with it."""
    machine = make('basic')
    holes_kept(machine.setup.disk(0).image, machine.setup.disk(1).image)
    assert ', which Disk 1 has too' in machine.run('diskid').text
    before = machine.state()
    assert machine.run('diskid', '1', '-set', 'new', '-y').status == 0
    assert disk_guid(machine, 1) != disk_guid(machine, 0)
    for role in machine.setup.disk(0).parts:
        machine.setup.disk(1).parts[role] = machine.setup.disk(0).parts[role]
        assert partition_guid(machine, 0, role) != partition_guid(machine, 1, role)
    assert_table_is_sound(machine, 1)
    assert 'has too' not in machine.run('diskid').text
    assert_undone(machine, before)


@pytest.mark.parametrize('base, words, status, said', [
    ('mirror', ('1', '-set', '42D9DECD'), 2, 'its identity is a GUID'),
    ('bios-basic', ('0', '-set', str(GUID)), 2, 'eight hexadecimal digits'),
    ('bios-basic', ('0', '-set', '00000000'), 15, 'zero is none'),
    ('bios-basic', ('0', '-partition', '1', '-set', str(GUID)), 15, 'has no GPT'),
    ('mirror', ('1', '-set', str(uuid.UUID(int=0))), 15, 'zeros is none'),
    ('mirror', ('1', '-partition', '9', '-set', str(GUID)), 14, 'no Partition 9'),
    ('mirror', ('1', '-partition', '2'), 2, 'It goes like this'),
    ('mirror', ('7', '-set', 'new'), 14, 'There is no Disk 7'),
    ('mirror', ('1', '-from-store'), 14, 'names a partition that is not here'),
])
def test_what_cannot_be_is_refused_and_nothing_changes(make, base, words, status, said):
    machine = make(base)
    before = machine.state()
    done = machine.run('diskid', *words, '-y')
    assert (done.status, said in done.text) == (status, True), done.text
    assert machine.state().same(before)


def test_identity_of_another_disk_is_refused(make):
    machine = make('mirror')
    done = machine.run('diskid', '1', '-set', braced(disk_guid(machine, 0)), '-y')
    assert done.status == 15 and 'Disk 0 has the GUID' in done.text
    bios = make('bios')
    done = bios.run('diskid', '1', '-set', signature(bios, 0)[2:], '-y')
    assert done.status == 15 and 'Disk 0 has the signature' in done.text


# --- On firmware

def test_copied_disk_is_told_apart_and_starts_alone(bases, tmp_path, product):
    setup = bases('basic').copy(tmp_path / 'copied')
    holes_kept(setup.disk(0).image, setup.writable(1))
    server = Server(setup, tmp_path, product)
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        assert 'which Disk 1 has too' in ' '.join(vm.run('shadowboot diskid').text.split())
        assert vm.run('shadowboot diskid 1 -set new -y').status == 0
        vm.run('shadowboot repair -y')
        after = server.snapshot('after')
    first, second = (gpt.read(after.image(disk), 512) for disk in server.disks.values())
    assert first.disk_guid != second.disk_guid
    assert not {part.guid for part in first.partitions} & {part.guid for part in second.partitions}
    (tmp_path / 'alone').mkdir()
    seen, token = after.start_alone(server.disks[1], tmp_path / 'alone')
    assert seen.standin and seen.standin.token == token


def test_signature_is_set_and_given_back_on_firmware(bases, tmp_path, product):
    """Somebody has changed it in a rescue mode: the store for BIOS names the old one."""
    setup = bases('bios-basic').copy(tmp_path / 'bios')
    was = told('sfdisk', '--disk-id', setup.disk(0).image).strip()
    subprocess.run(['sfdisk', '-q', '--disk-id', str(setup.writable(0)), '0x0badf00d'], check=True)
    server = Server(setup, tmp_path, product)
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        before = server.snapshot('before')
        assert f'signature {was[2:].upper()}, which is not here' in vm.run('shadowboot diskid 0').text
        assert vm.run('shadowboot diskpart select disk 0 uniqueid disk id=42D9DECD -y').status == 0
        assert 'Disk ID: 42D9DECD' in vm.run('shadowboot diskpart select disk 0 uniqueid disk').text
        after = server.snapshot('after')
        assert vm.run('shadowboot undo -y').status == 0
        undone = server.snapshot('undone')
        assert vm.run('shadowboot diskid 0 -from-store -y').status == 0
        mended = server.snapshot('mended')
        assert 'which is not here' not in vm.run('shadowboot diskid 0').text
    disk = server.disks[0]
    assert told('sfdisk', '--disk-id', after.image(disk)).strip() == '0x42d9decd'
    assert digest(undone.image(disk)) == digest(before.image(disk))
    assert told('sfdisk', '--disk-id', mended.image(disk)).strip() == was
