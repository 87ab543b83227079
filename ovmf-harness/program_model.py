"""Who starts whom on an ESP: shim, its fallback and GRUB, as their sources say; part of `system_model`.

    kind_of(name)                            # 'tool', 'shim', ... by the name in a stand-in's bytes
    next_of_shim(volume, path, options)      # the path that shim goes on to, or ValueError
    entries_of_fallback(volume)              # the paths in the lists that fbx64.efi makes entries of

shim    under \\EFI\\BOOT\\BOOT*.EFI it starts fbx64.efi there, when that is to be opened; else what the
        first word of its load options names (a second word behind its own path), and grubx64.efi where
        that is not there. Whole paths begin with \\EFI\\; of all others the name counts, in shim's folder.
fbx64   makes an entry of each line of \\EFI\\*\\BOOTX64.CSV (BOOT.CSV where there is none), in all folders
        but \\EFI\\BOOT, and starts the first. It restarts the machine when there is none.
GRUB    of a distribution reads grub.cfg in the distribution's folder, which is where it lies, unless it
        lies in \\EFI\\BOOT. It stops at a prompt without.
"""

TOOL, SHIM, FALLBACK, GRUB, CHOOSER, LINUX, OTHER, MANAGER, UNKNOWN = (
    'tool', 'shim', 'fallback', 'grub', 'chooser', 'linux', 'other', 'manager', 'unknown')
TOOLS = {'memtest', 'diags', 'updater', 'shell', 'mok', 'recovery', 'setup'}
KINDS = {'shim': SHIM, 'fallback': FALLBACK, 'grub': GRUB, 'systemd-boot': CHOOSER, 'refind': CHOOSER,
         'kernel': LINUX, 'freebsd': OTHER}


def kind_of(name):
    if name in TOOLS:
        return TOOL
    return MANAGER if 'bootmgfw' in name else KINDS.get(name.split()[-1], UNKNOWN)


def split(path):
    folder, _, name = path.replace('/', '\\').rpartition('\\')
    return folder, name


def beside(path, name):
    return f'{split(path)[0]}\\{name}'


def is_there(volume, path):
    try:
        volume.read(path)
        return True
    except (ValueError, FileNotFoundError):
        return False


def words_of(options):
    """The words of load options that are text."""
    if len(options) % 2:
        return []
    text = options.decode('utf-16-le', errors='replace')
    return text.split('\0')[0].split()


def stage_path(path, word):
    return word if word.startswith('\\EFI\\') else beside(path, split(word)[1])


def next_of_shim(volume, path, options=b''):
    """The path of the program that shim at `path` goes on to. ValueError when that is not there."""
    fallback = '\\EFI\\BOOT\\fbx64.efi'
    if path.upper().startswith('\\EFI\\BOOT\\BOOT') and is_there(volume, fallback):
        return fallback
    words = words_of(options)
    if words and stage_path(path, words[0]).upper() == path.upper():
        words.pop(0)
    for word in [*words[:1], 'grubx64.efi']:
        if is_there(volume, stage_path(path, word)):
            return stage_path(path, word)
    raise ValueError(f'shim finds no {beside(path, "grubx64.efi")}')


def folders(volume):
    """The names of the folders below \\EFI."""
    names = [name.strip('/').split('/') for name in volume.volume.list()]
    return sorted({parts[1] for parts in names if len(parts) > 2 and parts[0].upper() == 'EFI'})


def lines_of(data):
    text = data.decode('utf-16-le', errors='replace').lstrip('\ufeff').split('\0')[0]
    return [line.split(',') for line in text.replace('\r', '\n').split('\n') if line]


def entries_of_fallback(volume):
    """[[path, ...] of each list], in no order of the lists."""
    found = []
    for folder in folders(volume):
        if folder.upper() == 'BOOT':
            continue
        for name in ('BOOTX64.CSV', 'BOOT.CSV'):
            place = f'\\EFI\\{folder}\\{name}'
            if is_there(volume, place):
                lines = lines_of(volume.read(place))
                found.append([f'\\EFI\\{folder}\\{line[0]}' for line in lines
                              if len(line) > 1 and line[0] and line[1]])
                break
    return [each for each in found if each]


def has_settings(volume, grub):
    """Whether GRUB at this path finds grub.cfg."""
    if is_there(volume, beside(grub, 'grub.cfg')):
        return True
    return split(grub)[0].upper() == '\\EFI\\BOOT' and any(
        is_there(volume, f'\\EFI\\{folder}\\grub.cfg') for folder in folders(volume))


def has_choice(volume):
    """Whether systemd-boot finds entries or kernels."""
    names = [name.lower() for name in volume.volume.list()]
    return any(name.startswith('/loader/entries/') and name.endswith('.conf') or
               name.startswith('/efi/linux/') and name.endswith('.efi') for name in names)
