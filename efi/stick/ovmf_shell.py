"""Takes the UEFI Shell out of OVMF's firmware: Debian 12 has it nowhere else.

ovmf_shell.py FIRMWARE OUTPUT
"""
import pathlib
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / 'ovmf-harness'))
from firmware_volume import program_of  # noqa: E402

SHELL = uuid.UUID('7c04a583-9e3e-4f1c-ad65-e05268d0b4d1')   # edk2 ShellPkg.dec, gUefiShellFileGuid

firmware, output = map(pathlib.Path, sys.argv[1:])
output.write_bytes(program_of(firmware.read_bytes(), SHELL))
