"""Who may include what. Run in the top folder of the tree.

    base < port < format < model < audit < plan < apply < cmd < main.c

- The core (efi/LAYER, include/LAYER) includes from its own layer or further left.
- format sees bytes, not devices: of port only port/block.h, and only the fat and ntfs readers.
- efi/firmware and efi/linux see base, port and themselves, tests/host efi/linux as well. Each of the
  three programs has a main.c that sees everything.
- UEFI headers (<efi...>) appear in efi/firmware and efi/main.c only.
- Of system headers the core takes the four that a freestanding compiler brings; the C library is seen
  by efi/linux and by tests.
- No file includes itself, directly or through others.
- include/ is contracts: each core header there has a reader outside of its own folder (tests count).
  A header that only its own folder reads lies beside its .c and is named without a folder.
"""

import pathlib
import re
import sys

LAYERS = ["base", "port", "format", "model", "audit", "plan", "apply", "cmd"]
MAINS = {"efi/main.c", "efi/linux/main.c", "tests/host/main.c"}
# What no core file sees, and what each of these may see beside itself.
OUTSIDE = {"firmware": ("base", "port"), "linux": ("base", "port"), "host": ("base", "port", "linux")}
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
COMPUTED = re.compile(r'^[ \t]*#[ \t]*(?:include(?:_next)?|import)\b(?![ \t]*["<])', re.MULTILINE)

errors = []


def say(path, text, offset, message):
    line = text.count("\n", 0, offset) + 1
    errors.append(f"{path}:{line}: {message}")


def area_of(path):
    """The layer of a core file, or "firmware", "host", "main"; None outside of the rules."""
    if path in MAINS:
        return "main"
    parts = path.split("/")
    if parts[0] in ("efi", "include"):
        return parts[1] if len(parts) > 2 else ""
    if parts[:2] == ["tests", "host"]:
        return "host"
    return None


def resolve(path, name):
    """The file of the tree that `#include "name"` in `path` means, or None."""
    here = pathlib.PurePosixPath(path).parent
    folders = [here, pathlib.PurePosixPath("include")]
    if path.startswith("tests/"):
        folders += [pathlib.PurePosixPath("tests"), pathlib.PurePosixPath("efi")]
    for folder in folders:
        if (folder / name).as_posix().count("..") == 0 and pathlib.Path(folder / name).is_file():
            return (folder / name).as_posix()
    return None


def check_quoted(path, area, target):
    """What is wrong with this include, or None."""
    to = area_of(target)
    if area == "main":
        return None
    if area in OUTSIDE:
        allowed = OUTSIDE[area]
        if to in (*allowed, area):
            return None
        return f"{area} may see only {' and '.join(allowed)}, not {target}"
    if to not in LAYERS:
        return f"the core may not see {target}"
    if LAYERS.index(to) > LAYERS.index(area):
        return f"{area} lies left of {to} and may not include {target}"
    if area == "format" and to == "port":
        reader = re.match(r"(fat|ntfs)", pathlib.PurePosixPath(path).name)
        if not reader or target != "include/port/block.h":
            return f"format sees bytes, not devices: {target}"
    return None


def check_system(path, area, name):
    if name.startswith("efi"):
        if area == "firmware" or path == "efi/main.c":
            return None
        return f"UEFI headers belong in efi/firmware and efi/main.c: <{name}>"
    if path.startswith(("tests/", "efi/linux/")) or name in FREESTANDING:
        return None
    return f"system header outside of the freestanding four: <{name}>"


def read_tree():
    """Checks every file and returns the graph of includes: path -> list of paths."""
    graph = {}
    folders = ("efi", "include", "tests/host")
    files = [p for f in folders for p in sorted(pathlib.Path(f).rglob("*.[ch]"))]
    for file in files:
        path = file.as_posix()
        area = area_of(path)
        text = file.read_text(encoding="utf-8")
        graph[path] = []
        if area not in LAYERS + [*OUTSIDE, "main"]:
            errors.append(f"{path}:1: lies in no known layer")
            continue
        for found in COMPUTED.finditer(text):
            say(path, text, found.start(), "an include must name its file")
        for found in INCLUDE.finditer(text):
            kind, name = found.groups()
            if kind == "<":
                wrong = check_system(path, area, name)
            else:
                target = resolve(path, name)
                if target is None:
                    wrong = f"no such header in the tree: {name}"
                else:
                    graph[path].append(target)
                    wrong = check_quoted(path, area, target)
            if wrong:
                say(path, text, found.start(), wrong)
    return graph


def find_circle(graph):
    """One circle as a list of paths, or None."""
    done = set()

    def visit(path, trail):
        if path in trail:
            return trail[trail.index(path):] + [path]
        if path in done:
            return None
        for target in graph.get(path, []):
            circle = visit(target, trail + [path])
            if circle:
                return circle
        done.add(path)
        return None

    for path in graph:
        circle = visit(path, [])
        if circle:
            return circle
    return None


def home(path):
    """The folder that a core file is at home in, the same for efi/ and include/."""
    parts = path.split("/")
    return "/".join(parts[1:-1]) if parts[0] in ("efi", "include") else ""


def readers_of_headers(graph):
    """Core header -> who includes it: the tree checked above and all of the tests."""
    readers = {path: set() for path in graph if path.endswith(".h") and area_of(path) in LAYERS}
    edges = dict(graph)
    for file in sorted(pathlib.Path("tests").rglob("*.[ch]")):
        path = file.as_posix()
        names = INCLUDE.findall(file.read_text(encoding="utf-8"))
        edges[path] = [resolve(path, name) for kind, name in names if kind == '"']
    for path, targets in edges.items():
        for target in targets:
            if target in readers:
                readers[target].add(path)
    return readers


def check_private(graph):
    """Headers in the wrong one of the two places."""
    readers = readers_of_headers(graph)
    own = {header for header in readers if header.startswith("include/") and readers[header]}
    while True:
        # What another folder reads is a contract, and so is what a contract includes.
        contracts = {header for header in own for user in readers[header]
                     if home(user) != home(header) or (user.startswith("include/") and user not in own)}
        if not contracts:
            break
        own -= contracts
    for header in sorted(own):
        errors.append(f"{header}:1: only efi/{home(header)} reads it: its place is there")
    for header, users in readers.items():
        for user in sorted(users):
            if header.startswith("efi/") and home(user) != home(header):
                errors.append(f"{user}:1: {header} belongs to its folder alone")


def main():
    graph = read_tree()
    check_private(graph)
    circle = find_circle(graph)
    if circle:
        errors.append("include circle: " + " -> ".join(circle))
    for error in errors:
        print(error)
    if not graph:
        print("includes: no source files here")
        return 1
    if errors:
        return 1
    print(f"includes: {len(graph)} files, {sum(map(len, graph.values()))} includes, all in order")
    return 0


sys.exit(main())
