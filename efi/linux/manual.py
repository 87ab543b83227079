"""The manual page (man(7)) of shadowboot-linux, from what the program says of itself:
manual.py PROGRAM VERSION >shadowboot-linux.8"""
import subprocess
import sys


def said(program, *words):
    return subprocess.run([program, *words], check=True, capture_output=True, text=True).stdout


def escaped(text):
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return '\\&' + text if text[:1] in ".'" else text


def paragraphs(lines):
    """(indent of the first line, text or list of lines as they are) of all that stands between empty lines."""
    part = []
    for line in [*lines, '']:
        if line:
            part.append(line)
        elif part:
            yield part
            part = []


def convert(text):
    """Headings begin in column 0, options with two minus signs, examples with eight blanks."""
    out = []
    for part in paragraphs(text.splitlines()):
        for line in part:
            plain = line.strip()
            if not line.startswith(' '):
                out.append(f'.SH {plain}')
            elif line.startswith('    --'):
                out += ['.TP', f'.B {escaped(plain)}']
            elif line.startswith('        ') and out[-1] != '.TP' and not inside(out):
                out += ['.PP', '.RS', '.nf', escaped(plain), '.fi', '.RE']
            else:
                out.append(escaped(plain))
        if not inside(out) and not out[-1].startswith('.SH'):
            out.append('.PP')
    return out


def inside(out):
    """True behind an option, whose text is indented as examples are."""
    for line in reversed(out):
        if line == '.TP':
            return True
        if line.startswith('.SH'):
            return False
    return False


def commands(text):
    """Those that `help` lists: lines of two blanks, a name and a summary."""
    out = []
    for line in text.splitlines():
        words = line.split(None, 1)
        if line.startswith('  ') and line[2:3].isalpha() and len(words) == 2:
            out += ['.TP', f'.B {escaped(words[0])}', escaped(words[1])]
    return out


def main():
    program, version = sys.argv[1:]
    head, _, rest = said(program, '--help').partition('\n\n')
    name, _, summary = head.partition(' - ')
    before, options, behind = rest.partition('\nOPTIONS\n')
    page = [f'.TH SHADOWBOOT\\-LINUX 8 "" "shadowboot {version}" "System administration"', '.SH NAME',
            f'{escaped(name.split()[0])} \\- {escaped(summary)}', *convert(before), *convert(options + behind),
            '.SH COMMANDS', *commands(said(program, 'help'))]
    print('\n'.join(page))


main()
