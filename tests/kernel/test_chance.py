import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.chance import SeededChance, SystemChance


@given(st.integers(0, 2**32))
def test_one_seed_draws_one_sequence(seed):
    def drawn(chance):
        return chance.bits(64), chance.octets(8), chance.below(1000), chance.fraction(), chance.choose("abc")

    assert drawn(SeededChance(seed)) == drawn(SeededChance(seed))


@pytest.mark.parametrize("chance", [SystemChance(), SeededChance(3)], ids=["system", "seeded"])
def test_draws_stay_in_their_range(chance):
    for _ in range(200):
        assert 0 <= chance.bits(8) < 256
        assert len(chance.octets(5)) == 5
        assert 0 <= chance.below(3) < 3
        assert 0 <= chance.fraction() < 1
        assert chance.choose((1, 2)) in {1, 2}


def test_the_machine_does_not_repeat_itself():
    assert SystemChance().octets(16) != SystemChance().octets(16)
