"""Requests per second and their 99th percentile, by wrk where it is installed, else by a client of our own.

Run as a module with a log, seconds and a folder: starts the service (`echo_and_guard.py`), posts attempts of
the log to its echo endpoint and to `POST /v1/attempts` in turns, and prints both loads as one JSON object.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow.parquet as pq

from sekisho.cli.bench_parts.children import MeasurementFailed
from sekisho.cli.bench_parts.figures import Load

CONNECTIONS = 32
BODIES = 2_000
WARM_UP_S = 1
ROUNDS = 3
FIELDS = ("member", "known", "ip", "asn", "user_agent", "tls", "device", "secret")
_WRK_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_WRK_P99 = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
_WRK_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")
_MS_OF = {"us": 0.001, "ms": 1.0, "s": 1_000.0}


class Service(NamedTuple):
    """A running service: where it answers, an API key, and its process."""

    url: str
    key: str
    pid: int


class Posts(NamedTuple):
    """What is posted, where to, and with which API key."""

    url: str
    key: str
    bodies: list[bytes]


def measure(log: Path, seconds: int, folder: Path) -> dict[str, Load]:
    """Return what the echo endpoint and the decision endpoint of one server answered under load."""
    bodies = _bodies(log)
    rounds: dict[str, list[Load]] = {"echo": [], "attempts": []}
    with _service(folder) as service:
        # In turns, so that what else the machine does falls on both.
        for _ in range(ROUNDS):
            for name, loads in rounds.items():
                posts = Posts(f"{service.url}/v1/{name}", service.key, bodies)
                post_all(posts, WARM_UP_S, folder)
                began = cpu_seconds(service.pid)
                load = post_all(posts, max(1, seconds // ROUNDS), folder)
                answers = load.requests_per_second * max(1, seconds // ROUNDS)
                spent = cpu_seconds(service.pid) - began
                loads.append(msgspec.structs.replace(load, cpu_us=spent / answers * 1e6))
    return {name: middle(loads) for name, loads in rounds.items()}


def middle(loads: Sequence[Load]) -> Load:
    """Return the median of each figure."""
    return Load(
        requests_per_second=median(load.requests_per_second for load in loads),
        p99_ms=median(load.p99_ms for load in loads),
        client=loads[0].client,
        cpu_us=median(load.cpu_us for load in loads),
    )


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, on all its threads; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/stat")
    if not status.exists():
        return 0.0
    # Behind the program's name, which may hold anything: utime and stime are the 12th and 13th field.
    fields = status.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bodies(log: Path) -> list[bytes]:
    """Return attempts from the log's end as request bodies; without a time, so that they happen now."""
    with pq.ParquetFile(log) as file:
        table = file.read_row_group(file.num_row_groups - 1, columns=list(FIELDS))
    rows = table.slice(max(len(table) - BODIES, 0)).to_pylist()
    return [msgspec.json.encode({name: value for name, value in row.items() if value != ""}) for row in rows]


@contextmanager
def _service(folder: Path) -> Iterator[Service]:
    command = [sys.executable, "-m", "sekisho.cli.bench_parts.echo_and_guard", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:  # noqa: S603 - our own module
        assert server.stdout is not None  # noqa: S101 - it was asked for above
        try:
            hello = msgspec.json.decode(server.stdout.readline())
            yield Service(f"http://127.0.0.1:{hello['port']}", hello["key"], server.pid)
        finally:
            server.terminate()


def post_all(posts: Posts, seconds: int, folder: Path) -> Load:
    """Post the bodies in turn for so many seconds over a few connections, each asking when it was answered.

    Raises:
        MeasurementFailed: if an answer was not a success.

    """
    wrk = shutil.which("wrk")
    if wrk is not None:
        return _by_wrk(wrk, posts, seconds, folder)
    return asyncio.run(post_without_wrk(posts, seconds))


def _by_wrk(wrk: str, posts: Posts, seconds: int, folder: Path) -> Load:
    script = folder / "post.lua"
    quoted = ",\n".join(f"[==[{body.decode()}]==]" for body in posts.bodies)
    script.write_text(
        f"local bodies = {{{quoted}}}\nlocal at = 0\n"
        'local headers = {["content-type"]="application/json", ["authorization"]="Bearer '
        + posts.key
        + '"}\n'
        "request = function()\n  at = at % #bodies + 1\n"
        '  return wrk.format("POST", nil, headers, bodies[at])\nend\n'
    )
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), posts.url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - wrk, found on the path
    rate, p99, bad = _WRK_RATE.search(said), _WRK_P99.search(said), _WRK_BAD.search(said)
    if rate is None or p99 is None or bad is not None:
        raise MeasurementFailed(f"wrk against {posts.url}: {bad[0] if bad else said}")
    return Load(
        requests_per_second=float(rate[1]), p99_ms=float(p99[1]) * _MS_OF[p99[2]], client="wrk, 1 thread"
    )


async def post_without_wrk(posts: Posts, seconds: int) -> Load:
    """Do the same with asyncio; slower than wrk, so that the server may have to wait for it.

    Raises:
        MeasurementFailed: if an answer was not a success.

    """
    host, _, rest = posts.url.removeprefix("http://").partition(":")
    port, _, path = rest.partition("/")
    head = (
        f"POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {posts.key}\r\n"
    ).encode()
    requests = [head + b"content-length: %d\r\n\r\n" % len(body) + body for body in posts.bodies]
    ends = time.perf_counter() + seconds
    spans: list[float] = []

    async def ask(first: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        at = first
        try:
            while (began := time.perf_counter()) < ends:
                writer.write(requests[at % len(requests)])
                at += CONNECTIONS
                answer = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", answer)
                if length is None or not answer.startswith(b"HTTP/1.1 200"):
                    raise MeasurementFailed(f"{posts.url} answered {answer[:80]!r}")
                await reader.readexactly(int(length[1]))
                spans.append(time.perf_counter() - began)
        finally:
            writer.close()
            await writer.wait_closed()

    ended = await asyncio.gather(*(ask(number) for number in range(CONNECTIONS)), return_exceptions=True)
    for failure in ended:
        if isinstance(failure, BaseException):
            raise failure
    return Load(
        requests_per_second=len(spans) / seconds,
        p99_ms=float(np.percentile(spans, 99)) * 1_000,
        client="our own asyncio client",
    )


if __name__ == "__main__":
    found = measure(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.write(msgspec.json.encode(found).decode())
