"""FAT volumes inside disk images, without root, loop devices or mounting.

`Volume` names a range of bytes in an image. mkfs.fat makes the file system, mtools put and get
files, fsck.fat judges the result (on a copy of the range, since it knows no offset):

    esp = Volume(image, first_lba * 512, blocks * 512)
    esp.format(fat=16)
    esp.put('/EFI/BOOT/BOOTX64.EFI', b'...')
    assert esp.get('/EFI/BOOT/BOOTX64.EFI') == b'...'

Paths may be written with / or \\. The machine must be off while a volume is changed.
"""
import os
import re
import subprocess
import tempfile
from pathlib import Path

from sparse import copy_range

# mtools complains about geometry that nobody uses otherwise.
ENVIRONMENT = dict(os.environ, MTOOLS_SKIP_CHECK='1', MTOOLS_NO_VFAT='0', MTOOLSRC='/dev/null')
ENVIRONMENT['PATH'] += ':/usr/sbin:/sbin'


def run(*command, check=True, **options):
    """Run a tool; what it said becomes part of the error."""
    done = subprocess.run([str(c) for c in command], capture_output=True, env=ENVIRONMENT,
                          stdin=subprocess.DEVNULL, **options)
    if check and done.returncode:
        said = (done.stdout + done.stderr).decode(errors='replace')
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}\n{said}")
    return done


def forget_free_count(image):
    """Of FAT32, in the sector that the boot sector names: the count is unknown then."""
    with open(image, 'r+b') as stream:
        boot = stream.read(512)
        if not int.from_bytes(boot[22:24], 'little'):
            sector, info = (int.from_bytes(boot[at:at + 2], 'little') for at in (11, 48))
            stream.seek(sector * info + 488)
            stream.write(b'\xff' * 4)


class Volume:
    """A FAT file system at a byte range of an image.

    `busy` says whether a machine is using the image: then it may be read but not changed.
    """

    def __init__(self, image, offset, size, block_size=512, busy=lambda: False):
        self.image, self.offset, self.size, self.block_size = Path(image), offset, size, block_size
        self.busy = busy

    def _changing(self):
        if self.busy():
            raise RuntimeError(f'the machine is running: {self.image.name} can only be read')

    @property
    def _mtools(self):
        return f'{self.image}@@{self.offset}'

    @staticmethod
    def _name(path):
        return '::/' + str(path).replace('\\', '/').lstrip('/')

    def format(self, fat=32, label='', serial=None, cluster=None):
        """Make an empty file system: FAT12, 16 or 32; `cluster` in blocks.

        mkfs.fat's own choice of cluster leaves too few of them on a small volume of large blocks.
        """
        self._changing()
        if self.block_size > 512 and self.size <= 256 << 20:
            cluster = cluster or 1
        options = ['-F', fat, '-S', self.block_size, '-a', '-h', self.offset // self.block_size]
        options += ['-n', label] if label else []
        options += ['-i', f'{serial:08x}'] if serial is not None else []
        options += ['-s', cluster] if cluster else []
        first = self.offset // self.block_size
        run('mkfs.fat', *options, '--offset', first, self.image, self.size // 1024)
        return self

    def mkdir(self, path):
        """Make a directory with its parents; those already there are fine."""
        self._changing()
        parts = [p for p in str(path).replace('\\', '/').split('/') if p]
        for depth in range(1, len(parts) + 1):
            name = '/'.join(parts[:depth])
            if not self.exists(name):
                run('mmd', '-i', self._mtools, self._name(name))

    def put(self, path, content):
        """Write a file (bytes, or the Path of a file to copy); parents are made, an old one replaced."""
        parent = str(path).replace('\\', '/').rpartition('/')[0]
        if parent.strip('/'):
            self.mkdir(parent)
        if isinstance(content, (bytes, bytearray)):
            with tempfile.NamedTemporaryFile() as stream:
                stream.write(content)
                stream.flush()
                self._copy_in(stream.name, path)
        else:
            self._copy_in(content, path)
        return self

    def _copy_in(self, source, path):
        self._changing()
        run('mcopy', '-o', '-m', '-i', self._mtools, source, self._name(path))

    def put_tree(self, directory, path='/'):
        """Copy everything below a host directory into one of the volume."""
        self._changing()
        if str(path).strip('/\\'):
            self.mkdir(path)
        sources = sorted(Path(directory).iterdir())
        if sources:
            run('mcopy', '-s', '-o', '-m', '-i', self._mtools, *sources, self._name(path))
        return self

    def get(self, path):
        """The bytes of a file; FileNotFoundError if there is none."""
        done = run('mcopy', '-i', self._mtools, self._name(path), '-', check=False)
        if done.returncode:
            raise FileNotFoundError(f'{path} in {self.image}: {done.stderr.decode()}')
        return done.stdout

    def exists(self, path):
        """Whether a file or directory of this name is there."""
        return run('mdir', '-b', '-i', self._mtools, self._name(path), check=False).returncode == 0

    def delete(self, path):
        """Remove a file, or a directory with all that is in it."""
        self._changing()
        run('mdeltree', '-i', self._mtools, self._name(path))

    def list(self, path='/'):
        """All files and directories below `path`, as '/EFI/BOOT/BOOTX64.EFI' ('/' ends directories)."""
        done = run('mdir', '-b', '-/', '-i', self._mtools, self._name(path), check=False)
        lines = done.stdout.decode(errors='replace').splitlines()
        return sorted(line[2:] for line in lines if line.startswith('::'))

    def free(self):
        """Bytes free, as mdir tells them."""
        shown = run('mdir', '-i', self._mtools, '::/').stdout.decode(errors='replace')
        return int(re.search('([0-9 ]+) bytes free', shown)[1].replace(' ', ''))

    def copy_out(self, path='/'):
        """Bytes by path of all files below a directory: `tree` for many files."""
        with tempfile.TemporaryDirectory() as folder:
            run('mcopy', '-s', '-n', '-i', self._mtools, self._name(path), folder)
            parent = '/' + '/'.join(str(path).strip('/').split('/')[:-1])
            return {str(Path(parent) / found.relative_to(folder)): found.read_bytes()
                    for found in Path(folder).rglob('*') if found.is_file()}

    def tree(self):
        """Every file's bytes by path: two volumes hold the same when their trees are equal."""
        return {name: self.get(name) for name in self.list() if not name.endswith('/')}

    def get_tree(self, directory):
        """Copy everything into a host directory, for `diff -r` and the like."""
        run('mcopy', '-s', '-n', '-m', '-i', self._mtools, '::/*', directory)

    def fsck(self, counted=True):
        """Check with fsck.fat; raises RuntimeError with its report if anything is wrong. What FSInfo says of free
        clusters need not be right where they are not `counted`: U-Boot does not count them."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / 'volume'
            copy_range(self.image, self.offset, self.size, copy)
            if not counted:
                forget_free_count(copy)
            run('fsck.fat', '-n', '-v', copy)
