"""Which command works under which firmware: the README's table, filled by runs and compared with them.

    make harness aavmf ovmf-ia32 u-boot          # each compares its own row
    SHADOWBOOT_FIRMWARE=aavmf test_firmware_table.py --update      # runs, and writes that row anew

One machine under the firmware of $SHADOWBOOT_FIRMWARE: a mirror whose second disk was never made ready, and a
blank disk. What a command said or did is judged by sgdisk, mtools, fsck.fat, hivex, the boot entries as the
harness reads them, and by tokens that a system can only know which was started from that one disk.
"""
import filecmp
import re
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import damage
import gpt
import mirror
import regf
import store_model
import stores
from firmware import FIRMWARE, ROOT
from machine import MIB, Machine
from repair_vm import Server
from test_bcd_firmware import NX, number
from test_firmwares import KIND, TIMEOUT, files_of, words
from test_hive_tools import apply, described
from test_rebuild import BOOT, expected, with_windows

README = ROOT / 'README'
WORKS, FAILS = 'works', 'fails'
FALLBACK = FIRMWARE.fallback
DAMAGE = ['esp 1 delete /EFI/Microsoft', f'esp 1 delete {FALLBACK}', 'entry 1 delete']
MENU = 'Enter does it'
NEW_DISK, BLANK = 2, 64 * MIB


class Session:
    """The machine at its prompt, from the stick."""

    def __init__(self, server, vm, folder, windows):
        self.server, self.vm, self.folder, self.windows = server, vm, folder, windows
        self.machine, self.disks = server.machine, [*server.disks.values(), server.blank]
        self.blank = folder / 'blank'
        self.blank.write_bytes(bytes(BLANK))

    def run(self, line, status=0):
        done = self.vm.run(f'shadowboot {line}', timeout=TIMEOUT)
        assert done.status & 0xFF == status, f'{line}: {done.status:#x}\n{done.text}'
        return words(done)

    def entries(self):
        """{number: (description, device path)} of what is in BootOrder."""
        nvram = self.machine.nvram
        found = {number: nvram.entry(number) for number in nvram.order}
        return {number: (option.description, option.path) for number, option in found.items()}

    def esp(self, index):
        self.disks[index].reread()
        return self.disks[index].esp

    def hive(self, index):
        path = self.folder / 'hive'
        path.write_bytes(self.esp(index).get(stores.STORE))
        return described(path)


def sgdisk(disk, *words):
    return subprocess.run(['sgdisk', *words, str(disk.image)], capture_output=True, text=True, check=True).stdout


def on_disk(volume):
    """Its GUID as boot entries have it."""
    return uuid.UUID(volume.guid).bytes_le


# --- The commands, in the order in which they are tried ---------------------------------------------------------

def disks(session):
    """Every partition that sgdisk finds, by its GUID."""
    said = session.run('disks').lower()
    for disk in session.disks[:2]:
        numbers = re.findall(r'^ +(\d+) +\d+ ', sgdisk(disk, '-p'), re.M)
        assert len(numbers) == 4
        for each in numbers:
            assert re.search('unique GUID: ([0-9A-F-]+)', sgdisk(disk, '-i', each))[1].lower() in said


def entries(session):
    said = session.run('entries')
    found = session.entries()
    assert found
    for number, (description, _) in found.items():
        assert f'Boot{number:04X}' in said and description in said


def status(session):
    """Before and after: `repair` and the starts tell whether that is so."""
    said = session.run('status', 65)
    assert 'Starts from Disk 0 alone: yes' in said and 'Starts from Disk 1 alone: no' in said


def clone(session):
    """The new entry leads to the ESP of Disk 1."""
    before = session.entries()
    session.run('clone -y')
    new = [path for number, (_, path) in session.entries().items() if number not in before]
    assert [on_disk(session.esp(1)) in path for path in new] == [True]


def undo(session):
    """Of the clone; that of disks is part of `copy`, `rebuild` and `prepare`."""
    session.run('undo -y')
    assert [path for _, path in session.entries().values()
            if on_disk(session.esp(1)) in path] == []


def copy(session):
    """All but what each disk has of its own: the fallback, and stores with their logs."""
    before = files_of(session.disks[1])
    session.run('copy -y')
    found, wanted = [{path: data for path, data in files_of(session.disks[index]).items()
                      if path != FALLBACK and not path.startswith(stores.STORE)} for index in (1, 0)]
    assert found == wanted and f'{BOOT}/bootmgfw.efi' in wanted
    session.esp(1).fsck()
    taken_back(session, 1, before)


def taken_back(session, index, files):
    """The ESP is sound, and has the files that it had."""
    session.run('undo -y')
    session.esp(index).fsck()
    assert files_of(session.disks[index]) == files


def rebuild(session):
    """The files of Windows from its volume, and a store that names the copy on its disk."""
    before = files_of(session.disks[1])
    session.run('rebuild 1 -y')
    found, wanted = files_of(session.disks[1]), expected(session.windows)
    assert {path: found[path] for path in wanted} == wanted
    session.esp(1).fsck()
    part = next(part for part in gpt.read(session.disks[1].image, 512).partitions if part.type == gpt.LDM_DATA)
    assert store_model.devices_of(found[stores.STORE]) == [part.guid, part.guid]
    taken_back(session, 1, before)


def prepare(session):
    """The blank disk, which is blank again to the last byte when that is undone."""
    session.run(f'prepare {NEW_DISK} -y -format')
    disk = session.disks[NEW_DISK]
    assert 'No problems found' in sgdisk(disk, '-v')
    session.esp(NEW_DISK).fsck()
    assert files_of(disk)[FALLBACK] == files_of(session.disks[0])[FALLBACK]
    assert any(on_disk(disk.esp) in path for _, path in session.entries().values())
    session.run('undo -y')
    assert filecmp.cmp(disk.image, session.blank, shallow=False)


def repair(session):
    assert 'This machine starts from each of its boot disks alone.' in session.run('repair -y')
    session.esp(1).fsck()
    assert files_of(session.disks[1])[FALLBACK] == files_of(session.disks[0])[FALLBACK]


def bcd(session):
    before = [session.hive(index) for index in (0, 1)]
    session.run('bcd set {default} nx AlwaysOff -y')
    assert [session.hive(index) for index in (0, 1)] == [apply(each, number(regf.LOADER, NX, 2)) for each in before]


def started(session, index):
    """What runs now was started from this disk."""
    assert session.vm.wait_standin(TIMEOUT).token == session.tokens[index]


def menu(session):
    """It starts Disk 1 while Disk 0 is in."""
    if KIND is Machine:                  # whose prompt leaves lines whole: that is no screen
        session.vm.shell('set -v COLUMNS 80')
    session.vm.start('shadowboot menu')
    session.vm.expect(MENU, timeout=TIMEOUT)
    session.vm.type('2')
    session.vm.type('\r')
    started(session, 1)


def auto(session):
    """It starts the first disk."""
    session.vm.start('shadowboot auto')
    started(session, 0)


AT_PROMPT = [disks, entries, status, clone, undo, copy, rebuild, prepare, repair, bcd]
STARTING = [menu, auto]


# --- The table ----------------------------------------------------------------------------------------------------

def tried(step, session, cells, why):
    """Its cell, and what went wrong."""
    try:
        step(session)
        cells[step.__name__] = WORKS
    except (AssertionError, OSError, RuntimeError, ValueError, KeyError) as error:
        cells[step.__name__] = FAILS
        why.append(f'{step.__name__}: {error!r}')


def prompt(server, folder):
    vm = server.machine.boot_to_shell(TIMEOUT)
    vm.cd(server.stick)
    return Session(server, vm, folder, {})


def row(base, folder):
    """({command: cell}, what went wrong) of one machine."""
    setup, windows = with_windows(base, folder / 'setup')
    for line in DAMAGE:
        damage.apply(setup, line)
    server, cells, why = Server(setup, folder, FIRMWARE.program, KIND, BLANK), {}, []
    if server.start_alone(1, TIMEOUT) is not None:
        why.append('Disk 1 started before anything was done')
    session = prompt(server, folder)
    session.windows = windows
    with session.vm:
        for step in AT_PROMPT:
            tried(step, session, cells, why)
    session.tokens = [server.put_token(index) for index in (0, 1)]
    for step in STARTING:
        starting = prompt(server, folder)
        starting.tokens = session.tokens
        with starting.vm:
            tried(step, starting, cells, why)
    seen = server.start_alone(1, TIMEOUT)
    if seen is None or seen.token != session.tokens[1]:
        cells['status'] = cells['repair'] = FAILS
        why.append('Disk 1 alone does not start')
    return cells, why


def row_in(lines):
    """(index of the README's line, {command: cell}) of this firmware."""
    head = next(line for line in lines if line.startswith('    firmware ') and ' disks ' in line)
    names = head.split()[1:]
    at = next(at for at, line in enumerate(lines) if line.startswith(f'    {FIRMWARE.title} '))
    return at, dict(zip(names, lines[at].removeprefix(f'    {FIRMWARE.title} ').split(), strict=True))


def test_table_is_what_runs_show(bases, tmp_path):
    _, shown = row_in(README.read_text(encoding='utf-8').split('\n'))
    assert set(shown) == {step.__name__ for step in AT_PROMPT + STARTING}
    cells, why = row(bases, tmp_path)
    assert cells == shown and not [each for each in why if each.split(':')[0] not in cells], '\n'.join(why)


def update():
    """Write what a run shows into the README's line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cells, why = row(lambda base: mirror.build(base, folder / base), folder)
    lines = README.read_text(encoding='utf-8').split('\n')
    at, shown = row_in(lines)
    lines[at] = f'    {FIRMWARE.title:11}' + ''.join(f'{cells[each]:<8}' for each in shown).rstrip()
    README.write_text('\n'.join(lines), encoding='utf-8')
    print('\n'.join([lines[at], *why]))


if __name__ == '__main__' and sys.argv[1:] == ['--update']:
    update()
