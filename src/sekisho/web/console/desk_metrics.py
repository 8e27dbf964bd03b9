"""What the desks count, in the Prometheus text format, for keys with the scope `metrics`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from litestar import Response, get
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from sekisho.console.glass_desk import GlassDesk
from sekisho.response.glass import Counted
from sekisho.web.console.staff_desks import every_institution
from sekisho.web.guard_api.api_keys import Scope
from sekisho.web.members.programs import for_programs, require_key
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest

TEXT = "text/plain; version=0.0.4; charset=utf-8"


class _Glass:
    """Broken glass by institution, as it is on record now."""

    def __init__(self, counted: Mapping[str, Counted]) -> None:
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        broken = CounterMetricFamily(
            "sekisho_staff_glass_broken_total", "Glass broken, since the beginning.", labels=("institution",)
        )
        unseen = GaugeMetricFamily(
            "sekisho_staff_glass_unseen", "Broken glass that no auditor has seen.", labels=("institution",)
        )
        for institution, count in self._counted.items():
            broken.add_metric((institution,), count.broken)
            unseen.add_metric((institution,), count.unseen)
        yield from (broken, unseen)

    def describe(self) -> Iterable[Metric]:
        return ()


@get("/metrics", opt={ROLE: Role.CLIENT})
@for_programs
async def desk_metrics(request: AnyRequest) -> Response[Any]:
    """Say how often glass was broken at each institution, and what waits for an auditor."""
    require_key(request, Scope.METRICS)
    counted = {
        desks.institution.key: await GlassDesk(desks.parts).count() for desks in every_institution(request)
    }
    registry = CollectorRegistry()
    registry.register(_Glass(counted))
    return Response(generate_latest(registry), media_type=TEXT, headers=NO_STORE)


ROUTES = (desk_metrics,)
