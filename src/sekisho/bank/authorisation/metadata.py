"""What partners read before they ask for anything (RFC 8414), with what the bank asks of its depositors.

Members that begin with `sekisho_` are our own: the bank's code, how it authenticates a depositor who links an
account and how strong that is, and where debits and payouts go.
"""

from sekisho.bank.authorisation.partners import ALGORITHMS
from sekisho.bank.authorisation.settings import LinkSettings
from sekisho.bank.house import BankParts
from sekisho.linking.dpop import ALGORITHM
from sekisho.linking.link_details import TYPE

PUSH_PATH = "/link/par"
AUTHORISE_PATH = "/link/authorize"
TOKEN_PATH = "/link/token"  # noqa: S105 - a path
REVOKE_PATH = "/link/revoke"
PROOF = "private_key_jwt"


def metadata(bank: BankParts, settings: LinkSettings) -> dict[str, object]:
    """Return the metadata document of a bank."""
    issuer, policy = bank.institution.origin, settings.policy
    return {
        "issuer": issuer,
        "pushed_authorization_request_endpoint": issuer + PUSH_PATH,
        "require_pushed_authorization_requests": True,
        "authorization_endpoint": issuer + AUTHORISE_PATH,
        "token_endpoint": issuer + TOKEN_PATH,
        "revocation_endpoint": issuer + REVOKE_PATH,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [PROOF],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": [PROOF],
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_signing_alg_values_supported": [ALGORITHM],
        "authorization_response_iss_parameter_supported": True,
        "authorization_details_types_supported": [TYPE],
        "ui_locales_supported": ["ja", "en"],
        "sekisho_bank_code": bank.profile.code,
        "sekisho_link_authentication": policy.value,
        "sekisho_link_strength": policy.strength,
        "sekisho_ceiling_yen": settings.ceiling_yen,
        "sekisho_month_ceiling_yen": settings.month_ceiling_yen,
        "sekisho_debit_endpoint": issuer + "/v1/debits",
        "sekisho_credit_endpoint": issuer + "/v1/credits",
        "sekisho_mandate_endpoint": issuer + "/v1/mandates",
        "sekisho_service_status_endpoint": issuer + "/v1/service-status",
    }
