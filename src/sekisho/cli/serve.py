"""`sekisho serve`: one service alone, as it runs in production: the guard, or an institution."""

import signal
from pathlib import Path
from socket import socket

import click

from sekisho.cli.checkpoint import Checkpoint, open_checkpoint
from sekisho.cli.guard_options import GuardOptions, guard_options
from sekisho.cli.keys import FILE_NAME
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal
from sekisho.storage.engine import open_store
from sekisho.storage.history.worker import moving_to_history
from sekisho.storage.keys import persistent_key
from sekisho.web.guard_api.api_keys import ApiKeys
from sekisho.web.guard_api.app import create_guard_app
from sekisho.web.guard_api.settings import ForwardAuthSettings, GuardServiceSettings
from sekisho.web.proxies import ProxyTrust
from sekisho.web.server import listening_socket, run, serve


@click.command("serve")
@click.argument("what", type=click.Choice(["guard", "lender", "id", "wallet", "bank"]), default="guard")
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
@click.option(
    "--institution",
    "institution_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Who the institution is, in TOML; the demo's at *.localhost if not given.",
)
@click.option(
    "--partners",
    "partners_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="With whom the institution works, in TOML; another form for lender, wallet and bank.",
)
@click.option("--echo", is_flag=True, help="Open POST /v1/echo, which the bench compares a decision with.")
@guard_options
def command(**options: object) -> None:
    """Serve one part alone: the guard (if none is named), or an institution with its member site.

    The guard answers POST /v1/attempts, their outcomes, and forward-auth for a reverse proxy.
    """
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
    what: str,
    host: str,
    port: int,
    data: Path,
    store_url: str,
    on_outage: str,
    proxies: tuple[str, ...],
    proxy_hops: int | None,
    tls_header: str,
    institution_file: Path | None,
    partners_file: Path | None,
    echo: bool,
    adding: GuardOptions,
) -> None:
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    chance = SystemChance()
    trust = ProxyTrust.parse(proxies, proxy_hops)
    if what != "guard":
        # The guard alone does not load the members' pages.
        from sekisho.cli.serve_institution import Operating, serve_institution  # noqa: PLC0415 - see above

        listener = listening_socket(host, port)
        _say(what, host, listener, adding)
        posture = Posture(on_outage)
        operating = Operating(institution_file, partners_file, store_url, posture, trust, tls_header, adding)
        serve_institution(what, data, listener, operating)
        return
    settings = GuardServiceSettings(
        echo=echo,
        forward_auth=ForwardAuthSettings(
            trusted_proxies=trust,
            secret_key=persistent_key(data / "secrets.key", chance),
            tls_header=tls_header,
        ),
    )
    store = open_store(store_url or f"sqlite:///{data / 'sekisho.db'}")
    try:
        listener = listening_socket(host, port)
        clock = SystemClock()
        checkpoint = open_checkpoint(
            store, data, Posture(on_outage), clock=clock, chance=chance, adding=adding
        )
        keys = ApiKeys(clock=clock, path=data / FILE_NAME)
        _say(what, host, listener, adding)
        with moving_to_history(store, data / "history", clock=clock):
            run(lambda: _live(checkpoint, keys, settings, listener))
    finally:
        store.close()


def _say(what: str, host: str, listener: socket, adding: GuardOptions) -> None:
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Sekisho's {what} listens on http://{shown}:{listener.getsockname()[1]}")
    if adding.in_the_shadow:
        click.echo(adding.in_the_shadow)


async def _live(
    checkpoint: Checkpoint, keys: ApiKeys, settings: GuardServiceSettings, listener: socket
) -> None:
    # The server hands the signal that ended it on, to us who are ending already: we still have to put the
    # memory away, and the system would kill us.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: None)
    app = create_guard_app(checkpoint.desk, keys=keys, settings=settings, ready=checkpoint.is_ready)
    async with checkpoint.living():
        await serve(app, listener)
