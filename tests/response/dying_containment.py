"""A containment that dies by kill -9 after so many members: `python dying_containment.py FOLDER COUNT`."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.response.cohort_at_hand import CAMPAIGN, CohortAtHand

if __name__ == "__main__":
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    hand = CohortAtHand(folder, 5)
    desk = hand.desk()
    done: list[int] = []

    def dying(dealt_with):
        done.append(dealt_with)
        if len(done) == count:
            os.kill(os.getpid(), signal.SIGKILL)

    begun = asyncio.run(desk.begin(CAMPAIGN, hand.cohort(), by="sato"))
    asyncio.run(desk.run(begun.id, progress=dying, at_once=1))
