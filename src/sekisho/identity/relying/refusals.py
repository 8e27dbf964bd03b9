"""Why a login with the ID is not believed. What is told never says which check it was."""

from sekisho.kernel.refusals import Refusal


class SignInFailed(Refusal):
    """The answer of the ID is not one to this browser's request, or its token does not hold."""

    code = "sign_in_failed"
    status = 400
    told = "The login with your ID did not work. Please try again."


class SignInOver(Refusal):
    """The login was begun in another browser, too long ago, or was finished before."""

    code = "sign_in_over"
    status = 400
    told = "This login was begun too long ago, or somewhere else. Please begin again."


class SignInDeclined(Refusal):
    """The member, or the ID, said no."""

    code = "sign_in_declined"
    status = 403
    told = "The login with your ID was cancelled."


class SignInStopped(Refusal):
    """The guard takes the login for somebody else's."""

    code = "sign_in_stopped"
    status = 403
    told = "We can't let you in from here now. Please use a browser that you have used before, or call us."


class NotYourLogin(Refusal):
    """Somebody else's ID was used to confirm what this member wants."""

    code = "sign_in_not_yours"
    status = 403
    told = "This was confirmed with another ID than the one that this account belongs to."


class LogoutTokenUnfit(Refusal):
    """What came to the back-channel logout is no logout token of the ID for us."""

    code = "logout_token_unfit"
    status = 400
    told = "This is no valid logout token."
