"""A plan as a plain drawing: what is still owed after each payment, and the interest paid until then."""

from typing import NamedTuple

from sekisho.kernel.yen import Yen
from sekisho.lender.repayment import Plan

WIDTH, HEIGHT = 600, 240
TOP = 12
POINTS_MAX = 120
ROUND_STEPS = (1, 2, 5)


class Tick(NamedTuple):
    """A line across the drawing at an amount."""

    y: int
    amount: Yen


class Drawing(NamedTuple):
    """A drawing as SVG takes it: an area and a line as lists of points, and the lines across."""

    width: int
    height: int
    balance: str
    interest: str
    ticks: tuple[Tick, ...]
    payments: int


def drawn(borrowed: Yen, plan: Plan) -> Drawing:
    """Draw a plan, with a point for each payment or, where they are many, for some of them."""
    owed, paid, interest = [borrowed.amount], [0], 0
    for payment in plan.payments:
        interest += payment.interest.amount
        owed.append(payment.balance.amount)
        paid.append(interest)
    highest = max(borrowed.amount, interest)
    count = len(plan.payments)
    kept = sorted(
        {round(point * count / min(count, POINTS_MAX)) for point in range(count + 1)} & {*range(count + 1)}
    )
    area = [f"0,{HEIGHT}", *(_point(number, count, owed[number], highest) for number in kept)]
    line = [_point(number, count, paid[number], highest) for number in kept]
    ticks = tuple(Tick(_y(amount, highest), Yen(amount)) for amount in _round_amounts(highest))
    return Drawing(WIDTH, HEIGHT, " ".join(area), " ".join(line), ticks, count)


def _point(number: int, count: int, amount: int, highest: int) -> str:
    return f"{number * WIDTH / count:.1f},{_y(amount, highest)}"


def _y(amount: int, highest: int) -> int:
    return round(HEIGHT - (HEIGHT - TOP) * amount / highest)


def _round_amounts(highest: int) -> list[int]:
    """Return two to five round amounts up to the highest, without zero."""
    power = 10 ** (len(str(highest)) - 1)
    steps = [step * power // 10 for step in ROUND_STEPS] + [step * power for step in ROUND_STEPS]
    step = next(step for step in steps if step and highest // step <= 4)  # noqa: PLR2004 - lines across
    return list(range(step, highest + 1, step))
