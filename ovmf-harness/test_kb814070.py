"""KB 814070 on real firmware: what the article types, what it prints, and what then starts."""
import re

import pytest

import kb814070
from devicepath import WindowsOptions, find_file, find_hd
from gpt import ESP, complaints
from kb814070 import LOADER
from kb814070_listings import (CLONED, CUT_DEFAULT, DELETED, LIST_0, LIST_1, MIRRORED, QUERY_AFTER,
                               QUERY_BEFORE, RECOVERY_LIST_1, RECOVERY_QUERY_AFTER,
                               RECOVERY_QUERY_BEFORE, REMIRRORED_QUERY)

SOURCE = '{68d298c0-1b6a-01c1-507b-9e5f8078f531}'
TARGET = '{476688c5-8ebf-47d2-80e7-cf9d065edb81}'
ORIGINAL_SYSTEM = '{9aee294a-fa7d-4d4a-8a47-51a1dd1f9867}'


def trimmed(lines):
    """The lines without empty ones at both ends."""
    return '\n'.join(lines).strip('\n').split('\n')


def shown(vm, command):
    """What a command prints; it must succeed."""
    result = vm.run(command)
    assert result.status == 0, result.text
    return trimmed(result.lines)


def article(text):
    return trimmed(text.split('\n'))


def assert_query_before(lines):
    """As QUERY_BEFORE; the one line that the article cuts off may go on."""
    expected = article(QUERY_BEFORE)
    cut = expected.index(CUT_DEFAULT)
    assert lines[cut].startswith(CUT_DEFAULT)
    assert lines[cut] in article(QUERY_AFTER)
    assert lines[:cut] + lines[cut + 1:] == expected[:cut] + expected[cut + 1:]


def without(query, *ids):
    """The lines of a listing after entries were deleted: the others move up."""
    head, *entries = query.split('Boot entry ID:')
    kept = [number for number in range(1, len(entries) + 1) if number not in ids]
    running = int(re.search(r'CurrentBootEntryID:  (\d+)', head)[1])
    head = head.replace(f'EntryID:  {running}', f'EntryID:  {kept.index(running) + 1}')
    entries = [entries[old - 1].replace(str(old), str(new), 1) for new, old in enumerate(kept, 1)]
    return article('Boot entry ID:'.join([head, *entries]))


@pytest.fixture
def mirrored(machine, product, standin):
    return kb814070.mirrored_server(machine, product, standin)


def test_clone_prints_what_the_article_prints_and_starts_without_disk_0(mirrored):
    nvram = mirrored.nvram
    with mirrored.session() as vm:
        assert vm.started[:3] == (mirrored.tokens[0], SOURCE.strip('{}'), nvram.order[4])
        order, variables = nvram.order, nvram.raw_entries()
        assert_query_before(shown(vm, 'bootcfg'))
        assert shown(vm, 'bootcfg /list 0') == article(LIST_0)
        assert shown(vm, 'bootcfg /list 1') == article(LIST_1)
        assert_inner_blank_is_refused(vm, nvram, variables)

        clone = f'bootcfg /clone /sg {SOURCE} /tg {TARGET} /d+ Cloned_Entry'
        assert shown(vm, clone) == article(CLONED)
        assert shown(vm, 'bootcfg') == article(QUERY_AFTER)
        assert shown(vm, 'bootcfg /delete /ID 6') == article(DELETED)
        assert shown(vm, 'bootcfg /delete /ID 2') == article(DELETED)
        assert shown(vm, 'bootcfg') == without(QUERY_AFTER, 2, 6)

        typed = {3: '/delete /ID 2', 2: '/delete /ID 6', 1: clone.removeprefix('bootcfg ')}
        for journal, line in typed.items():
            assert f'       bootcfg {line}' in shown(vm, f'shadowbootx64 undo {journal} -y')
        assert_query_before(shown(vm, 'bootcfg'))
        assert (nvram.order, nvram.raw_entries()) == (order, variables)

        shown(vm, f'shadowbootx64 clone -sg {SOURCE} -tg {TARGET} -d+ Cloned_Entry -y')
        assert shown(vm, 'bootcfg') == article(QUERY_AFTER)
        assert nvram.order[:5] == order
        clones = nvram.order[5:]
        shown(vm, 'shadowbootx64 next 7 -y')
    assert_clones(mirrored, clones)

    # "Test-Boot the Shadow Drive": the clone chosen, Disk 0 still there.
    with mirrored.machine.boot() as vm:
        assert vm.wait_standin()[:5] == (
            mirrored.tokens[1], TARGET.strip('{}'), clones[1], LOADER,
            'Boot Mirror C: - secondary plex Cloned_Entry')
    mirrored.machine.pull(mirrored.disks[0])
    with mirrored.machine.boot() as vm:
        assert vm.wait_standin()[:5] == (
            mirrored.tokens[1], TARGET.strip('{}'), clones[0], LOADER,
            'Windows 2003 Server, Enterprise Cloned_Entry')
    assert [complaints(disk.image) for disk in mirrored.disks] == ['', '']


def assert_inner_blank_is_refused(vm, nvram, variables):
    """The page breaks the target GUID with a blank; so typed it must change nothing."""
    broken = TARGET.replace('d065', 'd06 5')
    result = vm.run(f'bootcfg /clone /sg {SOURCE} /tg {broken} /d+ Cloned_Entry')
    assert result.status != 0 and 'Nothing was changed' in result.text
    assert nvram.raw_entries() == variables


def assert_clones(server, clones):
    """The clones' bytes: whole HD node of the target's ESP, everything else as in the original."""
    nvram = server.nvram
    for original, clone in zip((nvram.entry(0), nvram.entry(4)), map(nvram.entry, clones)):
        assert clone.path == server.disks[1].esp.short_path(LOADER)
        assert clone.description == original.description + ' Cloned_Entry'
        assert (clone.optional, clone.attributes) == (original.optional, original.attributes)


def test_mirror_add_prints_what_the_article_prints_and_the_new_entry_starts(machine, product,
                                                                           standin):
    server = kb814070.recovery_server(machine, product, standin)
    nvram = server.nvram
    with server.session() as vm:
        assert vm.started.token == server.token
        assert shown(vm, 'bootcfg') == article(RECOVERY_QUERY_BEFORE)
        assert shown(vm, 'bootcfg /list 1') == article(RECOVERY_LIST_1)
        before = nvram.raw_entries()
        add = f'bootcfg /mirror /add {ORIGINAL_SYSTEM} /D "Original Shadow drive"'
        assert shown(vm, add) == article(MIRRORED)
        assert shown(vm, 'bootcfg') == article(RECOVERY_QUERY_AFTER)
        new = server.number(7)
        assert {n: v for n, v in nvram.raw_entries().items() if n != new} == before
    assert_starts_original_system(server, nvram.entry(new))
    nvram.next = new
    with machine.boot() as vm:
        assert vm.wait_standin()[:5] == (server.token, server.disks[0].esp.guid, new, LOADER,
                                     'Original Shadow drive')


def assert_starts_original_system(server, entry):
    """Loader on this machine's ESP, \\WINDOWS on Partition 3 of the shadow."""
    assert entry.path == server.disks[0].esp.short_path(LOADER)
    options = WindowsOptions.unpack(entry.optional)
    system = find_hd(options.os_device_path)
    assert (system.guid, system.number) == (ORIGINAL_SYSTEM.strip('{}'), 3)
    assert (system.start * 512, system.size * 512) == (33571840, 3142056960)
    assert find_file(options.os_device_path) == '\\WINDOWS'
    assert options.load_options == ''


def test_delete_leaves_the_other_entries_of_the_recovered_server(machine, product, standin):
    server = kb814070.remirrored_server(machine, product, standin)
    nvram = server.nvram
    with server.session() as vm:
        assert shown(vm, 'bootcfg') == article(REMIRRORED_QUERY)
        order, before = nvram.order, nvram.raw_entries()
        assert shown(vm, 'bootcfg /delete /ID 6') == article(DELETED)
        assert shown(vm, 'bootcfg /delete /ID 2') == article(DELETED)
        assert shown(vm, 'bootcfg') == without(REMIRRORED_QUERY, 2, 6)
    gone = order[1], order[5]
    assert nvram.order == [n for n in order if n not in gone]
    assert nvram.raw_entries() == {n: v for n, v in before.items() if n not in gone}


def test_new_disk_0_is_as_diskpart_lists_it():
    """List partition, on the replaced disk: sizes and offsets in the units it prints."""
    mib = 1 << 20
    rows = [(kind, round(length / mib), round(offset / mib) if offset > mib else '32 KB')
            for kind, offset, length, _, _ in kb814070.NEW_DISK_0]
    assert rows == [(ESP, 102, '32 KB'), (kb814070.MSR, 31, 102), (kb814070.BASIC_DATA, 2996, 133)]
