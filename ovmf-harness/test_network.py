"""A rack looked at over its network: machines start shadowboot by PXE or HTTP, and their reports come in.

The servers are QEMU's own, Python's web server, Debian's dnsmasq and tftpd-hpa. What is reported is compared
with what `status -json` writes in the same boot, typed by hand.
"""
import json
import os
import re
import statistics
import subprocess
from pathlib import Path

import pytest

import damage
import mirror_vm
import reports
from conftest import required, tool
from console import PROMPT
from firmware import ROOT
from machine import STANDIN
from network import HOST, MAC, PROGRAM, Collector, NetMachine, Site, blocks_written
from serve import Server
from virtual_time import Counted, seconds

SENT = r'The report \((\d+) bytes\) was sent to (\S+) as (\S+)\.'
NAME = MAC.replace(':', '-') + '.json'
IDENTITY = {'manufacturer': 'Acme', 'product': 'Box 9', 'serial': 'SN-1',
            'uuid': '12345678-1234-5678-9abc-def012345678'}
# Machines that are looked at one after the other; make check takes one, RACK=20 in the environment all of them (each is
# a start or two of a virtual machine). None has a damaged table: OVMF mends such itself, as soon as it sees the disk.
RACK = ['shadow-esp-no-microsoft', 'healthy-md', 'plex-stale', 'healthy', 'shadow-bootmgr-zero-cluster',
        'shadow-esp-unformatted', 'shadow-fat-crossed', 'shadow-windows-missing', 'shadow-ntfs-dirty', 'healthy-4k',
        '4k-both-esps-empty', '4k-raid-imsm', '4k-shadow-esp-512-sectors', '4k-shadow-gone', '4k-shadow-store-missing',
        '4k-shadow-table-of-512-bytes', '4k-windows-missing', 'healthy-debian', 'nvram-wiped', 'entry-of-gone-disk']
TRIED = RACK[:int(os.environ.get('RACK', 1))]
# The table of a rack, one row for a disk: whether it starts, or why not; who signed what firmware loads there, and of
# which version that is. Two ways to the same.
JQ = """jq -r '.machine.product as $m | .bootFiles as $f | .disks[] | select(.alone) | .number as $d |
    [$m, $d, .alone.verdict, .alone.reason, ([$f[] | select(.disk == $d) | .signer] | unique | join(", ")),
     ([$f[] | select(.disk == $d) | .version] | unique | join(", "))] | @tsv' *.json"""
SQL = """sqlite3 -tabs :memory: "WITH r AS (SELECT readfile(name) AS j FROM fsdir('.') WHERE name LIKE '%.json')
    SELECT j->>'$.machine.product', d.value->>'$.number', d.value->>'$.alone.verdict', d.value->>'$.alone.reason',
      (SELECT coalesce(group_concat(x, ', '), '') FROM (SELECT DISTINCT f.value->>'$.signer' AS x
        FROM json_each(j, '$.bootFiles') f WHERE f.value->'$.disk' = d.value->'$.number' ORDER BY 1)),
      (SELECT coalesce(group_concat(x, ', '), '') FROM (SELECT DISTINCT f.value->>'$.version' AS x
        FROM json_each(j, '$.bootFiles') f WHERE f.value->'$.disk' = d.value->'$.number' ORDER BY 1))
    FROM r, json_each(j, '$.disks') d WHERE d.value->'$.alone' IS NOT NULL" """
# Power-on to the start of the system with a network start in between that looks at the machine, in one whose network
# start comes to nothing.
SLOWEST = 1.2
RECEIVED = {}


def settings(target):
    return f'mode = report\ntimeout = 0\nsend = {target}\n'


@pytest.fixture
def server(tmp_path, product):
    """A folder with the program in it, as servers give it away."""
    folder = tmp_path / 'server'
    (folder / PROGRAM).parent.mkdir(parents=True)
    (folder / PROGRAM).write_bytes(product.read_bytes())
    folder.chmod(0o755)
    return folder


def put_settings(folder, text):
    (folder / PROGRAM).with_name('shadowboot.conf').write_text(text, encoding='ascii')


@pytest.fixture
def machine(bases, tmp_path):
    """A machine of the catalogue with a card, and the Shell next in BootOrder."""
    def made(name):
        case = next(case for case in damage.all_cases() if case.name == name)
        setup = bases(case.base).copy(tmp_path / f'case-{name}')
        case.apply(setup)
        box = mirror_vm.as_machine(setup, tmp_path / f'vm-{name}', range(len(setup.disks)), kind=NetMachine)
        words = ','.join(f'{key}={value}' for key, value in IDENTITY.items())
        box.identity = ['-smbios', f'type=1,{words}']
        shell = box.nvram.shell_entry()
        box.nvram.order = [shell, *(number for number in box.nvram.order if number != shell)]
        return box
    return made


def comparable(report):
    """A report without what two looks differ in, and without the stick."""
    report = dict(report, date=None, machine=dict(report['machine'], networkCard=None))
    report['disks'] = [disk for disk in report['disks'] if not disk['removable']]
    return report


@pytest.mark.parametrize('name', TRIED)
def test_report_of_a_machine_comes_in_and_nothing_is_written(name, machine, server, product):
    box = machine(name)
    stick = box.add_stick({'shadowboot.efi': product})
    with Collector() as web:
        put_settings(server, settings(f'http://{HOST}:{web.port}/in/'))
        box.serve(server, restrict=False)
        box.start_from_card()
        with box.boot() as vm:
            said = vm.expect(SENT, timeout=120)
            vm.expect(PROMPT, timeout=60)                # firmware goes on to its next entry, the Shell
            written = blocks_written(vm)
            vm.cd(stick)
            vm.run('shadowboot status -json hand.json')
    (place, kind, body), = web.posts
    report = reports.read(body)
    RECEIVED[name] = body
    assert (place, kind, len(body)) == (f'/in/{NAME}', 'application/json', int(said[1]))
    assert report['machine'] == {**IDENTITY, 'networkCard': MAC.replace(':', '-')}
    assert comparable(report) == comparable(reports.read(stick.volume.get('/hand.json')))
    assert len(written) >= 3 and not any(size for drive, size in written.items() if 'disk' in drive)


def table_of(found):
    """The rows that both ways are to give, of {name: report}."""
    rows = []
    for report in map(json.loads, found.values()):
        for disk in report['disks']:
            files = [file for file in report['bootFiles'] if file['disk'] == disk['number']]
            if 'alone' in disk:
                rows.append([str(report['machine']['product'] or ''), str(disk['number']), disk['alone']['verdict'],
                             disk['alone']['reason'], *(', '.join(sorted({file[key] for file in files}))
                                                        for key in ('signer', 'version'))])
    return sorted(rows)


def lines_of(command, folder):
    """What it prints; jq's @tsv writes a backslash as two."""
    done = subprocess.run(['bash', '-c', command], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ''), command
    return (done.stdout.replace('\\\\', '\\') if command.startswith('jq') else done.stdout).splitlines()


def check_table(found, folder):
    """What tools that others made say of reports, by the lines above and by those in the README."""
    folder.mkdir()
    for name, body in found.items():
        (folder / f'{name}.json').write_bytes(body)
    expected = table_of(found)
    for command in (JQ, SQL):
        assert sorted(line.split('\t') for line in lines_of(command, folder)) == expected, command
    shown = re.findall(r'^    ((?:jq|sqlite3) .*)$', (ROOT / 'README').read_text(), re.MULTILINE)
    assert len(shown) == 2
    for command in shown:
        said = '\n'.join(lines_of(command, folder))
        if command.startswith('jq'):
            assert len(said.splitlines()) == len(expected)
            assert [row for row in expected if not re.search(f'\t{row[1]}\t{row[2]}\t{re.escape(row[3])}', said)] == []
        else:
            assert [name for name in found if f'{name}.json' not in said] == []
            assert said.count('This machine') + said.count(' disk ') >= len(found)
    return expected


def test_twenty_reports_make_one_table(bases, folder, tmp_path, monkeypatch, record_property):
    """By the host program, which writes what the one that comes over the network sends."""
    found, sizes = {}, []
    for name in RACK:
        case = next(case for case in damage.all_cases() if case.name == name)
        setup = bases(case.base).copy(folder / f'rack-{name}')
        case.apply(setup)
        (tmp_path / name).mkdir()
        monkeypatch.setenv('SHADOWBOOT_REPORTS', str(tmp_path / name))
        with Server(tool('serve')) as server:
            assert server.run(setup, 'status', '-json', 'STICK:\\report.json').status == case.status
        made, = reports.check(tmp_path / name)
        found[name] = (tmp_path / name / made).read_bytes()
        sizes.append(len(found[name]))
    assert len(check_table(found, tmp_path / 'all')) >= len(RACK) >= 20
    for what, size in (('smallest', min(sizes)), ('median', statistics.median(sizes)), ('largest', max(sizes))):
        record_property(f'bytes: {what} report of twenty machines', int(size))
    assert max(sizes) < 64 * 1024


def test_reports_that_came_in_make_a_table(tmp_path, record_property):
    """Those of the tests above, here and now."""
    if not RECEIVED:
        pytest.skip('no machine of the rack was started by this process')
    sizes = sorted(map(len, RECEIVED.values()))
    check_table(RECEIVED, tmp_path / 'all')
    record_property(f'bytes: largest report of {len(sizes)} that came over a network', sizes[-1])
    print(f'{len(sizes)} reports, bytes: {sizes[0]}, {statistics.median(sizes)}, {sizes[-1]}')


class CountedNet(Counted, NetMachine):
    """Whose time is the number of its instructions."""


def test_looking_takes_a_fifth_of_a_network_start_at_most(bases, tmp_path, server, product, record_property):
    """From power-on to the system's own start. The first start is not looked at, in which firmware writes down what
    there is; then the server has a file that is no program, which ends a network start that loads nothing."""
    setup = bases('mirror').copy(tmp_path / 'setup')
    for disk in setup.disks:
        disk.controller = 'ahci'                # see virtual_time
    box = mirror_vm.as_machine(setup, tmp_path / 'vm', [0, 1], kind=CountedNet)
    box.start_from_card()
    taken = {}
    with Collector() as web:
        put_settings(server, settings(f'http://{HOST}:{web.port}/in/'))
        box.serve(server, restrict=False)
        for name, program in (('first', b'none'), ('without', b'none'), ('with', product.read_bytes())):
            (server / PROGRAM).write_bytes(program)
            with box.boot() as vm:
                vm.console.fatal = ()
                vm.expect(STANDIN, timeout=600)
                taken[name] = seconds(vm)
                assert (re.search(SENT, vm.console.text) is not None) == (name == 'with')
    record_property('thousandths of a network start that loads nothing for one that looks at the machine',
                    round(1000 * taken['with'] / taken['without']))
    assert taken['with'] <= SLOWEST * taken['without'], taken


def test_program_that_came_by_http_finds_its_settings_there(machine, server):
    box = machine('healthy')
    with Collector(server) as web:
        put_settings(server, settings(f'http://{HOST}:{web.port}/one.json'))
        box.serve(server, restrict=False)
        box.start_from_card(f'http://{HOST}:{web.port}/{PROGRAM}')
        with box.boot() as vm:
            vm.expect(SENT, timeout=120)
    assert [place for place, _, _ in web.posts] == ['/one.json']
    assert f'/{Path(PROGRAM).parent}/shadowboot.conf' in web.gets


def test_without_settings_the_next_boot_entry_comes(machine, server):
    """Whoever put the program onto the server may be there, or not: after the countdown firmware goes on."""
    box = machine('healthy')
    box.serve(server, restrict=False)
    box.start_from_card()
    with box.boot() as vm:
        vm.expect('No settings say what to do', timeout=120)
        vm.expect('Press a key for the menu:   1')
        vm.expect('The firmware goes on with its next boot entry')
        vm.expect(PROMPT, timeout=60)
        assert not any(size for drive, size in blocks_written(vm).items() if 'disk' in drive)


def test_disk_that_came_by_http_is_none_of_the_machine_s(machine, server, product, tmp_path):
    """One image for stick and network: in memory it looks like a fixed disk, and is gone with the power."""
    box = machine('healthy')
    shelf = tmp_path / 'shelf'
    shelf.mkdir()
    with Collector(server) as web:
        conf = settings(f'http://{HOST}:{web.port}/in/')
        image = NetMachine(shelf).add_stick({'EFI/BOOT/BOOTX64.EFI': product, 'EFI/shadowboot/shadowboot.conf': conf},
                                            size=20 << 20, fat=16)
        os.link(image.image, server / 'stick.img')
        box.serve(server, restrict=False)
        box.start_from_card(f'http://{HOST}:{web.port}/stick.img')
        with box.boot() as vm:
            vm.expect(SENT, timeout=240)
    report = reports.read(web.posts[0][2])
    disks = {disk['path'].rsplit('/', 1)[-1].split('(')[0]: disk for disk in report['disks']}
    assert disks['VirtualDisk']['removable'] and disks['VirtualDisk']['role'] == ''
    assert [disk['role'] for disk in report['disks'][:2]] == ['primary', 'shadow']


@pytest.fixture
def site(server):
    """A network of its own with Debian's TFTP server, which takes files too."""
    try:
        with Site(server, required('SHADOWBOOT_TFTPD', 'build/tftpd/usr/sbin/in.tftpd')) as made:
            yield made
    except PermissionError as error:
        pytest.skip(str(error))


def test_report_comes_in_by_tftp(machine, server, site):
    (server / 'in').mkdir()
    put_settings(server, settings('tftp:in/'))
    box = machine('healthy').join(site)
    box.start_from_card()
    with box.boot() as vm:
        said = vm.expect(SENT, timeout=120)
    report = (server / 'in' / NAME).read_bytes()
    assert len(report) == int(said[1]) and reports.read(report)['machine'] == {**IDENTITY, 'networkCard': MAC.replace(':', '-')}


def test_report_goes_through_a_gateway(machine, server, site):
    """The web server is not in the machine's own network."""
    put_settings(server, settings(f'http://{Site.FAR}:8000/in'))
    site.start(*site.inside, '/usr/bin/python3', str(ROOT / 'ovmf-harness/take_posts.py'), '8000', str(server))
    box = machine('healthy').join(site)
    box.start_from_card()
    with box.boot() as vm:
        said = vm.expect(SENT, timeout=120)
    report = (server / 'posted-1').read_bytes()
    assert len(report) == int(said[1]) and reports.read(report)
