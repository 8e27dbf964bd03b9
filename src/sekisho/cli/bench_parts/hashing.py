"""CPU time of an Argon2id verification at 19 MiB, t=2, p=1. Run as a module; prints a JSON object."""

import sys
from time import thread_time_ns

import msgspec
import numpy as np
from argon2 import PasswordHasher

from sekisho.cli.bench_parts.figures import Hashing

VERIFICATIONS = 60


def measure() -> Hashing:
    """Verify a right password again and again."""
    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    stored = hasher.hash("a password")
    spans = []
    for _ in range(VERIFICATIONS):
        began = thread_time_ns()
        hasher.verify(stored, "a password")
        spans.append((thread_time_ns() - began) / 1_000_000)
    median, p99 = np.percentile(spans, (50, 99)).tolist()
    return Hashing(median_ms=median, p99_ms=p99)


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(measure()).decode())
