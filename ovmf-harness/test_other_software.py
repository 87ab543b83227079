"""Our entries read by software that we did not write, and its entries read by us.

The UEFI Shell's own `bcfg`, and efibootmgr under Debian's kernel, started in the same machine. The
kernel is fetched by `make debian-linux` (fetch_linux.sh); what it prints is compared with the parts of the
machine as this harness made them, not with what the product says.
"""
import re

import devicepath
from machine import LOADER
from modern import FULL, SHORT, Modern, order_bytes

BCFG_ENTRY = re.compile(r'Option: ([0-9A-F]{2})\. Variable: Boot([0-9A-F]{4}) *\n'
                        r'  Desc    - (.*)\n  DevPath - (.*)\n  Optional- ([YN])\n'
                        r'((?:  [0-9A-F]{8}: .*\n)*)')

REPORT = 'ShadowbootReport-7b6f3a52-4f0e-4d0b-9c1e-5ad0b007c0de'

def hd_text(esp, upper=False):
    """HD() of a partition in the specification's text form."""
    part = esp.partition
    guid = part.guid.upper() if upper else part.guid
    start, size = f'{part.first_lba:x}', f'{part.blocks:x}'
    numbers = (start.upper(), size.upper()) if upper else (start, size)
    return f'HD({part.number},GPT,{guid},0x{numbers[0]},0x{numbers[1]})'


def hex_dump(lines):
    """The bytes of a dump as the Shell prints it."""
    return bytes.fromhex(''.join(line[12:60].replace('-', ' ') for line in lines.splitlines()))


def test_bcfg_reads_what_was_written(machine, standin, product):
    modern = Modern(machine, standin, product)
    nvram, esp = machine.nvram, modern.esps[1]
    with machine.boot_to_shell(quick=False) as vm:
        vm.cd(modern.stick)
        assert vm.run('shadowboot clone -d+ "on Disk 1" -y').status == 0
        assert vm.run(f'shadowboot add {esp.guid} {LOADER} -d "With options" -opt "a=^"b^" c" -at 1'
                      ' -y').status == 0
        dump = '\n'.join(vm.shell('bcfg boot dump -v')) + '\n'
        disk = vm.mappings()[vm.fs(esp)]
    found = {int(number, 16): (int(position, 16), name, path, flag, hex_dump(dump))
             for position, number, name, path, flag, dump in BCFG_ENTRY.findall(dump)}
    assert sorted(found, key=lambda n: found[n][0]) == nvram.order
    assert disk.endswith(hd_text(esp, upper=True))

    added, short, full = nvram.order[0], *nvram.order[-2:]
    short_path = f'{hd_text(esp, upper=True)}/{LOADER}'
    assert found[short] == (len(found) - 2, f'{SHORT} on Disk 1', short_path, 'Y', modern.options)
    assert found[full] == (len(found) - 1, f'{FULL} on Disk 1', f'{disk}/{LOADER}', 'Y',
                           modern.options)
    assert found[added] == (0, 'With options', short_path, 'Y', devicepath.ucs2('a="b" c'))


def efibootmgr_entries(lines):
    """{number: (active, text behind the star)} of what efibootmgr -v prints."""
    found = (re.fullmatch(r'Boot([0-9A-F]{4})([* ]) ?(.*)', line) for line in lines)
    return {int(m[1], 16): (m[2] == '*', m[3]) for m in found if m}


def as_text(data):
    """How efibootmgr prints optional data: a dot for what is no ASCII character (0x7F passes)."""
    return ''.join(chr(byte) if 0x20 <= byte <= 0x7F else '.' for byte in data)


def settings(lines):
    """The 'Name: value' lines at the top."""
    return dict(re.findall(r'^(\w+): (.*)$', '\n'.join(lines), re.M))


def test_linux_reads_our_entries_and_we_read_those_that_it_made(machine, standin, product, linux):
    machine.memory = 512
    modern = Modern(machine, standin, product, shadow='nvme')  # this kernel has no driver for SATA
    nvram, stick, (primary, shadow) = machine.nvram, modern.stick, modern.esps
    number = shadow.partition.number
    namespace = [f'/sys/bus/pci/devices/0000:00:{d.slot:02x}.0/*/nvme/nvme*/nvme*n1'
                 for d in modern.disks]
    device = [f'/dev/$(basename {path})' for path in namespace]
    commands = {
        'blocks': f'cd {namespace[1]}/nvme*p{number} && cat partition start size',
        'before': 'efibootmgr -v',
        'short': f"efibootmgr -c -d {device[1]} -p {number} -L 'Shadow by Linux' -l '{LOADER}'",
        'full': f"efibootmgr -c -e 3 -d {device[1]} -p {number} -L 'Full by Linux' -l '{LOADER}'",
        'other': f"efibootmgr -c -d {device[0]} -p 1 -L 'By Linux' -l '\\EFI\\x\\y.efi'",
        'after': 'efibootmgr -v',
        'report': f'cat /sys/firmware/efi/efivars/{REPORT}',
    }
    stick.volume.put('/EFI/shadowboot/shadowboot.conf', b'mode = report\ntimeout = 0\n')
    stick.volume.put('vmlinuz.efi', linux.kernel)
    stick.volume.put('initrd.img', linux.initramfs(commands))
    with machine.boot_to_shell(quick=False) as vm:
        vm.cd(stick)
        assert vm.run('shadowboot clone -y').status == 0
        ours, order = nvram.raw_entries(), nvram.order
        clones = order[-2:]
        assert vm.run(f'shadowboot next Boot{clones[1]:04X} -y').status == 0
        assert vm.run('shadowboot timeout 9 -y').status == 0
        assert vm.run('shadowboot auto').status == 14      # leaves its summary for the system that runs next
        output = linux.run(vm, commands)
    assert {name: status for name, (_, status) in output.items()} == dict.fromkeys(commands, 0)

    summary = dict(line.split('=', 1) for line in output['report'][0] if '=' in line)
    assert summary['outcome'] == 'report' and summary['starts'] == '0' and summary['text'].startswith('This machine')
    assert REPORT.split('-')[0] not in [variable.name for variable in nvram.variables()]     # it is in no flash

    part = shadow.partition
    assert output['blocks'][0] == [str(number), str(part.first_lba), str(part.blocks)]
    lines = output['before'][0]
    shell = nvram.shell_entry()
    assert settings(lines) == {
        'BootNext': f'{clones[1]:04X}', 'BootCurrent': f'{shell:04X}', 'Timeout': '9 seconds',
        'BootOrder': ','.join(f'{n:04X}' for n in order)}
    found = efibootmgr_entries(lines)
    assert sorted(found) == sorted(ours)
    short = f'{hd_text(shadow)}/File({LOADER}){as_text(modern.options)}'
    assert 'B.C.D.O.B.J.E.C.T.=.{.9.d.e.a.8.6.2.c.-.' in short
    hardware = f'PciRoot(0x0)/Pci(0x{modern.disks[1].slot:x},0x0)/Pci(0x0,0x0)/NVMe(0x1,00-00-00-00-00-00-00-00)'
    assert found[clones[0]] == (True, f'{SHORT}\t{short}')
    assert found[clones[1]] == (True, f'{FULL}\t{hardware}/{short}')

    # What efibootmgr makes of the same partition is, byte for byte, what we made of it.
    by_linux = {name: nvram.find(name)[0]
                for name in ('Shadow by Linux', 'Full by Linux', 'By Linux')}
    entries = nvram.entries()
    assert entries[by_linux['Shadow by Linux']].path == entries[clones[0]].path
    assert entries[by_linux['Full by Linux']].path == entries[clones[1]].path
    made = sorted(by_linux.values(), reverse=True)  # each was put in front
    assert nvram.order == made + order
    assert {n: data for n, data in nvram.raw_entries().items() if n in ours} == ours

    with machine.boot_to_shell(quick=False) as vm:
        vm.cd(stick)
        listed = vm.run('shadowboot entries').text
        blocks = {int(b[1], 16): b[0] for b in re.finditer(
            r'(?s)Boot variable:    Boot([0-9A-F]{4}).*?\n\n', listed)}
        other = blocks[by_linux['By Linux']]
        assert 'OS Friendly Name: By Linux\n' in other
        assert f'Device path:      {hd_text(primary)}/\\EFI\\x\\y.efi\n' in other
        assert 'BootFilePath:     \\Device\\HarddiskVolume1\\EFI\\x\\y.efi\n' in other
        assert f'Starts from:      Disk 0 Partition 1 {{{primary.guid}}} ' in other
        assert 'Boot file:        MISSING\n' in other
        twin = blocks[by_linux['Full by Linux']]
        assert f'Device path:      {hardware}/{hd_text(shadow)}/{LOADER}\n' in twin
        assert f'Starts from:      Disk 1 Partition 1 {{{shadow.guid}}} ' in twin
        assert 'Boot file:        present\n' in twin
        # Its entries are handled as all others.
        before = modern.boot_variables()
        assert vm.run(f'shadowboot delete Boot{by_linux["By Linux"]:04X} -y').status == 0
        name = f'Boot{by_linux["By Linux"]:04X}'
        assert before.pop(name)
        left = [n for n in made if n != by_linux['By Linux']] + order
        assert modern.boot_variables() == dict(before, BootOrder=order_bytes(left))
    stick.volume.fsck()
