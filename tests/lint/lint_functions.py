"""Functions stay short, none past LIMIT lines, and no two of a program have one name, be they static.
Run in the top folder of the tree.

universal-ctags (CTAGS in the environment) says where each function begins and ends.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

LIMIT = 40  # lines, from the one with the name to the closing brace
FOLDERS = ("efi", "include", "tests/host")
# What is in only one of the two programs: over UEFI, over Linux.
ONE_PROGRAM = {"efi/firmware/": "UEFI", "efi/main.c": "UEFI", "efi/linux/": "Linux"}


def functions(files):
    """(lines, path, line, name) of every function."""
    command = [os.environ.get("CTAGS", "ctags"), "--options=NONE", "--output-format=json",
               "--languages=C", "--langmap=C:.c.h", "--kinds-C=f", "--fields=+ne", "-I", "MUST_CHECK",
               "-f", "-", *files]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for row in output.splitlines():
        tag = json.loads(row)
        if tag.get("_type") == "tag":
            yield tag["end"] - tag["line"] + 1, tag["path"], tag["line"], tag["name"]


def repeated(found):
    """(place, name, place before) of every function whose name one of another file has; one file may
    have several, of which the preprocessor leaves one."""
    first = {}
    for _, path, line, name in sorted(found, key=lambda row: row[1:3]):
        if not path.startswith(("efi/", "include/")):
            continue
        only = {program for place, program in ONE_PROGRAM.items() if path.startswith(place)}
        for program in only or {"Linux", "UEFI"}:
            before = first.setdefault((program, name), (path, line))
            if before[0] != path:
                yield f"{path}:{line}", name, "%s:%d" % before
                break


def main():
    files = [p.as_posix() for f in FOLDERS for p in sorted(pathlib.Path(f).rglob("*.[ch]"))]
    found = sorted(functions(files), reverse=True) if files else []
    if not found:
        print("functions: none found here")
        return 1
    for lines, path, line, name in found:
        if lines > LIMIT:
            print(f"{path}:{line}: {name} has {lines} lines, more than {LIMIT}")
    twins = list(repeated(found))
    for place, name, before in twins:
        print(f"{place}: {name} is the name of a function at {before} too")
    lengths = [row[0] for row in found]
    longest = found[0]
    print(f"functions: {len(found)}, median {statistics.median(lengths):g} lines, "
          f"{sum(n > 60 for n in lengths)} past 60, longest {longest[0]} ({longest[3]})")
    return 1 if lengths[0] > LIMIT or twins else 0


sys.exit(main())
