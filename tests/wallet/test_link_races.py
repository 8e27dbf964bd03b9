"""What happens to a link while its member is on the way back from the bank counts, and nothing undoes it."""

import pytest
from tests.wallet.links_at_hand import ARRIVAL, within

from sekisho.wallet import link_rows
from sekisho.wallet.link_ends import LinkEnd, end_within
from sekisho.wallet.link_returns import LinkReturnUnfit
from sekisho.wallet.link_rows import LinkState


def test_a_link_that_ended_while_the_bank_answered_stays_ended(tmp_path):
    """Stopped elsewhere while the code is exchanged: no link, the account is free, and the bank hears."""

    async def use(there):
        present, answer = await there.agreed(there.enter(there.wallet.add_verified()))
        began = (await there.desk.links(present.session.member_id))[0]
        answers = there.bank.answer

        def end_meanwhile(call):
            if call.path == "/token":
                contained = LinkEnd.CONTAINED
                there.wallet.write(lambda at: end_within(at, there.parts, there.find(began.id), contained))
            return answers(call)

        there.bank.answer = end_meanwhile
        with pytest.raises(LinkReturnUnfit):
            await there.returns.come_back(present, ARRIVAL, answer)
        link = there.find(began.id)
        ref = there.bank.account["ref"]
        taken = there.wallet.look(lambda at: link_rows.link_over(at, link.bank, ref))
        told = await there.rounds.tell_banks()
        return link.state, link.ended_for, taken, told, there.bank.revoked

    state, ended_for, taken, told, revoked = within(tmp_path, use)
    assert (state, ended_for, taken) == (LinkState.ENDED, "contained", None)
    assert told == 1
    assert len(revoked) == 1
