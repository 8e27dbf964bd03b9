"""`sekisho serve`: the guard's service alone, as it runs in production behind the login of somebody else."""

from pathlib import Path
from socket import socket

import click

from sekisho.cli.keys import FILE_NAME
from sekisho.guard.devices import DeviceTokens
from sekisho.guard.guard import Guard
from sekisho.kernel.chance import Chance, SystemChance
from sekisho.kernel.clock import Clock, SystemClock
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import Store, open_store
from sekisho.storage.history.worker import moving_to_history
from sekisho.storage.keys import persistent_key
from sekisho.web.asgi import App
from sekisho.web.guard_api.api_keys import ApiKeys
from sekisho.web.guard_api.app import create_guard_app
from sekisho.web.guard_api.desk import Assessed, GuardDesk
from sekisho.web.guard_api.settings import ForwardAuthSettings, GuardServiceSettings
from sekisho.web.proxies import ProxyTrust
from sekisho.web.server import listening_socket, run, serve

REOPENED_MAX = 20_000


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8471, show_default=True, help="The port to listen on; 0 takes a free one.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Where the keys are kept, and the record unless --store says otherwise.",
)
@click.option("--store", "store_url", default="", help="The record's URL: sqlite:///FILE or postgresql://...")
@click.option(
    "--on-outage",
    type=click.Choice([posture.value for posture in Posture]),
    required=True,
    help="What a decision is worth that cannot be recorded: open answers all the same, closed refuses.",
)
@click.option(
    "--trust-proxy",
    "proxies",
    multiple=True,
    help="An address or network whose forward-auth questions are answered; may be given more than once.",
)
@click.option("--proxy-hops", type=int, default=None, help="How many proxies stand in front of the client.")
@click.option(
    "--tls-header", default="", help="The header in which a trusted proxy puts the TLS fingerprint."
)
@click.option("--echo", is_flag=True, help="Open POST /v1/echo, which the bench compares a decision with.")
def command(**options: object) -> None:
    """Serve the guard alone: POST /v1/attempts, its outcomes, and forward-auth for a reverse proxy."""
    try:
        _serve(**options)  # type: ignore[arg-type] # click has checked each by its own option
    except Refusal as refusal:
        raise click.ClickException(refusal.told) from refusal
    except OperationalError as outage:
        raise click.ClickException(f"A part is down: {outage}") from outage
    except (OSError, ValueError) as failure:
        raise click.ClickException(str(failure)) from failure


def _serve(  # noqa: PLR0913 - the command's options
    *,
    host: str,
    port: int,
    data: Path,
    store_url: str,
    on_outage: str,
    proxies: tuple[str, ...],
    proxy_hops: int | None,
    tls_header: str,
    echo: bool,
) -> None:
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    chance = SystemChance()
    settings = GuardServiceSettings(
        echo=echo,
        forward_auth=ForwardAuthSettings(
            trusted_proxies=ProxyTrust.parse(proxies, proxy_hops),
            secret_key=persistent_key(data / "secrets.key", chance),
            tls_header=tls_header,
        ),
    )
    store = open_store(store_url or f"sqlite:///{data / 'sekisho.db'}")
    try:
        listener = listening_socket(host, port)
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"Sekisho's guard listens on http://{shown}:{listener.getsockname()[1]}")
        with moving_to_history(store, data / "history", clock=SystemClock()):
            run(lambda: _live(store, data, Posture(on_outage), settings, listener))
    finally:
        store.close()


async def _live(
    store: Store, data: Path, on_outage: Posture, settings: GuardServiceSettings, listener: socket
) -> None:
    await serve(guard_service(store, data, on_outage, settings), listener)


def guard_service(store: Store, data: Path, on_outage: Posture, settings: GuardServiceSettings) -> App:
    """Put the service together. Call it on the event loop that will serve it."""
    clock, chance = SystemClock(), SystemChance()
    desk = recorded_desk(kept_guard(data, chance), store, data, on_outage, clock=clock, chance=chance)
    return create_guard_app(desk, keys=ApiKeys(clock=clock, path=data / FILE_NAME), settings=settings)


def kept_guard(data: Path, chance: Chance) -> Guard:
    """Return a guard with the key that a folder keeps."""
    return Guard(key=persistent_key(data / "guard.key", chance))


def recorded_desk(  # noqa: PLR0913 - the parts of a desk, each named at the call
    guard: Guard, store: Store, data: Path, on_outage: Posture, *, clock: Clock, chance: Chance
) -> GuardDesk:
    """Return a desk on a store and the keys in a folder, with what was recorded lately open for outcomes."""
    record = AttemptStore(store, clock=clock)
    desk = GuardDesk(
        guard,
        clock=clock,
        chance=chance,
        recorder=record,
        on_outage=on_outage,
        devices=DeviceTokens(persistent_key(data / "devices.key", chance)),
    )
    for kept in reversed(record.recent(REOPENED_MAX)):
        decided = Assessed(
            attempt_id=kept.attempt_id, attempt=kept.attempt, decision=kept.decision, at_us=kept.at_us
        )
        desk.reopen(decided, kept.outcome, kept.challenge)
    return desk
