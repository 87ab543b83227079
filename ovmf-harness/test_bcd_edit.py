"""Boot stores that the product's bcd command has changed, judged by programs of others: hivex, reglookup,
reged. What they read differs from before in what was asked for and in nothing else.

Stores are described and read as in test_hive_tools.py; those of real machines are put into the ESP of a
mirror, whose own store is made here.
"""
import re
import struct

import pytest

import damage
import mirror
import regf
import stores
from test_hive_tools import BINARY, apply, described, set_value, store

MANAGER = '{9dea862c-5cdd-4e70-acc1-f32b344d4795}'
MEMORY_TEST = '{b2721d73-1db4-4c62-bf78-c548a880142d}'
WIN10 = 'bcd-win10-uefi.xz'
# The store of section `data` with its default, and an object that is nobody's default.
REAL = [(WIN10, '{733b62e5-f608-11eb-825c-c112f60133ab}', MEMORY_TEST)]
# Partitions that the Windows 10 store names: how many elements of which objects name them.
NAMED = {'8e0f2c38-e4ea-47ba-b7fc-9d8c74dccf0b': 4, '6cdfcd69-de75-4490-8f99-5a84bf264917': 3,
         '36be3955-63bf-4068-a6ab-00195cca3a22': 2, '24e0e103-9bc2-477e-a5e2-3e42d2bb134f': 3}


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    return mirror.build('mirror', tmp_path_factory.mktemp('built'))


@pytest.fixture
def machine(built, tmp_path):
    return built.copy(tmp_path / 'machine')


def put(machine, data):
    damage.put_file(machine.volume(0, change=True), stores.STORE, data)


def take(machine, path):
    """The store of Disk 0 as a file; what is in it, as all of them read it."""
    path.write_bytes(machine.volume(0).get(stores.STORE))
    return described(path)


def run(machine, *words):
    text, status = machine.run('bcd', *words, '-on', '0', '-y', '-force')
    assert status == 0, text
    return text


def element(identifier, code):
    return f'\\Objects\\{identifier}\\Elements\\{code}'


def changes(default):
    """(words of the command, what they are to do as test_hive_tools.apply takes it)."""
    def made(identifier, code, kind, data):
        path = element(identifier, code)
        return [('create', path), set_value(path, 'Element', kind, data)]
    return [
        (('set', '{default}', 'nx', 'AlwaysOff'), made(default, '25000020', BINARY, struct.pack('<Q', 2))),
        (('set', default, 'recoveryenabled', 'no'), made(default, '16000009', BINARY, b'\0')),
        (('set', '{default}', 'description', 'Windows, changed'),
         made(default, '12000004', *regf.text('Windows, changed'))),
        (('set', '{default}', 'bootstatuspolicy', 'IgnoreAllFailures'),
         made(default, '250000e0', BINARY, struct.pack('<Q', 1))),
        (('timeout', '99'), made(MANAGER, '25000004', BINARY, struct.pack('<Q', 99))),
        (('order', MANAGER, '{default}'), made(MANAGER, '24000001', *regf.objects(MANAGER, default))),
        (('delete', '{default}', 'description'), [('delete', element(default, '12000004'))]),
    ]


def try_changes(machine, tmp_path, default):
    for words, script in changes(default):
        before = take(machine, tmp_path / 'before')
        run(machine, *words)
        assert take(machine, tmp_path / 'after') == apply(before, script), words
    before = (tmp_path / 'after').read_bytes()
    run(machine, 'start', 'safe')
    text, status = machine.run('undo', '-y')
    assert status == 0, text
    take(machine, tmp_path / 'after')
    assert (tmp_path / 'after').read_bytes() == before


def test_own_store_changes_in_what_was_asked_for(machine, tmp_path):
    before = take(machine, tmp_path / 'before')
    default = before[element(MANAGER, '23000003').lower()]['element'][1].decode('utf-16-le')[:38]
    try_changes(machine, tmp_path, default)


@pytest.mark.parametrize('name,default,other', REAL)
def test_real_store_changes_in_what_was_asked_for(machine, tmp_path, name, default, other):
    put(machine, store(name))
    try_changes(machine, tmp_path, default)
    before = take(machine, tmp_path / 'before')
    run(machine, 'delete', other)
    gone = [('delete', f'\\Objects\\{other}')]
    if element(MANAGER, '24000010').lower() in before:
        gone.append(('delete', element(MANAGER, '24000010')))
    assert take(machine, tmp_path / 'after') == apply(before, gone)


def test_copy_has_what_the_original_has(machine, tmp_path):
    put(machine, store(WIN10))
    default = REAL[0][1]
    before = take(machine, tmp_path / 'before')
    text = run(machine, 'copy', '{default}', '-d', 'Second')
    copy = text.split('copy {default} to ')[1][:38]
    script = []
    for path, values in before.items():
        if path.startswith(f'\\objects\\{default}'):
            path = path.replace(default, copy)
            script.append(('create', path))
            script += [set_value(path, name, *value) for name, value in values.items()
                       if name != 'firmwarevariable']
    path = element(copy, '12000004')
    script += [set_value(path, 'Element', *regf.text('Second')),
               set_value(element(MANAGER, '24000001'), 'Element', *regf.objects(default, copy))]
    assert take(machine, tmp_path / 'after') == apply(before, script)


@pytest.mark.parametrize('partition,count', NAMED.items())
def test_retargeting_changes_the_descriptors_that_name_the_partition(machine, tmp_path, partition, count):
    put(machine, store(WIN10))
    before = take(machine, tmp_path / 'before')
    run(machine, 'retarget', '-from', partition, '-to', '1/4')
    after = take(machine, tmp_path / 'after')
    assert before.keys() == after.keys()
    changed = {path for path in before if before[path] != after[path]}
    assert len(changed) == count
    for path in changed:
        old, new = before[path]['element'][1], after[path]['element'][1]
        # Both GUIDs of one descriptor, wherever it lies in the element.
        different = [at for at in range(len(old)) if old[at] != new[at]]
        assert len(old) == len(new) and different[-1] - different[0] < 40


def test_logs_beside_a_changed_store_are_emptied(machine, tmp_path):
    logs = {stores.STORE + ending: b'left behind' * 100 for ending in ('.LOG', '.LOG1')}
    mirror.put_files(machine.volume(0, change=True), logs)
    run(machine, 'timeout', '7')
    assert [machine.volume(0).get(log) for log in logs] == [b'', b'']
    take(machine, tmp_path / 'after')


@pytest.mark.parametrize('kind', ['other-store', 'other-store-file', 'wakes'])
def test_line_in_the_verdict_takes_out_what_leads_elsewhere(machine, kind):
    """What the verdict says to type is typed; the disk starts then, and undo has the verdict back."""
    damage.apply(machine, f'store 1 {kind}')
    said = machine.run('status').text
    line = re.search('"shadowboot (bcd delete {bootmgr} [a-z]+ -on 1)" gives that up', said)
    assert line and 'Disk 1 alone: not known' in said, said
    assert machine.run(*line[1].split(), '-y').status == 0
    assert 'Disk 1 alone: yes' in machine.run('status').text
    assert machine.run('undo', '-y').status == 0
    assert line[0] in machine.run('status').text
