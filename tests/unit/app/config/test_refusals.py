"""Every way in which a configuration can be wrong ends in one sentence that names the place and the cure."""

import re
from pathlib import Path

import pytest
from tests.support.config_sample import EXECUTOR, FILE, POOL_ID, SAMPLE, line_of, spoiled

from headrace.app.config.load import load_config, parse_config
from headrace.errors import ConfigError

PAIR = "0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc"
NUMBER_TRAPS = {
    "1e3": "has an exponent",
    "5.0e-1": "has an exponent",
    ".inf": "is no number",
    "Infinity": "is no number",
    ".NaN": "is no number",
    "-50": "has a sign",
    "+50": "has a sign",
    "010": "begins with a zero",
    "0o17": "begins with a zero",
    "0x10": "begins with a zero",
    "1_000": "has separators",
    "1,000.5": "has separators",
    "50.": "plain decimal",
    ".5": "plain decimal",
    "fifty": "plain decimal",
    "true": "plain decimal",
    "1" * 61: "too long",
    "0.0000001": "too fine",
    "1000000000001": "more than there is",
    "\u0665\u0660": "plain decimal",
    "2026-01-01": "plain decimal",
    "12:30:45": "plain decimal",
    "50 5": "no amount",
    "$50": "plain decimal",
}


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, FILE)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{FILE}"), message
    return caught.value


@pytest.mark.parametrize(("written", "why"), NUMBER_TRAPS.items(), ids=[key[:12] for key in NUMBER_TRAPS])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_number_that_yaml_or_a_float_would_change_is_refused(written: str, why: str, quote: str) -> None:
    text = spoiled("min_profit_usd: 0.50", f"min_profit_usd: {quote}{written}{quote}")
    message = str(refusal(text))
    assert why in message
    assert "defi.strategies.arbitrage.min_profit_usd" in message
    assert f":{line_of(text, 'min_profit_usd')}:23:" in message


@pytest.mark.parametrize("written", ["", "~", "null"])
def test_an_empty_value_is_missing(written: str) -> None:
    assert "the value is missing" in str(refusal(spoiled("min_profit_usd: 0.50", f"min_profit_usd: {written}")))


REQUIRED = [
    "min_profit_usd",
    "min_spread_bps",
    "max_trade_size_usd",
    "max_position_usd",
    "contract_address",
    "max_gas_price_gwei",
    "max_allocation_pct",
    "gas_limit_multiplier",
    "confirmations",
    "deadline_blocks",
    "priority_fee_gwei",
    "max_daily_loss_usd",
    "max_position_count",
    "max_concurrent_executions",
    "max_execution_time_seconds",
    "public_mempool",
    "chain_id",
    "rpc",
    "high_gwei",
    "data_dir",
]


@pytest.mark.parametrize("key", REQUIRED)
def test_money_limits_and_addresses_have_no_defaults(key: str) -> None:
    text, count = re.subn(rf"^ *{key}:.*\n", "", SAMPLE, flags=re.MULTILINE)
    assert count == 1
    assert re.search(rf"`defi\.[a-z_.]*{key}` is missing and has no default: \w", str(refusal(text)))


CHECK = "      token_check: {{{}}}\n      price_feeds:"
SPOILED = [
    ("tokens: {USDC: 2000,", "tokens: {USDX: 2000,", "there is no token 'USDX'"),
    ("WETH: 3000}", "WETH: 1 USDC}", "token with a price feed"),
    ("venues: {uniswap_v2: 1500.5}", "venues: {sushi: 1}", "there is no venue 'sushi'"),
    ("strategies: {spatial: 3000}", "strategies: {spatiel: 3000}", "did you mean"),
    ("chains: {ethereum: 4000}", "chains: {polygon: 4000}", "there is no chain 'polygon'"),
    ("chains: {ethereum: 4000}", "pools: {}", "unknown key"),
    ("      price_feeds:", CHECK.format(f'allowed: ["{EXECUTOR}", "{EXECUTOR}"]'), "was already listed in line 72"),
    ("      price_feeds:", CHECK.format(f'allowed: ["{EXECUTOR}"], blocked: ["{EXECUTOR}"]'), "choose one"),
    ("      price_feeds:", CHECK.format("allowed: [WETH]"), "'WETH' is not an address"),
    ("      price_feeds:", CHECK.format("valid_blocks: 0"), "out of range"),
    ("      price_feeds:", CHECK.format("trusted: []"), "known are allowed, blocked, allowed_file, blocked_file"),
    ("min_spread_bps: 10", "min_spred_bps: 10", 'did you mean "min_spread_bps"?'),
    ("min_spread_bps: 10", "colour: red", "known are min_profit_usd"),
    ("min_spread_bps: 10", "min_spread_bps: 10\n      min_spread_bps: 20", "already given in line 5"),
    ("min_spread_bps: 10", "min_spread_bps: 10\n      <<: {a: 1}", "unknown key"),
    ("min_spread_bps: 10", "min_spread_bps: 10\n      ? [a]\n      : 1", "a key is a word"),
    ("min_spread_bps: 10", 'min_spread_bps: 10\n      "": 1', "a key is a word"),
    ("min_spread_bps: 10", "min_spread_bps: &a 10", "anchors"),
    ("min_spread_bps: 10", "min_spread_bps: *a", "anchors"),
    ("min_spread_bps: 10", "min_spread_bps: !!int 10", "tags"),
    ("min_spread_bps: 10", "min_spread_bps: !!python/name:os.system 10", "tags"),
    ("min_spread_bps: 10", "min_spread_bps: 1.5", "only a whole number"),
    ("min_spread_bps: 10", "min_spread_bps: 10001", "out of range"),
    ("min_spread_bps: 10", "min_spread_bps: [10]", "one value is expected"),
    ("min_spread_bps: 10", "min_spread_bps: {a: 10}", "one value is expected"),
    ("max_trade_size_usd: 5000", "max_trade_size_usd: 100001", "lower the first or raise the second"),
    ("max_trade_size_usd: 5000", "max_trade_size_usd: 5 EUR", "no token with a price feed 'EUR'"),
    ("max_trade_size_usd: 5000", "max_trade_size_usd: 5 USDC", "no token with a price feed 'USDC'"),
    (EXECUTOR, EXECUTOR[:-1], "is not an address"),
    (EXECUTOR, "0x" + "00" * 20, "zero address"),
    (f'"{PAIR}"', f'"{PAIR[:-1]}d"', "wrong checksum"),
    ("max_allocation_pct: 0.5", "max_allocation_pct: 50", "out of range: a fraction"),
    ("gas_limit_multiplier: 1.2", "gas_limit_multiplier: 0.9", "out of range: a factor, 1 to 10"),
    ('{balancer_v2: "1.35"}', '{balancr_v2: "1.35"}', 'did you mean "balancer_v2"?'),
    ("lenders: [balancer_v2, aave_v3]", "lenders: aave_v3", "a list is expected"),
    ("lenders: [balancer_v2, aave_v3]", "lenders: [aave_v2]", 'did you mean "aave_v3"?'),
    ("lenders: [balancer_v2, aave_v3]", "lenders: [pancake]", "uniswap_v2 lends nothing"),
    ("lenders: [balancer_v2, aave_v3]", "lenders: [aave_v3, aave_v3]", "listed twice"),
    ("protocol: uniswap_v2", "protocol: uniswap_v5", "unknown protocol 'uniswap_v5', did you mean"),
    ("        protocol: uniswap_v2\n", "", "say whose code it is"),
    ("        fee_bps: 30\n", "", "`fee_bps` is missing and has no default: uniswap_v2 needs it"),
    ('"0xE592427A0AEce92De3Edee1F18E0157C05861564"', f'"{EXECUTOR}"\n        fee_bps: 5', "has no `fee_bps`"),
    (
        'oracle: "0x54586bE62E3c3580375aE3723C145253060Ca0C2"',
        "discover: {from_block: 0}",
        "has no `discover`: remove it",
    ),
    ("        vault:", '        init_code_hash: "0x' + "ab" * 32 + '"\n        vault:', "has no `init_code_hash`"),
    ("fee_bps: 25.5", 'fee_bps: 25.5\n        init_code_hash: "0x' + "ab" * 31 + '"', "is not a hash"),
    ("fee_bps: 25.5", 'fee_bps: 25.5\n        deployer: "0x' + "12" * 20 + '"', "has no `deployer`"),
    ("fee_bps: 25.5", "fee_bps: 25.5\n        discover: {}", "from_block"),
    ("fee_bps: 25.5", "fee_bps: 25.5\n        discover: {from_block: -1}", "has a sign"),
    (f'["{POOL_ID}"]', f'["{EXECUTOR}"]', "32-byte ids"),
    (f'"{PAIR}"', f'"{POOL_ID}"', "given as addresses"),
    (f'"{PAIR}"', f'"{PAIR}"\n          - "{PAIR.lower()}"', "already listed in line"),
    ("fee_bps: 25.5", f'fee_bps: 25.5\n        pools: ["{PAIR}"]', "already listed in line"),
    ("fee_bps: 25.5", "fee_bps: 25.555", "at most 2 decimals"),
    ("  protocols:\n    ethereum:", "  protocols:\n    etherium:", "there is no chain 'etherium', did you mean"),
    ("  protocols:\n    ethereum:", "  protocols:\n    Ethereum:", "is not a name"),
    ("chain_id: 1", "chain_id: 0", "out of range"),
    ("rpc: ws://127.0.0.1:8546", "rpc: http://127.0.0.1:8545", "is not a URL such as ws://"),
    ("rpc: ws://127.0.0.1:8546", "rpc: ws://127.0.0.1:85460", "is not a URL such as ws://"),
    ("rpc: ws://127.0.0.1:8546", "rpc: ws://me:pass@host", "seems to hold a key"),
    ("rpc: ws://127.0.0.1:8546", "rpc: wss://host/v2/abcdefghijklmnopqrstuvwxyz", "seems to hold a key"),
    ("rpc: ws://127.0.0.1:8546", "rpc: wss://host/?key=1", "seems to hold a key"),
    ("{file: secrets/relay}", "{file: a, fd: 3}", "by reference"),
    ("{file: secrets/relay}", "{env: RELAY}", "by reference"),
    ("passphrase: {fd: 7}", "passphrase: hunter2", "by reference"),
    ("passphrase: {fd: 7}", "passphrase: {fd: 99999}", "no file descriptor"),
    ("public_mempool: true", "public_mempool: yes", "is not true or false"),
    ("public_mempool: true", 'public_mempool: "true"', "is not true or false"),
    ("public_mempool: true", "public_mempool: true\n      follow_pending: 1", "is not true or false"),
    ("public_mempool: true", "public_mempool: false\n      follow_pending: true", "pending transactions are hidden"),
    ("public_mempool: true", "public_mempool: false\n      follow_pending: true", "`public_mempool: false`"),
    ("wrapped_native: WETH", "wrapped_native: WET", 'did you mean "WETH"?'),
    ("start_tokens: [WETH, USDC]", "start_tokens: []", "the list is empty"),
    ("start_tokens: [WETH, USDC]", "start_tokens: [WETH, WETH]", "listed twice"),
    ("start_tokens: [WETH, USDC]", "start_tokens: [DAI]", "there is no token 'DAI'; known are USDC, WETH"),
    ("low_gwei: 0.5", "low_gwei: 2", "rise strictly"),
    ("max_cost_usd: 25", "max_cost_usd: 1 USDC", "no token with a price feed"),
    (
        "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
        "one token, one symbol",
    ),
    ("        WETH: {address", "        DAI: {address", "there is no token 'DAI'"),
    ("    - type: arbitrage", "    - type: arbitrager", 'did you mean "arbitrage"?'),
    ("      chain: ethereum", "      chain: polygon", "there is no chain 'polygon'"),
    ("strategies: [spatial, triangular]", "strategies: [spacial]", 'did you mean "spatial"?'),
    ("keystore: keys", "keystore: ~/keys", "not expanded"),
    ("data_dir: data", "data_dir: $HOME/data", "not expanded"),
    ("data_dir: data", "data_dir: [", "this is no YAML"),
    ("data_dir: data", "data_dir: a\x07b", "is not allowed"),
    ("data_dir: data", "data_dir: " + "[" * 30 + "]" * 30, "nested more than 20 deep"),
    ("data_dir: data", "data_dir: data\n---\nmore: 1", "a second document"),
    ("data_dir: data", "data_dir: data\nmore: 1", "unknown key `more`"),
]


@pytest.mark.parametrize(
    ("old", "new", "why"), SPOILED, ids=[f"{new.strip()[:24]}-{i}" for i, (_, new, _) in enumerate(SPOILED)]
)
def test_a_spoiled_file_is_refused_with_place_and_cure(old: str, new: str, why: str) -> None:
    error = refusal(spoiled(old, new))
    assert why in str(error)
    assert re.fullmatch(rf"{FILE}:\d+:\d+", error.where)


def test_a_sequencer_is_not_listened_to_whatever_the_file_says_of_its_mempool() -> None:
    text = spoiled("chain_id: 1", "chain_id: 8453").replace(
        "public_mempool: true", "public_mempool: true\n      follow_pending: true"
    )
    error = refusal(text)
    assert "follow_pending: its pending transactions are hidden: Base: one sequencer" in str(error)
    assert error.where.startswith(f"{FILE}:{line_of(text, 'follow_pending')}:")


def test_the_place_is_that_of_the_mistake() -> None:
    text = spoiled("start_tokens: [WETH, USDC]", "start_tokens: [WETH, USDT]")
    assert refusal(text).where == f"{FILE}:{line_of(text, 'start_tokens')}:28"


def test_no_agents_two_chains_and_lists_for_sections_are_refused() -> None:
    head, agents = SAMPLE.split("  agents:\n")
    tail = agents.split("  wallet:")[1]
    assert "no agent is listed" in str(refusal(f"{head}  agents: []\n  wallet:{tail}"))
    assert "a section of keys is expected" in str(refusal("defi: [1]"))
    assert "a section of keys is expected" in str(refusal("just text"))
    second = head[head.index("    ethereum:\n      chain_id") :].replace("ethereum", "other")
    protocols = head.replace("  chains:\n", '    other:\n      balancer_v2: {vault: "0x%s"}\n  chains:\n' % ("3" * 40))
    two = f"{protocols}{second}  agents:\n{agents}"
    other_agent = two.replace("  wallet:", "    - {type: arbitrage, chain: other, strategies: [spatial]}\n  wallet:")
    assert "one agent runs from a file" in str(refusal(other_agent))


def test_a_chain_without_protocols_has_no_agents() -> None:
    text = SAMPLE.replace("      chain: ethereum", "      chain: other")
    second = SAMPLE[SAMPLE.index("    ethereum:\n      chain_id") : SAMPLE.index("  agents:")].replace(
        "ethereum", "other"
    )
    assert "there is no chain with protocols 'other'" in str(refusal(text.replace("  agents:", f"{second}  agents:")))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"defi:\n  a: \xff\xfe", "not UTF-8"),
        (b"#" * 1_000_001, "larger than 1 MB"),
        (b"\t- a", "this is no YAML"),
        (b"%YAML 9.9\n---\n", "YAML"),
    ],
)
def test_a_file_that_holds_no_configuration_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=why):
        load_config(file)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such configuration: give its path with --config"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(tmp_path)


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(SAMPLE, encoding="utf-8-sig")
    assert load_config(file).chain_name == "ethereum"
