"""Every cause of an error code of Windows' boot manager has a damage whose verdict says the code.

That it does say it is test_repair_catalogue's: a case names the code behind its verdict. That a boot manager
stops with it is test_standin_store's, where the stand-in was told what a real one did.
"""
import re

import damage
import pytest
from conftest import ROOT
from error_codes import CAUSES, OTHERS

CASES = {case.name: case for case in damage.all_cases()}


@pytest.mark.parametrize('code,cause,names', CAUSES, ids=[f'{code} {cause}' for code, cause, _ in CAUSES])
def test_cause_has_damages_that_say_the_code(code, cause, names):
    for name in names:
        assert code in CASES[name].codes.values(), (cause, name)


def test_codes_of_cases_are_those_of_the_table():
    """So that a new code gets a row, and the program says none that no case has."""
    known = {code for code, _, _ in CAUSES}
    assert {code for case in CASES.values() for code in case.codes.values()} == known
    assert not known & set(OTHERS)
    said = {code for path in (ROOT / 'efi/audit').glob('trial*.c')
            for code in re.findall('0xc[0-9a-f]{7}', path.read_text())}
    assert said == known
