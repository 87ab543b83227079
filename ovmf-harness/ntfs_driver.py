"""Volumes of mkntfs and the ntfs-3g driver, and what the program's reader sees in them.

    image = make(tmp_path / 'image', sector=512, cluster=4096)
    with mounted(image, tmp_path / 'mount') as folder:      # a test that takes the fixture `fuse`
        (folder / 'file').write_bytes(b'...')
    dump = Dump(image, ['\\file'])
    dump.facts['boot'], dump.files['\\file'].content

The reader is looked at through tests/tools/ntfs_dump.c, in $SHADOWBOOT_TOOLS or build/host/tools.
"""
import contextlib
import hashlib
import os
import subprocess
import time
from collections import defaultdict, namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20
ENVIRONMENT = dict(os.environ, LC_ALL='C.UTF-8', PATH=os.environ['PATH'] + ':/usr/sbin:/sbin')

File = namedtuple('File', 'status record flags form size content reads bytes')
Item = namedtuple('Item', 'status record flags size')


def run(*words, check=True, text=True):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, env=ENVIRONMENT,
                          capture_output=True, check=check, text=text)
    return done.stdout


class Dump:
    """What our reader says about an image: `facts` by name, and `files` by path."""

    def __init__(self, image, paths=(), block=512, blocks=0, chunk=MIB):
        self.files = {}
        for *fields, path in self.read(image, paths, ['-b', block, '-n', blocks, '-c', chunk]):
            self.files[path] = File(*fields)
        assert set(self.files) == (set(paths) if self.facts['open'] == 'success' else set())

    def read(self, image, paths, options):
        """Takes the facts; gives the lines of fields."""
        program = Path(os.environ.get('SHADOWBOOT_TOOLS', ROOT / 'build/host/tools')) / 'ntfs_dump'
        done = subprocess.run([program, *map(str, options), image], env=ENVIRONMENT,
                              input=''.join(path + '\n' for path in paths), capture_output=True,
                              text=True, check=False)
        assert done.stderr == ''
        lines = done.stdout.splitlines()
        self.facts = dict(line.split('=', 1) for line in lines if '\t' not in line)
        assert (done.returncode == 0) == (self.facts['open'] == 'success')
        return [line.split('\t') for line in lines if '\t' in line]

    def statuses(self):
        return {path: file.status for path, file in self.files.items()}


class Listing(Dump):
    """What our reader says is in folders: path -> name -> Item; of one it cannot list the status."""

    def __init__(self, image, paths, block=512):
        self.folders = defaultdict(dict)
        for *fields, path, name in self.read(image, paths, ['-b', block, '-l']):
            if name:
                self.folders[path][name] = Item(*fields)
            else:
                self.folders[path] = fields[0]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def make(image, sector=512, cluster=4096, size=64 * MIB, label='Volume', start=63, options=()):
    with image.open('wb') as file:
        file.truncate(size)
    run('mkntfs', '-q', '-Q', '-F', '-s', sector, '-c', cluster, '-p', start, '-H', 255, '-S', 63,
        '-L', label, *options, image)
    return image


def poke(image, offset, content):
    with image.open('r+b') as file:
        file.seek(offset)
        file.write(content)


def peek(image, offset, size):
    with image.open('rb') as file:
        file.seek(offset)
        return file.read(size)


COMPRESSED_DIRECTORY = b'\x00\x00\x08\x10'  # attributes, big-endian: directory, compressed


# --- The driver -----------------------------------------------------------------------------------

def unmount(folder, driver):
    for words in (['umount', folder], ['fusermount', '-u', folder]):
        if subprocess.run(words, capture_output=True, check=False, env=ENVIRONMENT).returncode == 0:
            break
    return driver.wait(timeout=600)


@contextlib.contextmanager
def mounted(image, folder, options=''):
    """The volume as a folder. When this ends the driver has written everything."""
    folder.mkdir(exist_ok=True)
    log = folder.with_suffix('.log')
    command = ['ntfs-3g', '-o', 'no_detach,compression' + options, str(image), str(folder)]
    with log.open('wb') as output, \
            subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=output,
                             stderr=output) as driver:
        for _ in range(6000):  # nobody knows how busy the machine is
            if os.path.ismount(folder) or driver.poll() is not None:
                break
            time.sleep(0.05)
        if not os.path.ismount(folder):
            driver.kill()
            raise OSError(log.read_text(errors='replace'))
        try:
            yield folder
        finally:
            assert unmount(folder, driver) == 0


def compressed_folder(folder):
    """A folder whose new files the driver compresses."""
    folder.mkdir()
    os.setxattr(folder, 'system.ntfs_attrib_be', COMPRESSED_DIRECTORY)
    return folder


@pytest.fixture(scope='session')
def fuse(tmp_path_factory):
    """Skips the test where the driver cannot mount."""
    folder = tmp_path_factory.mktemp('fuse')
    image = make(folder / 'image', size=4 * MIB)
    if not os.path.exists('/dev/fuse'):
        pytest.skip('no /dev/fuse here')
    try:
        with mounted(image, folder / 'mount'):
            pass
    except OSError as error:
        pytest.skip(f'the ntfs-3g driver cannot mount here: {error}')


class Tree:
    """Files written through the driver: path -> (record, size, digest), None for directories."""

    def __init__(self, folder):
        self.folder = folder
        self.expected = {}

    def note(self, place, content):
        path = '\\' + str(place.relative_to(self.folder)).replace('/', '\\')
        size = 0 if content is None else len(content)
        self.expected[path] = (place.stat().st_ino, size, content and digest(content))

    def directory(self, name):
        place = self.folder / name
        place.mkdir(parents=True)
        self.note(place, None)

    def file(self, name, content=b''):
        place = self.folder / name
        place.write_bytes(content)
        self.note(place, content)
