"""The serial console of a machine: reading, waiting, typing.

What was measured on Debian's OVMF 2022.11 and shaped this file:

- QEMU's UART drops output that it cannot hand on at once. A socket's buffer fills after some 280
  single bytes, a pipe holds every byte: so the console is a pair of pipes, the one for output
  enlarged to a MiB, and a test may look away for a minute without losing a character.
- The terminal driver does not break lines on the wire: a line of any length arrives whole, even
  though the Shell believes the screen to be 100 columns wide. Nothing has to be un-wrapped.
- Only the line editor moves the cursor. Without the escapes its echo is the command as typed,
  possibly broken by new lines where it reached the edge of the screen.
- OVMF's terminal is of the PC-ANSI type: every character beyond ASCII arrives as '?'. A test that
  cares about one lets the product write a file and reads that.

`Console.text` is everything seen so far with escapes removed and lines ended by \\n; `expect`
searches forward from where the last one stopped. Whatever matches FATAL fails at once.
"""
import contextlib
import fcntl
import os
import re
import select
import time

ESCAPE = re.compile(r'\x1b\[[0-9;:=?]*[A-Za-z]')
CUT_ESCAPE = re.compile(r'\x1b(\[[0-9;:=?]*)?\Z')
NEW_LINE_ESCAPE = re.compile(r'\x1b\[(\d\d;01H|2J)')
PROMPT = re.compile(r'(?:^|\n)(Shell|[A-Za-z0-9]+:\\[^\n>]*)> \Z')

# A machine that says one of these has crashed; no test goes on.
FATAL = (
    re.compile(r'X64 Exception Type'),
    re.compile(r'!!!! '),
    re.compile(r'\bASSERT'),
    re.compile(r'#(GP|PF|UD|DE|SS|NP|DF) - '),
    re.compile(r'Synchronous Exception'),
    re.compile(r'CpuDeadLoop'),
)

KEYS = {
    'enter': '\r', 'esc': '\x1b', 'tab': '\t', 'backspace': '\b', 'ctrl-c': '\x03',
    # ESC alone is taken for the begin of a sequence for two seconds; the backspace cuts that short
    # and does nothing in an empty line.
    'quick-esc': '\x1b\b',
    'up': '\x1b[A', 'down': '\x1b[B', 'right': '\x1b[C', 'left': '\x1b[D',
    'home': '\x1b[H', 'end': '\x1b[F', 'pageup': '\x1b[5~', 'pagedown': '\x1b[6~',
}
F_SETPIPE_SZ = 1031
TAIL_LINES = 40
PIECES_LEFT = 32  # a full pipe, read after the time was up


def scaled(seconds):
    """A time limit stretched by $SHADOWBOOT_TIMEOUT_SCALE for slow machines."""
    return seconds * float(os.environ.get('SHADOWBOOT_TIMEOUT_SCALE', '1'))


class ConsoleError(AssertionError):
    """The machine did not say what was awaited, crashed or ended. Carries the last lines."""


class Console:
    """Two pipes to the machine's serial port.

    `fatal` may be replaced by a test that provokes a crash. `log` receives the text. Time limits
    are in seconds of `clock`, see limits.
    """

    def __init__(self, output, keyboard, log, clock=time.monotonic):
        self.output, self.keyboard, self.log, self.clock = output, keyboard, log, clock
        self.text, self.position, self.fatal = '', 0, FATAL
        self._undecoded, self._checked, self.ended = b'', 0, False
        with contextlib.suppress(OSError):  # where the system's limit is lower, it stays small
            fcntl.fcntl(output, F_SETPIPE_SZ, 1 << 20)

    def pump(self, seconds=0.0):
        """Take in what has arrived, waiting up to `seconds` for the first byte."""
        ready, _, _ = select.select([self.output], [], [], max(seconds, 0))
        if ready:
            data = os.read(self.output, 1 << 16)
            self.ended = not data
            self._add(data)
        self._check_fatal()

    def _add(self, data):
        """Append bytes to the text; a cut escape or character waits for its rest."""
        text = (self._undecoded + data).decode('utf-8', errors='surrogateescape')
        cut = CUT_ESCAPE.search(text)
        keep = text[cut.start():] if cut and not self.ended else ''
        text = text[:len(text) - len(keep)]
        self._undecoded = keep.encode('utf-8', errors='surrogateescape')
        text = NEW_LINE_ESCAPE.sub(self._new_line, text)
        text = ESCAPE.sub('', text).replace('\r', '').replace('\0', '')
        text = text.encode('utf-8', errors='surrogateescape').decode('utf-8', errors='replace')
        self.text += text
        self.log.write(text)
        self.log.flush()

    def _new_line(self, match):
        """A jump to the first column starts a line, unless the text is at a line's start already."""
        before = self.text + ESCAPE.sub('', match.string[:match.start()]).replace('\r', '')
        return '' if before.endswith('\n') or not before else '\n'

    def _check_fatal(self):
        recent = self.text[max(self._checked - 80, 0):]
        for pattern in self.fatal:
            if pattern.search(recent):
                self._settle()
                raise self.error(f'the machine crashed ({pattern.pattern!r})')
        self._checked = len(self.text)

    def _settle(self):
        """Read on for a moment so that a crash dump is in the log as a whole."""
        end = time.monotonic() + 1
        while time.monotonic() < end and not self.ended:
            if select.select([self.output], [], [], 0.2)[0]:
                data = os.read(self.output, 1 << 16)
                self.ended = not data
                self._add(data)

    def tail(self, lines=TAIL_LINES):
        """The last lines of the console."""
        return '\n'.join(self.text.rstrip('\n').split('\n')[-lines:])

    def error(self, what):
        """An exception that says what went wrong and shows the end of the console."""
        return ConsoleError(f'{what}\n--- last lines of the console ---\n{self.tail()}\n---')

    def expect(self, *patterns, timeout=60):
        """Wait for the first of the patterns (regular expressions) behind the current position.

        Gives the match and moves the position behind it. `match.re` says which one it was.
        """
        wanted = [re.compile(p) if isinstance(p, str) else p for p in patterns]
        end = self.clock() + scaled(timeout)
        late = False
        while True:
            found = [m for m in (p.search(self.text, self.position) for p in wanted) if m]
            if found:
                match = min(found, key=lambda m: m.start())
                self.position = match.end()
                return match
            what = f"none of {[p.pattern for p in wanted]} within {timeout} s"
            if self.ended or late:
                raise self.error(f'QEMU ended while waiting: {what}' if self.ended else what)
            late = self._wait(end)

    def _wait(self, end):
        """Wait for more text. True when time is up: what had come by then has been read."""
        left = end - self.clock()
        self.pump(min(left, 1))
        for _ in range(PIECES_LEFT if left <= 0 else 0):
            self.pump()
        return left <= 0

    def expect_silence(self, seconds):
        """Take in everything until nothing has come for `seconds`; gives the text since the position."""
        seen = -1
        while seen != len(self.text) and not self.ended:
            seen = len(self.text)
            self.pump(scaled(seconds))
        start, self.position = self.position, len(self.text)
        return self.text[start:]

    def type(self, text):
        """Type characters as they are; \\r is the Enter key."""
        data = text.encode('utf-8')
        while data:
            data = data[os.write(self.keyboard, data):]

    def key(self, *names):
        """Press special keys by name, see KEYS."""
        for name in names:
            self.type(KEYS[name])

    def expect_prompt(self, timeout=60):
        """Wait until the Shell's prompt is the last thing on the console; gives 'Shell' or 'FS0:\\dir'."""
        return self.expect(PROMPT, timeout=timeout)[1]

    def expect_echo(self, command, timeout=30):
        """Consume the echo of a typed line: its characters in order, new lines where it wrapped."""
        pattern = r'\n*'.join(re.escape(c) for c in command.rstrip(' ')) + r'[ \n]*?\n'
        try:
            match = self.expect(pattern, timeout=timeout)
        except ConsoleError as error:
            raise self.error(f'the Shell did not echo {command!r}') from error
        if match[0] and self.text[match.start() - 1:match.start()] not in ('', ' ', '\n'):
            raise self.error(f'the echo of {command!r} has something before it')
        self.position -= 1  # the new line may be the one that begins the next prompt

    def shell(self, command, timeout=120):
        """Type a command at the prompt; gives the lines that it printed, whole."""
        self.type(command + '\r')
        self.expect_echo(command)
        start = self.position
        self.expect_prompt(timeout)
        printed = PROMPT.sub('', self.text[start:])[1:]
        return printed.removesuffix('\n').split('\n') if printed else []
