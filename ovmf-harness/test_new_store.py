"""Boot stores made anew (format/bcd/bcd_make.h), judged by hivex, reged and reglookup, and held against a list
of what Windows' bcdboot writes. Made by tests/tools/store_make.c.

The list below was read off the stores of ten machines with Windows 10 and 11, all of which have it; one of
those is in $SHADOWBOOT_SHARED, and is held against it here.
"""
import struct
import uuid

import pytest

import regf
import stores
import template
from template import (BAD_MEMORY, DEBUGGER, EMS, GLOBAL, HYPERVISOR, LOADERS, MEMDIAG, NO, RESUMES, YES,
                      integers)
from test_hive_tools import TOOLS, described, run, sound, store

DISKS = {name: uuid.uuid5(uuid.NAMESPACE_URL, name) for name in ('disk', 'second disk')}
PARTS = {name: uuid.uuid5(uuid.NAMESPACE_URL, name) for name in ('esp', 'system', 'other')}
LOADER, RESUME, SECOND, SECOND_RESUME = (f'{{{uuid.uuid5(uuid.NAMESPACE_URL, name)}}}'
                                         for name in ('loader', 'resume', 'second', 'second resume'))
# Elements that others than bcdboot give to a store later on.
LATER = {'14000008', '15000066', '16000009'}
OWN_SYSTEM = regf.partition(PARTS['system'], DISKS['disk'])
OTHER_SYSTEM = regf.partition(PARTS['other'], DISKS['second disk'])


def skeleton(description='Windows Server', locale='en-US', nx=0):
    """{object: (type, elements)} of a store with one entry."""
    text, integer, esp = regf.text, regf.integer, regf.partition(PARTS['esp'], DISKS['disk'])
    return {
        regf.BOOTMGR: (0x10100002, {
            '11000001': esp, '12000002': text('\\EFI\\Microsoft\\Boot\\bootmgfw.efi'),
            '12000004': text('Windows Boot Manager'), '12000005': text(locale), '14000006': regf.objects(GLOBAL),
            '23000003': text(LOADER), '23000006': text(RESUME), '24000001': regf.objects(LOADER),
            '24000010': regf.objects(MEMDIAG), '25000004': integer(30)}),
        LOADER: (0x10200003, {
            '11000001': OWN_SYSTEM, '12000002': text('\\Windows\\system32\\winload.efi'),
            '12000004': text(description), '12000005': text(locale), '14000006': regf.objects(LOADERS),
            '16000060': YES, '17000077': integers(0x15000075), '21000001': OWN_SYSTEM, '22000002': text('\\Windows'),
            '23000003': text(RESUME), '25000020': integer(nx), '250000c2': integer(1)}),
        RESUME: (0x10200004, {
            '11000001': OWN_SYSTEM, '12000002': text('\\Windows\\system32\\winresume.efi'),
            '12000004': text('Windows Resume Application'), '12000005': text(locale), '14000006': regf.objects(RESUMES),
            '16000060': YES, '17000077': integers(0x15000075), '21000001': OWN_SYSTEM,
            '22000002': text('\\hiberfil.sys'), '25000008': integer(1), '26000006': NO}),
        MEMDIAG: (0x10200005, {
            '11000001': esp, '12000002': text('\\EFI\\Microsoft\\Boot\\memtest.efi'),
            '12000004': text('Windows Memory Diagnostic'), '12000005': text(locale), '14000006': regf.objects(GLOBAL),
            '1600000b': YES}),
        GLOBAL: (0x20100000, {'14000006': regf.objects(DEBUGGER, EMS, BAD_MEMORY)}),
        LOADERS: (0x20200003, {'14000006': regf.objects(GLOBAL, HYPERVISOR)}),
        RESUMES: (0x20200004, {'14000006': regf.objects(GLOBAL)}),
        EMS: (0x20100000, {'16000020': NO}),
        DEBUGGER: (0x20100000, {'15000011': integer(4)}),
        BAD_MEMORY: (0x20100000, {}),
        HYPERVISOR: (0x20200003, {'250000f3': integer(0), '250000f4': integer(1), '250000f5': integer(115200)}),
    }


def with_second(found):
    """The same with the entry of the other plex."""
    text = regf.text
    for name, number, of in ((LOADER, SECOND, 'Windows Server'),
                             (RESUME, SECOND_RESUME, 'Windows Resume Application')):
        kind, elements = found[name]
        found[number] = kind, {**elements, '11000001': OTHER_SYSTEM, '21000001': OTHER_SYSTEM,
                               '12000004': text(f'{of} - secondary plex')}
    found[SECOND][1]['23000003'] = text(SECOND_RESUME)
    found[regf.BOOTMGR][1]['24000001'] = regf.objects(LOADER, SECOND)
    return found


def make(folder, *options, description='Windows Server'):
    """What hivex and the others read in a store that is made so, as {object: (type, elements)}."""
    made = folder / 'made'
    words = ['-esp', PARTS['esp'], DISKS['disk'], '-system', PARTS['system'], DISKS['disk'],
             '-loaders', LOADER, RESUME, SECOND, SECOND_RESUME, '-description', description]
    status, output, errors = run(TOOLS / 'store_make', made, *words, *options)
    assert (status, output, errors) == (0, b'ok, starts\n', b'')
    assert sound(made)
    return by_object(described(made))


def by_object(description):
    found = {}
    for path, values in description.items():
        parts = path.split('\\')
        if len(parts) == 3:
            found.setdefault(parts[2], (struct.unpack('<I', description[f'{path}\\description']['type'][1])[0], {}))
        if len(parts) == 5:
            found[parts[2]][1][parts[4]] = values['element']
    return found


@pytest.fixture(params=['nothing', 'template'])
def shape(request, tmp_path):
    """The options for a store from nothing, and from a template."""
    if request.param == 'nothing':
        return []
    path = tmp_path / 'BCD-Template'
    path.write_bytes(template.build())
    return ['-template', path]


def test_store_has_what_bcdboot_writes(shape, tmp_path):
    assert make(tmp_path, *shape) == skeleton()


def test_other_plex_is_second(shape, tmp_path):
    found = make(tmp_path, *shape, '-other', PARTS['other'], DISKS['second disk'])
    assert found == with_second(skeleton())


def test_versions_differ_in_what_they_have(shape, tmp_path):
    expected = skeleton(locale='de-DE', nx=1)
    expected[RESUME][1]['21000026'] = OWN_SYSTEM
    assert make(tmp_path, *shape, '-server', '-eleven', '-locale', 'de-DE') == expected


def test_template_hands_on_what_it_has_besides(tmp_path):
    def change(found):
        found[template.EFI_LOADER][1].update({'1600007e': YES, '25000020': regf.integer(3)})
        found[regf.BOOTMGR][1]['25000004'] = regf.integer(7)
        found[template.EFI_RESUME][1]['42000002'] = regf.text('\\system32\\other.efi')
        return found
    path = tmp_path / 'BCD-Template'
    path.write_bytes(template.build(change))
    expected = skeleton()
    expected[LOADER][1]['1600007e'] = YES
    expected[regf.BOOTMGR][1]['25000004'] = regf.integer(7)
    expected[RESUME][1]['12000002'] = regf.text('\\Windows\\system32\\other.efi')
    assert make(tmp_path, '-template', path) == expected


@pytest.mark.parametrize('of', [regf.break_checksum, lambda hive: hive[:5000], lambda hive: b'x'])
@pytest.mark.parametrize('option', ['-template', '-old'])
def test_what_cannot_be_read_is_as_if_not_there(option, of, tmp_path):
    path = tmp_path / 'bad'
    path.write_bytes(of(template.build()))
    assert make(tmp_path, option, path) == skeleton()


def old_store(tmp_path, change):
    """A store with one loader whose settings are changed."""
    root = regf.store_tree()
    change(root)
    path = tmp_path / 'old'
    path.write_bytes(regf.build(root))
    return path


def test_settings_come_from_an_older_store(shape, tmp_path):
    def change(root):
        for code, value in {'12000004': regf.text('Server of mine'), '12000005': regf.text('fr-FR'),
                            '25000020': regf.integer(3), '250000e0': regf.integer(1), '16000049': YES,
                            '25000080': regf.integer(0), '260000c3': YES, '26000022': NO, '16000009': NO,
                            '12000030': regf.text('SOMETHING')}.items():
            stores.loader_put(root, code, value)
        stores.put(root, '25000004', regf.integer(5))
        stores.objects(root).append(regf.bcd_object(EMS, 0x20100000, {'16000020': YES}))
        stores.objects(root).append(regf.bcd_object(BAD_MEMORY, 0x20100000, {'1700000a': integers(0x1234)}))
    expected = skeleton(description='Server of mine', nx=3)
    expected[LOADER][1].update({'12000005': regf.text('fr-FR'), '250000e0': regf.integer(1), '16000049': YES,
                                '16000009': NO, '12000030': regf.text('SOMETHING')})
    expected[regf.BOOTMGR][1]['25000004'] = regf.integer(5)
    expected[EMS][1]['16000020'] = YES
    expected[BAD_MEMORY][1]['1700000a'] = integers(0x1234)
    old = old_store(tmp_path, change)
    assert make(tmp_path, *shape, '-old', old) == expected
    expected[LOADER][1]['12000005'] = regf.text('de-DE')
    for name in (regf.BOOTMGR, RESUME, MEMDIAG):
        expected[name][1]['12000005'] = regf.text('de-DE')
    assert make(tmp_path, *shape, '-old', old, '-keep', '-locale', 'de-DE') == expected


@pytest.mark.parametrize('here', [True, False])
def test_recovery_system_comes_along_where_it_is_there(here, tmp_path):
    volume, options = uuid.uuid4(), '{4bd4b7f6-9cb2-11e9-8d5c-525400a1b2c3}'
    device = stores.ramdisk(regf.partition(volume, DISKS['disk']))
    device = device[0], uuid.UUID(options).bytes_le + device[1][16:]
    recovery = {'11000001': device, '21000001': device, '12000004': regf.text('Windows Recovery Environment')}
    of_device = {'31000003': regf.partition(volume, DISKS['disk']), '32000004': regf.text('\\boot.sdi')}

    def change(root):
        stores.loader_put(root, '14000008', regf.objects(stores.RECOVERY))
        stores.loader_put(root, '15000066', regf.integer(3))
        stores.loader_put(root, '16000009', YES)
        stores.objects(root).append(regf.bcd_object(stores.RECOVERY, 0x10200003, recovery))
        stores.objects(root).append(regf.bcd_object(options, 0x30000000, of_device))
    expected = skeleton()
    expected[LOADER][1]['16000009'] = YES
    if here:
        expected[LOADER][1].update({'14000008': regf.objects(stores.RECOVERY), '15000066': regf.integer(3)})
        expected[RESUME][1]['14000008'] = regf.objects(stores.RECOVERY)
        expected[stores.RECOVERY] = 0x10200003, recovery
        expected[options] = 0x30000000, of_device
    old = old_store(tmp_path, change)
    assert make(tmp_path, '-old', old, *(['-here', volume] if here else [])) == expected


def test_real_store_has_the_same_skeleton(tmp_path):
    """Windows' own: what is there besides was made by others than bcdboot."""
    real = tmp_path / 'real'
    real.write_bytes(store('bcd-win10-uefi.xz'))
    found = by_object(described(real))
    manager = found[regf.BOOTMGR][1]
    loader = manager['23000003'][1].decode('utf-16-le').rstrip('\0')
    names = {loader: LOADER, manager['23000006'][1].decode('utf-16-le').rstrip('\0'): RESUME}
    expected = skeleton(description='Windows 10')
    seen = {names.get(name, name): value for name, value in found.items()}
    assert set(expected) <= set(seen)
    for name, (kind, elements) in expected.items():
        assert kind == seen[name][0]
        assert set(elements) == set(seen[name][1]) - LATER
        # Devices and new GUIDs are its own; some of its texts have two NULs.
        for code in {code for code in elements if code[1] in '2567'}:
            assert elements[code][1].rstrip(b'\0') == seen[name][1][code][1].rstrip(b'\0'), (name, code)


def test_real_store_is_taken_over(tmp_path):
    """Its settings, and its recovery system with the volume that is there."""
    real = tmp_path / 'real'
    real.write_bytes(store('bcd-win10-uefi.xz'))
    found = make(tmp_path, '-old', real, '-here', '6cdfcd69-de75-4490-8f99-5a84bf264917')
    expected = skeleton(description='Windows 10')
    assert set(expected) < set(found)
    assert len(found) == len(expected) + 2
    for name, (kind, elements) in expected.items():
        assert found[name][0] == kind
        assert {code: value for code, value in found[name][1].items() if code not in LATER} == elements


@pytest.mark.parametrize('room', [0, 4096, 8192, 12288, 16384])
def test_too_small_a_buffer_is_refused(room, tmp_path):
    made = tmp_path / 'made'
    status, output, errors = run(TOOLS / 'store_make', made, '-loaders', LOADER, RESUME, SECOND, SECOND_RESUME,
                                 '-room', room)
    assert (status, errors) == (1, b'')
    assert b'small' in output or b'space' in output
    assert not made.exists()
