"""The schema that every report is held against lets nothing pass that the program does not write."""
import copy
import json
import os
from pathlib import Path

import pytest

import damage
import mirror
import reports


@pytest.fixture(scope='module')
def report(bases, folder, fast):
    """Of a machine with a damage, that has nearly all there can be in one."""
    case = next(case for case in damage.all_cases() if case.name == 'shadow-esp-no-microsoft')
    setup = bases(case.base).copy(folder / 'reported')
    case.apply(setup)
    kept = Path(os.environ['SHADOWBOOT_REPORTS'])
    for path in kept.iterdir():          # of earlier tests, behind which it was looked at; one may be this very report
        path.unlink()
    assert fast.run(setup, 'status', '-json', 'STICK:\\report.json').status == case.status
    made, = kept.iterdir()
    return made.read_bytes()


def at(report, place):
    """(object, key) of a place such as disks.0.alone."""
    *way, last = place.split('.')
    for step in way:
        report = report[int(step)] if step.isdigit() else report[step]
    return report, int(last) if last.isdigit() else last


ESP = 'disks.0.partitions.0.esp'
# A place, and what must not stand there.
WRONG = [
    ('program', 'bootcfg'), ('reportVersion', 2), ('date', '2026-11-20 12:00:00'), ('architecture', 'x64'),
    ('firmware.revision', '65536'), ('firmware.uefi', ''), ('firmware.secureBoot', 'no'), ('machine.uuid', '{}'),
    ('machine.networkCard', '52:54:00:12:34:56'), ('machine.serial', 1), ('state.exitStatus', 1),
    ('state.exitStatus', True), ('state.text', 'All is well.'), ('state.filesRead', 'true'), ('bootVolume.kind', 'LDM'),
    ('bootVolume.missingDisks', -1), ('disks.0.number', '0'), ('disks.0.model', None), ('disks.0.blocks', 1 << 64),
    ('disks.0.blockBytes', 0), ('disks.0.guid', 'e848bb93-13b9-5652-88e8-8EC9F01EF296'), ('disks.0.role', 'secondary'),
    ('disks.0.alone.verdict', 'yes'), ('disks.0.alone.entry', 65536), ('disks.0.alone.entry', 'Boot0000'),
    ('disks.0.partitions.0.type', 'ESP'), (f'{ESP}.state', 'good'), (f'{ESP}.fileSystem', 'NTFS5'),
    (f'{ESP}.complete', None), (f'{ESP}.files.0.path', 'EFI'), (f'{ESP}.files.0.sha256', 'x'),
    (f'{ESP}.files.0.state', ''), ('volumes.0.letter', 'C'), ('volumes.0.status', 'healthy'),
    ('entries.0.number', -1), ('entries.0.attributes', 1 << 32), ('entries.0.status', 'good'),
    ('findings.0.name', 'esp-is-empty'), ('findings.0.severity', 'error'), ('findings', {}), ('disks', None),
]


@pytest.mark.parametrize('place, value', WRONG, ids=[f'{place}={value}'[:60] for place, value in WRONG])
def test_value_that_the_program_never_writes_is_refused(place, value, report):
    changed = json.loads(report)
    where, key = at(changed, place)
    assert where[key] != value
    where[key] = value
    assert reports.wrong(json.dumps(changed).encode())


def objects(value, place=''):
    """(place, object) of every object in it."""
    if isinstance(value, dict):
        yield place, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from objects(inner, f'{place}.{key}')


def test_member_more_or_less_is_refused_in_every_object(report):
    """A first one of each kind stands for all of it."""
    whole, tried = json.loads(report), 0
    for place, found in {''.join(c for c in place if not c.isdigit()): (place, found)
                         for place, found in reversed(list(objects(whole)))}.values():
        kept = copy.copy(found)
        found['more'] = None
        assert reports.wrong(json.dumps(whole).encode()), place
        for key in kept:
            found.clear()
            found.update({other: kept[other] for other in kept if other != key})
            optional = key in ('date', 'secureBoot', 'alone', 'esp', 'sha256') and place + key != '.firmwaresecureBoot'
            assert bool(reports.wrong(json.dumps(whole).encode())) == (not optional), (place, key)
            tried += 1
        found.clear()
        found.update(kept)
    assert reports.wrong(json.dumps(whole).encode()) == [] and tried > 80


def test_key_that_stands_twice_is_refused(report):
    assert reports.wrong(report) == []
    assert reports.wrong(report.replace(b'"reportVersion": 1,', b'"reportVersion": 1, "reportVersion": 1,', 1))
    assert reports.wrong(report[:-3])


def test_report_that_is_not_valid_fails_the_test_that_makes_it(report, tmp_path, capsys):
    (tmp_path / 'good.json').write_bytes(report)
    assert reports.main(tmp_path) == 0 and '1 reports' in capsys.readouterr().out
    (tmp_path / 'bad.json').write_bytes(report.replace(b'"removable": false', b'"removable": 0'))
    with pytest.raises(AssertionError, match='bad.json: .*removable: 0 is not of type'):
        reports.check(tmp_path, {'good.json'})
    assert reports.main(tmp_path) == 1
    assert reports.main(tmp_path / 'none') == 1                  # nobody has made one: nothing is shown


def test_words_that_help_names_are_those_of_the_schema(bases):
    """A set of words has them all in its description, which is the text of `help json`."""
    def properties(schema):
        for key, value in schema.get('properties', {}).items():
            yield key, value
            yield from properties(value.get('items', value))
    shown = ' '.join(mirror.Setup.run(bases('mirror'), 'help', 'json').text.split())
    sets = [(key, value) for key, value in properties(reports.schema()) if 'enum' in value and 'description' in value]
    assert len(sets) > 8
    for key, value in sets:
        assert value['description'] in shown, key
        assert [word for word in value['enum'] if str(word) not in value['description']] == [], key
