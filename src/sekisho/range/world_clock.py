"""The world's clock: it runs faster than ours, so that hours of a day pass in minutes."""

from sekisho.kernel.clock import Clock


class WorldClock:
    """Runs `speed` times as fast as another clock, from a moment of the world on, never ahead of it."""

    def __init__(self, clock: Clock, *, starts_us: int, speed: int) -> None:
        self._clock = clock
        self._began_us = clock.now_us()
        self._starts_us = starts_us
        self._speed = speed

    def begin(self) -> None:
        """Let the world's time run from its first moment, now."""
        self._began_us = self._clock.now_us()

    def now_us(self) -> int:
        """Return the world's time in microseconds since the epoch, UTC."""
        return min(self._clock.now_us(), self._starts_us + self.elapsed_us() * self._speed)

    def elapsed_us(self) -> int:
        """Return how much of our time has passed since the world began, in microseconds."""
        return self._clock.now_us() - self._began_us

    def wait_s(self, until_us: int) -> float:
        """Return how long to wait on our clock until the world reaches a moment, in seconds."""
        return max(0.0, (until_us - self.now_us()) / self._speed / 1_000_000)
