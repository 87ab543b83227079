#!/usr/bin/python3
"""Writes corpus/bcd_edit: steps as they are typed, on a sound store and on one with something wrong. Words are
places in the lists of fuzz_bcd_edit.c, which are read from there."""
import re
from pathlib import Path

PLACE = Path(__file__).resolve().parent
FOLDER = PLACE / 'corpus/bcd_edit'
SET, UNSET, DELETE, COPY, LIST, FIRST, LAST, REMOVE, RECOVERY, RETARGET = range(10)


def lists():
    """{name of a list: its words}, names of constants as they stand there."""
    source = (PLACE / 'fuzz_bcd_edit.c').read_text()
    found = re.findall(r'static const char \*const (\w+)\[\] = \{(.*?)\};', source, re.S)
    return {name: [word.strip().replace('" DATA_0', 'DATA_0').strip('"')
                   for word in re.split(r',\s', words) if word.strip()] for name, words in found}


LISTS = lists()


def word(name, text):
    """The word's place, or it letter by letter."""
    words = LISTS[name]
    if text in words:
        return bytes([words.index(text)])
    data = text.encode()
    return bytes([len(words) + len(data)]) + data


def step(kind, target, element='', *words):
    data = bytes([kind]) + word('objects', target)
    if kind not in (DELETE, COPY, RECOVERY):
        data += word('elements', element)
    return data + bytes([len(words)]) + b''.join(word('values', each) for each in words)


def inputs():
    yield 'values', b'\0' + step(SET, '{default}', 'nx', 'AlwaysOn') + step(SET, '{bootmgr}', 'timeout', '5') + \
        step(SET, '{default}', 'description', 'A new name') + step(SET, '{default}', 'safeboot', 'Minimal') + \
        step(UNSET, '{default}', 'safeboot') + step(SET, '{default}', 'testsigning', 'off')
    yield 'devices', b'\0' + b''.join(
        step(SET, '{default}', name, value) for name in ('device', 'osdevice')
        for value in ('boot', 'locate', 'partition=C:', 'partition=X:', 'partition=DATA_0'))
    yield 'orders', b'\0' + b''.join(
        step(kind, '{bootmgr}', 'displayorder', 'SECOND', '{default}') for kind in (LIST, FIRST, LAST, REMOVE, LIST)) + \
        step(SET, '{bootmgr}', 'bootsequence', 'SECOND')
    yield 'objects', b'\0' + step(COPY, '{default}', '', 'Windows') + step(DELETE, 'SECOND') + \
        step(COPY, '{bootmgr}', '', '') + step(DELETE, '{default}') + step(DELETE, 'nothing')
    yield 'retargets', b'\0' + step(RETARGET, 'all', 'device', 'DATA_1', '0/4') + \
        step(RETARGET, 'all', 'device', '0/4', 'DATA_1') + step(RECOVERY, '{default}')
    yield 'refused', b'\0' + step(SET, '{nobody}', 'nx', '5') + step(SET, '{default}', 'no such', '5') + \
        step(SET, '{default}', 'nx', 'never') + step(SET, '{default}', 'nx') + step(SET, '{current}', 'nx', '-1')
    yield 'grows', b'\0' + b''.join(step(COPY, '{default}', '', 'x' * n) for n in range(1, 30))
    yield 'damaged', b'\4' + bytes.fromhex('2000ff 4000ff 600000 000100') + step(SET, '{default}', 'nx', 'AlwaysOn')


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in inputs():
        (FOLDER / name).write_bytes(data)


main()
