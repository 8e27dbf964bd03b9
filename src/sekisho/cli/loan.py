"""`sekisho loan`: what a loan costs, by the two methods that are in use."""

import json
from datetime import datetime

import click

from sekisho.kernel.yen import Yen
from sekisho.lender.interest import days_between, interest
from sekisho.lender.rates import Rate
from sekisho.lender.repayment import PlanNeverEnds, fixed_payment, monthly_plan
from sekisho.lender.terms import published_terms

DAY = click.DateTime(formats=["%Y-%m-%d"])


class RateType(click.ParamType[Rate]):
    """A rate in per cent a year, as `17.8`, up to the highest that the law allows for any principal."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Rate:
        """Read a rate, or say why it is none."""
        if isinstance(value, Rate):
            return value
        highest = published_terms().legal_cap(Yen(0))
        try:
            rate = Rate.parse(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a rate in per cent a year, such as 17.8.", param, ctx)
        if rate > highest:
            self.fail(f"the law allows {highest} at most.", param, ctx)
        return rate


class YenType(click.ParamType[Yen]):
    """An amount of yen above zero, as `100000` or `100,000円`."""

    name = "yen"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Yen:
        """Read an amount, or say why it is none."""
        if isinstance(value, Yen):
            return value
        try:
            amount = Yen.parse(str(value))
        except ValueError:
            self.fail(f"{value!r} is not an amount of yen, such as 100000.", param, ctx)
        if amount <= Yen(0):
            self.fail("the amount must be above zero.", param, ctx)
        return amount


@click.group("loan")
def command() -> None:
    """Work out what a loan costs."""


@command.command("plan")
@click.option("--balance", type=YenType(), required=True, help="What is owed after the last borrowing.")
@click.option("--rate", type=RateType(), required=True, help="Per cent a year, such as 18.0.")
@click.option("--payment", type=YenType(), default=None, help="Paid each month; the terms' own if not given.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def plan(*, balance: Yen, rate: Rate, payment: Yen | None, as_json: bool) -> None:
    """Show the monthly payments by the published simulator's method: a twelfth of the rate each month."""
    book = published_terms()
    monthly = payment or fixed_payment(balance, book)
    try:
        made = monthly_plan(balance, rate, monthly)
    except PlanNeverEnds as failure:
        raise click.UsageError(str(failure)) from failure
    _warn_above_cap(balance, rate)
    figures = {
        "balance_yen": balance.amount,
        "rate_percent": rate.percent,
        "payment_yen": made.payment.amount,
        "payments": len(made.payments),
        "total_yen": made.total.amount,
        "interest_yen": made.interest.amount,
        "last_payment_yen": made.payments[-1].paid.amount,
        "method": "monthly",
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(f"{balance} at {rate} a year, {made.payment} a month:")
    click.echo(f"{len(made.payments)} payments, {made.total} in all, of which {made.interest} interest.")
    click.echo(f"The last payment is {made.payments[-1].paid}.")


@command.command("interest")
@click.option("--principal", type=YenType(), required=True, help="What is owed, unchanged all the while.")
@click.option("--rate", type=RateType(), required=True, help="Per cent a year, such as 17.8.")
@click.option("--from", "borrowed", type=DAY, required=True, help="The day of borrowing; it does not count.")
@click.option("--to", "repaid", type=DAY, required=True, help="The day of repayment; it counts.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def interest_command(
    *, principal: Yen, rate: Rate, borrowed: datetime, repaid: datetime, as_json: bool
) -> None:
    """Show the interest between two days by the ledger's method: each day a 365th, or a 366th, of a year."""
    start, end = borrowed.date(), repaid.date()
    if end < start:
        raise click.BadParameter(f"{end} comes before {start}.", param_hint="--to")
    _warn_above_cap(principal, rate)
    owed, days = interest(principal, rate, start, end), days_between(start, end)
    if as_json:
        figures = {
            "principal_yen": principal.amount,
            "rate_percent": rate.percent,
            "from": start.isoformat(),
            "to": end.isoformat(),
            "days": days,
            "interest_yen": owed.amount,
            "method": "daily",
        }
        click.echo(json.dumps(figures))
        return
    counted = f"{days} day" if days == 1 else f"{days} days"
    click.echo(f"{principal} at {rate} a year, {start} to {end}: {counted}, {owed} interest.")


def _warn_above_cap(principal: Yen, rate: Rate) -> None:
    cap = published_terms().legal_cap(principal)
    if rate > cap:
        click.echo(f"Note: for {principal} the law allows {cap} at most; what is above it is void.", err=True)
