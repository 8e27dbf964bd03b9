"""What a bank says of itself at its issuer (RFC 8414), and whether that is what linking stands on.

Everything that follows goes to addresses that stand here, so the document is believed only where it names
the issuer that it was asked for and keeps all its addresses on that issuer's own origin: an address elsewhere
would hand a code of one bank to another (mix-up).
"""

from http import HTTPStatus

import msgspec

from sekisho.identity.http_line import AddressUnfit, require_fit
from sekisho.linking.bank_http import BankAway, BankLine, Question
from sekisho.linking.link_details import TYPE
from sekisho.linking.link_partners import AUTHENTICATIONS, LinkPartner, Strength

WELL_KNOWN = "/.well-known/oauth-authorization-server"


class BankMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a bank's metadata that linking reads. Names that begin with `sekisho_` are our own."""

    issuer: str
    pushed_authorization_request_endpoint: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str = ""
    require_pushed_authorization_requests: bool = False
    code_challenge_methods_supported: list[str] = []
    token_endpoint_auth_methods_supported: list[str] = []
    dpop_signing_alg_values_supported: list[str] = []
    authorization_response_iss_parameter_supported: bool = False
    authorization_details_types_supported: list[str] = []
    sekisho_bank_code: str
    sekisho_link_authentication: str
    sekisho_link_strength: int
    sekisho_debit_endpoint: str
    sekisho_credit_endpoint: str
    sekisho_mandate_endpoint: str
    sekisho_service_status_endpoint: str = ""

    @property
    def strength(self) -> Strength:
        """Return how sure the bank says it is: by its word and by its way, the weaker of the two."""
        return min(Strength(self.sekisho_link_strength), AUTHENTICATIONS[self.sekisho_link_authentication])


async def read_metadata(line: BankLine, partner: LinkPartner) -> BankMetadata:
    """Ask a bank for its metadata. Raises BankAway where there is none, or none that linking can stand on."""
    url = partner.issuer + WELL_KNOWN
    heard = await line.ask(Question("GET", url))
    if heard.status != HTTPStatus.OK:
        raise BankAway(partner.bank, f"metadata: HTTP {heard.status}", maybe_heard=False)
    try:
        metadata = heard.read(BankMetadata)
    except msgspec.MsgspecError as error:
        raise BankAway(partner.bank, "metadata that can't be read", maybe_heard=False) from error
    fault = fault_of(metadata, partner)
    if fault:
        raise BankAway(partner.bank, f"metadata: {fault}", maybe_heard=False)
    return metadata


def fault_of(metadata: BankMetadata, partner: LinkPartner) -> str:
    """Return why a bank's metadata can't be used, empty where they can."""
    rules = (
        (metadata.issuer == partner.issuer, "another issuer"),
        (metadata.sekisho_bank_code == partner.bank, "another bank"),
        (all(_is_on(partner.issuer, url) for url in _addresses(metadata)), "an address elsewhere"),
        (metadata.require_pushed_authorization_requests, "requests need not be pushed"),
        ("S256" in metadata.code_challenge_methods_supported, "no PKCE with S256"),
        ("private_key_jwt" in metadata.token_endpoint_auth_methods_supported, "no private_key_jwt"),
        ("ES256" in metadata.dpop_signing_alg_values_supported, "no DPoP with ES256"),
        (metadata.authorization_response_iss_parameter_supported, "no issuer in its answers"),
        (TYPE in metadata.authorization_details_types_supported, "no accounts to link"),
        (metadata.sekisho_link_authentication in AUTHENTICATIONS, "an unknown way to authenticate"),
        (metadata.sekisho_link_strength in list(Strength), "an unknown strength"),
    )
    return next((fault for holds, fault in rules if not holds), "")


def _addresses(metadata: BankMetadata) -> list[str]:
    names = [name for name in BankMetadata.__struct_fields__ if name.endswith("_endpoint")]
    return [url for name in names if (url := getattr(metadata, name))]


def _is_on(issuer: str, url: str) -> bool:
    try:
        require_fit(url, issuer)
    except AddressUnfit:
        return False
    return True
