"""A valid configuration as text, and ways to spoil it."""

from pathlib import Path

from headrace.app.config.load import parse_config
from headrace.app.config.tree import Config

FILE = Path("/etc/headrace/headrace.yaml")
EXECUTOR = "0x1111111111111111111111111111111111111111"
POOL_ID = "0x5c6ee304399dbdb9c8ef030ab642b10820db8f56000200000000000000000014"
SAMPLE = f"""\
defi:
  strategies:
    arbitrage:
      min_profit_usd: 0.50
      min_spread_bps: 10
      max_trade_size_usd: 5000
      max_position_usd: "100000.000001"
  execution:
    flash_loan:
      contract_address: "{EXECUTOR}"
      max_gas_price_gwei: 100.5
      lenders: [balancer_v2, aave_v3]
    capital:
      max_allocation_pct: 0.5
    transactions:
      gas_limit_multiplier: 1.2
      gas_limit_multipliers: {{balancer_v2: "1.35"}}
      confirmations: 12
      deadline_blocks: 2
      priority_fee_gwei: 0.000000001
  risk:
    max_daily_loss_usd: 0.5 WETH
    max_position_count: 10
    max_concurrent_executions: 3
    max_execution_time_seconds: 300
    max_exposure_usd:
      tokens: {{USDC: 2000, WETH: 3000}}
      venues: {{uniswap_v2: 1500.5}}
      strategies: {{spatial: 3000}}
      chains: {{ethereum: 4000}}
    var_confidence: 0.95
  protocols:
    ethereum:
      uniswap_v2:
        factory: "0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f"
        fee_bps: 30
        pools:
          - "0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc"
      pancake:
        protocol: uniswap_v2
        factory: "0x2222222222222222222222222222222222222222"
        fee_bps: 25.5
      uniswap_v3:
        factory: "0x1F98431c8aD98523631AE4a59f267346ea31F984"
        router: "0xE592427A0AEce92De3Edee1F18E0157C05861564"
      balancer_v2:
        vault: "0xBA12222222228d8Ba445958a75a0704d566BF2C8"
        pools: ["{POOL_ID}"]
      aave_v3:
        pool: "0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2"
        oracle: "0x54586bE62E3c3580375aE3723C145253060Ca0C2"
  chains:
    ethereum:
      chain_id: 1
      rpc: ws://127.0.0.1:8546
      block_time_seconds: 0.25
      public_mempool: true
      private_rpc: {{file: secrets/relay}}
      wrapped_native: WETH
      start_tokens: [WETH, USDC]
      gas_thresholds:
        ultra_low_gwei: 0.1
        low_gwei: 0.5
        medium_gwei: 2
        high_gwei: 5
        extreme_gwei: 10
        max_cost_usd: 25
        max_profit_share: 0.9
      tokens:
        WETH: "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
        USDC: "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
      price_feeds:
        WETH: {{address: "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419", max_age_seconds: 3900}}
  agents:
    - type: arbitrage
      chain: ethereum
      strategies: [spatial, triangular]
  wallet:
    keystore: keys
    address: "0x2222222222222222222222222222222222222222"
    passphrase: {{fd: 7}}
  data_dir: data
"""


def sample() -> Config:
    return parse_config(SAMPLE, FILE)


def spoiled(old: str, new: str) -> str:
    assert SAMPLE.count(old) == 1, old
    return SAMPLE.replace(old, new)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1
