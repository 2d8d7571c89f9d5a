"""Settings of the design papers that are accepted, and that nothing acts on yet.

Who trusts a limit with money must not believe in one that does not hold: `headrace config check` and `headrace run`
name each of them that a file gives.
"""

from headrace.app.config.tree import Config

_IDLE_LEVELS = ("ultra_low", "low", "medium", "extreme")


def without_effect(config: Config) -> tuple[str, ...]:
    """One sentence for each setting of the file that has no effect yet; empty where all act."""
    said = []
    if config.risk.var_confidence_ppm is not None:
        said.append(
            "defi.risk.var_confidence has no effect yet: no value at risk is computed and none limits a trade; what"
            " limits losses is max_daily_loss_usd"
        )
    for name, chain in config.chains.items():
        idle = [f"{level}_gwei" for level in _IDLE_LEVELS if getattr(chain.gas_thresholds, f"{level}_wei") is not None]
        if idle:
            levels = ", ".join(idle)
            said.append(f"defi.chains.{name}.gas_thresholds: {levels} have no effect yet; only high_gwei acts")
    return tuple(said)
