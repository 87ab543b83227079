"""What Windows' boot manager stops with, and the damages of tests/repair that cause it.

CAUSES has a row for each cause that was seen with a boot manager of Windows 10 (10.0.19041), and the cases
that play it; each says the code behind its verdict. OTHERS has codes that nothing in a store or on a volume
that can be looked at causes, with why no case has them.
"""
CAUSES = [
    ('0xc000000f', 'no store', {'shadow-store-missing'}),
    ('0xc000000f', 'a store whose checksum is wrong', {'shadow-store-bad-checksum'}),
    ('0xc000000f', 'a store that was not written completely, without its log', {'shadow-store-dirty'}),
    ('0xc000000f', 'no winload.efi on the volume that is named', {'shadow-loader-missing', 'shadow-windows-missing'}),
    ('0xc000000f', 'the ESP is named, which has none', {'shadow-store-boot-device', 'shadow-store-esp-device'}),
    ('0xc000000e', 'neither the partition nor its disk is here', {'shadow-store-nowhere', 'shadow-store-of-primary'}),
    ('0xc0000225', 'the disk is here, the partition is not', {'shadow-store-partition-gone',
                                                              'shadow-data-partition-gone'}),
    ('0xc0000034', 'no object in the store', {'shadow-store-without-objects'}),
    ('0xc0000034', 'a store shorter than it says', {'shadow-store-truncated'}),
    ('0xc0000034', 'what is started first is no object in the store', {'shadow-store-all-gone'}),
    ('0xc0000098', 'nothing is named to be started', {'primary-store-no-choice'}),
    ('0xc000014c', 'the file is no hive', {'shadow-store-not-a-hive', 'shadow-store-empty'}),
    ('0xc0000001', 'a loader without description', {'shadow-store-no-description'}),
    ('0xc0000001', 'a loader without device', {'primary-store-no-device'}),
    ('0xc000007b', 'winload.efi is for another kind of machine', {'shadow-windows-other-machine'}),
    ('0xc000007b', 'winload.efi is no program', {'shadow-loader-text', 'shadow-loader-zero',
                                                 'shadow-loader-truncated'}),
]
OTHERS = {
    '0xc0000428': 'winload.efi or a driver is not what was signed: Windows checks that, and nobody here',
    '0xc0430001': 'versions that do not go together under Secure Boot (esp-newer-than-windows says it)',
    '0xc0430002': 'policies of Secure Boot, and so on up to 0xc0430009: Windows keeps them, no store does',
    '0xc0000452': 'Windows Setup does not find the ESP it was started from',
    '0xc0000454': 'no cause is known',
    '0xc0000185': 'a disk that cannot be read, as 0xc00000e9 is: which of both comes was not seen',
    '0xc0000605': 'a preview of Windows that has expired',
}
