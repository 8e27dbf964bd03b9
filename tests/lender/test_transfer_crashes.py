"""A process that is killed between any two steps of sending transfers: none is lost, none goes out twice."""

import asyncio
import signal
import subprocess
import sys
from datetime import date

import pytest
from tests.lender.lender_at_hand import OURS, open_lender, reopen_lender
from tests.project_files import ROOT

from sekisho.kernel.clock import MINUTE_US
from sekisho.lender.transfer_orders import OrderState
from sekisho.lender.transfer_runs import TransferRuns
from sekisho.linking.exchange import TAKEN, FolderTray
from sekisho.linking.zengin import TransferResult, read_file, write_file


@pytest.mark.parametrize("when", ["between", "before", "after", "after, and the bank was quick"])
def test_a_killed_sender_loses_nothing_and_sends_nothing_twice(tmp_path, when):
    lender = open_lender(tmp_path, opened_days_ago=0)
    lender.register()
    lender.lend(30_000)
    now_us = lender.clock.now_us()
    lender.house.store.close()
    tray = tmp_path / "to_bank"

    killed = subprocess.run(
        [
            *(sys.executable, "-m", "tests.lender.dying_sender"),
            *(str(tmp_path), str(tray), lender.member_id, str(now_us + MINUTE_US), when.split(",")[0]),
        ],
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL

    if "quick" in when:
        (file,) = tray.glob("*.txt")
        file.rename(tray / TAKEN / file.name)
    again = reopen_lender(tmp_path, lender.member_id, at_us=now_us + 2 * MINUTE_US)
    runs = TransferRuns(again.house, OURS, FolderTray(tray))
    asyncio.run(runs.send_due())
    (file,) = [file for folder in (tray, tray / TAKEN) for file in folder.glob("*.txt")]
    sent = read_file(file.read_bytes(), near=date(2026, 9, 21))
    assert [row.amount.amount for row in sent.rows] == [30_000]

    paid = sent._replace(rows=(sent.rows[0]._replace(result=TransferResult.PAID),))
    asyncio.run(runs.take_result(write_file(paid)))
    (order,) = asyncio.run(again.transfers().orders(lender.member_id))
    assert order.state is OrderState.PAID
    assert (again.balance("transfer_clearing"), again.balance("bank")) == (0, -30_000)
    again.audit()
    again.house.store.close()
