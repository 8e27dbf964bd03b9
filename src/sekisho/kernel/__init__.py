"""What every room stands on: yen, ids, clock, chance, refusals, postures."""
