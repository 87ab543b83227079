"""FAT volumes as bytes, to damage them in a chosen way: entries of the FAT, directory entries, chains.

    fat = FatBytes(read, write)             # read(offset, size), write(offset, bytes) of the volume
    first = fat.find('/EFI/BOOT/BOOTX64.EFI').cluster
    fat.set(first, fat.find('/EFI/BOOT/x').cluster)

FAT16 and FAT32 (Microsoft FAT Specification, 2005). What is set goes into all copies of the FAT unless
`copies` names them.
"""
import struct
from dataclasses import dataclass

LAST = {16: 0xFFFF, 32: 0x0FFFFFFF}
# Bits of entry 1: closed cleanly, no errors met.
CLEAN = {16: 0x8000, 32: 0x08000000}
ENTRY = 32
LONG_NAME = 0x0F
DIRECTORY = 0x10
VOLUME_LABEL = 0x08


@dataclass
class Found:
    """A directory entry: where it is in the volume, and what it says."""
    offset: int
    name: str
    attributes: int
    cluster: int
    size: int


class FatBytes:
    """Raises LookupError where there is no file system, or not what is asked for."""

    def __init__(self, read, write):
        self.read, self.write = read, write
        boot = read(0, 512)
        self.sector, per_cluster, reserved, self.copies, roots = struct.unpack_from('<HBHBH', boot, 11)
        if boot[510:] != b'\x55\xaa' or not self.sector or not per_cluster or not self.copies:
            raise LookupError('no FAT file system')
        self.cluster_size = self.sector * per_cluster
        fat_sectors = struct.unpack_from('<H', boot, 22)[0]
        self.bits = 16 if fat_sectors else 32
        fat_sectors = fat_sectors or struct.unpack_from('<I', boot, 36)[0]
        sectors = struct.unpack_from('<H', boot, 19)[0] or struct.unpack_from('<I', boot, 32)[0]
        self.fat_offset, self.fat_size = reserved * self.sector, fat_sectors * self.sector
        self.root_offset = self.fat_offset + self.copies * self.fat_size
        self.root_size = roots * ENTRY
        self.data = self.root_offset + self.root_size
        self.root_cluster = struct.unpack_from('<I', boot, 44)[0] if self.bits == 32 else 0
        self.count = (sectors * self.sector - self.data) // self.cluster_size

    def get(self, cluster, copy=0):
        """An entry of the FAT."""
        width = self.bits // 8
        at = self.fat_offset + copy * self.fat_size + cluster * width
        return int.from_bytes(self.read(at, width), 'little') & LAST[self.bits]

    def set(self, cluster, value, copies=None):
        """Change an entry of the FAT."""
        width = self.bits // 8
        for copy in range(self.copies) if copies is None else copies:
            at = self.fat_offset + copy * self.fat_size + cluster * width
            self.write(at, value.to_bytes(width, 'little'))

    def chain(self, cluster):
        """The clusters from this one on; as far as the chain is sound."""
        clusters = []
        while 2 <= cluster < self.count + 2 and cluster not in clusters:
            clusters.append(cluster)
            cluster = self.get(cluster)
        return clusters

    def place(self, cluster):
        """Offset of a cluster in the volume."""
        return self.data + (cluster - 2) * self.cluster_size

    def free(self, skip=64):
        """A cluster that nothing uses, not too near to those that do."""
        found = [n for n in range(2 + skip, self.count + 2 - skip, 97) if self.get(n) == 0]
        if not found:
            raise LookupError('no free cluster')
        return found[-1]

    def _directory(self, cluster):
        """Offsets of a directory's entries; 0 is the root."""
        if not cluster and self.bits == 16:
            return range(self.root_offset, self.root_offset + self.root_size, ENTRY)
        clusters = self.chain(cluster or self.root_cluster)
        return [self.place(n) + at for n in clusters for at in range(0, self.cluster_size, ENTRY)]

    def entries(self, cluster=0):
        """What is in a directory; long names where there are such."""
        long = ''
        for at in self._directory(cluster):
            raw = self.read(at, ENTRY)
            if raw[0] == 0:
                return
            if raw[0] != 0xE5 and raw[11] == LONG_NAME:
                part = (raw[1:11] + raw[14:26] + raw[28:32]).decode('utf-16-le', 'replace')
                long = part.split('\0')[0] + long
                continue
            if raw[0] != 0xE5 and not raw[11] & VOLUME_LABEL:
                short = raw[:8].decode('latin-1').rstrip() + '.' + raw[8:11].decode('latin-1').rstrip()
                high, low, size = struct.unpack_from('<H4xHI', raw, 20)
                yield Found(at, long or short.rstrip('.'), raw[11], high << 16 | low, size)
            long = ''

    def find(self, path):
        """The entry of a file or directory."""
        found = None
        for part in path.strip('/').split('/'):
            if found and not found.attributes & DIRECTORY:
                raise LookupError(f'{path}: not a directory')
            match = [entry for entry in self.entries(found.cluster if found else 0)
                     if entry.name.lower() == part.lower()]
            if not match:
                raise LookupError(f'{path}: not there')
            found = match[0]
        return found

    def clusters(self, path, least=1):
        """The clusters of a file that has as many."""
        chain = self.chain(self.find(path).cluster)
        if len(chain) < least:
            raise LookupError(f'{path}: {len(chain)} clusters')
        return chain
