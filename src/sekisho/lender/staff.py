"""Four eyes on an application: who checked identity or income does not decide."""

from sekisho.kernel.refusals import Refusal


class SamePersonTwice(Refusal):
    """The one who decides must not be the one who checked."""

    code = "same_person_twice"
    status = 403
    told = "Somebody else has to decide this: you recorded the identity check."
