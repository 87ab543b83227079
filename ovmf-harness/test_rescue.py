"""shadowboot-linux, the program for rescue systems, over image files and loop devices.

What it says is compared with the host program, which has other ports and the same core; what it writes is
judged by fsck.fat, sgdisk, hivex and mtools. With RESCUE=all in the environment every machine of the damage
catalogue is looked at, else one in SAMPLE. Loop devices and mounts are taken where the kernel and the user
allow them; what needs them is skipped elsewhere.
"""
import hashlib
import os
import re
import resource
import shutil
import subprocess
from pathlib import Path

import damage
import limits
import mirror
import mirror_bases
import pytest
import secure_boot
import reports
from mirror import bare
from rescue import GLOBAL, MIB, NOT_FOUND, NO_SPACE, REFUSED, UNSUPPORTED, USAGE, Bench, check_esp, only_core, program
from sparse import copy_range, digest

SAMPLE = 8
TIB = 1 << 40
CASES = {case.name: case for case in damage.all_cases()}
# Other block sizes and tables; what firmware mounts and what it does not; more disks; damaged folders.
ALWAYS = {'healthy', 'healthy-4k', 'bios-mirror', 'shadow-cut-to-smaller-disk', 'primary-esp-few-clusters',
          'shadow-esp-4096-sectors', 'primary-esp-boot-sector-zero', 'old-shadow', 'shadow-directory-garbage'}
# What has no file: firmware that misbehaves, blocks that cannot be read.
NO_FILE = {'variables-unreadable', 'variables-repeated', 'order-unreadable'}
# Where a disk is plugged in is not known here, so an entry with the hardware path of another place is right.
PLACE_KNOWN = {'shadow-entry-elsewhere', 'entry-of-unplugged-disk'}
# Nor how much room the firmware has for variables.
SPACE_KNOWN = {'store-nearly-full'}


def sampled(name):
    number = int(hashlib.sha1(name.encode()).hexdigest(), 16)
    return os.environ.get('RESCUE') == 'all' or number % SAMPLE == 0 or name in ALWAYS


# --- It says what the firmware's program says -----------------------------------------------------

@pytest.mark.parametrize('name', sorted(name for name in CASES.keys() - NO_FILE - PLACE_KNOWN - SPACE_KNOWN
                                        if sampled(name)))
def test_status_is_that_of_the_core_on_each_machine(name, bases, folder, tmp_path):
    case = CASES[name]
    setup = bases(case.base).copy(folder / f'rescue-{name}')
    case.apply(setup)
    if any(disk.bad for disk in setup.disks if disk):
        pytest.skip('blocks that cannot be read are in no image')
    bench = Bench(setup, tmp_path)
    text, status, _ = bench.run('status', options=[bench.efivars()])
    host = setup.run('status', program=bare())
    assert only_core(text) == only_core(host.text)
    assert status == host.status


def test_tables_and_report_are_those_of_the_core(bench):
    desk = bench('mirror', 'esp 1 empty')
    text, status, _ = desk.run('status', '-sfo', options=[desk.efivars()])
    host = desk.setup.run('status', '-sfo', program=bare())
    assert (text, status) == (host.text, host.status) and 'VerdictInfo' in text
    report = desk.folder / 'report.json'
    assert desk.run('status', '-json', str(report))[1] == 65
    assert reports.read(report.read_bytes())['state']['exitStatus'] == 65


def test_without_boot_entries_disks_are_judged_by_their_files(bench):
    desk = bench('mirror', 'esp 1 empty')
    text, status, _ = desk.run('status')
    assert status == 65
    assert 'The boot entries are not known' in text and 'nvram' not in text
    assert re.search(r'Disk 0 alone: perhaps\. Boot entries are not known\. The\s+removable-media path', text)
    assert 'Starts from Disk 1 alone: no.' in text
    assert 'No boot entry' not in text


@pytest.mark.parametrize('lacking', ['db', 'dbx', 'cut', 'empty'])
def test_a_copy_of_variables_that_is_not_whole_makes_nothing_of_secure_boot(bench, lacking):
    """Secure Boot is on, and what it goes by was copied in part."""
    desk = bench('mirror')
    trusted = [secure_boot.Keys(desk.folder / 'keys').digest(mirror.boot_program('bootmgfw'))]
    lists = {'db': secure_boot.signature_list(secure_boot.SHA256, *trusted),
             'dbx': secure_boot.signature_list(secure_boot.SHA256, bytes(range(1, 33)))}
    desk.setup.variables |= {'SecureBoot': (6, b'\1'), 'SetupMode': (6, b'\0')}
    desk.setup.variables |= {f'{{{secure_boot.SECURITY}}}/{name}': (0x27, data) for name, data in lists.items()}
    efivars = desk.efivars()
    text, status, _ = desk.run('status', options=[efivars])
    assert status == 0, text
    folder = Path(efivars.partition('=')[2])
    file = folder / f'{lacking if lacking in lists else "db"}-{secure_boot.SECURITY}'
    data = file.read_bytes()
    file.unlink()
    if lacking not in lists:
        file.write_bytes(data[:40] if lacking == 'cut' else b'')
    text, status, _ = desk.run('status', options=[efivars])
    assert re.findall(r'^Starts from Disk . alone: ([a-z ]+)', text, re.MULTILINE) == ['not known'] * 2
    assert status == 69 and 'Whether Secure Boot takes it is not known' in text


def typed(error):
    """What standard error says is to be typed for "shadowboot", up to where more is said."""
    return re.search('^shadowboot-linux: where it says "shadowboot", type: (.*?)(; .*)?$', error, re.MULTILINE)


def test_what_to_type_is_said_as_it_is_typed_here(bench):
    """The texts are those of the firmware's program, whose commands need other words before them here."""
    desk = bench('mirror', 'esp 1 empty')
    image = desk.folder / "server's disk 1.img"
    shutil.move(desk.images[1], image)
    desk.setup.disk(1).image = image
    text, status, error = desk.run('status')
    assert status == 65 and 'What to type next: shadowboot repair' in text
    line, rest = typed(error).groups()
    assert rest == '; to change something, --write --journal DIR as well'
    done = subprocess.run(['sh', '-c', f'{line} --write --journal {desk.journal} --journal-in-memory repair -y'],
                          capture_output=True, text=True)
    assert done.returncode == 64 and 'Done: 1 change made and checked.' in done.stdout
    assert '"shadowboot undo 1" takes it back (journal JOURNAL:' in done.stdout
    line, rest = typed(done.stderr).groups()
    assert rest == f'; JOURNAL: is {desk.journal}'
    done = subprocess.run(['sh', '-c', f'{line} undo 1 -y'], capture_output=True, text=True)
    assert done.returncode == 0 and 'Done:' in done.stdout
    # Scripts, and who reads about commands, are not told.
    assert typed(desk.run('status', '-sfo')[2]) is None and typed(desk.run('help', 'undo')[2]) is None


def test_advice_names_no_stick_where_a_folder_is_meant(bench, tmp_path):
    desk = bench('mirror', 'esp 1 empty')
    text, status, _ = desk.write('undo', '-y')
    assert status == NOT_FOUND and '--journal with where it is mounted' in text
    text, status, _ = desk.run('export', 'NO:\\x')
    assert status == NOT_FOUND and 'Name one as in \\backup.' in text
    point = tmp_path / 'full'
    point.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', str(point)], capture_output=True).returncode != 0:
        pytest.skip('nothing can be mounted here')
    try:
        text, status, _ = desk.run('repair', '-y', options=['--write', '--journal', str(point), '--journal-in-memory'])
        assert status == NO_SPACE and 'shadowboot-linux: give a --journal' in text and 'nothing was changed' in text
    finally:
        subprocess.run(['umount', str(point)], check=True)


# --- It changes nothing unless it is told to ------------------------------------------------------

def test_without_write_images_are_opened_for_reading_only(bench, tmp_path):
    desk = bench('mirror', 'esp 1 empty')
    before = desk.digests()
    trace = tmp_path / 'trace'
    strace = ['strace', '-f', '-e', 'trace=openat,open,pwrite64,write,ftruncate,ioctl', '-o', str(trace)]
    prefix = strace if shutil.which('strace') else []
    for words in (['repair', '-y'], ['status'], ['prepare', '1', '-y', '-format'], ['bcd', 'timeout', '3', '-y'],
                  ['undo']):
        text, _, _ = desk.run(*words, prefix=prefix)
        assert 'Done:' not in text
        if prefix:
            opened = [line for line in trace.read_text().splitlines() if '.img"' in line]
            assert len(opened) == len(desk.images)
            assert all('O_RDONLY' in line and 'O_RDWR' not in line for line in opened)
            assert 'pwrite64' not in trace.read_text()
    assert desk.digests() == before
    assert 'Nothing was changed (-n).' in desk.run('repair', '-y')[0]


def test_writing_needs_a_journal_that_outlives_the_power(bench):
    desk = bench('mirror', 'esp 1 empty')
    before = desk.digests()
    _, status, error = desk.run('repair', '-y', options=['--write'])
    assert status == USAGE and '--journal DIR' in error
    _, status, error = desk.run('repair', '-y', options=['--write', '--journal', '/nonexistent'])
    assert status == NOT_FOUND and 'no such folder' in error
    if os.path.isdir('/dev/shm'):
        _, status, error = desk.run('repair', '-y', options=['--write', '--journal', '/dev/shm'])
        assert status == REFUSED and 'it is in memory' in error
    assert desk.digests() == before


def test_a_journal_in_an_overlay_lies_where_its_upper_folder_does(bench, tmp_path):
    """The root of most live systems: an overlay that writes to memory."""
    desk = bench('mirror', 'esp 1 empty')
    before = desk.digests()
    point, memory = (tmp_path / name for name in ('point', 'memory'))
    for path in (point, memory):
        path.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', 'none', str(memory)], capture_output=True).returncode != 0:
        pytest.skip('nothing can be mounted here')
    try:
        for path in (memory / 'lower', memory / 'upper', memory / 'work'):
            path.mkdir()
        options = ','.join(f'{name}dir={memory / name}' for name in ('lower', 'upper', 'work'))
        mount = ['mount', '-t', 'overlay', 'overlay', '-o', options, str(point)]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            pytest.skip('the kernel has no overlays')
        try:
            options = ['--write', '--journal', str(point)]
            _, status, error = desk.run('repair', '-y', options=options)
            assert status == REFUSED and 'it is in memory' in error
            assert desk.digests() == before and not list(point.iterdir())
        finally:
            subprocess.run(['umount', str(point)], check=True)
    finally:
        subprocess.run(['umount', str(memory)], check=True)


def test_wrong_options_say_what_is_right(bench):
    desk = bench('mirror')
    for options, words, code, says in (
            (['--dsk', 'x'], ['status'], USAGE, 'no such option'),
            (['--disk'], [], USAGE, 'needs a value'),
            (['--write=1'], ['status'], USAGE, 'has no value'),
            (['--sector-size', '1000'], ['status'], USAGE, 'no power of two'),
            (['--disk', '/nonexistent.img'], ['status'], NOT_FOUND, 'no such file'),
            (['--disk', '/dev/null'], ['status'], UNSUPPORTED, 'neither a block device nor an image'),
            (['--disk', str(desk.images[0])], ['status'], USAGE, 'named twice'),
            (['--efivars=/nonexistent'], ['status'], NOT_FOUND, 'no such folder'),
            ([], ['auto'], UNSUPPORTED, "the firmware's"),
            ([], ['test'], UNSUPPORTED, "the firmware's")):
        _, status, error = desk.run(*words, options=options)
        assert status == code and says in error, (options, error)


# --- What it writes ------------------------------------------------------------------------------

def test_repair_is_what_the_machine_then_starts_from(bench):
    desk = bench('mirror', 'esp 1 empty')
    text, status, _ = desk.write('repair', '-y')
    assert status == 64 and 'Done: 1 change made and checked.' in text
    assert '(journal JOURNAL:\\EFI\\shadowboot\\J0000001.SBJ)' in text
    assert (desk.journal / 'EFI/shadowboot/J0000001.SBJ').is_file()
    assert check_esp(desk, 1) == check_esp(desk, 0)
    assert desk.setup.run('status', program=bare()).status == 0      # with the entries it has
    assert 'Done:' not in desk.write('repair', '-y')[0]
    text, status, _ = desk.write('undo', '-y')
    assert status == 0 and 'Done:' in text
    assert check_esp(desk, 1) == []
    assert desk.setup.run('status', program=bare()).status == 65


def test_entries_are_written_to_the_variables_it_is_given(bench):
    desk = bench('mirror', 'entry 1 delete')
    efivars = desk.efivars()
    folder = Path(efivars.partition('=')[2])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert desk.run('repair', '-y', options=[efivars])[1] == 64
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    text, status, _ = desk.write('repair', '-y', options=[efivars])
    assert status == 0 and 'BootOrder' in text
    order = (folder / f'BootOrder-{GLOBAL}').read_bytes()
    made = int.from_bytes(order[-2:], 'little')
    value = (folder / f'Boot{made:04X}-{GLOBAL}').read_bytes()
    assert value[:4] == b'\7\0\0\0'
    path = value[10:].decode('utf-16-le', errors='replace').index('\0') * 2 + 12
    assert value[path:path + 2] == b'\4\1'       # the hard drive node first: no hardware path is made up
    for name, data in before.items():
        if name != f'BootOrder-{GLOBAL}':
            assert (folder / name).read_bytes() == data


def test_an_entry_with_a_hardware_path_is_judged_by_its_partition(bench):
    """The path is firmware's, and where that finds a disk is not known here."""
    desk = bench('mirror')
    attributes, data = desk.setup.variables['Boot0001']
    place = data.index(b'\4\1\x2a\0')
    hardware = bytes.fromhex('02010c00d041030a00000000' '010106000007')
    length = int.from_bytes(data[4:6], 'little') + len(hardware)
    desk.setup.variables['Boot0001'] = (attributes, data[:4] + length.to_bytes(2, 'little') + data[6:place] + hardware
                                        + data[place:])
    text, status, _ = desk.run('status', '-sfo', options=[desk.efivars()])
    assert status == 0 and 'VerdictInfo,"1","starts","Boot0001"' in text and 'entry-elsewhere' not in text
    assert 'entry-elsewhere' in desk.setup.run('status', '-sfo', program=bare()).text


def hivex(desk, index, script):
    store = desk.folder / f'BCD{index}'
    disk = desk.setup.disk(index)
    subprocess.run(['mcopy', '-n', '-o', '-i', f'{disk.image}@@{disk.offset("esp")}',
                    '::/EFI/Microsoft/Boot/BCD', str(store)], check=True)
    done = subprocess.run(['hivexsh', str(store)], input=script, capture_output=True, text=True, check=True)
    return done.stdout


def boot_device(desk, index):
    """What the default loader's device is in the store, by hivex: the bytes of element 11000001."""
    listed = hivex(desk, index, 'cd Objects\nls\n').split()
    devices = {}
    for guid in listed:
        text = hivex(desk, index, f'cd Objects\\{guid}\\Elements\\11000001\nlsval\n') \
            if '11000001' in hivex(desk, index, f'cd Objects\\{guid}\\Elements\nls\n').split() else ''
        if text:
            devices[guid] = text
    return devices


def test_the_store_of_an_attached_disk_is_made_to_start_its_own_windows(bench):
    """What clouds' instructions do with bcdedit on a rescue machine."""
    desk = bench('mirror', 'store 1 plex 0')
    before = desk.digests()
    text, status, _ = desk.run('bcd', 'list', '1')
    assert status == 0 and 'Windows Boot Manager' in text
    wrong = boot_device(desk, 1)
    text, status, _ = desk.write('bcd', 'retarget', '-y')
    assert status == 0 and 'Done:' in text, text
    right = boot_device(desk, 1)
    assert right.keys() == wrong.keys() and right != wrong
    assert boot_device(desk, 0) == boot_device(bench('mirror'), 0)
    text, status, _ = desk.write('bcd', 'timeout', '7', '-on', '1', '-y')
    assert status == 0
    assert '25000004' in hivex(desk, 1, 'cd Objects\\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\\Elements\nls\n')
    for _ in range(2):
        assert desk.write('undo', '-y')[1] == 0
    assert boot_device(desk, 1) == wrong
    assert desk.digests()[0] == before[0]


def test_a_disk_whose_identity_was_changed_elsewhere_gets_back_what_its_store_expects(bench):
    """A second disk with one signature is given another one by the Windows it is attached to."""
    desk = bench('mirror')
    disk = desk.setup.disk(1)
    was = subprocess.run(['sgdisk', '-p', str(disk.image)], capture_output=True, text=True, check=True).stdout
    own = re.search(r'GUID\): ([0-9A-F-]+)', was).group(1)
    subprocess.run(['sgdisk', '-U', 'R', str(disk.image)], capture_output=True, check=True)
    text, status, _ = desk.write('diskid', '1', '-set', own, '-y')
    assert status == 0, text
    now = subprocess.run(['sgdisk', '-p', str(disk.image)], capture_output=True, text=True, check=True).stdout
    assert own in now and check_esp(desk, 1)


def signature(image):
    """The disk identifier, by sfdisk."""
    done = subprocess.run(['sfdisk', '--disk-id', str(image)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_article_of_rescue_mode_is_done_line_by_line(bench):
    """Its disk D: is that of a BIOS machine, which was given another signature when it met its twin."""
    desk = bench('bios-basic')
    image, = desk.images
    with open(image, 'r+b') as disk:
        disk.seek(440)
        disk.write(bytes.fromhex('11223344'))
    before = desk.digests()
    lost = 'byte 1048576 of the disk with signature 5bd10077, which is not here'
    text, status, _ = desk.run('bcdedit', '/store', 'd:\\boot\\bcd')
    assert status == 0 and re.findall(r'^(?:osdevice|device) +(.*)$', text, re.MULTILINE) == [lost, lost]
    for words in ('{default} osdevice', '{default} device', '{bootmgr} device', '{memdiag} device', '{ntldr} device'):
        text, status, _ = desk.write('bcdedit', '/store', 'd:\\boot\\bcd', '/set', *words.split(), 'partition=c:')
        assert status == REFUSED and 'Nothing was changed.' in text and 'shadowboot diskid' in text
    assert desk.digests() == before
    assert 'signature 5BD10077, which is not here' in desk.run('diskid')[0]
    assert '44332211' in desk.run('diskpart', 'LIST', 'DISK')[0]
    select = ['diskpart', 'SELECT', 'DISK', '0', 'UNIQUEID', 'DISK']
    assert 'Disk ID: 44332211' in desk.run(*select)[0]
    for number in ('42D9DECD', '5BD10077'):
        assert desk.run(*select, f'id={number}', '-y')[1] == 0 and signature(image) != f'0x{number.lower()}'
        assert desk.write(*select, f'id={number}', '-y')[1] == 0 and signature(image) == f'0x{number.lower()}'
    text, status, _ = desk.run('bcdedit', '/store', 'd:\\boot\\bcd')
    assert re.findall(r'^(?:osdevice|device) +(.*)$', text, re.MULTILINE) == ['Disk 0 Partition 1'] * 2
    for _ in range(2):
        assert desk.write('undo', '-y')[1] == 0
    assert desk.digests() == before


def test_a_letter_that_could_be_one_of_several_volumes_is_refused(bench):
    desk = bench('basic')
    text, status, _ = desk.run('bcdedit', '/store', 'd:\\boot\\bcd')
    assert status == NOT_FOUND and 'No volume here is known as d:. There are: FS0: FS1:.' in text


# --- What the firmware's program has begun, and the other way round --------------------------------

JOURNAL = '/EFI/shadowboot/J0000001.SBJ'


def by_firmware(desk, *words):
    """A command of the host program, whose files mtools writes; its variables are the machine's then."""
    done = desk.setup.run(*words, program=bare())
    lines = (line.split() for line in (desk.setup.folder / 'variables.txt').read_text().splitlines())
    desk.setup.variables = {name: (int(attributes, 16), bytes.fromhex(data.strip('-')))
                            for name, attributes, data in lines}
    return done


def esp_of(desk, index):
    disk = desk.setup.disk(index)
    return f'{disk.image}@@{disk.offset("esp")}'


def test_a_change_of_the_firmwares_program_is_taken_back_here(bench):
    """Its journal lies on the ESP of the other disk, and is marked there."""
    desk = bench('mirror', 'esp 1 empty', 'entry 1 delete')
    entries = dict(desk.setup.variables)
    assert by_firmware(desk, 'repair', '-y').status == 0
    changed = desk.digests()
    text, status, _ = desk.run('undo', '-l')
    assert status == 0 and 'done         FS0:\\EFI\\shadowboot\\J0000001.SBJ' in text
    # Entries were made as well, which are not here.
    text, status, _ = desk.write('undo', '-y')
    assert status == UNSUPPORTED and 'boot entries are not known' in text and '--efivars' in text
    assert desk.digests() == changed
    efivars = desk.efivars()
    text, status, _ = desk.write('undo', '-y', options=[efivars])
    assert status == 0 and 'Done: 3 changes made and checked.' in text
    assert check_esp(desk, 1) == []
    check_esp(desk, 0)
    marked = subprocess.run(['mtype', '-i', esp_of(desk, 0), '::' + JOURNAL], capture_output=True, check=True).stdout
    assert marked.endswith(b'SBDONE__SBUNDO__SBUNDONE')
    names = {path.name for path in Path(efivars.partition('=')[2]).iterdir()}
    assert f'Boot0001-{GLOBAL}' not in names
    assert 'taken back' in desk.run('undo', '-l')[0]
    desk.setup.variables = entries
    assert 'taken back' in by_firmware(desk, 'undo', '-l').text
    assert desk.write('undo', '-y')[1] == NOT_FOUND                  # and nothing else is left


def test_an_interrupted_change_of_the_firmwares_program_is_finished_or_taken_back_here(bench):
    desk = bench('mirror', 'esp 1 empty')
    assert by_firmware(desk, 'repair', '-y').status == 0
    whole = subprocess.run(['mtype', '-i', esp_of(desk, 0), '::' + JOURNAL], capture_output=True, check=True).stdout
    assert whole.endswith(b'SBDONE__')
    cut = desk.folder / 'cut'
    cut.write_bytes(whole[:-8])
    subprocess.run(['mcopy', '-o', '-i', esp_of(desk, 0), str(cut), '::' + JOURNAL], check=True)
    assert 'Interrupted: journal 1 (FS0:' in desk.run('status')[0]
    text, status, _ = desk.write('repair', '-y')
    assert status == 64 and 'This is taken back first.' in text and text.count('Done:') == 2
    assert 'Interrupted' not in desk.run('status')[0]
    assert check_esp(desk, 1) != []
    assert desk.write('undo', '-y')[1] == 0
    assert check_esp(desk, 1) == []


def test_a_journal_on_a_volume_that_cannot_be_written_leaves_all_as_it_is(bench):
    """The ESP with the journal has no room for it once more, or is damaged."""
    desk = bench('mirror', 'esp 1 empty')
    assert by_firmware(desk, 'repair', '-y').status == 0
    filler = desk.folder / 'filler'
    free = subprocess.run(['minfo', '-i', esp_of(desk, 0), '::'], capture_output=True, text=True, check=True).stdout
    clusters = int(re.search(r'free clusters=(\d+)', free)[1])
    filler.write_bytes(bytes(clusters * 512))
    subprocess.run(['mcopy', '-i', esp_of(desk, 0), str(filler), '::/filler'], check=True)
    before = desk.digests()
    text, status, _ = desk.write('undo', '-y')
    assert status == NO_SPACE and 'Journal 1 on FS0: cannot be written to' in text and 'make room there' in text, text
    assert desk.digests() == before
    subprocess.run(['mdel', '-i', esp_of(desk, 0), '::/filler'], check=True)
    assert desk.write('undo', '-y')[1] == 0


@pytest.mark.parametrize('damages', [['esp 1 empty'], ['disk 1 wipe']], ids=['files', 'disk'])
def test_a_change_made_here_is_taken_back_by_the_firmwares_program(bench, damages):
    """The folder was a stick's, which is in the machine now; disks have other names there."""
    desk = bench('mirror', *damages)
    before = desk.setup.run('status', program=bare())
    words = ['prepare', '1', '-format'] if 'wipe' in damages[0] else ['repair']
    text, status, error = desk.write(*words, '-y')
    assert status in (0, 64) and 'Done:' in text, text + error
    assert desk.setup.run('status', program=bare()).text != before.text
    subprocess.run(['mmd', '-i', esp_of(desk, 0), '::/EFI/shadowboot'], check=True)
    subprocess.run(['mcopy', '-i', esp_of(desk, 0), f'{desk.journal}{JOURNAL}', '::' + JOURNAL], check=True)
    done = by_firmware(desk, 'undo', '-y')
    assert done.status == 0 and 'Done:' in done.text, done.text
    now = desk.setup.run('status', program=bare())
    assert now.text.partition('Disk 1')[2] == before.text.partition('Disk 1')[2] and now.status == before.status


# --- What is in use --------------------------------------------------------------------------------

class Loop:
    """A loop device over an image, or pytest.skip where there are none."""

    def __init__(self, image, block_size=512):
        done = subprocess.run(['losetup', '-f', '--show', '-b', str(block_size), str(image)],
                              capture_output=True, text=True) if shutil.which('losetup') else None
        if done is None or done.returncode != 0:
            pytest.skip('loop devices are not to be had here')
        self.device = done.stdout.strip()

    def __enter__(self):
        return self.device

    def __exit__(self, *_):
        subprocess.run(['losetup', '-d', self.device], check=False)


def on_devices(desk, devices, *words, write=False, prefix=()):
    options = [word for device in devices for word in ('--disk', device)]
    if write:
        options += ['--write', '--journal', str(desk.journal), '--journal-in-memory']
    done = limits.run([*prefix, str(program()), *options, *words], 60, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)
    return done.stdout.decode(), done.returncode, done.stderr.decode()


def test_devices_are_judged_and_mended_as_images_are(bench):
    desk = bench('mirror', 'esp 1 empty')
    with Loop(desk.images[0]) as first, Loop(desk.images[1]) as second:
        text, status, _ = on_devices(desk, [first, second], 'status')
        assert (only_core(text), status) == (only_core(desk.run('status')[0]), 65)
        _, status, error = desk.write('repair', '-y')
        assert status == REFUSED and f'is taken by {first}. Free it first: losetup -d' in error
        text, status, _ = on_devices(desk, [first, second], 'repair', '-y', write=True)
        assert status == 64 and 'Done: 1 change made and checked.' in text
    assert check_esp(desk, 1) == check_esp(desk, 0)


def test_what_a_loop_device_lies_over_is_one_disk_with_it(bench):
    """Loop devices claim nothing: neither the kernel nor its `holders` tell of them."""
    desk = bench('mirror', 'esp 1 empty')
    other = desk.images[0].parent / 'hard link.img'
    os.link(desk.images[0], other)
    before = desk.digests()
    with Loop(desk.images[0]) as first, Loop(other) as second:
        _, status, error = on_devices(desk, [first, second], 'status')
        assert status == USAGE and 'named twice' in error
        _, status, error = on_devices(desk, [first, str(desk.images[1])], 'repair', '-y', write=True)
        assert status == REFUSED and f'losetup -d {second}' in error
    with Loop(other) as first, Loop(first) as second:
        _, status, error = on_devices(desk, [first, str(desk.images[1])], 'repair', '-y', write=True)
        assert status == REFUSED and f'is taken by {second}. Free it first: losetup -d {second}' in error
        _, status, error = on_devices(desk, [str(image) for image in desk.images], 'repair', '-y', write=True)
        assert status == REFUSED and f'losetup -d {first}' in error
    assert desk.digests() == before


def test_a_device_is_held_alone_flushed_and_its_table_read_anew(bench):
    desk = bench('mirror', 'esp 1 empty')
    if not shutil.which('strace'):
        pytest.skip('without strace nobody sees the calls')
    trace = desk.folder / 'trace'
    strace = ['strace', '-e', 'trace=openat,pread64,pwrite64,fsync,fadvise64,ioctl', '-o', str(trace)]
    with Loop(desk.images[0]) as first, Loop(desk.images[1]) as second:
        assert on_devices(desk, [first, second], 'repair', '-y', write=True, prefix=strace)[1] == 64
    lines = trace.read_text().splitlines()
    fds = {}
    for line in lines:
        found = re.match(rf'openat\(AT_FDCWD, "({first}|{second})", (.*)\) = (\d+)$', line)
        if found and 'O_RDWR' in found[2]:       # the others ask what lies under it
            assert 'O_EXCL' in found[2]
            fds[found[1]] = found[3]
    assert fds.keys() == {first, second}
    calls = [line.partition('(')[0] for line in lines
             if re.match(rf'(pwrite64|fsync|fadvise64)\({fds[second]}[,)]', line)]
    assert 'pwrite64' in calls and calls[-2:] == ['fsync', 'fadvise64']
    # What was written is compared with the medium: whole pages are dropped from the cache before it is read.
    own = [line for line in lines if re.match(rf'(pread64|pwrite64|fsync|fadvise64)\({fds[second]}[,)]', line)]
    for at, line in enumerate(own):
        if line.startswith('pwrite64') and not own[at + 1].startswith('pwrite64'):
            assert [follows.partition('(')[0] for follows in own[at + 1:at + 4]] == ['fsync', 'fadvise64', 'pread64']
    dropped = re.findall(r'fadvise64\(\d+, (\d+), (\d+), POSIX_FADV_DONTNEED\)', '\n'.join(own))
    assert dropped and all(int(number) % (2 * MIB) == 0 for pair in dropped for number in pair)
    first_write = next(at for at, line in enumerate(lines) if line.startswith(f'pwrite64({fds[second]},'))
    # The journal's file, and then its folder, are on the medium before that.
    made = next(at for at, line in enumerate(lines) if 'J0000001.SBJ", O_WRONLY|O_CREAT' in line)
    journal = lines[made].rpartition(' = ')[2]
    assert f'fsync({journal})' in lines[made + 1] and made < first_write
    assert any(line.startswith('fsync(') for line in lines[made + 2:first_write])
    told = [line for line in lines if 'BLKRRPART' in line]
    assert len(told) == 1 and told[0].startswith(f'ioctl({fds[second]}, BLKRRPART')


def test_a_device_tells_its_block_size(bench):
    desk = bench('mirror4k')
    with Loop(desk.images[0], 4096) as first, Loop(desk.images[1], 4096) as second:
        text, status, _ = on_devices(desk, [first, second], 'status')
        assert status == 64 and 'Partition 1: ESP' in text
        for size, code in (('4096', 64), ('512', USAGE)):
            done = subprocess.run([str(program()), '--disk', first, '--sector-size', size, '--disk', second, 'status'],
                                  capture_output=True, text=True)
            assert done.returncode == code and ('another length' in done.stderr) == (code == USAGE)


def test_a_mounted_disk_is_refused_and_read(bench, tmp_path):
    desk = bench('mirror', 'esp 1 empty')
    image, point = tmp_path / 'data.img', tmp_path / 'a point'
    point.mkdir()
    with open(image, 'wb') as file:
        file.truncate(16 * MIB)
    subprocess.run(['mkfs.ext4', '-q', str(image)], check=True)
    with Loop(image) as device:
        if subprocess.run(['mount', device, str(point)], capture_output=True).returncode != 0:
            pytest.skip('nothing can be mounted here')
        try:
            _, status, error = on_devices(desk, [device], 'repair', '-y', write=True)
            assert status == REFUSED and f'is mounted on {point}. Free it first: umount {point}' in error
            assert on_devices(desk, [device], 'disks')[1] == 0
        finally:
            subprocess.run(['umount', str(point)], check=True)
        assert on_devices(desk, [device], 'disks', write=True)[1] == 0


def test_an_image_that_another_program_holds_is_refused(bench):
    desk = bench('mirror', 'esp 1 empty')
    holder = subprocess.Popen(['flock', '-F', str(desk.images[0]), 'sleep', '60'])
    try:
        while subprocess.run(['flock', '-n', str(desk.images[0]), 'true']).returncode == 0:
            assert holder.poll() is None
        _, status, error = desk.write('repair', '-y')
        assert status == REFUSED and 'another program holds it' in error
    finally:
        holder.kill()
        holder.wait()


def test_space_that_runs_out_in_the_middle_leaves_the_disk_as_it_was(bench, tmp_path):
    """An image with holes on a full file system: the first block that needs room cannot be written."""
    desk = bench('mirror', 'esp 1 zero')
    point = tmp_path / 'small'
    point.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=24m', 'none', str(point)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip('nothing can be mounted here')
    try:
        image = point / 'disk1.img'
        subprocess.run(['cp', '--sparse=always', str(desk.images[1]), str(image)], check=True)
        free = shutil.disk_usage(point).free
        (point / 'filler').write_bytes(bytes(free - 32 * 1024))
        before = digest(image)
        text, status, error = on_devices(desk, [str(desk.images[0]), str(image)], 'repair', '-y', '-format', write=True)
        assert status == 7 and 'Done:' not in text, text + error
        assert digest(image) == before
        assert on_devices(desk, [str(desk.images[0]), str(image)], 'status')[0].count('perhaps') >= 1
    finally:
        subprocess.run(['umount', str(point)], check=True)


# --- What it costs, and how it comes --------------------------------------------------------------

def grow(desk):
    """Its disks become sparse ones of 1 TiB each."""
    for image in desk.images:
        os.truncate(image, TIB)
        subprocess.run(['sgdisk', '-e', str(image)], capture_output=True, check=True)


def processor_seconds(desk, *words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert desk.run(*words)[1] == 64
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bytes_read(desk, *words):
    """Of each disk, by strace."""
    trace = desk.folder / 'trace'
    if not shutil.which('strace'):
        pytest.skip('without strace nobody counts what is read')
    desk.run(*words, prefix=['strace', '-e', 'trace=pread64', '-o', str(trace)])
    read = {}
    for line in trace.read_text().splitlines():
        found = re.match(r'pread64\((\d+), .* = (\d+)$', line)
        if found:
            read[found[1]] = read.get(found[1], 0) + int(found[2])
    assert len(read) == 2
    return list(read.values())


@pytest.mark.parametrize('words', [['status'], ['status', '-quick']], ids=' '.join)
def test_two_large_disks_are_read_a_little(bench, words):
    """Two disks of 1 TiB, sparse, with few files: 1 MiB of each, in less than 0.1 s of processor time."""
    desk = bench('mirror')
    grow(desk)
    assert processor_seconds(desk, *words) < 0.1
    assert all(0 < size <= MIB for size in bytes_read(desk, *words))


def bytes_used(desk, index):
    """Of an ESP, in clusters, by fsck.fat."""
    part = desk.folder / 'used.img'
    disk = desk.setup.disk(index)
    copy_range(disk.image, disk.offset('esp'), disk.size('esp'), part)
    said = subprocess.run(['fsck.fat', '-n', '-v', str(part)], capture_output=True, text=True, check=True).stdout
    return int(re.search(r'(\d+) bytes per cluster', said)[1]) * int(re.search(r' (\d+)/\d+ clusters', said)[1])


def test_ordinary_esps_on_two_large_disks_are_read_once(tmp_path, folder, record_property):
    """260 MiB with 140 files, 26 MB. Without their contents 1 MiB of each disk will do, in less than 0.1 s of processor
    time; with them it is what files and folders take there, and less than 1 MiB beside."""
    setup = mirror.Setup(folder / 'ordinary')
    setup.folder.mkdir()
    mirror_bases.build_ordinary(setup)
    desk = Bench(setup, tmp_path)
    files, used = sum(map(len, mirror_bases.ordinary_files().values())), bytes_used(desk, 0)
    assert 25_500_000 < files < used and bytes_used(desk, 1) == used
    grow(desk)
    assert processor_seconds(desk, 'status', '-quick') < 0.1
    quick, whole = bytes_read(desk, 'status', '-quick'), bytes_read(desk, 'status')
    assert all(0 < size <= MIB for size in quick), quick
    assert all(0 < size - used <= MIB for size in whole), (whole, used)
    for what, size in (('-quick reads', max(quick)), ('reads beside files and folders', max(whole) - used),
                       ('reads beside the content of files', max(whole) - files)):
        record_property(f'bytes that status {what} on a disk with an ordinary ESP', size)
    shutil.rmtree(setup.folder)


def test_the_program_needs_no_library():
    text = subprocess.run(['readelf', '-l', str(program())], capture_output=True, text=True, check=True).stdout
    assert 'INTERP' not in text and program().stat().st_size < 3 * MIB


def test_the_manual_page_names_every_option_and_command():
    page = program().parent / 'shadowboot-linux.8'
    text = page.read_text().replace('\\', '')
    said = subprocess.run([str(program()), '--help'], capture_output=True, text=True, check=True).stdout
    options = re.findall(r'^    (--[a-z-]+)', said, re.MULTILINE)
    assert len(options) >= 9 and all(option in text for option in options)
    listed = subprocess.run([str(program()), 'help'], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r'^  ([a-z]+) ', listed, re.MULTILINE)
    assert 'repair' in commands and all(f'.B {command}\n' in text for command in commands)
    if shutil.which('man'):
        done = subprocess.run(['man', '-l', '--warnings=w', str(page)], capture_output=True, text=True,
                              env={**os.environ, 'MANWIDTH': '80', 'LC_ALL': 'C.UTF-8'})
        assert done.returncode == 0 and done.stderr == ''
