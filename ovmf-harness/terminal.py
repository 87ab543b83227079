"""What a terminal shows of bytes or text that were sent to it, by pyte's VT100 (a screen is a list of lines)."""
import pyte

CLEAR = '\x1b[2J'


def screen(text, columns, rows):
    """The screen after all of the text."""
    shown = pyte.Screen(columns, rows)
    pyte.Stream(shown).feed(text)
    return [line.rstrip() for line in shown.display]


def screens(text, columns, rows):
    """The screens as they were before each time when the screen was emptied, and the last."""
    places = [at for at in range(len(text)) if text.startswith(CLEAR, at)]
    return [screen(text[:at], columns, rows) for at in [*places, len(text)]]


def is_menu(lines):
    return 'shadowboot' in lines[0] and any('Enter does it' in line for line in lines)


def chosen(lines):
    """The choice that is marked: its number and its words."""
    found = [line for line in lines if line[1:4] == ' > ' or line[2:4] == '> ']
    assert len(found) == 1, lines
    number, _, words = found[0].strip('|\u2502 ').lstrip('> ').partition(' ')
    return int(number), words.strip()
