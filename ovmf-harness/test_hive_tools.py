"""Registry hives that are made and changed, judged by programs of others: hivex, reglookup, reged.

The editor is used through tests/tools/hive_edit.c and tests/tools/hive_random.c, in $SHADOWBOOT_TOOLS
or build/host/tools, and $SHADOWBOOT_CHECKED for the one under the sanitizers. Stores of real machines
are looked for in $SHADOWBOOT_SHARED, default ../shared.

A hive is described as {path: {name: (type, bytes)}}, in lower case where Windows takes no notice of
case. What is asked for is applied to the description of the hive before; that of the hive after has
to be the same.
"""
import lzma
import os
import random
import re
import struct
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import limits
import regf

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(os.environ.get('SHADOWBOOT_TOOLS', ROOT / 'build/host/tools'))
CHECKED = Path(os.environ.get('SHADOWBOOT_CHECKED', ROOT / 'build/host/checked'))
SHARED = Path(os.environ.get('SHADOWBOOT_SHARED', ROOT.parent / 'shared'))
STORES = ['bcd-win10-uefi.xz', 'bcd/bcd-win10-19041.2965-two-disks', 'bcd/bcd-uefi-locate-3objects',
          'bcd/bcd-bios-mbr-boot', 'bcd/bcd-empty-bcdsys', 'bcd/bcd-synthetic-lh-hivex']
SEQUENCES, CHECKED_SEQUENCES, EDITS = 10000, 200, 20
SZ, BINARY, DWORD, MULTI_SZ = 1, 3, 4, 7
LOADER = '{4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c4}'
# What hive_edit puts into keys it has changed.
CHANGED = '2025-11-28T00:43:23Z'


def store(name):
    path = SHARED / 'data' / name
    if not path.exists():
        pytest.skip(f'no store of a real machine: $SHADOWBOOT_SHARED/data/{name}')
    data = path.read_bytes()
    return lzma.decompress(data) if name.endswith('.xz') else data


@pytest.fixture(params=['built', *STORES])
def hive(request, tmp_path):
    """A file with a store."""
    path = tmp_path / 'before'
    path.write_bytes(regf.build_store() if request.param == 'built' else store(request.param))
    return path


def run(*words, text=None):
    """(exit status, output, errors) of a program; `text` is its input."""
    with tempfile.TemporaryFile() as lines:
        lines.write((text or '').encode())
        lines.seek(0)
        done = limits.run([str(word) for word in words], 60, stdin=lines, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr


def hive_edit(*words, script=()):
    """Changes; each a tuple of words."""
    text = ''.join('\t'.join(str(word) for word in line) + '\n' for line in script)
    status, output, errors = run(TOOLS / 'hive_edit', *words, text=text)
    assert not errors, errors.decode()
    return status, output.decode().strip()


def edited(hive, script):
    after = hive.with_name('after')
    assert hive_edit('edit', hive, after, script=script) == (0, 'ok')
    return after


def sound(hive):
    return hive_edit('check', hive)[1].startswith('sound ')


# What others read

def parse_data(text):
    """(type, bytes) of the right side of an assignment."""
    kind, _, digits = text.partition(':')
    if kind == 'dword':
        return DWORD, struct.pack('<I', int(digits, 16))
    number = int(kind[4:-1], 16) if kind.startswith('hex(') else BINARY
    return number, bytes.fromhex(digits.replace(',', ' '))


def parse_reg(text):
    """The description of a hive in a .reg file whose keys begin with ROOT."""
    found, key = {}, None
    for line in text.replace('\\\r\n', '').replace('\\\n', '').splitlines():
        if line.startswith('[ROOT'):
            key = found.setdefault(line[5:-1].rstrip('\\').lower(), {})
        elif re.match(r'["@]', line):
            name, value = re.fullmatch(r'(@|"(?:[^"\\]|\\.)*")=(.*)', line).groups()
            key['' if name == '@' else name[1:-1].replace('\\\\', '\\').lower()] = parse_data(value)
    return found


def exported(hive):
    """The description that hivexregedit gives: ASCII alone."""
    status, output, errors = run('hivexregedit', '--export', '--prefix', 'ROOT', hive, '\\')
    assert (status, errors) == (0, b'')
    return parse_reg(output.decode('ascii'))


def by_reged(hive):
    """The keys that reged exports."""
    text = hive.with_name('reged.reg')
    status, output, _ = run('reged', '-x', hive, 'ROOT', '\\', text)
    assert status == 0, output.decode(errors='replace')
    return {line[5:-1].rstrip('\\').lower() for line in text.read_text(errors='replace').splitlines()
            if line.startswith('[ROOT')}


def by_reglookup(hive):
    """The keys that reglookup finds, which warns of what it finds wrong."""
    status, output, errors = run('reglookup', '-H', '-t', 'KEY', hive)
    assert (status, errors) == (0, b'')
    lines = output.decode('ascii').splitlines()
    return {line.split(',')[0].rstrip('/').replace('/', '\\').lower() for line in lines}


def nodes(hive):
    """{path: (time, names of values)} as hivexml gives them, in all scripts."""
    status, output, errors = run('hivexml', hive)
    assert (status, errors) == (0, b'')
    found = {}

    def add(node, path):
        names = sorted(value.get('key', '') for value in node.findall('value'))
        found[path] = node.find('mtime').text, names
        for child in node.findall('node'):
            add(child, f'{path}\\{child.get("name")}')

    add(ElementTree.fromstring(output).find('node'), '')
    return found


def described(hive):
    """What all of them read, which is the same."""
    found = exported(hive)
    assert by_reged(hive) == by_reglookup(hive) == set(found)
    assert {path.lower() for path in nodes(hive)} == set(found)
    return found


# What was asked for

def apply(description, script):
    """The description after these changes."""
    after = {path: dict(values) for path, values in description.items()}
    for verb, path, *words in script:
        path = path.rstrip('\\').lower()
        if verb == 'create':
            for end in (match.start() for match in re.finditer(r'\\|$', path)):
                after.setdefault(path[:end], {})
        elif verb == 'delete':
            after = {name: values for name, values in after.items()
                     if name != path and not name.startswith(path + '\\')}
        elif verb == 'set':
            after[path][words[0].lower()] = int(words[1]), bytes.fromhex(words[2])
        else:
            del after[path][words[0].lower()]
    return after


def set_value(path, name, kind, data):
    return 'set', path, name, kind, data.hex()


def object_script(identifier):
    """A loader, as a store is given a new one."""
    home = f'\\Objects\\{identifier}'
    lines = [('create', f'{home}\\Description'),
             set_value(f'{home}\\Description', 'Type', DWORD, struct.pack('<I', 0x10200003))]
    for code, (kind, data) in {
            '11000001': (BINARY, bytes(range(0x58))),
            '12000002': regf.text('\\Windows\\system32\\winload.efi'),
            '12000004': regf.text('Windows Server'),
            '14000006': regf.objects('{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}'),
            '16000060': (BINARY, b'\1'),
            '250000c2': regf.integer(1)}.items():
        lines += [('create', f'{home}\\Elements\\{code}'),
                  set_value(f'{home}\\Elements\\{code}', 'Element', kind, data)]
    return lines


def random_script(description, seed, count):
    """Changes of any kind to keys that are there, with names that only differ in case too."""
    draw = random.Random(seed)
    now, script = description, []
    names = ['Element', 'ELEMENT', 'Type', '', 'a value of a longer name', 'x']
    while len(script) < count:
        path = draw.choice(sorted(now))
        verb = draw.choice(['create', 'create', 'set', 'set', 'set', 'unset', 'delete'])
        if verb == 'create':
            line = verb, path + '\\' + draw.choice([f'{draw.randrange(1 << 32):08x}', '{' + 'a1' * 18 + '}',
                                                    'Elements', 'DESCRIPTION', 'b', 'B c'])
        elif verb == 'set':
            size = draw.choice([0, 1, 4, 5, 8, 78, 0x58, draw.randrange(2000)])
            kind = draw.choice([BINARY, SZ, MULTI_SZ])
            line = set_value(path, draw.choice(names), kind, draw.randbytes(size))
        elif verb == 'unset' and now[path]:
            line = verb, path, draw.choice(sorted(now[path]))
        elif verb == 'delete' and path.count('\\') >= draw.choice([1, 3, 4]):
            line = verb, path
        else:
            continue
        script.append(line)
        now = apply(now, [line])
    return script


# Stores that are changed

def test_value_is_retargeted_and_nothing_else(hive):
    before = described(hive)
    path, name = max((len(data), path, name) for path, values in before.items()
                     for name, (_, data) in values.items())[1:]
    kind, data = before[path][name]
    script = [set_value(path, name, kind, data[::-1])]
    after = edited(hive, script)
    assert described(after) == apply(before, script) != before
    assert after.stat().st_size <= hive.stat().st_size
    # The base block, the time of its key and of the first bin, and the data itself.
    pairs = zip(hive.read_bytes(), after.read_bytes())
    changed = [at for at, (old, new) in enumerate(pairs) if old != new]
    assert len([at for at in changed if at >= 0x1020]) <= len(data) + 8


def test_object_is_added_and_deleted_again(hive):
    before = described(hive)
    if '\\objects' not in before:
        pytest.skip('a store without objects')
    script = object_script(LOADER)
    after = edited(hive, script)
    assert described(after) == apply(before, script)
    assert sound(after)
    back = after.with_name('back')
    assert hive_edit('edit', after, back, script=[('delete', f'\\Objects\\{LOADER}')]) == (0, 'ok')
    assert described(back) == before
    assert sound(back)


def test_times_are_those_of_changed_keys(hive):
    before = nodes(hive)
    script = [('create', '\\One\\Two'), set_value('\\Description', 'New', BINARY, b'data')]
    after = nodes(edited(hive, script))
    changed = {'', '\\One', '\\One\\Two', '\\Description'}
    assert {path for path, (time, _) in after.items() if time == CHANGED} == changed
    assert all(after[path] == before[path] for path in set(before) - changed)


@pytest.mark.parametrize('seed', range(4))
def test_many_changes_leave_what_was_asked_for(hive, seed):
    before = described(hive)
    script = random_script(before, seed, 80)
    after = edited(hive, script)
    assert described(after) == apply(before, script)
    assert sound(after)


def test_names_of_all_scripts_are_read_by_hivex(hive):
    script = [('create', '\\Größe'), ('create', '\\Ελλάδα\\ω'), set_value('\\Ελλάδα', 'Ä', BINARY, b'12345'),
              set_value('\\Größe', 'имя', SZ, 'ж\0'.encode('utf-16-le')), ('create', '\\中文')]
    before, after = nodes(hive), nodes(edited(hive, script))
    assert set(after) - set(before) == {'\\Größe', '\\Ελλάδα', '\\Ελλάδα\\ω', '\\中文'}
    assert after['\\Ελλάδα'][1] == ['Ä'] and after['\\Größe'][1] == ['имя']


def test_hive_that_grew_is_read(hive):
    before = described(hive)
    script = [set_value('\\Description', f'Value{number}', BINARY, bytes([number]) * 3000) for number in range(9)]
    after = edited(hive, script)
    assert after.stat().st_size > hive.stat().st_size
    assert described(after) == apply(before, script)
    full = hive.with_name('full')
    assert hive_edit('edit', hive, full, '4096', script=script)[0] == 1
    assert not full.exists()


# Stores that others change as well

def test_hivex_changes_what_was_changed(hive):
    after = edited(hive, [('create', '\\Elements\\1'), set_value('\\Elements', 'x', BINARY, b'12345678')])
    lines = 'cd Elements\\1\nadd Below\ncd Below\nsetval 1\nName\nstring:text\ncommit\n'
    done = subprocess.run(['hivexsh', '-w', after], input=lines, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = described(after)
    assert found['\\elements\\1\\below']['name'] == (SZ, 'text\0'.encode('utf-16-le'))
    assert not hive_edit('check', after)[1].startswith('damage')
    script = [('delete', '\\Elements')]
    again = after.with_name('again')
    assert hive_edit('edit', after, again, script=script) == (0, 'ok')
    assert described(again) == apply(found, script) == described(hive)


# Stores from nothing

def test_new_hive_is_read_by_all(tmp_path):
    new = tmp_path / 'new'
    script = [set_value('\\', 'In the root', DWORD, struct.pack('<I', 1)),
              ('create', '\\Description'), set_value('\\Description', 'KeyName', *regf.text('BCD00000000')),
              *object_script(LOADER), *object_script(regf.BOOTMGR)]
    assert hive_edit('make', new, 'NewStoreRoot', script=script) == (0, 'ok')
    assert described(new) == apply({'': {}}, script)
    assert sound(new)
    assert new.stat().st_size == 8192
    # The security that the tool gives it, as reglookup reads it: full access for two.
    status, output, errors = run('reglookup', '-s', '-t', 'KEY', new)
    assert (status, errors) == (0, b'')
    rows = [line.split(',') for line in output.decode().splitlines()[1:]]
    assert len(rows) == len(described(new))
    assert all('S-1-5-18' in ','.join(row) and 'S-1-5-32-544' in ','.join(row) for row in rows)


def test_new_hive_holds_what_a_store_holds(hive):
    wanted = described(hive)
    script = [line for path, values in wanted.items() for line in [
        ('create', path), *(set_value(path, name, *value) for name, value in values.items())]]
    new = hive.with_name('new')
    assert hive_edit('make', new, 'NewStoreRoot', script=script) == (0, 'ok')
    assert described(new) == wanted
    assert sound(new)
    assert new.stat().st_size <= hive.stat().st_size


# Logs

def test_recovered_store_is_read(tmp_path):
    whole = store('bcd/bcd-win10-19041.2965-two-disks')
    log = SHARED / 'data/bcd/bcd-win10-19041.2965-two-disks.LOG'
    torn, mended = tmp_path / 'torn', tmp_path / 'mended'
    torn.write_bytes(regf.set_sequences(whole[:4096] + bytes(len(whole) - 4096), 105, 104))
    assert hive_edit('check', torn)[1].startswith('damage')
    assert hive_edit('recover', torn, mended, log) == (0, 'ok')
    assert sound(mended)
    found, last = described(mended), tmp_path / 'last'
    last.write_bytes(whole)
    # The log is one write behind the store, which changed little.
    assert len(set(found) ^ set(described(last))) < 10 < len(found)


# Random changes, compared with a model after each

@pytest.fixture
def originals(tmp_path):
    """Files with all stores that are there."""
    stores = [regf.build_store()]
    stores += [store(name) for name in STORES if (SHARED / 'data' / name).exists()]
    for number, data in enumerate(stores):
        (tmp_path / f'store{number}').write_bytes(data)
    return sorted(tmp_path.glob('store*'))


@pytest.mark.parametrize('folder, first, count', [(TOOLS, 0, SEQUENCES), (CHECKED, SEQUENCES, CHECKED_SEQUENCES)],
                         ids=['bare', 'checked'])
def test_random_changes_are_those_of_a_model(folder, first, count, originals):
    status, output, errors = run(folder / 'hive_random', first, count, EDITS, *originals)
    assert (status, errors) == (0, b''), errors.decode()
    words = output.decode().split()
    counts = dict(zip(words[::2], map(int, words[1::2])))
    assert counts['sequences'] == count and counts['created'] > 5 * count
    assert min(counts.values()) > 0


# A judge that never objects would prove nothing

def test_judges_object_to_what_is_wrong(tmp_path):
    good, bad = tmp_path / 'good', tmp_path / 'bad'
    good.write_bytes(regf.build_store())
    assert described(good)
    bad.write_bytes(regf.break_cell(regf.build_store()))
    assert run('hivexml', bad)[0] != 0
    status, _, errors = run('reglookup', bad)
    assert status != 0 or errors
    # hivex looks for keys one after the other; that they are out of order only we tell.
    data = bytearray(good.read_bytes())
    root, = struct.unpack_from('<I', data, 0x24)
    listed, = struct.unpack_from('<I', data, 0x1000 + root + 4 + 28)
    at = 0x1000 + listed + 8
    data[at:at + 8], data[at + 8:at + 16] = data[at + 8:at + 16], data[at:at + 8]
    bad.write_bytes(data)
    assert hive_edit('check', bad) == (0, 'damage subkeys are not in the order of their names')
    assert hive_edit('edit', bad, tmp_path / 'none', script=[('create', '\\x')])[0] == 1
