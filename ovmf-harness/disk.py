"""Disks of a virtual machine: a sparse raw image, a controller, a partition table, FAT volumes.

Every disk brings its own controller in its own PCI slot, so its device path never depends on
which other disks are there, and disks sort by device path in the order in which they were added,
whatever their controllers: the first one added is the firmware's "Disk 0".
"""
import gpt
import mbr
from devicepath import file, hd, hd_mbr, nvme, path, pci, pci_root, sata, scsi, usb
from fat import Volume

MIB = 1024 * 1024


def _nvme(disk):
    # Behind a port, as they are in real machines: where one can be plugged in (see `early`).
    return [f'pcie-root-port,id={disk.name}p,chassis={disk.slot},slot={disk.slot},{disk.address}',
            f'nvme,id={disk.name},bus={disk.name}p,serial={disk.name},drive={disk.name}d'
            + disk.block_options]


def _ahci(disk):
    return [f'ahci,id={disk.name}c,{disk.address}',
            f'ide-hd,id={disk.name},bus={disk.name}c.0,serial={disk.name},drive={disk.name}d']


def _virtio_blk(disk):
    return [f'virtio-blk-pci,id={disk.name},serial={disk.name},drive={disk.name}d,{disk.address}'
            + disk.block_options]


def _virtio_scsi(disk):
    return [f'virtio-scsi-pci,id={disk.name}c,{disk.address}',
            f'scsi-hd,id={disk.name},bus={disk.name}c.0,scsi-id=0,lun=0,serial={disk.name},'
            f'drive={disk.name}d' + disk.block_options]


def _usb(disk):
    return [f'qemu-xhci,id={disk.name}c,{disk.address}',
            f'usb-storage,id={disk.name},bus={disk.name}c.0,port=1,removable=on,'
            f'serial={disk.name},drive={disk.name}d']


def _usb2(disk):
    return [f'usb-ehci,id={disk.name}c,{disk.address}',
            f'usb-storage,id={disk.name},bus={disk.name}c.0,port=1,removable=on,'
            f'serial={disk.name},drive={disk.name}d']


# kind: (QEMU devices, device path nodes behind Pci(), whether 4096-byte blocks exist)
KINDS = {
    'nvme': (_nvme, [pci(0), nvme()], True),
    'ahci': (_ahci, [sata(0)], False),
    'virtio-blk': (_virtio_blk, [], True),
    'virtio-scsi': (_virtio_scsi, [scsi(0)], True),
    'usb': (_usb, [usb(0)], False),
    'usb2': (_usb2, [usb(0)], False),
}


class DiskVolume(Volume):
    """A partition (or a whole disk without a table) of a disk, as a FAT volume with device paths."""

    def __init__(self, disk, offset, size, partition=None, node=None):
        super().__init__(disk.image, offset, size, disk.block_size, disk.busy)
        self.disk, self.partition, self.node = disk, partition, node

    @property
    def guid(self):
        """The partition's unique GUID, lower case."""
        return self.partition.guid.lower()

    def short_path(self, name):
        """Device path of a file in the short form: HD() first."""
        return path(self.node, file(name))

    def full_path(self, name):
        """Device path of a file from PciRoot() on."""
        return path(*self.disk.nodes, *([self.node] if self.node else []), file(name))


class Disk:
    """One disk. Made by `Machine.add_disk`; `table` is the gpt.Table written last, or None."""

    def __init__(self, name, kind, image, slot, size, block_size, busy=lambda: False):
        if kind not in KINDS:
            raise ValueError(f'{kind}: not one of {", ".join(KINDS)}')
        if block_size != 512 and not KINDS[kind][2]:
            raise ValueError(f'QEMU has no {kind} disk with blocks of {block_size}')
        self.name, self.kind, self.image, self.slot = name, kind, image, slot
        self.size, self.block_size, self.busy = size, block_size, busy
        self.pulled, self.table, self.volumes = False, None, {}
        with open(image, 'wb') as stream:
            stream.truncate(size)

    @property
    def address(self):
        return f'addr=0x{self.slot:x}'

    @property
    def block_options(self):
        size = self.block_size
        return f',logical_block_size={size},physical_block_size={size}'

    @property
    def nodes(self):
        """Device path nodes of the disk itself."""
        return [pci_root(), pci(self.slot), *KINDS[self.kind][1]]

    @property
    def text_prefix(self):
        """How the firmware prints the beginning of this disk's device path."""
        return f'PciRoot(0x0)/Pci(0x{self.slot:X},0x0)'

    def arguments(self):
        """QEMU's options for this disk; flushes of the guest end in the host's cache."""
        image = str(self.image).replace(',', ',,')
        options = ['-drive', f'if=none,id={self.name}d,format=raw,cache=unsafe,file={image}']
        for device in KINDS[self.kind][0](self):
            options += ['-device', device]
        return options

    def write_gpt(self, partitions, disk_guid=None, **options):
        """Write a GPT (see gpt.Table) and make its partitions known as volumes."""
        self.table = gpt.Table(self.image, self.block_size, partitions, disk_guid, **options)
        self.table.write()
        for part in self.table.partitions:
            node = hd(part.number, part.first_lba, part.blocks, part.guid)
            self._add_volume(part, part.number, node)
        return self.table

    def reread(self):
        """Take the table and the volumes from what is on the disk now, after the product changed it."""
        copy = gpt.read(self.image, self.block_size)
        self.volumes = {}
        for part in copy.partitions:
            node = hd(part.number, part.first_lba, part.blocks, part.guid)
            self._add_volume(part, part.number, node)
        return copy

    def write_mbr(self, signature, partitions):
        """Write an MBR with up to four primary partitions (see mbr.Partition)."""
        mbr.write(self.image, signature, partitions)
        for number, part in enumerate(partitions, 1):
            node = hd_mbr(number, part.first_lba, part.blocks, signature)
            self._add_volume(part, number, node)

    def superfloppy(self):
        """Use the whole disk as one volume without a table."""
        self.volumes[1] = DiskVolume(self, 0, self.size)
        return self.volumes[1]

    def _add_volume(self, part, number, node):
        size = self.block_size
        self.volumes[number] = DiskVolume(self, part.first_lba * size, part.blocks * size, part,
                                          node)

    @property
    def esp(self):
        """The first EFI system partition of the table."""
        types = (gpt.ESP, mbr.TYPE_ESP)
        return next(v for v in self.volumes.values()
                    if v.partition and v.partition.type in types)

    @property
    def volume(self):
        """The first volume: what a stick has."""
        return self.volumes[min(self.volumes)]
