"""What a boot store really needs, row by row as measured on a boot manager of Windows 10 (10.0.19041): what
`status` says of a disk whose ESP has such a store, and what `repair` makes of it.

The hives that were measured with are in $SHADOWBOOT_SHARED; each row is made by regf.py besides. That the
stand-in does the same is test_standin_store.py's.
"""
import os
import struct
import uuid
from pathlib import Path

import pytest

import mirror
import regf
import stores
from stores import STORE, drop, put
from test_repair_catalogue import Told

SHARED = Path(os.environ.get('SHADOWBOOT_SHARED', Path(__file__).parent.parent.parent / 'shared'))
# The partition and the ESP that the measured hives name.
MEASURED = bytes.fromhex('02000000000000408000000000000002')


def junk(setup, where, size):
    """The device of Windows on Disk 1 with other bytes somewhere."""
    kind, data = stores.plex(setup, 1)
    return kind, data[:where] + b'\xA5' * size + data[where + size:]


def manager(setup, code, value=None):
    root = stores.tree(stores.plex(setup, 1))
    return drop(root, code, regf.BOOTMGR) if value is None else put(root, code, value, regf.BOOTMGR)


def loader(setup, *codes):
    root = stores.tree(stores.plex(setup, 1))
    for code in codes:
        drop(root, code)
    return root


def whole(setup):
    return stores.of_windows(setup, 1, 0)


def no_mark(root):
    """The store does not call itself that of the system."""
    description, = (key for key in root.children if key.name == 'Description')
    description.values.clear()
    return root


def resume_gone(setup):
    """The objects of settings and of resuming do not exist, and are named all the same."""
    root = put(whole(setup), '14000006', regf.objects(stores.GONE), regf.LOADER)
    return put(root, '14000006', regf.objects(stores.GONE))


def minor(number):
    def made(root):
        hive = regf.build(root)
        return regf.set_sequences(hive[:0x18] + struct.pack('<I', number) + hive[0x1C:], 7, 7)
    return made


# What is there: the tree, and what the boot manager comes to: nothing for "it starts", a code, or 'winload' where
# that starts and fails.
ROWS = {
    'two objects': (lambda setup: stores.tree(stores.plex(setup, 1)), ''),
    'boot manager without device': (lambda setup: manager(setup, '11000001'), ''),
    'boot manager without path': (lambda setup: manager(setup, '12000002'), ''),
    'boot manager on an ESP that is nowhere': (lambda setup: manager(setup, '11000001', stores.nowhere('esp')), ''),
    'no default': (lambda setup: manager(setup, '23000003'), ''),
    'no order': (lambda setup: manager(setup, '24000001'), ''),
    'no timeout': (lambda setup: manager(setup, '25000004'), ''),
    'not called the system\'s store': (lambda setup: no_mark(whole(setup)), ''),
    'inherits from what does not exist': (resume_gone, ''),
    'no object for resuming': (lambda setup: drop(whole(setup), '23000003'), ''),
    'loader without osdevice': (lambda setup: loader(setup, '21000001'), 'winload'),
    'loader without systemroot': (lambda setup: loader(setup, '22000002'), 'winload'),
    'loader without both': (lambda setup: loader(setup, '21000001', '22000002'), 'winload'),
    'loader without path': (lambda setup: loader(setup, '12000002'), ''),
    'loader without path and osdevice': (lambda setup: loader(setup, '12000002', '21000001'), 'winload'),
    'loader without description': (lambda setup: loader(setup, '12000004'), '0xc0000001'),
    'loader without device': (lambda setup: loader(setup, '11000001'), '0xc0000001'),
    'with bootmenupolicy': (lambda setup: put(whole(setup), '250000c2', regf.integer(1), regf.LOADER), ''),
    'without bootmenupolicy': (lambda setup: drop(whole(setup), '250000c2'), ''),
    'junk in the options of a device': (lambda setup: stores.tree(junk(setup, 0, 16)), ''),
    'junk at the end of a device': (lambda setup: stores.tree(junk(setup, 72, 16)), ''),
}
FORMS = {'minor 5': minor(5), 'minor 6': minor(6), 'bytes behind it': lambda root: regf.build(root) + bytes(9000)}


@pytest.fixture
def judged(bases, tmp_path):
    """(setup, {disk: verdict}, {disk: code}, {finding}) of a mirror whose second ESP has that store."""
    setup = bases('mirror').copy(tmp_path / 'machine')

    def judge(make):
        mirror.put_files(setup.volume(1, change=True), {STORE: make(setup)})
        told = Told(setup.run('status', '-sfo'))
        assert told.verdicts[0] == 'starts' and not told.trouble(), told.text
        return setup, told
    return judge


@pytest.mark.parametrize('name', ROWS)
def test_verdict_is_what_the_boot_manager_comes_to(name, judged):
    make, end = ROWS[name]
    setup, told = judged(lambda setup: regf.build(make(setup)))
    assert told.verdicts[1] == ('fails' if end else 'starts'), told.text
    assert told.codes == ({1: end} if end.startswith('0x') else {}), told.text
    found = {finding for finding, where in told.findings if where == 'Disk 1 Partition 1'}
    assert ('esp-store-no-system' in found) == bool(end), told.text
    if not end:
        return
    done = setup.run('repair', '-y')
    again = Told(setup.run('status', '-sfo'))
    assert again.verdicts == {0: 'starts', 1: 'starts'} and not again.findings, done.text + again.text
    assert 'Nothing to do' in setup.run('repair', '-y').text


@pytest.mark.parametrize('name', FORMS)
def test_form_of_the_hive_makes_no_difference(name, judged):
    _, told = judged(lambda setup: FORMS[name](whole(setup)))
    assert told.verdicts[1] == 'starts', told.text


@pytest.mark.parametrize('name', ['minimal', 'minimal2', 'lh-hivex'])
def test_measured_hive_starts_the_partition_that_it_names(name, judged):
    """As it was measured, of a partition that is nowhere here; and with this machine's in its place."""
    path = SHARED / f'data/bcd/bcd-synthetic-{name}'
    if not path.exists():
        pytest.skip(f'no {path.name} in ../shared/data')
    hive = path.read_bytes()
    assert name != 'minimal' or len(hive) == 8192
    _, told = judged(lambda setup: hive)
    assert (told.verdicts[1], told.codes) == ('fails', {1: '0xc000000e'}), told.text
    _, told = judged(lambda setup: hive.replace(MEASURED, uuid.UUID(str(setup.disk(1).parts['plex'].guid)).bytes_le))
    assert told.verdicts[1] == 'starts', told.text
