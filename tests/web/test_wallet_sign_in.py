"""Logging in to the wallet with the ID, as people do: in, out, again, and from a new browser."""

from tests.web.wallet_site import play

from sekisho.wallet.identity_levels import IdentityLevel


def test_a_newcomer_opens_a_wallet_that_can_do_nothing_yet(tmp_path):
    async def scene(site):
        person = site.person()
        await person.log_in()
        assert person.at_wallet.title == "Open a wallet"
        assert site.wallets() == []
        await person.open_wallet()
        assert person.at_wallet.path == "/"
        assert "Nothing confirmed yet" in person.at_wallet.page.text
        (wallet,) = site.wallets()
        assert wallet.level is IdentityLevel.NONE

    play(tmp_path, scene)
