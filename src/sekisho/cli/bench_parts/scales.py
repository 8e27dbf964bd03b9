"""Run a command and write down what it weighed. Run as a module with a file to write to and the command.

Linux counts the memory that a process had before it became another program: whoever starts a program from a
large process finds that process's memory in the program's peak. This one is small.
"""

import json
import os
import sys
from pathlib import Path


def main(out: Path, command: list[str]) -> int:
    """Run the command; write its exit code, CPU seconds and peak of memory in the system's unit."""
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    weighed = {"code": code, "cpu_seconds": usage.ru_utime + usage.ru_stime, "maxrss": usage.ru_maxrss}
    out.write_text(json.dumps(weighed), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
