"""What tests/sweep/truth.h makes of a machine, beside what `firmware_model` makes of it.

    assert not disagreement(truths, setup, disks, outcome)

Both have the same rules, in two languages, and share no code. Damage inside the volumes of a system, and
what is kept about them on disks, is left out there: no repair touches it. So are doubts, and programs that only
one of the two knows: of those only what firmware starts is compared.
"""
import re

SURE = {'starts', 'fallback', 'fails'}
KNOWN = {'bootmgfw', 'shim', 'grub', 'fallback', 'systemd-boot'}
INSIDE = re.compile('LDM: |is damaged|ntfs-3g finds no|hivex does not open|the store has no objects')


def disagreement(truths, setup, disks, outcome):
    """Where the two differ on a machine of which only `disks` are there; empty if nowhere."""
    places = [str(setup.disk(each).position) for each in disks]
    verdict, entry, file, guid, program, _, why = truths.run(setup, *places).text.splitlines()
    told = (verdict, None if entry == '-1' else int(entry), file, guid, program or None)
    expected = (outcome.verdict, outcome.entry, outcome.file, outcome.partition, outcome.program)
    if outcome.verdict not in SURE or outcome.program not in (None, *KNOWN):
        told, expected = told[1:4], expected[1:4]
    elif any(INSIDE.search(line) for line in outcome.trace[-1:]):
        told, expected = told[1:], expected[1:]
    return '' if told == expected else f'{told}: {why}\n{expected}\n' + '\n'.join(outcome.trace)
