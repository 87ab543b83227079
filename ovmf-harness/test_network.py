"""A rack looked at over its network: machines start shadowboot by PXE or HTTP, and their reports come in.

The servers are QEMU's own, Python's web server, Debian's dnsmasq and tftpd-hpa. What is reported is compared
with what `status -json` writes in the same boot, typed by hand.
"""
import os
from pathlib import Path

import pytest

import damage
import mirror_vm
import reports
from conftest import required
from console import PROMPT
from firmware import ROOT
from network import HOST, MAC, PROGRAM, Collector, NetMachine, Site, blocks_written

SENT = r'The report \((\d+) bytes\) was sent to (\S+) as (\S+)\.'
NAME = MAC.replace(':', '-') + '.json'
IDENTITY = {'manufacturer': 'Acme', 'product': 'Box 9', 'serial': 'SN-1',
            'uuid': '12345678-1234-5678-9abc-def012345678'}
# Machines of the catalogue that are looked at one after the other; RACK=20 for all of them.
RACK = ['shadow-esp-no-microsoft', 'healthy-md', 'plex-stale', 'healthy', 'shadow-bootmgr-zero-cluster',
        'shadow-esp-unformatted', 'shadow-fat-crossed', 'shadow-windows-missing', 'shadow-ntfs-dirty',
        'healthy-4k'] + [case.name for case in damage.all_cases()]
RACK = list(dict.fromkeys(RACK))[:int(os.environ.get('RACK', 1))]


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


@pytest.mark.parametrize('name', RACK)
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
    assert (place, kind, len(body)) == (f'/in/{NAME}', 'application/json', int(said[1]))
    assert report['machine'] == {**IDENTITY, 'networkCard': MAC.replace(':', '-')}
    assert comparable(report) == comparable(reports.read(stick.volume.get('/hand.json')))
    assert len(written) >= 3 and not any(size for drive, size in written.items() if 'disk' in drive)


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
