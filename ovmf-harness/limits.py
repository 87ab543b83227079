"""Time limits that hold on a busy machine as on an idle one.

A program of the host may take so many seconds of CPU (`run`). A virtual machine also waits, for a
countdown or a key, so its limits are seconds in which it could run (`Clock`): time passes as on the
wall, but for what its threads stood in the scheduler's queue while others had the processors.
"""
import resource
import signal
import subprocess
import time
from pathlib import Path

NANOSECONDS = 1e9


def run(arguments, seconds, check=False, **options):
    """subprocess.run for a program that may take so many seconds of CPU; TimeoutError beyond."""
    with subprocess.Popen(arguments, **options) as process:
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds + 5))
        output, errors = process.communicate()
    if process.returncode == -signal.SIGXCPU:
        raise TimeoutError(f'{arguments[0]} took more than {seconds} CPU seconds')
    done = subprocess.CompletedProcess(arguments, process.returncode, output, errors)
    if check:
        done.check_returncode()
    return done


class Clock:
    """Seconds in which a process could run; called, it gives them. Never goes back."""

    def __init__(self, process):
        self._tasks, self._queued, self._now = Path(f'/proc/{process}/task'), 0.0, 0.0

    def _in_queue(self):
        """How long the thread that was kept waiting most has been; less when it has ended."""
        longest = 0
        for task in self._tasks.glob('*/schedstat'):
            try:
                longest = max(longest, int(task.read_text().split()[1]))
            except (OSError, IndexError, ValueError):
                continue  # it ended just now, or the kernel does not count
        return longest / NANOSECONDS

    def __call__(self):
        self._queued = max(self._queued, self._in_queue())
        self._now = max(self._now, time.monotonic() - self._queued)
        return self._now
