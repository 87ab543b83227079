"""The USB stick that `make usb` builds: judged by sgdisk, fsck.fat and mtools, and started under OVMF."""
import os
import pty
import signal
import subprocess

import gpt
import secure_boot
from console import Console, scaled
from fat import run
from firmware import ROOT
from secure_boot import AUTHORITIES, Keys, by_make
from sparse import copy_range, digest

PROGRAMS = ['/EFI/BOOT/BOOTX64.EFI', '/shadowboot.efi', '/bootcfg.efi', '/bcdedit.efi']
TEXTS = {'/README.txt': 'README', '/LICENSE.txt': 'LICENSE', '/SHELL.txt': '/usr/share/doc/ovmf/copyright',
         '/EFI/shadowboot/shadowboot.conf': 'efi/stick/shadowboot.conf'}
FIRST = 0x00A0
LEAST_FREE = 100 << 20      # bytes: for journals, and what was on an ESP that is formatted


def plug_in(machine, image):
    """The stick in a machine."""
    size = image.stat().st_size
    stick = machine.add_disk('usb', size)
    copy_range(image, 0, size, stick.image)
    stick.reread()
    return stick


def test_others_find_nothing_wrong_with_it(machine, stick_image, product):
    assert 'No problems found' in run('sgdisk', '-v', stick_image).stdout.decode()
    shown = run('sgdisk', '-i', '1', stick_image).stdout.decode()
    assert gpt.ESP.upper() in shown.upper() and "Partition name: 'shadowboot'" in shown
    volume = plug_in(machine, stick_image).volume
    volume.fsck()
    assert gpt.peek(stick_image, volume.offset + 82, 8) == b'FAT32   '
    files = volume.tree()
    assert all(files.pop(name) == product.read_bytes() for name in PROGRAMS)
    for name, source in TEXTS.items():
        text = files.pop(name).decode()
        assert text.count('\r') == text.count('\r\n') == text.count('\n')
        assert text.replace('\r', '') == (ROOT / source).read_text(encoding='utf-8')
    assert set(files) == {'/shadowboot.man', '/shellx64.efi'}
    assert volume.free() > LEAST_FREE


def test_the_same_files_give_the_same_bytes(tmp_path, product):
    for name, day in (('one', '2001-02-03'), ('two', '2030-04-05')):
        (tmp_path / name).mkdir()
        program = tmp_path / name / 'file'
        program.write_bytes(product.read_bytes())
        run('touch', '-d', day, program)
        run(ROOT / 'efi/stick/make_stick.sh', tmp_path / f'{name}.img', f'EFI/BOOT/BOOTX64.EFI={program}',
            f'a/b/c.efi={program}', cwd=tmp_path / name)
    assert subprocess.run(['cmp', tmp_path / 'one.img', tmp_path / 'two.img'], check=False).returncode == 0


def test_firmware_starts_it_without_an_entry(machine, stick_image):
    plug_in(machine, stick_image)
    with machine.boot() as vm:
        vm.expect('What to do')


def test_its_shell_finds_the_commands_and_their_manual(machine, stick_image):
    stick = plug_in(machine, stick_image)
    with machine.boot_to_shell() as vm:
        vm.cd(stick)
        # In a Shell of its own, which ends with the command.
        assert any('UEFI Interactive Shell' in line for line in vm.shell('shellx64.efi -exit ver'))
        assert any('entries' in line for line in vm.shell('help shadowboot'))
        assert vm.run('bootcfg /?').status == 0 and vm.run('bcdedit /?').status == 0


def test_signed_one_starts_under_secure_boot_and_the_unsigned_does_not(machine, stick_image, tmp_path):
    """Both are in, the unsigned one in front: firmware refuses it, and goes on to the other."""
    keys, image = Keys(tmp_path / 'keys'), tmp_path / 'signed.img'
    leaf = keys.path(AUTHORITIES[0], 'leaf')
    line, environment = by_make(f'KEY={leaf}.key', f'CERT={leaf}', f'SIGNED={tmp_path}/signed.efi', f'STICK={image}', 'usb')
    secure_boot.run(*line, env=environment)
    sticks = [plug_in(machine, stick_image), plug_in(machine, image)]
    program = (tmp_path / 'signed.efi').read_bytes()
    assert all(sticks[1].volume.get(name) == program for name in PROGRAMS)
    assert keys.verifies(program, secure_boot.run('openssl', 'x509', '-in', leaf, '-outform', 'der'))
    secure_boot.enrol(machine.nvram, keys, secure_boot.trusting(keys, AUTHORITIES[0]), b'')
    for number, stick in enumerate(sticks):
        machine.nvram.set_entry(FIRST + number, 'Stick', stick.esp.full_path('\\EFI\\BOOT\\BOOTX64.EFI'))
    machine.nvram.order = [FIRST, FIRST + 1]
    machine.cold = True                 # whether it is on, firmware knows long before its drivers
    with machine.boot() as vm:
        vm.expect(rf'failed to load Boot{FIRST:04X} "Stick" from .*: Access Denied', timeout=120)
        vm.expect(rf'starting Boot{FIRST + 1:04X} "Stick"')
        vm.expect('What to do', timeout=120)


def test_usb_test_starts_it_on_this_terminal_until_it_is_told_to_end(stick_image, tmp_path):
    """Ctrl-A X ends QEMU, and make with it; the image is as before."""
    before = digest(stick_image)
    line, environment = by_make('usb-test')
    ours, theirs = pty.openpty()
    with open(tmp_path / 'console.log', 'w', encoding='utf-8') as log, \
            subprocess.Popen(line, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
                             start_new_session=True) as process:
        os.close(theirs)
        try:
            console = Console(ours, ours, log)
            console.expect('What to do', timeout=600)
            console.type('\x01x')
            assert process.wait(scaled(120)) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            os.close(ours)
    assert digest(stick_image) == before
