"""Run a command; say how long it took, how much memory at most, and processor time.

    python -S peak.py REPORT COMMAND ...

Between fork and exec a child counts as large as its parent, so this parent is small.
"""

import os
import sys
import time

report, *command = sys.argv[1:]
started = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(child, 0)
with open(report, "w") as file:
    cpu = usage.ru_utime + usage.ru_stime
    file.write(f"{time.perf_counter() - started} {usage.ru_maxrss} {cpu}")
sys.exit(os.waitstatus_to_exitcode(status))
