"""`headrace market discover` on a devnet, and what other commands take of it; the oracle is the devnet's manifest."""

import json
from pathlib import Path

import msgspec
import pytest
import typer
import yaml

from headrace.app.cli.discover import discover
from headrace.app.cli.invocation import invoke
from headrace.app.config.load import load_config
from headrace.app.discovery.discovering import Search, _teller
from headrace.app.discovery.discovering import discover as search
from headrace.app.discovery.known import discovered_creations
from headrace.errors import CatalogueError, ConfigError, UsageError
from headrace.pipeline.discovery.discoverer import Progress


@pytest.fixture
def config(devnet_dir: Path, devnet_text: str, tmp_path: Path) -> Path:
    """The devnet's configuration without pools, every venue of which says `discover`; keeps what is one block deep."""
    document = yaml.safe_load(devnet_text)
    defi = document["defi"]
    defi["data_dir"] = str(tmp_path / "data")
    defi["chains"]["devnet"]["reorg_depth_blocks"] = 1
    for venue in defi["protocols"]["devnet"].values():
        if venue.pop("pools", None):
            venue["discover"] = {"from_block": 0}
    file = devnet_dir / f"discover-{tmp_path.name}.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def expected(devnet_text: str) -> dict[str, set[str]]:
    venues = yaml.safe_load(devnet_text)["defi"]["protocols"]["devnet"]
    return {name: {pool.lower() for pool in venue["pools"]} for name, venue in venues.items() if venue.get("pools")}


def run(config: Path, *options: str) -> None:
    application = typer.Typer()
    application.command()(discover)
    command = typer.main.get_command(application)
    command.main(["--config", str(config), *options], standalone_mode=False)


def test_the_devnets_pools_are_found_and_traded_without_being_listed(
    config: Path, devnet_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["scan", "--config", str(config), "--json"]) == 2
    assert "nothing was discovered of" in capsys.readouterr().out
    run(config, "--json")
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    found = {venue["venue"]: {pool["pool"] for pool in venue["pools"]} for venue in report["venues"]}
    assert found == expected(devnet_text)
    assert not [pool for venue in report["venues"] for pool in venue["pools"] if pool.get("flaw")]
    assert not report["unusable_tokens"]
    symbols = {token["symbol"] for token in report["tokens"]}
    assert symbols <= set(yaml.safe_load(devnet_text)["defi"]["chains"]["devnet"]["tokens"])
    assert "block 0 of" in captured.err
    kept = discovered_creations(load_config(config), "devnet")
    assert {name: {one.pool for one in creations} for name, creations in kept.items()} == expected(devnet_text)
    arguments = ["--token-in", "WETH", "--token-out", "USDC", "--amount", "1", "--json"]
    assert invoke(["quote", "--config", str(config), *arguments]) == 0
    quoted = json.loads(capsys.readouterr().out)
    listed = config.with_name("headrace.yaml")
    assert invoke(["quote", "--config", str(listed), *arguments]) == 0
    by_hand = json.loads(capsys.readouterr().out)
    assert {row["pool"] for row in quoted["venues"]} == {row["pool"] for row in by_hand["venues"]}
    assert len(quoted["venues"]) > 1


def test_one_venue_in_part_as_a_table(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    venue = next(iter(expected(config.with_name("headrace.yaml").read_text())))
    run(config, "--venue", venue, "--from-block", "0", "--to-block", "0", "--max-pools", "1")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["venue", "protocol", "pools", "refused", "to", "block", "kept", "to"]
    assert lines[1].split()[0] == venue
    assert lines[-1].startswith("0 tokens, 0 that cannot be used")


def test_pools_whose_event_names_no_tokens_are_said_to_be_such(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config, "--venue", first_of(config, "balancer_v2"), "--from-block", "0")
    assert "the event names no tokens: they are read with the pool" in capsys.readouterr().out


def spoiled(config: Path, venue: str, **keys: object) -> Path:
    document = yaml.safe_load(config.read_text())
    venues = document["defi"]["protocols"]["devnet"]
    for key, value in keys.items():
        venues[venue][key] = value
    config.write_text(yaml.safe_dump(document))
    return config


def first_of(config: Path, protocol: str) -> str:
    loaded = load_config(config)
    return next(name for name, venue in loaded.protocols["devnet"].items() if venue.protocol == protocol)


def test_a_wrong_code_hash_refuses_every_pool_with_the_reason(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    venue = first_of(config, "uniswap_v2")
    run(spoiled(config, venue, init_code_hash="0x" + "ab" * 32), "--venue", venue)
    out = capsys.readouterr().out
    assert "by the venue's init_code_hash" in out
    assert "0 tokens" in out


def test_two_venues_of_one_factory_share_its_pools_and_the_first_one_has_them(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = yaml.safe_load(config.read_text())
    venues = document["defi"]["protocols"]["devnet"]
    venue = first_of(config, "uniswap_v2")
    venues["twin"] = {**venues[venue], "protocol": "uniswap_v2", "discover": {"from_block": 0}}
    config.write_text(yaml.safe_dump(document, sort_keys=False))
    run(config, "--json")
    capsys.readouterr()
    swap = ["--token-in", "WETH", "--token-out", "USDC", "--amount", "1"]
    assert invoke(["quote", "--config", str(config), *swap, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["venues"]
    assert len({row["pool"] for row in rows}) == len(rows)
    assert venue in {row["venue"] for row in rows}
    assert "twin" not in {row["venue"] for row in rows}
    assert invoke(["market", "snapshot", "--config", str(config), "--out", str(config.with_suffix(".jsonl"))]) == 0
    assert f"twin has it too, it counts as {venue}'s" in " ".join(capsys.readouterr().out.split())


def test_a_changed_rule_is_noticed(config: Path) -> None:
    venue = first_of(config, "uniswap_v2")
    run(config, "--venue", venue)
    spoiled(config, venue, init_code_hash="0x" + "ab" * 32)
    with pytest.raises(CatalogueError, match="its proof is getPair"):
        run(config, "--venue", venue)


def test_what_cannot_be_searched_is_named(config: Path) -> None:
    loaded = load_config(config)

    def fails(**fields: object) -> str:
        with pytest.raises((UsageError, ConfigError)) as caught:
            search(report=lambda _: None, config=loaded, search=Search(chain="devnet", **fields))  # type: ignore[arg-type]  # by keyword
        return str(caught.value)

    assert "devnet has no venue 'nowhere'; known are" in fails(venue="nowhere")
    assert "cannot be discovered: list them under `pools`" in fails(venue="aave_v3", from_block=0)
    assert "give --from-block" in fails(venue="aave_v3")
    venues = {name: msgspec.structs.replace(one, discover=None) for name, one in loaded.protocols["devnet"].items()}
    loaded = msgspec.structs.replace(loaded, protocols={"devnet": venues})
    assert "no venue of devnet says `discover: {from_block: N}`" in fails()


def test_progress_is_told_at_most_once_in_a_second() -> None:
    class Clock:
        ns = 10**12

        def now(self) -> int:
            return 0

        def monotonic_ns(self) -> int:
            return self.ns

    clock, told = Clock(), list[str]()
    tell = _teller(told.append, "v2 on devnet", clock)
    for block in range(0, 1001, 100):
        tell(Progress(0, block, 999, block // 10))
        clock.ns += 300_000_000
    assert told == [
        "v2 on devnet: block 0 of 999 (0 %), 0 pools",
        "v2 on devnet: block 400 of 999 (40 %), 40 pools",
        "v2 on devnet: block 800 of 999 (80 %), 80 pools",
    ]


def followed(
    config: Path, capsys: pytest.CaptureFixture[str], rules: dict[str, object] | None
) -> tuple[int, dict[str, int], int]:
    """What `market follow` says: how many pools are followed, how many are left out by cause, how many are known."""
    document = yaml.safe_load(config.read_text())
    document["defi"]["chains"]["devnet"]["follow"] = rules
    if rules is None:
        del document["defi"]["chains"]["devnet"]["follow"]
    config.write_text(yaml.safe_dump(document, sort_keys=False))
    assert invoke(["market", "follow", "--config", str(config), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    funnel = report["funnel"]
    assert funnel["followed"] + sum(funnel["left_out"].values()) == funnel["known"]
    assert sum(report["traded"].values()) == funnel["followed"]
    return funnel["followed"], funnel["left_out"], funnel["known"]


def test_rules_say_which_of_the_discovered_pools_are_followed(
    config: Path, devnet_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config, "--json")
    report = json.loads(capsys.readouterr().out)
    tokens = yaml.safe_load(devnet_text)["defi"]["chains"]["devnet"]["tokens"]
    pools = [pool for venue in report["venues"] for pool in venue["pools"]]
    assert followed(config, capsys, None) == (len(pools), {}, len(pools))
    at_all, left_out, known = followed(config, capsys, {})
    assert (at_all, known) == (len(pools), len(pools)), left_out  # the devnet has no pool that leads nowhere
    two = {tokens["WETH"].lower(), tokens["USDC"].lower()}
    expected = sum(set(pool["tokens"]) == two for pool in pools)
    few, left_out, _ = followed(config, capsys, {"tokens": sorted(two)})
    assert few >= expected >= 2
    assert left_out == {"a token that is not among those to be followed": len(pools) - few}
    assert followed(config, capsys, {"min_depth_usd": "100000000000"})[1] == {"too little depth": len(pools)}
    assert followed(config, capsys, {"min_depth_usd": "0.000001 WETH"})[0] == len(pools)
    most, left_out, _ = followed(config, capsys, {"max_pools": 6})
    assert 2 <= most <= 6
    assert left_out["deeper pools fill the number allowed"] == len(pools) - 6
    assert followed(config, capsys, {"active_within_blocks": 1_000_000})[0] == len(pools)


def test_what_is_followed_is_what_is_quoted_and_the_table_says_why_not(
    config: Path, devnet_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config)
    capsys.readouterr()
    tokens = yaml.safe_load(devnet_text)["defi"]["chains"]["devnet"]["tokens"]
    followed(config, capsys, {"tokens": [tokens["WETH"], tokens["USDC"]], "max_pools": 2})
    assert invoke(["market", "follow", "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 of ")
    assert any(line.endswith("left out: a token that is not among those to be followed") for line in lines)
    swap = ["--token-in", "WETH", "--token-out", "USDC", "--amount", "1"]
    assert invoke(["quote", "--config", str(config), *swap, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["venues"]) == 2
    assert invoke(["quote", "--config", str(config), "--token-in", "WETH", "--token-out", "DAI", "--amount", "1"]) != 0


def test_a_listed_pool_is_followed_beside_what_was_found(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(config, "--json")
    report = json.loads(capsys.readouterr().out)
    venue = next(one for one in report["venues"] if one["protocol"] == "uniswap_v2")
    spoiled(config, venue["venue"], pools=[venue["pools"][0]["pool"]])
    count, left_out, known = followed(config, capsys, {"min_depth_usd": "100000000000"})
    assert (count, left_out) == (1, {"too little depth": known - 1})


def test_depth_without_a_price_is_refused_where_it_is_configured(config: Path) -> None:
    document = yaml.safe_load(config.read_text())
    chain = document["defi"]["chains"]["devnet"]
    chain["follow"] = {"max_pools": 3}
    chain["price_feeds"] = {}
    config.write_text(yaml.safe_dump(document, sort_keys=False))
    with pytest.raises(ConfigError, match="depth is counted in dollars"):
        load_config(config)
