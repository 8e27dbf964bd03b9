"""What a transmitter says of itself: `/.well-known/ssf-configuration` (SSF 1.0 section 7.1)."""

from typing import Any

from sekisho.identity.institution import Institution
from sekisho.sharing.streams import POLL, PUSH


def configuration_of(institution: Institution) -> dict[str, Any]:
    """Return an institution's configuration. Partners bring bearer tokens (RFC 6750), made by an operator."""
    origin = institution.origin
    return {
        "spec_version": "1_0",
        "issuer": origin,
        "jwks_uri": f"{origin}/ssf/keys",
        "delivery_methods_supported": [PUSH, POLL],
        "configuration_endpoint": f"{origin}/ssf/streams",
        "status_endpoint": f"{origin}/ssf/status",
        "add_subject_endpoint": f"{origin}/ssf/subjects/add",
        "remove_subject_endpoint": f"{origin}/ssf/subjects/remove",
        "verification_endpoint": f"{origin}/ssf/verification",
        "critical_subject_members": [],
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6750"}],
        "default_subjects": "ALL",
    }
