"""Why a login is believed to be a hit: the strongest contributions to its ratio, in both languages."""

import numpy as np

from sekisho.campaigns.coded import Weights, Whole
from sekisho.campaigns.evidence import HONEST_LEVELS
from sekisho.campaigns.learning import Feature, Ratio

CONTRIBUTION_MIN = 0.4
REASONS_MAX = 4

ENGLISH = {
    "address": "other hostile attempts came from the same address",
    "network": "other hostile attempts came from the same network",
    "provider": "provider and country are the campaign's rather than the members'",
    "client": "browser and TLS fingerprint are the campaign's rather than the members'",
    "new_place": "the member never logs in from this network otherwise",
    "new_client": "the member never logs in with this client otherwise",
    "no_device": "it carried no proven device token",
    "not_again": "no later login of the member continues from this device",
    "apart": "it stands apart in time from the member's other logins",
    "leaked": "the pair is on a breach list",
    "secret": "the same secret was tried on other members",
    "repeated": "it followed many failed tries on the member",
    "when": "it fell into the campaign's hours",
}
JAPANESE = {
    "address": "同じアドレスから他の攻撃がありました",
    "network": "同じネットワークから他の攻撃がありました",
    "provider": "事業者と国が、会員ではなく攻撃のものに近いです",
    "client": "ブラウザとTLSの特徴が、会員ではなく攻撃のものに近いです",
    "new_place": "会員はこのネットワークから他にログインしていません",
    "new_client": "会員はこの端末環境で他にログインしていません",
    "no_device": "確かな端末トークンがありませんでした",
    "not_again": "この端末から続くログインが後にありません",
    "apart": "会員の他のログインから時間が離れています",
    "leaked": "IDとパスワードの組が漏えいリストにあります",
    "secret": "同じパスワードや暗証番号が他の会員にも試されました",
    "repeated": "会員への多数の失敗の後でした",
    "when": "攻撃の時間帯にありました",
}
_GROUPS = {
    "address": ("address_hour", "address_day", "address_ever"),
    "network": ("prefix_hour", "prefix_day", "prefix_ever", "block_share"),
    "provider": ("asn_share", "country_share"),
    "client": ("client_share", "agent_share", "tls_share"),
    "new_place": ("member_prefix", "member_block", "member_asn", "member_country"),
    "new_client": ("member_client", "member_agent", "member_tls"),
    "no_device": ("device",),
    "not_again": ("device_birth",),
    "apart": ("gap_before", "gap_after", "member_logins"),
    "leaked": ("leaked",),
    "secret": ("secret", "secret_spread"),
    "repeated": ("sequence", "tries_on_member"),
}


def reasons(ratio: Ratio, features: list[Feature], rows: Whole) -> list[tuple[str, ...]]:
    """Return each row's reasons, the strongest first.

    Where no single one is strong, it is what stands around the attempt: hostile tries at its address, or only
    the campaign's hours.
    """
    by_name = {feature.name: feature.part(rows) for feature in features}
    totals: list[Weights] = []
    for names in _GROUPS.values():
        here = [ratio.contributions(by_name[name]) for name in names if name in by_name]
        totals.append(np.sum(here, axis=0) if here else np.zeros(len(rows)))
    codes = list(_GROUPS)
    found = []
    beside = by_name["address_hour"].cells >= HONEST_LEVELS if len(rows) else ()
    for added, company in zip(np.array(totals).T, beside, strict=True) if len(rows) else ():
        strongest = [int(place) for place in np.argsort(-added, kind="stable")[:REASONS_MAX]]
        named = tuple(codes[place] for place in strongest if added[place] >= CONTRIBUTION_MIN)
        found.append(named or (("address",) if company else ("when",)))
    return found
