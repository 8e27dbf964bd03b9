"""What clients read before they ask for anything: the discovery document (RFC 8414, Discovery 1.0)."""

from sekisho.identity.assurance import Level
from sekisho.identity.institution import Institution
from sekisho.identity.openid.clients import Proof
from sekisho.identity.openid.jose import ALGORITHMS, CLIENT_ALGORITHMS
from sekisho.identity.openid.requests import Prompt
from sekisho.identity.openid.scopes import CLAIMS, Scope

AUTHORISE_PATH = "/openid/authorize"
TOKEN_PATH = "/openid/token"  # noqa: S105 - a path
USERINFO_PATH = "/openid/userinfo"
REVOCATION_PATH = "/openid/revoke"
KEYS_PATH = "/openid/keys"
LOGOUT_PATH = "/openid/logout"
TOKEN_CLAIMS = ("iss", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash")


def discovery(institution: Institution) -> dict[str, object]:
    """Return the discovery document of an institution."""
    issuer = institution.origin
    proofs = [proof.value for proof in Proof]
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORISE_PATH,
        "token_endpoint": issuer + TOKEN_PATH,
        "userinfo_endpoint": issuer + USERINFO_PATH,
        "jwks_uri": issuer + KEYS_PATH,
        "revocation_endpoint": issuer + REVOCATION_PATH,
        "end_session_endpoint": issuer + LOGOUT_PATH,
        "scopes_supported": [scope.value for scope in Scope],
        "claims_supported": [*(claim for claims in CLAIMS.values() for claim in claims), *TOKEN_CLAIMS],
        "acr_values_supported": [level.value for level in Level],
        "prompt_values_supported": [prompt.value for prompt in Prompt],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "token_endpoint_auth_methods_supported": proofs,
        "token_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": proofs,
        "revocation_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["ja", "en"],
    }
