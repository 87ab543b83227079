"""What Windows puts on an ESP, in its true number and size of files: some 140 files, 21 MB.

    tree = files()                    # {'/EFI/Microsoft/Boot/bootmgfw.efi': b'...', ...}
    put_onto(volume)                  # the same onto a formatted FAT volume
    difference(volume)                # '' when the volume holds exactly that, else what differs

For what is measured in seconds; `mirror.windows_files` has the same tree a hundred times smaller. The
boot managers are the stand-in made as long as Windows' own, so the machine starts; all else has no
meaning and no zeros.
"""
import functools

import pe
import regf
from mirror import BOOT_FILES, FALLBACK, filler, put_files, standin

KIB = 1024
LANGUAGES = (
    'bg-BG', 'cs-CZ', 'da-DK', 'de-DE', 'el-GR', 'en-GB', 'en-US', 'es-ES', 'es-MX', 'et-EE',
    'fi-FI', 'fr-CA', 'fr-FR', 'hr-HR', 'hu-HU', 'it-IT', 'ja-JP', 'ko-KR', 'lt-LT', 'lv-LV',
    'nb-NO', 'nl-NL', 'pl-PL', 'pt-BR', 'pt-PT', 'qps-ploc', 'qps-plocm', 'ro-RO', 'ru-RU', 'sk-SK',
    'sl-SI', 'sr-Latn-RS', 'sv-SE', 'th-TH', 'tr-TR', 'uk-UA', 'zh-CN', 'zh-TW')
# Sizes in KiB; each file gets some bytes more, so that none ends with a cluster.
PROGRAMS = {'bootmgfw.efi': 1640, 'bootmgr.efi': 1625, 'memtest.efi': 1310}
MESSAGES = {'bootmgfw.efi.mui': 78, 'bootmgr.efi.mui': 78, 'memtest.efi.mui': 44}
FONTS = {'chs_boot.ttf': 1800, 'cht_boot.ttf': 1850, 'jpn_boot.ttf': 1000, 'kor_boot.ttf': 1050,
         'malgun_boot.ttf': 174, 'meiryo_boot.ttf': 141, 'msjh_boot.ttf': 160, 'msyh_boot.ttf': 152,
         'segmono_boot.ttf': 43, 'segoen_slboot.ttf': 83, 'segoe_slboot.ttf': 84,
         'wgl4_boot.ttf': 47}


def odd(name, kib):
    """A size in bytes near so many KiB that is no round number."""
    return kib * KIB + 1 + len(name) * 13


@functools.cache
def program(name, size):
    """The stand-in, made `size` bytes long."""
    image = standin()
    return pe.set_checksum(image + filler(name, size - len(image)))


@functools.cache
def files():
    """Path to content, the parts of \\EFI\\Microsoft\\Boot and the fallback boot file."""
    own = {name: program(name, odd(name, kib)) for name, kib in PROGRAMS.items()}
    own.update({'BCD': regf.build_store(), 'BCD.LOG': bytes(28 * KIB), 'BCD.LOG1': b'',
                'BCD.LOG2': b'', 'BOOTSTAT.DAT': bytes(64 * KIB), 'boot.stl': filler('stl', 9700),
                'Resources/bootres.dll': filler('bootres', odd('bootres', 90))})
    for name, kib in FONTS.items():
        own[f'Fonts/{name}'] = filler(name, odd(name, kib))
    for language in LANGUAGES:
        for name, kib in MESSAGES.items():
            own[f'{language}/{name}'] = filler(language + name, odd(language + name, kib))
    tree = {f'{BOOT_FILES}/{name}': data for name, data in own.items()}
    tree[FALLBACK] = own['bootmgfw.efi']
    return tree


def size():
    """Bytes of all files."""
    return sum(map(len, files().values()))


def put_onto(volume):
    put_files(volume, files())


def difference(volume, path='/EFI'):
    """What of the tree below `path` a volume does not hold in the same way; '' when all is the same."""
    wanted = {name: data for name, data in files().items() if name.startswith(path + '/')}
    found = volume.copy_out(path)
    wrong = sorted({*wanted, *found} - {name for name in wanted if found.get(name) == wanted[name]})
    return f'{len(wrong)} files differ or are not in both: {wrong[0]}, ...' if wrong else ''
