"""What people at the desks may do: a role is a set of rights, and each role has as few as its work needs."""

from enum import StrEnum


class StaffRole(StrEnum):
    """What somebody works as, at one institution."""

    ANALYST = "analyst"
    """Reads campaigns and policies, and tries policies out; changes nothing. Looks at a member in an
    emergency only.
    """

    RESPONDER = "responder"
    """Sets switches and contains cohorts; what is wide waits for an approver."""

    APPROVER = "approver"
    """Approves what others propose; proposes nothing."""

    DESK = "desk"
    """Talks to members: their records, cases and claims."""

    AUDITOR = "auditor"
    """Reads everything that was done and seen; changes nothing."""


class Right(StrEnum):
    """One thing that a page or a command of the console does."""

    SEE_CAMPAIGNS = "see_campaigns"
    """See attacks, campaigns and their figures."""

    SEE_COHORTS = "see_cohorts"
    """See which members a campaign may have entered."""

    SEE_POLICIES = "see_policies"
    """See the policies that run, and what each would have done: from where on somebody is asked for more."""

    TRY_POLICIES = "try_policies"
    """Play the last days again under another policy or switch."""

    SEE_MEMBERS = "see_members"
    """Open a member's record, for a reason that is written down."""

    BREAK_GLASS = "break_glass"
    """Open one record that no role of theirs opens, when whoever may is not there; loudly."""

    SEE_SWITCHES = "see_switches"
    """See what is switched off, and what a switch would do."""

    SET_SWITCHES = "set_switches"
    """Switch off and on again."""

    CONTAIN = "contain"
    """Contain a cohort, and give an account back."""

    HANDLE_CASES = "handle_cases"
    """Take reports of damage, work on cases and claims."""

    APPROVE = "approve"
    """Be the second pair of eyes."""

    DECIDE_APPLICATIONS = "decide_applications"
    """Decide applications that the rules leave to a person."""

    DECIDE_LINKS = "decide_links"
    """Decide links to banks, and movements over them, that the rules leave to a person."""

    MAKE_REPORTS = "make_reports"
    """Draw up reports to authorities, police, partners and the public."""

    READ_AUDIT = "read_audit"
    """Read what staff did and saw."""


_READS = {Right.SEE_CAMPAIGNS, Right.SEE_SWITCHES}
# Who may look anyhow has no glass to break. An auditor breaks none: somebody else has to look into it.
RIGHTS: dict[StaffRole, frozenset[Right]] = {
    StaffRole.ANALYST: frozenset(
        {*_READS, Right.SEE_COHORTS, Right.SEE_POLICIES, Right.TRY_POLICIES, Right.BREAK_GLASS}
    ),
    StaffRole.RESPONDER: frozenset(
        {
            *_READS,
            Right.SEE_COHORTS,
            Right.SEE_POLICIES,
            Right.TRY_POLICIES,
            Right.SEE_MEMBERS,
            Right.SET_SWITCHES,
            Right.CONTAIN,
            Right.MAKE_REPORTS,
        }
    ),
    StaffRole.APPROVER: frozenset({*_READS, Right.SEE_COHORTS, Right.SEE_MEMBERS, Right.APPROVE}),
    StaffRole.DESK: frozenset(
        {
            *_READS,
            Right.SEE_MEMBERS,
            Right.HANDLE_CASES,
            Right.DECIDE_APPLICATIONS,
            Right.DECIDE_LINKS,
        }
    ),
    StaffRole.AUDITOR: frozenset({*_READS, Right.SEE_COHORTS, Right.SEE_POLICIES, Right.READ_AUDIT}),
}


def rights_of(roles: frozenset[StaffRole]) -> frozenset[Right]:
    """Return what somebody with these roles may do."""
    return frozenset().union(*(RIGHTS[role] for role in roles))
