"""A Linux of Debian's own making that runs inside a machine, with efibootmgr and busybox.

    linux = Linux(kernel_directory)                 # what fetch_linux.sh made
    stick.put('vmlinuz.efi', linux.kernel)
    stick.put('initrd.img', linux.initramfs({'list': 'efibootmgr -v'}))
    with machine.boot_to_shell() as vm:
        vm.cd(stick)
        output = linux.run(vm, ['list'])            # {'list': [lines]}; the machine is off then

The kernel is started as an EFI application through its own stub. Its initramfs is written here, as
a cpio archive of the "newc" kind: static busybox, efibootmgr with the libraries that ldd names, the
module efivarfs, and /init, which runs the commands and prints each between two markers.
"""
import re
import shutil
import subprocess
from pathlib import Path

COMMAND = r'vmlinuz.efi initrd=\initrd.img console=ttyS0 quiet panic=-1'
# On a busy machine the kernel may find that its timer does not tick when it looks, so it does not look.
ALONE = 'console=ttyS0 quiet panic=-1 no_timer_check'
MARK = '<<{} {}>>'
INIT = '''#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
{modules}
[ ! -d /sys/firmware/efi ] || mount -t efivarfs efivarfs /sys/firmware/efi/efivars
echo
{commands}
sync
poweroff -f
'''
STEP = '''echo '{begin}'
( {command} ) 2>&1
echo "status $?"
echo '{end}'
'''


def cpio_member(number, name, mode, data=b''):
    """One member of a newc archive: header of 13 hexadecimal fields, name, data, each to 4 bytes."""
    encoded = name.encode() + b'\0'
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0]
    head = b'070701' + ''.join(f'{f:08x}' for f in fields).encode() + encoded
    return head.ljust(-(-len(head) // 4) * 4, b'\0') + data.ljust(-(-len(data) // 4) * 4, b'\0')


def cpio(files):
    """A newc archive of {path: bytes}, all executable, with the directories that they need."""
    folders = {str(p) for name in files for p in Path(name).parents if str(p) not in ('.', '/')}
    members = [(name, 0o040755, b'') for name in sorted(folders)]
    members += [(name, 0o100755, data) for name, data in files.items()]
    packed = [cpio_member(n, *member) for n, member in enumerate(members, 1)]
    return b''.join(packed) + cpio_member(0, 'TRAILER!!!', 0)


def program_files(name):
    """A program and the libraries that it is linked with: {path in the archive: bytes}."""
    program = shutil.which(name, path='/usr/bin:/usr/sbin:/bin:/sbin')
    if not program:
        raise FileNotFoundError(f'{name} is not installed')
    said = subprocess.run(['ldd', program], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r'(/\S+) \(0x', said)
    found = {f'bin/{name}': Path(program).read_bytes()}
    return found | {path.lstrip('/'): Path(path).read_bytes() for path in libraries}


class Linux:
    """The kernel in a directory that fetch_linux.sh made, and archives for it to start with."""

    def __init__(self, directory):
        self.kernel, self.modules = Path(directory) / 'vmlinuz.efi', Path(directory) / 'modules'

    def module_files(self, name):
        """A module and those that it depends on, in the order in which they are loaded."""
        data = (self.modules / f'{name}.ko').read_bytes()
        needed = re.search(rb'\0depends=([^\0]*)\0', data)[1].decode()
        found = {}
        for other in filter(None, needed.split(',')):
            found |= self.module_files(other)
        return found | {f'modules/{name}.ko': data}

    def initramfs(self, commands, modules=('efivarfs',), programs=('efibootmgr',), more=None):
        """An archive whose /init loads modules, runs the shell commands {name: command} and switches off. A module's
        name may have parameters behind it. The programs are those of this machine; `more` are other files {path in
        the archive: bytes}."""
        parameters = {name.partition(' ')[0]: name.partition(' ')[2] for name in modules}
        modules = {path: data for name in parameters for path, data in self.module_files(name).items()}
        steps = [STEP.format(begin=MARK.format('begin', name), end=MARK.format('end', name),
                             command=command) for name, command in commands.items()]
        init = INIT.format(modules='\n'.join(f'insmod /{path} {parameters.get(Path(path).stem, "")}' for path in modules),
                           commands=''.join(steps))
        files = {'init': init.encode(), 'bin/busybox': Path('/bin/busybox').read_bytes()}
        for name in ('proc', 'sys', 'dev', 'tmp', 'mnt'):
            files[f'{name}/.keep'] = b''
        found = {path: data for name in programs for path, data in program_files(name).items()}
        return cpio(files | modules | found | (more or {}))

    def run_alone(self, folder, commands, disks, timeout=900, devices=(), **parts):
        """Start it without firmware of its own, over image files [(path, block size)] as /dev/vda and so on, with other
        `devices` in QEMU's words (and what else `parts` gives to initramfs). Gives {name: (lines, status)} of all
        commands."""
        archive = Path(folder) / 'initrd.img'
        archive.write_bytes(self.initramfs(commands, **parts))
        line = ['qemu-system-x86_64', '-machine', 'q35,accel=tcg', '-cpu', 'max', '-m', '768', '-nodefaults',
                '-net', 'none', '-display', 'none', '-serial', 'stdio', '-no-reboot', '-kernel', str(self.kernel),
                '-initrd', str(archive), '-append', ALONE]
        for number, (image, size) in enumerate(disks):
            line += ['-drive', f'if=none,id=d{number},format=raw,file={image},cache=writeback', '-device',
                     f'virtio-blk-pci,drive=d{number},logical_block_size={size},physical_block_size={size}']
        done = subprocess.run([*line, *devices], timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode(errors='replace').replace('\r\n', '\n')
        (Path(folder) / 'console.log').write_text(text)
        found = {}
        for name in commands:
            begin, end = (re.escape(MARK.format(word, name)) for word in ('begin', 'end'))
            match = re.search(rf'(?s){begin}\n(.*?)status (\d+)\n{end}\n', text)
            assert match, text[-3000:]
            found[name] = match[1].rstrip('\n').split('\n'), int(match[2])
        return found

    def run(self, vm, names, timeout=180):
        """Start it from the Shell's current volume, wait for its end; gives {name: (lines, status)}."""
        vm.type(COMMAND + '\r')
        vm.console.expect_echo(COMMAND)
        found = {}
        for name in names:
            begin, end = (re.escape(MARK.format(word, name)) for word in ('begin', 'end'))
            match = vm.expect(rf'(?s){begin}\n(.*?)status (\d+)\n{end}\n', timeout=timeout)
            found[name] = match[1].rstrip('\n').split('\n'), int(match[2])
        vm.wait_off()
        return found
