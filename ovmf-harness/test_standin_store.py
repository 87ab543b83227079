"""What the stand-in makes of boot stores, in the place of Windows' boot manager: where it would start Windows
from, or the status with which that stops (measured on the boot manager of Windows 10).

One machine starts them all: each store is on an ESP of its own, where the stand-in gives up afterwards, so
that the firmware goes on to the next.
"""
import struct
import uuid

import pytest

import mirror
import ntfs
import pe
import regf
import stores
from disk import MIB
from gpt import ESP, LDM_DATA, BASIC_DATA, Partition
from machine import LOADER, Machine

BOOT = '/EFI/Microsoft/Boot'
WINDOWS, PLAIN, DEAD = (str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in ('windows', 'plain', 'dead'))
DISK, OTHER = (str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in ('disk', 'other disk'))
GOOD = regf.partition(WINDOWS, DISK)
ELSEWHERE = regf.partition(DEAD, OTHER)
STARTS = f'{DISK}/{WINDOWS}'
WINRE = '{4bd4b7f3-9cb2-11e9-8d5c-525400a1b2c3}'


def tree(device=GOOD, os_device=None):
    return stores.tree(device, os_device)


def path(name, root):
    return stores.put(root, '12000002', regf.text(name), regf.LOADER)


def two(default, other):
    """The default on one device, and a second entry behind it."""
    return stores.add_second(tree(default), other)


def of_type(kind):
    """The loader's object of another type."""
    root = tree()
    own, = (key for key in stores.objects(root) if key.name == regf.LOADER)
    own.children[0].values['Type'] = regf.number(kind)
    return root


def dirty(make=lambda new: regf.build_log(new, 7), suffix='.LOG'):
    new = regf.build(tree())
    hive = stores.cut_short(regf.build(tree(ELSEWHERE)), new)
    return {'BCD': hive, f'BCD{suffix}': make(new)}


def only(hive):
    return {'BCD': hive}


# What it stops with, or where it finds loader and system: the whole line of "loader=" and "system=".
TREES = {
    'good': (tree(), STARTS, STARTS),
    'the disk of the device does not count': (tree(regf.partition(WINDOWS, OTHER)), STARTS, STARTS),
    'dead default, good second entry': (two(ELSEWHERE, GOOD), '0xc000000e', 'none'),
    'partition gone from a disk that is here': (tree(regf.partition(DEAD, DISK)), '0xc0000225', 'none'),
    'system gone': (tree(GOOD, ELSEWHERE), '0xc000000e', 'none'),
    'no default, but an order': (stores.drop(tree(), '23000003', regf.BOOTMGR), STARTS, STARTS),
    'neither': (stores.drop(stores.drop(tree(), '23000003', regf.BOOTMGR), '24000001', regf.BOOTMGR),
                '0xc0000098', 'none'),
    'default that is not there, and an order': (stores.put(tree(), '23000003', regf.text(stores.GONE)), STARTS, STARTS),
    'nothing named is there': (stores.put(stores.put(tree(), '23000003', regf.text(stores.GONE)), '24000001',
                                          regf.objects(stores.GONE)), '0xc0000034', 'none'),
    'no objects': (stores.without_objects(), '0xc0000034', 'none'),
    'no description': (stores.drop(tree(), '12000004'), '0xc0000001', 'none'),
    'no device': (stores.drop(tree(), '11000001'), '0xc0000001', 'none'),
    'no osdevice': (stores.drop(tree(), '21000001'), STARTS, 'none'),
    'boot': (tree((regf.BINARY, bytes(16) + b'\x05' + bytes(7) + b'\x48' + bytes(63))), '0xc000000f', 'none'),
    'another type of device': (tree(stores.device_of_type(77)), 'odd', 'none'),
    'another type of object': (of_type(0x10200005), 'odd', 'none'),
    'found by its path': (path('\\Other\\winload.efi', stores.tree()), f'{DISK}/{PLAIN}', f'{DISK}/{WINDOWS}'),
    'no loader on a volume that can be read': (tree(regf.partition(PLAIN, DISK)), '0xc000000f', 'none'),
    'loader on a volume that can be read': (path('\\Other\\winload.efi', tree(regf.partition(PLAIN, DISK), GOOD)),
                                            f'{DISK}/{PLAIN}', STARTS),
    'loader of another machine': (path('\\Other\\arm.efi', tree(regf.partition(PLAIN, DISK))), '0xc000007b', 'none'),
    'loader that is none': (path('\\Other\\text.efi', tree(regf.partition(PLAIN, DISK))), '0xc000007b', 'none'),
    'once another entry': (stores.put(two(GOOD, ELSEWHERE), '24000002', regf.objects(stores.SECOND)), '0xc000000e',
                           'none'),
    'once what is not there': (stores.put(tree(), '24000002', regf.objects(stores.GONE)), STARTS, STARTS),
}
CLEAN = regf.build(tree())
FILES = {
    'no store': ({}, '0xc000000f', 'none'),
    'one byte': (only(b'r'), '0xc000014c', 'none'),
    'wrong checksum': (only(regf.break_checksum(CLEAN)), '0xc000000f', 'none'),
    'cut off': (only(CLEAN[:5000]), '0xc0000034', 'none'),
    'cell of no size': (only(regf.break_cell(CLEAN)), '0xc000014c', 'none'),
    'dirty without a log': (only(dirty()['BCD']), '0xc000000f', 'none'),
    'dirty with its log': (dirty(), STARTS, STARTS),
    'dirty with a log of two writes': (dirty(stores.in_two), STARTS, STARTS),
    'dirty with an older log': (dirty(lambda new: regf.build_log(new, 6)), '0xc000000f', 'none'),
    'dirty with a log cut off': (dirty(lambda new: regf.build_log(new, 7)[:1536]), '0xc000000f', 'none'),
    'dirty with a log of another content': (dirty(lambda new: stores.flipped(regf.build_log(new, 7), 2000)),
                                            '0xc000000f', 'none'),
    'dirty with a log that leads outside': (dirty(stores.wild), '0xc000000f', 'none'),
    'dirty with a log of nothing': (dirty(stores.hollow), '0xc000014c', 'none'),
    'dirty with BCD.LOG1 alone': (dirty(suffix='.LOG1'), '0xc000000f', 'none'),
}
CASES = {**{name: (only(regf.build(root)), *end) for name, (root, *end) in TREES.items()}, **FILES}
LOGGED = {'dirty with its log', 'dirty with a log of two writes'}


def fill_esp(volume, files):
    volume.format(fat=12)
    volume.put(LOADER, mirror.boot_program('bootmgfw'))
    volume.put('/standin.cfg', b'error')
    for name, data in files.items():
        volume.put(f'{BOOT}/{name}', data)


@pytest.fixture(scope='module')
def started(tmp_path_factory):
    """{name of a case: (Standin, the store afterwards)}"""
    machine = Machine(tmp_path_factory.mktemp('stores'))
    parts = [Partition(ESP, blocks=2 * MIB // 512) for _ in CASES]
    disk = machine.add_disk('nvme', 192 * MIB)
    volume = ntfs.build(4 * MIB, {'/Windows': None})
    disk.write_gpt([*parts, Partition(BASIC_DATA, blocks=4 * MIB // 512, guid=PLAIN),
                    Partition(LDM_DATA, blocks=len(volume) // 512, guid=WINDOWS)], DISK)
    place = next(part for part in disk.table.partitions if part.guid == WINDOWS)
    with open(disk.image, 'r+b') as stream:
        stream.seek(place.first_lba * 512)
        stream.write(volume)
    plain = disk.volumes[len(CASES) + 1].format(fat=12)
    for name, data in {'winload.efi': pe.build(), 'arm.efi': pe.build(pe.AARCH64), 'text.efi': b'no program' * 99}.items():
        plain.put(f'/Other/{name}', data)
    for number, (name, (files, _, _)) in enumerate(CASES.items()):
        esp = disk.volumes[number + 1]
        fill_esp(esp, files)
        machine.nvram.set_entry(number, name, esp.short_path(LOADER))
    with machine.boot() as vm:
        seen = [vm.wait_standin() for _ in CASES]
    assert [each.description for each in seen] == list(CASES)
    return {name: (each, disk.volumes[number + 1]) for number, (name, each) in enumerate(zip(CASES, seen))}


@pytest.mark.parametrize('name', CASES)
def test_store_comes_to_what_windows_makes_of_it(name, started):
    seen, _ = started[name]
    assert (seen.loader, seen.system) == CASES[name][1:]


@pytest.mark.parametrize('name', [name for name in CASES if name.startswith('dirty')])
def test_completed_store_is_written_back(name, started):
    before, after = CASES[name][0]['BCD'], started[name][1].get(f'{BOOT}/BCD')
    if name not in LOGGED:
        assert after == before
        return
    first, second = struct.unpack_from('<II', after, 4)
    assert first == second and struct.unpack_from('<I', after, 0xFFC) == (1,)
    assert after[regf.BLOCK:] == CLEAN[regf.BLOCK:]


def test_other_programs_look_at_no_store(machine, standin):
    disk = machine.add_disk('nvme', 64 * MIB, partitions=[Partition(ESP)])
    disk.esp.format().put(LOADER, standin)
    machine.nvram.set_entry(0, 'Windows', disk.esp.short_path(LOADER))
    with machine.boot() as vm:
        seen = vm.wait_standin()
    assert (seen.loader, seen.system) == ('none', 'none')
