"""What `prune`, `repair`, `clone` and `prepare -new-guids` leave of boot entries: by bytes, and by the model.

The host program runs over the machines of the catalogue; journals go to a stick beside them.
"""
import re
import struct

import damage
import firmware_model
import gpt
import mirror
import pytest
from devicepath import AUTO_MARKER, LoadOption, split
from fat import run as tool
from sparse import digest

RANK = {'starts': 2, 'fallback': 1}
CASES = {case.name: case for case in damage.all_cases()
         if re.match('firmware-|free-number-|zero-guid|order-|only-record', case.name)}
MARKS = (b'RC', b'\0\0BO', AUTO_MARKER)
# Nodes that only firmware puts into a path, and those that do so where no partition is named.
ALWAYS = {(5, 1), (4, 6), (4, 7), (1, 3)}
ALONE = {(1, 4), (3, 10), (4, 3), (3, 11), (3, 12), (3, 13), (3, 24), (3, 15)}


def is_own(option):
    nodes = {(node.type, node.subtype) for node in split(option.path)}
    return (not nodes or option.optional in MARKS or nodes & ALWAYS or
            ((4, 1) not in nodes and (nodes & ALONE or (4, 4) not in nodes)))


def add_stick(setup):
    index = len(setup.disks)
    disk = mirror.DiskFile(setup.folder / 'stick.img', 512, 'usb', index)
    with open(disk.image, 'wb') as stream:
        stream.truncate(64 * mirror.MIB)
    part = gpt.Partition(gpt.BASIC_DATA, blocks=60 * mirror.MIB // 512, guid=mirror.guid_of('stick'), number=1)
    gpt.Table(disk.image, 512, [part], mirror.guid_of('stick disk')).write()
    disk.parts = {'stick': part}
    setup.disks.append(disk)
    return index


class Machine:
    """A machine of the catalogue with a stick that the program is started from."""

    def __init__(self, setup):
        self.setup = setup
        for index in setup.present():
            setup.writable(index)
        self.stick = add_stick(setup)
        setup.volume(self.stick, 'stick', change=True).format(32)

    def run(self, *words):
        options = [*self.setup.host_options(), '--self', f'{self.setup.printed(self.stick)}:1']
        done = self.setup.run(*words, options=options)
        lines = (self.setup.folder / 'variables.txt').read_text().splitlines()
        self.setup.variables = {name: (int(attributes, 16), b'' if data == '-' else bytes.fromhex(data))
                                for name, attributes, data in map(str.split, lines)}
        return done

    def entries(self):
        return {name: data for name, (_, data) in self.setup.variables.items()
                if re.fullmatch('Boot[0-9A-F]{4}', name)}

    def own(self):
        found = {}
        for name, data in self.entries().items():
            try:
                if is_own(LoadOption.unpack(data)):
                    found[name] = data
            except ValueError:
                pass
        return found

    def order(self):
        data = self.setup.variables.get('BootOrder', (7, b''))[1]
        return struct.unpack(f'<{len(data) // 2}H', data)

    def ranks(self):
        members = [index for index in self.setup.present() if index != self.stick]
        return {index: RANK.get(firmware_model.Firmware(self.setup, [index], members).start().verdict, 0)
                for index in members}

    def digests(self):
        return {index: digest(self.setup.disk(index).image)
                for index in self.setup.present() if index != self.stick}


@pytest.fixture
def made(bases, tmp_path):
    def make(base, lines):
        setup = bases(base).copy(tmp_path / 'machine')
        for line in lines:
            damage.apply(setup, line)
        return Machine(setup)
    return make


@pytest.mark.parametrize('words', [('prune', '-y'), ('repair', '-y', '-format')], ids=' '.join)
@pytest.mark.parametrize('name', [name for name in CASES if 'order-' not in name and 'free-' not in name])
def test_no_entry_of_the_firmwares_own_goes_and_no_disk_is_worse_off(name, words, made):
    case = CASES[name]
    machine = made(case.base, case.do)
    own, ranks = machine.own(), machine.ranks()
    first = machine.run(*words)
    assert machine.own() == own, first.text
    after = machine.ranks()
    assert all(after[index] >= rank for index, rank in ranks.items()), first.text
    left = dict(machine.setup.variables)
    second = machine.run(*words)
    assert machine.setup.variables == left, second.text


@pytest.mark.parametrize('name', [
    'order-empty', 'order-missing', 'order-missing-among-firmwares',
    'order-names-only-absent', 'order-without-the-disks'])
def test_order_is_written_and_nothing_made(name, made):
    case = CASES[name]
    machine = made(case.base, case.do)
    before = machine.entries()
    said = machine.run('repair', '-y')
    assert machine.entries() == before, said.text
    assert [number for number in machine.order() if number < 2] == [0, 1], said.text
    assert set(machine.ranks().values()) == {RANK['starts']}, said.text


@pytest.mark.parametrize('name', ['free-number-in-boot-next', 'free-number-in-hot-key'])
def test_new_entry_takes_no_number_that_something_names(name, made):
    machine = made('mirror', CASES[name].do)
    said = machine.run('repair', '-y')
    assert set(machine.entries()) == {'Boot0000', 'Boot0002'}, said.text


def test_last_record_is_kept_and_its_clone_line_works(made):
    machine = made('md', CASES['only-record-of-the-loader'].do)
    before = machine.entries()
    said = machine.run('prune', '-y')
    assert machine.entries() == before
    assert 'Boot0000 "debian" is kept' in said.text
    lines = re.findall(r'shadowboot (clone -sg \S+ -tg \S+)', said.text)
    assert len(lines) == 2
    for line in lines:
        done = machine.run(*line.split(), '-y')
        assert done.status == 0, done.text
    assert set(machine.ranks().values()) == {RANK['starts']}
    said = machine.run('prune', '-y')
    assert 'Boot0000' not in machine.entries(), said.text
    assert set(machine.ranks().values()) == {RANK['starts']}


@pytest.mark.parametrize('base', ['md', 'mirror', 'basic'])
def test_copied_disk_gets_identities_of_its_own(base, made):
    machine = made(base, ['gpt 1 guid-of 0', 'gpt 1 esp-guid-of 0'])
    image, before, variables = machine.setup.disk(1).image, machine.digests(), machine.setup.variables
    old = gpt.read(image, 512)
    said = machine.run('prepare', '1', '-gpt', '-new-guids', '-y')
    assert said.status == 0, said.text
    new = gpt.read(image, 512)
    assert b'No problems found' in tool('sgdisk', '-v', image).stdout
    assert len({part.guid for part in (*old.partitions, *new.partitions)}) == 2 * len(new.partitions)
    assert [(part.type, part.first_lba, part.blocks, part.name, part.number) for part in new.partitions] == \
        [(part.type, part.first_lba, part.blocks, part.name, part.number) for part in old.partitions]
    assert 'repeated' not in machine.run('status', '-sfo').text
    # The store of the mirror's other half has the copy's plex as its second choice, and follows.
    assert (machine.digests()[0] == before[0]) == (base != 'mirror')
    assert machine.setup.variables == variables
    assert machine.run('undo', '-y').status == 0
    assert gpt.read(image, 512).partitions == old.partitions
    assert (machine.digests() == before) == (base != 'mirror')  # clusters that were free hold the new stores


@pytest.mark.parametrize('base', ['md', 'mirror'])
def test_new_guids_are_refused_where_they_would_not_tell_the_copies_apart(base, made):
    machine = made(base, ['disk 1 clone-of 0'])
    before = machine.digests()
    assert machine.run('prepare', '1', '-gpt', '-new-guids', '-y').status == 15
    assert machine.digests() == before
