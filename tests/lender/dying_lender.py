"""A lender that dies by kill -9 while cash is on its way: `python dying_lender.py FOLDER before|after`."""

import os
import signal
import sys
from pathlib import Path

from tests.lender.atm_at_hand import open_atm

if __name__ == "__main__":
    folder, when = Path(sys.argv[1]), sys.argv[2]
    atm = open_atm(folder)
    pay_out = atm.line.pay_out

    async def dying(order):
        if when == "after":
            await pay_out(order)
        os.kill(os.getpid(), signal.SIGKILL)

    atm.line.pay_out = dying
    atm.type(atm.approved(atm.entered(atm.member()), 30_000))
