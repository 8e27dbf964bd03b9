"""A process that sends transfers and is killed in the middle of it: run by test_transfer_crashes.py."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.lender.lender_at_hand import OURS, reopen_lender

from sekisho.lender.transfer_runs import TransferRuns
from sekisho.linking.exchange import FolderTray


class KillingTray:
    """A tray at which the process ends, without a word, before or after it took a file."""

    def __init__(self, tray, when):
        self._tray = tray
        self._when = when

    def put(self, name, octets):
        if self._when == "after":
            self._tray.put(name, octets)
        os.kill(os.getpid(), signal.SIGKILL)


def main(folder, tray, member_id, at_us, when):
    lender = reopen_lender(Path(folder), member_id, at_us=int(at_us))
    if when == "between":
        # The orders are in their file, and nothing was handed over yet.
        lender.house.store.write(
            TransferRuns(lender.house, OURS, FolderTray(Path(tray))).make_within
        ).result()
        os.kill(os.getpid(), signal.SIGKILL)
    runs = TransferRuns(lender.house, OURS, KillingTray(FolderTray(Path(tray)), when))
    asyncio.run(runs.send_due())


if __name__ == "__main__":
    main(*sys.argv[1:])
