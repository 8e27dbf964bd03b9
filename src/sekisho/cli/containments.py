"""Containment at an institution, with all that follows where an account is shut."""

from sekisho.identity.institution import Parts
from sekisho.response.containment import ContainmentDesk
from sekisho.wallet.link_stops import LinksContained


def containment_desk(parts: Parts) -> ContainmentDesk:
    """Return the desk that contains campaigns at an institution; links are stopped where there are any."""
    return ContainmentDesk(parts, following=(LinksContained(parts),))
