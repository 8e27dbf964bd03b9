"""A proof of work for browsers: cheap once, dear a million times. Every stranger gets one, whoever it is."""

import hashlib
from typing import NamedTuple

BITS = 16
"""So many zero bits must begin the hash: some tens of thousands of tries, a second on a telephone."""

_SOLUTION_MAX = 20
_DIGEST_BITS = 256


class Puzzle(NamedTuple):
    """Find a whole number n so that SHA-256 of `challenge:n` begins with `bits` zero bits."""

    challenge: str
    bits: int


def puzzle_for(token: str, *, bits: int = BITS) -> Puzzle:
    """Return the puzzle that belongs to a token, the same each time."""
    return Puzzle(hashlib.sha256(b"puzzle:" + token.encode("utf-8", "surrogatepass")).hexdigest()[:32], bits)


def is_solved(puzzle: Puzzle, solution: str) -> bool:
    """Say whether a solution solves a puzzle."""
    if not (solution.isascii() and solution.isdecimal() and len(solution) <= _SOLUTION_MAX):
        return False
    digest = hashlib.sha256(f"{puzzle.challenge}:{solution}".encode()).digest()
    return int.from_bytes(digest, "big") >> (_DIGEST_BITS - puzzle.bits) == 0


def solve(puzzle: Puzzle) -> str:
    """Solve a puzzle by trying, as a browser does."""
    number = 0
    while not is_solved(puzzle, str(number)):
        number += 1
    return str(number)
