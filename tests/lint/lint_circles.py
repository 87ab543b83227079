"""No circles: of the core's objects none needs, in the end, itself. Then each can be read, and moved,
with what stands below it alone. What a file must call that stands above it is handed to it, as a
function. lint_circles.py OBJECT..."""
import os
import shlex
import subprocess
import sys

DEFINING = 'TDBRVWC'


def symbols(objects):
    """Which object defines each symbol, and which symbols each object needs."""
    defines, needs = {}, {name: set() for name in objects}
    nm = shlex.split(os.environ.get('NM', 'nm'))
    for line in subprocess.run(nm + ['--print-file-name', '--format=posix', *objects],
                               capture_output=True, text=True, check=True).stdout.splitlines():
        name, _, rest = line.partition(': ')
        symbol, kind = rest.split()[:2]
        if kind == 'U':
            needs[name].add(symbol)
        elif kind in DEFINING:
            defines[symbol] = name
    return defines, needs


def edges(objects):
    defines, needs = symbols(objects)
    return {name: {defines[symbol] for symbol in needs[name] if symbol in defines} - {name}
            for name in objects}


def in_circles(graph):
    """The objects that are left when again and again those go that need none, or are needed by none."""
    left = set(graph)
    while True:
        needed = {other for name in left for other in graph[name] & left}
        gone = {name for name in left if not graph[name] & left or name not in needed}
        if not gone:
            return left
        left -= gone


def main(objects):
    if not objects:
        print('circles: no objects given')
        return 1
    graph = edges(objects)
    left = in_circles(graph)
    for name in sorted(left):
        print(f'{name}: in a circle, by', *sorted(graph[name] & left))
    if left:
        return 1
    print(f'circles: none among {len(objects)} core objects')
    return 0


sys.exit(main(sys.argv[1:]))
