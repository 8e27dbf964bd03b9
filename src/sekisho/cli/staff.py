"""`sekisho staff`: who works at the desks, in which roles, and a code to get in by."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from sekisho.cli.at_institution import BY, REASON, opened_parts
from sekisho.console import staff
from sekisho.console.rights import StaffRole
from sekisho.console.staff import Enrolment
from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.ids import MEMBER, MemberId
from sekisho.response.staff import Deed

FOLDER = "desks"


class _Desks(NamedTuple):
    """Where the desks keep who works at them."""

    data: Path
    store_url: str

    @contextmanager
    def opened(self) -> Iterator[Parts]:
        """Open the desks' record, beside the process that serves them where there is one."""
        with opened_parts(self.data, self.store_url, _desks) as parts:
            yield parts


@click.group("staff")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var") / FOLDER,
    show_default=True,
    help="The folder of the desks.",
)
@click.option("--store", "store_url", default="", help="Its store's URL, where that is not SQLite.")
@click.pass_context
def command(context: click.Context, *, data: Path, store_url: str) -> None:
    """Let people in at the desks, give and take their roles, and see them out."""
    context.obj = _Desks(data, store_url)


@command.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, help="As in lender:analyst.")
@BY
@REASON
@click.pass_obj
def add(place: _Desks, /, *, name: str, roles: tuple[str, ...], by: str, reason: str) -> None:
    """Let NAME in, and print the enrolment code: it is good once and for a day."""
    given: dict[str, list[StaffRole]] = {}
    for text in roles:
        institution, role = _role(text)
        given.setdefault(institution, []).append(role)
    with place.opened() as parts:
        made = parts.store.write(
            lambda at: staff.add_staff(at, parts, name, given, Deed(by, reason))
        ).result()
    _tell(made)


@command.command("list")
@click.pass_obj
def list_staff(place: _Desks) -> None:
    """Print everybody's id, name and roles."""
    with place.opened() as parts, parts.store.read() as connection:
        for each in staff.all_staff(connection):
            roles = sorted(f"{where}:{role}" for where, held in each.roles.items() for role in held)
            click.echo("\t".join((each.id, each.name, ",".join(roles))))


@command.command("enrol")
@click.argument("staff_id")
@BY
@REASON
@click.pass_obj
def enrol(place: _Desks, /, *, staff_id: str, by: str, reason: str) -> None:
    """Print a new enrolment code for STAFF_ID; using it takes the old passkeys away."""
    member_id = _id(staff_id)
    with place.opened() as parts:
        made = parts.store.write(
            lambda at: staff.new_enrolment(at, parts, member_id, Deed(by, reason))
        ).result()
    _tell(made)


@command.command("give")
@click.argument("staff_id")
@click.argument("role")
@BY
@REASON
@click.pass_obj
def give(place: _Desks, /, *, staff_id: str, role: str, by: str, reason: str) -> None:
    """Give STAFF_ID a ROLE, such as lender:analyst."""
    member_id, (where, given) = _id(staff_id), _role(role)
    with place.opened() as parts:
        parts.store.write(
            lambda at: staff.give_role(at, parts, member_id, where, given, Deed(by, reason))
        ).result()


@command.command("take")
@click.argument("staff_id")
@click.argument("role")
@BY
@REASON
@click.pass_obj
def take(place: _Desks, /, *, staff_id: str, role: str, by: str, reason: str) -> None:
    """Take a ROLE away from STAFF_ID."""
    member_id, (where, taken) = _id(staff_id), _role(role)
    with place.opened() as parts:
        had = parts.store.write(
            lambda at: staff.take_role(at, parts, member_id, where, taken, Deed(by, reason))
        ).result()
    if not had:
        raise click.ClickException(f"{staff_id} does not have this role.")


@command.command("own")
@click.argument("staff_id")
@click.argument("record")
@BY
@REASON
@click.pass_obj
def own(place: _Desks, /, *, staff_id: str, record: str, by: str, reason: str) -> None:
    """Keep that RECORD, such as lender:mem_..., is STAFF_ID's own: no glass opens it to them."""
    owner, (where, member_id) = _id(staff_id), _record(record)
    with place.opened() as parts:
        parts.store.write(
            lambda at: staff.name_own_record(at, parts, owner, where, member_id, Deed(by, reason))
        ).result()


@command.command("remove")
@click.argument("staff_id")
@BY
@REASON
@click.pass_obj
def remove(place: _Desks, /, *, staff_id: str, by: str, reason: str) -> None:
    """See STAFF_ID out: sessions end at once."""
    member_id = _id(staff_id)
    with place.opened() as parts:
        parts.store.write(lambda at: staff.remove_staff(at, parts, member_id, Deed(by, reason))).result()


def _desks() -> Institution:
    # The desks come with every page of theirs, which takes a second to load.
    from sekisho.cli.desks_house import desks_on  # noqa: PLC0415 - see above

    return desks_on("", 0)


def _role(text: str) -> tuple[str, StaffRole]:
    # The institutions come with every page of theirs, which takes a second to load.
    from sekisho.cli.institutions import KINDS  # noqa: PLC0415 - see above

    institution, _, role = text.partition(":")
    if institution not in KINDS or role not in set(StaffRole):
        known = f"{'|'.join(KINDS)}:{'|'.join(StaffRole)}"
        raise click.BadParameter(f"{text} is no role. Roles are {known}.")
    return institution, StaffRole(role)


def _record(text: str) -> tuple[str, MemberId]:
    # As above.
    from sekisho.cli.institutions import KINDS  # noqa: PLC0415 - see above

    institution, _, member = text.partition(":")
    try:
        member_id = MEMBER.parse(member)
    except ValueError as error:
        raise click.BadParameter(f"{text} is no record. One is as in lender:mem_...") from error
    if institution not in KINDS:
        raise click.BadParameter(f"{text} is at none of {', '.join(KINDS)}.")
    return institution, member_id


def _id(text: str) -> MemberId:
    try:
        return MEMBER.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"{text} is no staff id; see sekisho staff list.") from error


def _tell(made: Enrolment) -> None:
    click.echo(f"id     {made.member_id}")
    click.echo(f"code   {made.code}")
    click.echo(f"until  {rfc3339(made.expires_at_us)}")
    click.echo("Type the code at the desks' page /enrol. It is shown this once.")
