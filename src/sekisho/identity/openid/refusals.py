"""Why a request is refused, in the words of OAuth and OpenID Connect.

The first group is shown to the person in the browser and never sent to the client: with an unknown client or
an unregistered redirect URI there is nobody to be trusted with an answer. The others carry the error codes of
the standards (RFC 6749, OpenID Connect Core 3.1.2.6, RFC 6750, RFC 9470); what is told is plain ASCII, as
they demand.
"""

from sekisho.kernel.refusals import Refusal


class ClientUnknown(Refusal):
    """No client of this id is registered, so there is nobody to go back to."""

    code = "openid_client_unknown"
    status = 400
    told = "The service that sent you here is not registered with us."


class RedirectUnregistered(Refusal):
    """The client did not register this redirect URI: to follow it would be an open redirect."""

    code = "openid_redirect_unregistered"
    status = 400
    told = "The service that sent you here named an address that it has not registered with us."


class RequestUnreadable(Refusal):
    """The request is too large or not a form, so that nothing in it can be trusted, the redirect included."""

    code = "openid_request_unreadable"
    status = 400
    told = "The request that sent you here could not be read."


class TicketStale(Refusal):
    """The ticket is forged, too old, or another member's."""

    code = "openid_ticket_stale"
    status = 400
    told = "This page has expired. Go back to the service and start again."


class InvalidRequest(Refusal):
    """A parameter is missing, repeated, too long or impossible."""

    code = "invalid_request"
    status = 400
    told = "The request is malformed."


class UnsupportedResponseType(Refusal):
    """Only `code` is given out."""

    code = "unsupported_response_type"
    status = 400
    told = "Only response_type=code is supported."


class InvalidScope(Refusal):
    """`openid` is missing, or the client may not ask for it."""

    code = "invalid_scope"
    status = 400
    told = "The scope must contain openid."


class RequestNotSupported(Refusal):
    """Request objects are not taken."""

    code = "request_not_supported"
    status = 400
    told = "The request parameter is not supported."


class RequestUriNotSupported(Refusal):
    """Request objects are not fetched."""

    code = "request_uri_not_supported"
    status = 400
    told = "The request_uri parameter is not supported."


class RegistrationNotSupported(Refusal):
    """Clients do not register themselves."""

    code = "registration_not_supported"
    status = 400
    told = "The registration parameter is not supported."


class LoginRequired(Refusal):
    """`prompt=none`, and the member is not logged in, or not recently or strongly enough."""

    code = "login_required"
    status = 400
    told = "The member must log in."


class ConsentRequired(Refusal):
    """`prompt=none`, and the member has not consented to this scope."""

    code = "consent_required"
    status = 400
    told = "The member must consent."


class AccessDenied(Refusal):
    """The member said no."""

    code = "access_denied"
    status = 403
    told = "The member did not consent."


class UnmetAuthenticationRequirements(Refusal):
    """The level that was asked for is not known here, or the member gave up on reaching it."""

    code = "unmet_authentication_requirements"
    status = 400
    told = "The requested authentication level was not reached."


class InvalidClient(Refusal):
    """The client is unknown or did not prove who it is; which of the two is not told."""

    code = "invalid_client"
    status = 401
    told = "The client could not be authenticated."


class InvalidGrant(Refusal):
    """The code is unknown, used, expired, another client's, or its verifier does not fit: not told which."""

    code = "invalid_grant"
    status = 400
    told = "The code is not valid."


class UnsupportedGrantType(Refusal):
    """Only codes are exchanged."""

    code = "unsupported_grant_type"
    status = 400
    told = "Only grant_type=authorization_code is supported."


class InvalidToken(Refusal):
    """The access token is unknown, expired or revoked, or the session behind it has ended."""

    code = "invalid_token"
    status = 401
    told = "The access token is not valid."
