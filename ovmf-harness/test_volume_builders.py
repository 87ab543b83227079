"""The builders of NTFS volumes, boot stores and PE images, judged by other people's software.

ntfs-3g's tools read the volumes, hivex the stores, binutils the images; no machine is started. A
judge that never objects would prove nothing, so each is also shown something that is wrong.
"""
import struct
import subprocess

import pytest

import limits
import ntfs
import pe
import regf

MIB = 1 << 20
KERNEL = bytes(range(256)) * 400
FILES = {
    '/Windows/System32/winload.efi': b'loader' * 1000,
    '/Windows/System32/ntoskrnl.exe': KERNEL,
    '/Windows/Boot/EFI/bootmgfw.efi': b'boot',
    '/bootmgr': b'',
    '/Users': None,
    '/zz last in order.txt': b'q' * 512,
}
SHAPES = {  # MiB, bytes per sector, bytes per cluster
    'usual': (4, 512, 4096),
    'least': (2, 512, 4096),
    '4Kn': (4, 4096, 4096),
    'small clusters': (4, 512, 512),
    'large clusters': (16, 512, 65536),
}


def said(*command):
    """(exit status, output) of a tool; bytes that are no text do not matter."""
    done = limits.run([str(c) for c in command], 60, stdin=subprocess.DEVNULL,
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors='replace')


@pytest.fixture
def saved(tmp_path):
    """Saves bytes as a file; gives its path."""
    def save(data):
        path = tmp_path / 'built'
        path.write_bytes(data)
        return path
    return save


# NTFS

def listed(image):
    """{path: size} as ntfsls lists files and directories."""
    status, text = said('ntfsls', '-R', '-l', image)
    assert status == 0, text
    found, folder = {}, '/'
    for line in text.splitlines():
        words = line.split(None, 5)
        if line.endswith(':') and line.startswith('/'):
            folder = line[:-1].rstrip('/') + '/'
        elif len(words) == 6 and words[5] not in ('.', '..'):
            found[folder + words[5]] = int(words[0])
    return found


@pytest.fixture(params=SHAPES)
def shape(request):
    return SHAPES[request.param]


def test_volume_is_listed_and_read_by_ntfs_3g(shape, saved):
    size, sector, cluster = shape
    image = saved(ntfs.build(size * MIB, FILES, label='System', sector=sector, cluster=cluster))
    found = listed(image)
    assert found == {
        **{name: len(content or b'') for name, content in FILES.items()},
        '/Windows': 0, '/Windows/System32': 0, '/Windows/Boot': 0, '/Windows/Boot/EFI': 0}
    for name, content in FILES.items():
        if content is None:
            continue
        done = subprocess.run(['ntfscat', image, name], capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (0, content), name
    status, text = said('ntfsinfo', '-m', image)
    assert status == 0 and 'Volume Name: System' in text and 'Volume Flags: 0x0000' in text
    assert f'Sector Size: {sector}\n' in text and f'Cluster Size: {cluster}\n' in text


def test_volume_passes_the_checks_of_ntfsfix_and_ntfsresize(shape, saved):
    size, sector, cluster = shape
    image = saved(ntfs.build(size * MIB, FILES, sector=sector, cluster=cluster))
    before = image.read_bytes()
    status, text = said('ntfsfix', '-n', image)
    assert status == 0 and 'alternate boot sector... OK' in text and 'processed successfully' in text
    status, text = said('ntfsresize', '-i', '-f', image)  # compares every run with $Bitmap
    assert status == 0 and 'Checking filesystem consistency' in text, text
    assert image.read_bytes() == before


def test_cluster_used_but_marked_free_is_noticed_by_ntfsresize(saved):
    volume = bytearray(ntfs.build(4 * MIB, FILES))
    filler = ntfs.Filler(volume)
    run = ntfs.first_run(filler.record(ntfs.FIRST_OWN + 3).get(ntfs.DATA))
    volume[filler.bitmap + run[1] // 8] ^= 1 << run[1] % 8
    status, text = said('ntfsresize', '-i', '-f', saved(volume))
    assert status != 0 and 'mismatch' in text.lower(), text


def test_dirty_flag_is_the_one_that_ntfsinfo_shows(saved):
    image = saved(ntfs.build(4 * MIB, FILES, dirty=True))
    assert 'Volume Flags: 0x0001' in said('ntfsinfo', '-f', '-m', image)[1]
    volume = bytearray(image.read_bytes())
    ntfs.set_dirty(volume, False)
    assert 'Volume Flags: 0x0000' in said('ntfsinfo', '-m', saved(volume))[1]
    assert said('ntfsfix', '-n', saved(volume))[0] == 0


def test_ntfsfix_finds_the_backup_of_the_boot_sector_where_the_builder_says(saved):
    volume = bytearray(ntfs.build(4 * MIB, FILES))
    volume[:512] = bytes(512)
    assert 'processed successfully' in said('ntfsfix', saved(volume))[1]
    backup = ntfs.backup_boot(volume)
    volume[backup:backup + 512] = bytes(512)
    assert said('ntfsfix', saved(volume))[0] != 0


def test_records_are_where_the_builder_says():
    volume = ntfs.build(4 * MIB, FILES)
    for at in (ntfs.record_offset(volume, 70), ntfs.mirror_offset(volume)):
        assert volume[at:at + 4] == b'FILE'
    assert struct.unpack_from('<I', volume, ntfs.record_offset(volume, 70) + 0x2C) == (70,)


def test_same_arguments_give_the_same_volume_and_only_the_serial_differs():
    one, two = ntfs.build(4 * MIB, FILES, serial=1), ntfs.build(4 * MIB, FILES, serial=2)
    assert one == ntfs.build(4 * MIB, FILES, serial=1)
    assert [i for i in range(len(one)) if one[i] != two[i]] == [0x48, ntfs.backup_boot(one) + 0x48]


def test_too_many_names_in_a_directory_are_refused():
    with pytest.raises(ValueError, match='in a record'):
        ntfs.build(4 * MIB, {f'/Windows/{i:08}.txt': b'' for i in range(12)})


# Boot stores

def hivexsh(hive, *lines):
    done = subprocess.run(['hivexsh', hive], input='\n'.join(lines) + '\n', capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def test_store_is_read_by_hivex(saved):
    hive = saved(regf.build_store())
    manager = f'cd \\Objects\\{regf.BOOTMGR}'
    assert hivexsh(hive, 'cd \\Objects', 'ls')[1].split() == [regf.LOADER, regf.BOOTMGR]
    assert hivexsh(hive, manager + '\\Description', 'lsval Type') == (0, f'{regf.MANAGER_TYPE}\n')
    assert hivexsh(hive, manager + '\\Elements\\12000004', 'lsval Element')[1].strip() == \
        'Windows Boot Manager'
    assert hivexsh(hive, manager + '\\Elements\\23000003', 'lsval Element')[1].strip() == regf.LOADER
    assert hivexsh(hive, 'cd \\Description', 'lsval KeyName')[1].strip() == 'BCD00000000'
    status, text = said('hivexml', hive)
    assert status == 0 and text.count('<node ') == 19 and 'root="1"' in text


def test_store_can_be_changed_by_hivex(saved):
    hive = saved(regf.build_store())
    done = subprocess.run(['hivexsh', '-w', hive], input='cd \\Objects\nadd new\ncommit\n',
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 'new' in hivexsh(hive, 'cd \\Objects', 'ls')[1].split()


@pytest.mark.parametrize('damage', [
    regf.break_checksum, regf.break_cell, lambda hive: regf.truncate(hive, 6000)])
def test_damaged_store_is_refused_by_hivex(saved, damage):
    hive = saved(damage(regf.build_store()))
    assert said('hivexml', hive)[0] != 0


def test_sequences_are_the_only_difference_of_a_dirty_store():
    clean, dirty = regf.build_store(), regf.set_sequences(regf.build_store(), 9, 8)
    assert struct.unpack_from('<II', dirty, 4) == (9, 8)
    assert clean[12:0x1FC] == dirty[12:0x1FC] and clean[0x200:] == dirty[0x200:]
    assert regf.set_sequences(dirty, 7, 7) == clean


# PE images

def headers(image):
    """{field: text} as objdump prints the headers."""
    status, text = said('objdump', '-p', '-h', image)
    assert status == 0, text
    return {line.split()[0]: line.split()[1] for line in text.splitlines() if len(line.split()) > 1}


@pytest.mark.parametrize('options', [
    {}, {'code': pe.RETURN_ERROR + bytes(9000)}, {'data': KERNEL}, {'subsystem': pe.RUNTIME_DRIVER}])
def test_image_is_read_by_binutils(saved, options):
    image = pe.build(**options)
    shown = headers(saved(image))
    assert shown['Subsystem'] == f'{options.get("subsystem", pe.APPLICATION):08x}'
    assert shown['CheckSum'] == f'{pe.checksum(image):08x}'
    assert {'.text', '.data'} <= set(said('objdump', '-h', saved(image))[1].split())
    assert 'ret' in said('objdump', '-d', saved(image))[1]


def test_checksum_is_the_one_that_binutils_writes(standin, product):
    for made in (standin, product):
        image = made.read_bytes()
        assert pe.checksum(image) == pe.stored_checksum(image) != 0
        assert pe.set_checksum(image[:pe.checksum_offset(image)] + b'\x55\x55\x55\x55'
                               + image[pe.checksum_offset(image) + 4:]) == image


def test_objcopy_agrees_about_the_checksum_of_a_built_image(saved, tmp_path):
    out = tmp_path / 'copied'
    assert said('objcopy', saved(pe.build(data=KERNEL)), out)[0] == 0
    copied = out.read_bytes()
    assert pe.checksum(copied) == pe.stored_checksum(copied)


def test_certificate_table_stands_where_the_directory_says(saved):
    image = pe.with_certificate(pe.build(), 1000)
    status, text = said('objdump', '-p', saved(image))
    at, size = [int(word, 16) for line in text.splitlines() if 'Security Directory' in line
                for word in line.split()[2:4]]
    assert status == 0 and at + size == len(image) and struct.unpack_from('<I', image, at)[0] == size
    assert pe.checksum(image) == pe.stored_checksum(image)


def test_other_machine_is_named_in_the_header():
    assert struct.unpack_from('<H', pe.build(machine=pe.AARCH64), pe.COFF) == (pe.AARCH64,)
