"""Why a request of a partner, or of the browser that it sent, is refused: in the words of the standards.

`invalid_request`, `invalid_client`, `invalid_grant`, `unsupported_grant_type`, `unsupported_response_type`,
`invalid_token` and `access_denied` are those of `identity.openid.refusals`: one word for one thing.
"""

from sekisho.kernel.refusals import Refusal


class InvalidAuthorizationDetails(Refusal):
    """The details cannot be read, or ask for more than the partner may have (RFC 9396 section 5)."""

    code = "invalid_authorization_details"
    status = 400
    told = "The authorization_details are not acceptable."


class InvalidDpopProof(Refusal):
    """The DPoP proof is missing, used before, or not about this request (RFC 9449 section 5)."""

    code = "invalid_dpop_proof"
    status = 400
    told = "The DPoP proof is not valid."


class UseDpopNonce(Refusal):
    """The DPoP proof must carry the nonce that this answer brings (RFC 9449 section 8)."""

    code = "use_dpop_nonce"
    status = 400
    told = "Make a new DPoP proof with the nonce of this answer."


class TokenNotBound(Refusal):
    """The access token is unknown, expired, revoked, or bound to another key: not told which."""

    code = "invalid_token"
    status = 401
    told = "The access token is not valid here."


class LinkingSwitchedOff(Refusal):
    """New links by this partner are switched off for now."""

    code = "temporarily_unavailable"
    status = 503
    told = "New links are suspended for now. Existing links go on."


class LinkRequestGone(Refusal):
    """The request that sent the browser here is unknown, used, too old, or another partner's."""

    code = "link_request_gone"
    status = 400
    told = "This request has expired. Go back to the service and start again."


class LinkVisitOver(Refusal):
    """The pages of this link were opened too long ago, in another browser, or were finished."""

    code = "link_visit_over"
    status = 400
    told = "This page has expired. Go back to the service and start again."
