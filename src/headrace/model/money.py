"""Dollars as integers: millionths of a dollar for limits, 1e-12 dollars for the price of one whole token."""

PICO_PER_MICRO = 1_000_000
NATIVE_DECIMALS = 18  # of the coin that gas is paid in, on every EVM chain


def usd_micro_up(units: int, decimals: int, usd_pico: int) -> int:
    """Worth of an amount, rounded up: for what may be lost or exposed."""
    return -(-units * usd_pico // (_scale(decimals) * PICO_PER_MICRO))


def units_up(usd_micro: int, decimals: int, usd_pico: int) -> int:
    """Least amount worth at least `usd_micro`."""
    return -(-usd_micro * PICO_PER_MICRO * _scale(decimals) // usd_pico)


def units_down(usd_micro: int, decimals: int, usd_pico: int) -> int:
    """Largest amount worth at most `usd_micro`."""
    return usd_micro * PICO_PER_MICRO * _scale(decimals) // usd_pico


def _scale(decimals: int) -> int:
    return int(10**decimals)
