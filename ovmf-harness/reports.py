"""The reports of `status -json` that tests make, each held against the schema that the build prints.

    report = reports.read(data)                # from a virtual machine, or another place: valid, and counted
    reports.py FOLDER                          # all that unit tests have left there

What the programs of the host write themselves (tests/host/host_reports.h), and what `keep` is given, lies in
$SHADOWBOOT_REPORTS; `conftest` looks there behind every test. The schema is in $SHADOWBOOT_SCHEMA, default
build/report.schema.json. Debian's python3-jsonschema is the judge.
"""
import functools
import hashlib
import json
import os
import sys
from pathlib import Path

import jsonschema

from firmware import ROOT

START = b'{\n  "program": "shadowboot"'


@functools.cache
def schema():
    return json.loads(Path(os.environ.get('SHADOWBOOT_SCHEMA', ROOT / 'build/report.schema.json')).read_text())


@functools.cache
def validator():
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def once(pairs):
    """An object of which no key stands twice, which a schema does not see."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f'a key stands twice: {[key for key, _ in pairs]}')
    return found


def wrong(data):
    """What is wrong with a report, in lines; empty for a valid one."""
    try:
        report = json.loads(data.decode(), object_pairs_hook=once)
    except ValueError as error:
        return [str(error)]
    return [f'{error.json_path}: {error.message}'[:400] for error in validator().iter_errors(report)]


def keep(data):
    """Leaves it where `conftest` finds it, if it is a report."""
    if data.startswith(START) and 'SHADOWBOOT_REPORTS' in os.environ:
        name = hashlib.sha256(data).hexdigest()[:16]
        Path(os.environ['SHADOWBOOT_REPORTS'], f'{name}.json').write_bytes(data)


def read(data):
    """A report as a dict."""
    assert data.startswith(START), data[:100]
    assert wrong(data) == []
    keep(data)
    return json.loads(data)


def check(folder, seen=()):
    """The names of reports there that are not among `seen`; AssertionError for those that are not valid."""
    names = {path.name for path in Path(folder).glob('*.json')} - set(seen)
    found = {name: wrong((Path(folder) / name).read_bytes()) for name in sorted(names)}
    bad = {name: lines for name, lines in found.items() if lines}
    assert not bad, '\n'.join(f'{folder}/{name}: {line}' for name, lines in bad.items() for line in lines[:5])
    return names


def main(folder):
    try:
        count = len(check(folder))
    except AssertionError as error:
        print(error)
        return 1
    print(f'  {count} reports, valid by the schema')
    return 0 if count else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
