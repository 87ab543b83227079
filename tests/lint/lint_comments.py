"""What a comment names is there: a word of the form of our identifiers (with an underscore, or brackets
behind it), and a file. Run in the top folder of the tree."""
import re
import sys
from pathlib import Path

# What belongs to others: words of formats, headers and tools.
FOREIGN = {'md_p', 'mdp_superblock_1', 'secureboot_objects'}
FOREIGN_FILES = {'cmocka.h', 'intel.c', 'md_p.h'}

TOKEN = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
IDENTIFIER = re.compile(r'[A-Za-z_]\w*')
NAMED = re.compile(r'(?<![\w-])([a-z][a-z0-9]*(?:_[a-z0-9]+)+\b|[a-z]\w+(?=\(\)))')
FILE = re.compile(r'(?<![\w/.<-])(?:[\w.-]+/)*([a-z]\w*\.(?:c|h|py|sh))\b')


def main():
    paths = [path for top in ('efi', 'include', 'tests', 'ovmf-harness') if Path(top).is_dir()
             for path in Path(top).rglob('*') if path.suffix in ('.c', '.h', '.py', '.sh', '.lds')]
    code, comments = set(), []
    for path in paths:
        text = path.read_text()
        if path.suffix in ('.c', '.h'):
            comments += [(path, text.count('\n', 0, match.start()) + 1, match.group())
                         for match in TOKEN.finditer(text) if match.group().startswith('/*')]
            text = re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)
        code.update(IDENTIFIER.findall(text))
    files = {path.name for path in paths} | FOREIGN_FILES
    code |= FOREIGN | {path.stem for path in paths}
    wrong = 0
    for path, line, comment in comments:
        names = [match for match in NAMED.finditer(comment) if match[1] not in code]
        names += [match for match in FILE.finditer(comment) if match[1] not in files]
        for match in names:
            at = line + comment.count('\n', 0, match.start())
            print(f'{path}:{at}: {match.group()} is named in a comment, and not there')
            wrong += 1
    if not wrong:
        print(f'comments: {len(comments)}, what they name is there')
    return wrong > 0


sys.exit(main())
