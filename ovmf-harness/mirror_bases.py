"""More machines for `mirror`, with other disks beside the mirror or another way to start: importing this
adds them to mirror.BASES.

    third-esp     Windows' mirror on Disks 0 and 1 without ESPs, the only one is on Disk 2
    foreign       half of another server's mirror as Disk 0, the machine's own on Disks 1 and 2
    old-shadow    the mirror on Disks 0 and 1; Disk 2 was its shadow before, with older databases
    two-mirrors   two groups with Windows, on Disks 0 and 1 and on Disks 2 and 3, an entry for each disk
    beside-data   Windows under BitLocker on Disk 0, a data mirror on Disks 1 and 2
    three         a Linux RAID 1 of three disks, each with ESP and entry
    md-arrays     two disks with three arrays each: swap, home, root
    md-third      a Linux RAID 1 on Disks 0 and 1 without ESPs, the ESP on Disk 2
    md-beside     Linux on a plain partition of Disk 0, an array with data on Disks 1 and 2
    bios          Windows' mirror on two MBR disks, an entry of the firmware's own for a BIOS start
    bios-basic    Windows on an active partition of an MBR disk
    md-hybrid     a Linux RAID 1 on two GPT disks, one with an ESP and one with a BIOS boot partition
    md-bios       a Linux RAID 1 on two GPT disks with BIOS boot partitions, no ESP anywhere

A disk says to which system it belongs (DiskFile.system) and whether it carries a copy (DiskFile.copy).
"""
import struct

import gpt
import ldm
import mirror
import regf
import sparse
import windows_tree
from devicepath import LoadOption, node, path
from firmware_model import BIOS_BOOT
from system_model import LINUX_DATA
from mirror import MIB, STORED, DiskFile, LINUX_RAID, guid_of, windows_volume

TOTAL = 128 * MIB
WINDOWS_SERIAL = 0xA1B2C3D4E5F60718
SHIM = '\\EFI\\debian\\shimx64.efi'


def windows_disks(setup, count, esp=16, total=TOTAL):
    """Dynamic disks as `mirror` has them, with ESPs of `esp` MiB without files (0: none)."""
    for _ in range(count):
        sizes = [('esp', gpt.ESP, esp)] if esp else []
        mirror.add_disk(setup, [*sizes, ('metadata', gpt.LDM_METADATA, 1), ('msr', gpt.MSR, 16),
                                ('plex', gpt.LDM_DATA, 8)], total=total)


def put_group(setup, indexes, name, letter='C:', only=None, **more):
    """A group over these disks with one mirror; its database goes to those in `only`."""
    disks = tuple(ldm.LdmDisk(f'{name}{index}', guid_of('ldm disk', index),
                              setup.disk(index).parts['metadata'].first_lba,
                              setup.disk(index).parts['plex'].first_lba, 8 * MIB // 512)
                  for index in indexes)
    volume = ldm.mirror('Volume1', guid_of('volume', name), 8 * MIB // 512, ((0, 0), (1, 0)), hint=letter)
    group = ldm.DiskGroup(disks, (volume,), group_guid=guid_of('group', name), group_name=name, **more)
    for place, index in enumerate(indexes):
        region = bytearray(ldm.build_private_region(group, place))
        mirror.make_config_small(region)
        if index in (only or indexes):
            disk = setup.disk(index)
            mirror.write_sparse(disk.image, disk.offset('metadata'), region)


def put_windows(setup, *indexes, serial=WINDOWS_SERIAL):
    for index in indexes:
        disk = setup.disk(index)
        mirror.put_plex(setup, index, windows_volume(8 * MIB, 512, disk.parts['plex'].first_lba,
                                                     serial=serial))


def put_esps(setup, files, *indexes):
    for index in indexes:
        disk = setup.disk(index)
        mirror.put_files(setup.volume(index, change=True).format(16, serial=0xE5B00000 + index), files)
        sparse.punch(disk.image)


def windows_entries(setup, *indexes):
    for number, index in enumerate(indexes):
        mirror.add_entry(setup, number, 'Windows Boot Manager', index, mirror.LOADER,
                         mirror.modern_options())
    mirror.add_settings(setup)


def linux_entries(setup, *indexes):
    for number, index in enumerate(indexes):
        mirror.add_entry(setup, number, 'debian', index, SHIM)
    mirror.add_settings(setup)


def belongs(setup, system, *indexes, copy=True):
    for index in indexes:
        setup.disk(index).system, setup.disk(index).copy = system, copy


def build_third_esp(setup):
    windows_disks(setup, 2, esp=0)
    put_group(setup, (0, 1), 'Disk')
    put_windows(setup, 0, 1)
    mirror.add_disk(setup, [('esp', gpt.ESP, 16), ('msr', gpt.MSR, 16)], total=64 * MIB)
    put_esps(setup, mirror.windows_files(), 2)
    belongs(setup, 'own', 2, copy=False)
    windows_entries(setup, 2)


def ordinary_files():
    """What Windows puts on an ESP in its true size: 140 files, 26 MB."""
    debugging = {f'{mirror.BOOT_FILES}/kd_02_{vendor}.dll': mirror.filler(vendor, windows_tree.odd(vendor, 1620))
                 for vendor in ('10df', '10ec', '8086')}
    return windows_tree.files() | debugging


def build_ordinary(setup):
    """`mirror` with ESPs as Windows' own set-up makes and fills them. Too large to be one of mirror.BASES."""
    windows_disks(setup, 2, esp=260, total=320 * MIB)
    put_group(setup, (0, 1), 'Disk')
    put_windows(setup, 0, 1)
    for index in range(2):
        esp = setup.volume(index, change=True).format(32, cluster=8, serial=0xE5B00000 + index)
        mirror.put_files(esp, ordinary_files())
        mirror.put_store(setup, index, 1 - index)
    windows_entries(setup, 0, 1)


def build_foreign(setup):
    windows_disks(setup, 3)
    put_windows(setup, 0, serial=0x5151)
    put_windows(setup, 1, 2)
    setup.disks.append(DiskFile(None, 512, 'ahci', 3, parts=setup.disk(0).parts))   # the half that is away
    put_group(setup, (0, 3), 'Other', only=(0,))
    del setup.disks[3]
    put_group(setup, (1, 2), 'Disk')
    put_esps(setup, mirror.windows_files(), 0, 1, 2)
    belongs(setup, 'other', 0)
    windows_entries(setup, 1, 2)


def build_old_shadow(setup):
    windows_disks(setup, 3)
    put_windows(setup, 0, 1, 2)
    put_group(setup, (0, 2), 'Disk', only=(2,))
    put_group(setup, (0, 1), 'Disk', transaction=30)
    put_esps(setup, mirror.windows_files(), 0, 1, 2)
    belongs(setup, 'old', 2)
    windows_entries(setup, 0, 1, 2)


def build_two_mirrors(setup):
    windows_disks(setup, 4)
    put_windows(setup, 0, 1)
    put_windows(setup, 2, 3, serial=0x5151)
    put_group(setup, (0, 1), 'Disk')
    put_group(setup, (2, 3), 'Other')
    put_esps(setup, mirror.windows_files(), 0, 1, 2, 3)
    belongs(setup, 'other', 2, 3)
    windows_entries(setup, 0, 1, 2, 3)


def build_beside_data(setup):
    mirror.add_disk(setup, [('esp', gpt.ESP, 16), ('msr', gpt.MSR, 16), ('plex', gpt.BASIC_DATA, 8)],
                    total=TOTAL)
    volume = bytearray(windows_volume(8 * MIB, 512, setup.disk(0).parts['plex'].first_lba))
    mirror.ntfs.set_bitlocker(volume)
    mirror.put_plex(setup, 0, volume)
    windows_disks(setup, 2, esp=0)
    put_group(setup, (1, 2), 'Data', letter='D:')
    data = mirror.ntfs.build(8 * MIB, {'/data.txt': b'x'}, serial=0xD0D0D0D0)
    for index in (1, 2):
        mirror.put_plex(setup, index, data)
    put_esps(setup, mirror.windows_files(), 0)
    belongs(setup, 'data', 1, 2)
    windows_entries(setup, 0)


def put_array(setup, indexes, role, array):
    for place, index in enumerate(indexes):
        disk = setup.disk(index)
        block = mirror.md_superblock(place, disk.parts[role].blocks, array, raid_disks=len(indexes))
        mirror.write_sparse(disk.image, disk.offset(role) + 4096, block)


def linux_disks(setup, count, sizes):
    for _ in range(count):
        mirror.add_disk(setup, sizes, total=TOTAL)


def build_three(setup):
    linux_disks(setup, 3, [('esp', gpt.ESP, 16), ('plex', LINUX_RAID, 8)])
    put_array(setup, (0, 1, 2), 'plex', 'catalogue:0')
    put_esps(setup, mirror.linux_files(), 0, 1, 2)
    linux_entries(setup, 0, 1, 2)


def build_md_arrays(setup):
    linux_disks(setup, 2, [('esp', gpt.ESP, 16), ('swap', LINUX_RAID, 8), ('home', LINUX_RAID, 24),
                           ('plex', LINUX_RAID, 8)])
    for role, array in (('swap', 'server:swap'), ('home', 'server:home'), ('plex', 'server:root')):
        put_array(setup, (0, 1), role, array)
    put_esps(setup, mirror.linux_files(), 0, 1)
    linux_entries(setup, 0, 1)


def build_md_third(setup):
    linux_disks(setup, 2, [('plex', LINUX_RAID, 8)])
    put_array(setup, (0, 1), 'plex', 'server:0')
    mirror.add_disk(setup, [('esp', gpt.ESP, 16)], total=64 * MIB)
    put_esps(setup, mirror.linux_files(), 2)
    belongs(setup, 'own', 2, copy=False)
    linux_entries(setup, 2)


def build_md_beside(setup):
    linux_disks(setup, 1, [('esp', gpt.ESP, 16), ('plex', LINUX_DATA, 32)])
    linux_disks(setup, 2, [('plex', LINUX_RAID, 16)])
    put_array(setup, (1, 2), 'plex', 'server:nas')
    put_esps(setup, mirror.linux_files(), 0)
    belongs(setup, 'data', 1, 2)
    linux_entries(setup, 0)


def bios_disk(setup, kind, blocks):
    """An empty MBR disk with boot code and one active partition at LBA 2048."""
    index = len(setup.disks)
    part = gpt.Partition(kind, 2048, blocks, guid_of('bios', index), number=1)
    disk = DiskFile(setup.folder / f'disk{index}.img', 512, mirror.CONTROLLERS[index], index, {'plex': part})
    with open(disk.image, 'wb') as stream:
        stream.truncate(64 * MIB)
    setup.disks.append(disk)
    return disk


def bios_entry(setup):
    """What firmware with a CSM keeps for all hard disks: BBS, no path to a file."""
    bbs = node(5, 1, struct.pack('<HH', 2, 0) + b'SATA HDD\0')
    setup.set_entry(0, LoadOption('Hard Drive', path(bbs)))
    setup.variables['BootOrder'] = (STORED, struct.pack('<H', 0))
    mirror.add_settings(setup)


def build_bios(setup):
    for _ in range(2):
        bios_disk(setup, gpt.LDM_DATA, 16384)
    disks = tuple(ldm.LdmDisk(f'Disk{n + 1}', guid_of('ldm disk', n), 63 * 2048, 63, 50 * 2048)
                  for n in (0, 1))
    volume = ldm.mirror('Volume1', guid_of('volume'), 8 * 2048, ((0, 1985), (1, 1985)), hint='C:')
    group = ldm.DiskGroup(disks, (volume,), group_guid=guid_of('group', 'bios'))
    for index in (0, 1):
        image = setup.disk(index).image
        for at, data in ldm.mbr_disk(group, index):
            gpt.poke(image, at, data)
        gpt.poke(image, 0, b'\x33\xc0\x8e\xd0\xbc\0\x7c')
        mirror.write_sparse(image, 2048 * 512, windows_volume(8 * MIB, 512, 2048))
    bios_entry(setup)


def build_bios_basic(setup):
    disk = bios_disk(setup, gpt.BASIC_DATA, 16384)
    record = struct.pack('<B3sB3sII', 0x80, b'\xfe\xff\xff', 7, b'\xfe\xff\xff', 2048, 16384)
    gpt.poke(disk.image, 0, b'\x33\xc0\x8e\xd0\xbc\0\x7c')
    gpt.poke(disk.image, 440, struct.pack('<IH', 0x5BD10077, 0) + record.ljust(64, b'\0') + b'\x55\xaa')
    store = regf.build_store(regf.mbr_partition(2048 * 512, 0x5BD10077))
    mirror.write_sparse(disk.image, 2048 * 512, windows_volume(8 * MIB, 512, 2048, more=(('/Boot/BCD', store),)))
    bios_entry(setup)


def build_md_bios(setup):
    linux_disks(setup, 2, [('boot', BIOS_BOOT, 1), ('plex', LINUX_RAID, 8)])
    put_array(setup, (0, 1), 'plex', 'server:0')
    bios_entry(setup)


def build_md_hybrid(setup):
    linux_disks(setup, 1, [('esp', gpt.ESP, 16), ('plex', LINUX_RAID, 8)])
    linux_disks(setup, 1, [('boot', BIOS_BOOT, 1), ('plex', LINUX_RAID, 8)])
    put_array(setup, (0, 1), 'plex', 'server:0')
    put_esps(setup, mirror.linux_files(), 0)
    linux_entries(setup, 0)


mirror.BASES.update({
    'third-esp': build_third_esp, 'foreign': build_foreign, 'old-shadow': build_old_shadow,
    'two-mirrors': build_two_mirrors, 'beside-data': build_beside_data, 'three': build_three,
    'md-arrays': build_md_arrays, 'md-third': build_md_third, 'md-beside': build_md_beside,
    'bios': build_bios, 'bios-basic': build_bios_basic, 'md-bios': build_md_bios, 'md-hybrid': build_md_hybrid})
