"""`headrace doctor` against a real chain: each ailment is found and its cure named."""

import asyncio
import errno
import json
import os
import re
import socket
from pathlib import Path

import msgspec
import pytest
from tests.support.node_proxy import proxy_in_thread

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.stores.sqlite.lock import WriterLock
from headrace.adapters.stores.verdicts import VerdictFile
from headrace.app.cli.doctor import contracts, executor_code, storage
from headrace.app.cli.doctor.contracts import operator_findings
from headrace.app.cli.doctor.finding import Finding, Outcome
from headrace.app.cli.doctor.node import node_findings, rules_finding
from headrace.app.cli.invocation import invoke
from headrace.app.clock import SystemClock
from headrace.app.config.load import load_config
from headrace.app.config.tree import Config
from headrace.devnet.accounts import GUARDIAN, OWNER, TREASURY, account_address
from headrace.devnet.anvil import Anvil
from headrace.devnet.deployer import Deployer
from headrace.devnet.rpc import Rpc
from headrace.model.address import ZERO_ADDRESS, Address, ChainId
from headrace.model.chain_rules import ChainKind
from headrace.model.token_verdict import Lie, TokenVerdict
from headrace.ports.clock import Clock

NOBODY = "0x9999999999999999999999999999999999999999"


class FixedClock:
    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def monotonic_ns(self) -> int:
        return 0


class Ward:
    """Writes a configuration, lets doctor look at it, and gives what it found."""

    def __init__(self, folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.text = text
        self.shown = ""
        self.file = folder / "headrace.yaml"
        self._capsys = capsys

    def spoil(self, pattern: str, new: str) -> None:
        self.text, count = re.subn(pattern, new, self.text, count=1)
        assert count == 1, pattern

    def look(self, *flags: str) -> tuple[int, dict[str, list[Finding]]]:
        self.file.write_text(self.text)
        code = invoke(["doctor", "--config", str(self.file), "--json", *flags])
        found: dict[str, list[Finding]] = {}
        self.shown = self._capsys.readouterr().out
        for raw in json.loads(self.shown)["findings"]:
            finding = msgspec.convert(raw, Finding)
            found.setdefault(finding.name, []).append(finding)
        return code, found


@pytest.fixture
def ward(tmp_path: Path, devnet_text: str, capsys: pytest.CaptureFixture[str]) -> Ward:
    ward = Ward(tmp_path, devnet_text, capsys)
    ward.spoil(r"data_dir: .*", f"data_dir: {tmp_path / 'data'}")
    return ward


def outcomes(found: dict[str, list[Finding]]) -> dict[str, Outcome]:
    return {name: findings[0].outcome for name, findings in found.items()}


def test_a_healthy_devnet_has_no_failure(ward: Ward) -> None:
    code, found = ward.look()
    assert code == 0, {k: v for k, v in found.items() if any(one.outcome == Outcome.FAIL for one in v)}
    assert outcomes({k: v for k, v in found.items() if k not in ("clock", "disk")}) == dict.fromkeys(
        (
            "config",
            "data_dir",
            "journal",
            "key",
            "node",
            "chain id",
            "chain rules",
            "subscriptions",
            "contract",
            "executor",
            "executor state",
            "wrapped native",
            "listed tokens",
            "guardian",
            "treasury",
            "operator",
            "gas money",
            "allowances",
            "prices",
            "token check",
            "tokens",
        ),
        Outcome.OK,
    )
    assert found["clock"][0].outcome != Outcome.FAIL  # the devnet's clock starts in the past


@pytest.mark.parametrize(
    ("chain_id", "kind", "outcome", "words"),
    [
        (1, None, Outcome.OK, "ethereum"),
        (137, None, Outcome.OK, "bloom filters alone"),
        (999_999, None, Outcome.WARN, "not known here"),
        (999_999, ChainKind.ETHEREUM, Outcome.OK, "ethereum"),
        (999_999, ChainKind.OTHER, Outcome.OK, "other"),
        (42_161, None, Outcome.WARN, "first layer's block number"),
    ],
)
def test_the_rules_of_a_chain_are_named(
    ward: Ward, *, chain_id: int, kind: ChainKind | None, outcome: Outcome, words: str
) -> None:
    section = msgspec.structs.replace(load_config_text(ward).chain, chain_id=chain_id, kind=kind)
    finding = rules_finding(section)
    assert finding.outcome == outcome
    assert words in finding.seen


def test_findings_are_drawn_with_their_cures(ward: Ward, capsys: pytest.CaptureFixture[str]) -> None:
    ward.spoil(r"chain_id: \d+", "chain_id: 5")
    ward.file.write_text(ward.text)
    assert invoke(["doctor", "--config", str(ward.file)]) == 1
    shown = capsys.readouterr()
    assert "ok    config: " in shown.out
    assert "fail  chain id: the node serves chain 31337" in shown.out
    assert "      -> point `rpc` at a node of the configured chain" in shown.out
    assert "asking the node\n" in shown.err


def test_a_configuration_with_a_typo_is_the_only_finding(ward: Ward) -> None:
    ward.spoil("min_spread_bps", "min_spred_bps")
    code, found = ward.look()
    assert code == 1
    assert list(found) == ["config"]
    assert "did you mean" in found["config"][0].seen


def test_a_dead_node_is_found(ward: Ward) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    ward.spoil(r"rpc: .*", f"rpc: ws://127.0.0.1:{port}")
    code, found = ward.look()
    assert (code, found["node"][0].outcome) == (1, Outcome.FAIL)
    assert "start the node" in found["node"][0].cure


def test_an_endpoint_behind_a_missing_secret_is_found(ward: Ward) -> None:
    ward.spoil(r"rpc: .*", "rpc: {file: nowhere}")
    code, found = ward.look()
    assert (code, found["node"][0].outcome) == (1, Outcome.FAIL)
    assert "No such file" in found["node"][0].seen


def test_an_endpoint_behind_a_secret_is_not_shown(ward: Ward, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    secret = tmp_path / "rpc"
    secret.write_text(f"ws://127.0.0.1:{port}/key123")
    secret.chmod(0o600)
    ward.spoil(r"rpc: .*", f"rpc: {{file: {secret}}}")
    code, found = ward.look()
    assert (code, found["node"][0].outcome) == (1, Outcome.FAIL)
    assert "key123" not in ward.shown
    assert f"ws://127.0.0.1:{port}" in found["node"][0].seen


def test_a_wrong_executor_is_found(ward: Ward) -> None:
    config = load_config_text(ward)
    ward.spoil(r"contract_address: .*", f'contract_address: "{config.chain.wrapped_native_address}"')
    code, found = ward.look()
    assert code == 1
    assert (found["executor"][0].outcome, found["operator"][0].outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert "setOperator" in found["operator"][0].cure


@pytest.mark.parametrize(
    ("spoilt", "mended", "name", "outcome", "words"),
    [
        (("pause()",), ("unpause()",), "executor state", Outcome.FAIL, "paused"),
        (
            ("setGuardian(address)", ZERO_ADDRESS),
            ("setGuardian(address)", account_address(GUARDIAN)),
            "guardian",
            Outcome.WARN,
            "nobody but its owner",
        ),
        (
            ("setTreasury(address)", ZERO_ADDRESS),
            ("setTreasury(address)", account_address(TREASURY)),
            "treasury",
            Outcome.WARN,
            "cannot sweep",
        ),
    ],
)
def test_what_the_owner_has_set_is_looked_at(
    ward: Ward,
    *,
    spoilt: tuple[str, ...],
    mended: tuple[str, ...],
    name: str,
    outcome: Outcome,
    words: str,
) -> None:
    config = load_config_text(ward)
    as_owner(config, *spoilt)
    code, found = ward.look()
    as_owner(config, *mended)
    assert code == int(outcome == Outcome.FAIL)
    assert found[name][0].outcome == outcome
    assert words in found[name][0].seen


def test_a_start_token_that_is_not_listed_is_found_but_wrapped_native_needs_no_listing(ward: Ward) -> None:
    config = load_config_text(ward)
    native = config.chain.wrapped_native_address
    usdc = config.chain.tokens["USDC"]
    as_owner(config, "setListed(address[],bool)", [usdc, native], False)
    code, found = ward.look()
    as_owner(config, "setListed(address[],bool)", [usdc, native], True)
    assert (code, found["listed tokens"][0].outcome) == (1, Outcome.FAIL)
    assert found["listed tokens"][0].seen.startswith("USDC: ")
    assert "setListed([" in found["listed tokens"][0].cure


def test_an_executor_of_another_wrapped_native_coin_is_found(ward: Ward) -> None:
    ward.spoil(r"wrapped_native: \S+", "wrapped_native: USDC")
    code, found = ward.look()
    assert (code, found["wrapped native"][0].outcome) == (1, Outcome.FAIL)


def as_owner(config: Config, signature: str, *arguments: object) -> None:
    with Rpc(int(config.chain.rpc.reveal().rsplit(":", 1)[1])) as rpc:
        owner = Deployer(rpc, account_address(OWNER))
        owner.transact(config.execution.flash_loan.contract_address, signature, *arguments)
        owner.flush()


def test_addresses_without_code_are_named(ward: Ward) -> None:
    ward.spoil(r"contract_address: .*", f'contract_address: "{NOBODY}"')
    code, found = ward.look()
    assert code == 1
    assert [f.seen for f in found["contract"]] == [
        f"execution.flash_loan.contract_address {NOBODY}: no code on this chain"
    ]


def test_contracts_that_are_not_built_are_a_warning(
    ward: Ward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_code, "_FILE", tmp_path / "none.json")
    assert ward.look()[1]["executor"][0].outcome == Outcome.WARN


def test_another_code_of_the_same_length_is_not_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built = tmp_path / "Executor.json"
    references = {"1": [{"start": 2, "length": 1}]}
    built.write_bytes(
        msgspec.json.encode({"deployedBytecode": {"object": "0x01020300", "immutableReferences": references}})
    )
    monkeypatch.setattr(executor_code, "_FILE", built)
    assert executor_code.matches_build(bytes.fromhex("01020300"))
    assert executor_code.matches_build(bytes.fromhex("0102ff00")), "only the immutable differs"
    assert executor_code.matches_build(bytes.fromhex("0102ff01")) is False
    assert executor_code.matches_build(b"") is False


def test_a_wallet_that_is_missing_or_does_not_open_is_found(ward: Ward, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    wrong.chmod(0o600)
    code, found = ward.look("--passphrase-file", str(wrong))
    assert (code, found["key"][0].outcome) == (1, Outcome.FAIL)
    assert "does not open" in found["key"][0].seen
    wrong.chmod(0o644)
    assert "others may read" in ward.look("--passphrase-file", str(wrong))[1]["key"][0].seen
    ward.spoil(r"    passphrase:\n      file: .*\n", "")
    assert ward.look()[1]["key"][0].outcome == Outcome.WARN
    ward.spoil(r"address: '\S+'\n  data_dir", f"address: '{NOBODY}'\n  data_dir")
    code, found = ward.look()
    assert code == 1
    assert found["key"][0].outcome == found["operator"][0].outcome == found["gas money"][0].outcome == Outcome.FAIL
    assert "send native coin" in found["gas money"][0].cure


def test_no_wallet_is_a_warning(ward: Ward) -> None:
    ward.spoil(r"  wallet:\n(    .*\n)+", "")
    code, found = ward.look()
    assert (code, found["wallet"][0].outcome) == (0, Outcome.WARN)


def test_little_gas_money_is_a_warning(ward: Ward) -> None:
    config = load_config_text(ward)

    async def look() -> list[Finding]:
        async with chain_of(config) as chain:
            assert config.wallet is not None
            enough_for_ten_wei = await chain.balance_wei(config.wallet.address) // (10 * 500_000)
            head = msgspec.structs.replace(await chain.head(), base_fee_wei=enough_for_ten_wei)
            return list(await operator_findings(chain, config, head))

    assert asyncio.run(look())[1].outcome == Outcome.WARN


def test_stale_absent_and_false_prices_are_warnings(ward: Ward) -> None:
    config = load_config_text(ward)
    feeds = list(config.chain.price_feeds)
    plain = re.sub(r"max_age_seconds: \d+", "max_age_seconds: 1", ward.text)
    ward.text = plain
    section = ward.text.index("price_feeds:")
    head, tail = ward.text[:section], ward.text[section:]
    tail = re.sub(r"address: '\S+'", f"address: '{config.chain.wrapped_native_address}'", tail, count=1)
    ward.text = head + tail
    code, found = ward.look()
    assert code == 0
    assert f"{feeds[0]}: the contract is no price feed" in found["prices"][0].seen
    assert any("s old, 1 allowed" in finding.seen for finding in found["prices"])


def test_a_price_that_is_not_positive_is_none() -> None:
    answer = bytes(32) + (-1).to_bytes(32, "big", signed=True) + bytes(96)
    assert contracts._why_no_price(answer, 0, 1) == "the feed's price is not positive"


def test_no_price_feed_at_all_is_a_failure(ward: Ward) -> None:
    ward.spoil(r"price_feeds:\n(      .*\n)+", "price_feeds: {}\n")
    code, found = ward.look()
    assert (code, found["prices"][0].outcome) == (1, Outcome.FAIL)


def test_a_standing_allowance_is_a_warning(ward: Ward) -> None:
    config = load_config_text(ward)
    assert config.wallet is not None
    rpc_port = int(config.chain.rpc.reveal().rsplit(":", 1)[1])
    with Rpc(rpc_port) as rpc:
        approve(rpc, config, 1)
        code, found = ward.look()
        approve(rpc, config, 0)
    assert code == 0
    assert found["allowances"][0].outcome == Outcome.WARN
    assert "revoke it" in found["allowances"][0].cure


def approve(rpc: Rpc, config: Config, amount: int) -> None:
    assert config.wallet is not None
    deployer = Deployer(rpc, config.wallet.address)
    executor = config.execution.flash_loan.contract_address
    deployer.transact(config.chain.wrapped_native_address, "approve(address,uint256)", executor, amount)
    deployer.flush()


@pytest.mark.parametrize(("now", "outcome"), [(0, Outcome.FAIL), (10**11, Outcome.WARN)])
def test_a_clock_that_is_off_is_found(ward: Ward, now: int, outcome: Outcome) -> None:
    found = asyncio.run(look_at_node(load_config_text(ward), FixedClock(now)))
    assert found[-1].outcome == outcome
    assert "NTP" in found[-1].cure


def test_a_silent_node_is_a_warning(ward: Ward) -> None:
    """The chain of this test makes no blocks at all."""
    config = load_config_text(ward)
    with Anvil.start() as anvil:
        url = EvmOptions(url=anvil.ws_url, chain_id=ChainId(config.chain.chain_id))

        async def look() -> list[Finding]:
            async with EvmChain(url, SystemClock()) as chain:
                return [finding async for finding in node_findings(chain, config.chain, SystemClock())]

        found = asyncio.run(look())
    assert found[3].outcome == Outcome.WARN
    assert "eth_subscribe" in found[3].cure


def test_a_folder_that_cannot_be_made_is_found(ward: Ward, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ward.spoil(r"data_dir: .*", f"data_dir: {tmp_path / 'file' / 'data'}")
    code, found = ward.look()
    assert (code, found["data_dir"][0].outcome) == (1, Outcome.FAIL)
    assert "disk" not in found


@pytest.mark.parametrize(("free", "outcome"), [(10**6, Outcome.FAIL), (5 * 10**8, Outcome.WARN), (10**12, Outcome.OK)])
def test_a_full_disk_is_found(ward: Ward, monkeypatch: pytest.MonkeyPatch, free: int, outcome: Outcome) -> None:
    class Usage(msgspec.Struct):
        free: int

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(free))
    findings = {finding.name: finding for finding in storage.storage_findings(load_config_text(ward))}
    assert findings["disk"].outcome == outcome


def test_a_folder_without_room_is_told_from_one_without_rights(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    for code, cure in ((errno.ENOSPC, "free some space there"), (errno.EACCES, "give this user the right to write")):

        def refuse(code: int = code, **_: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
        (finding,) = storage.storage_findings(load_config_text(ward))
        assert (finding.outcome, finding.name) == (Outcome.FAIL, "data_dir")
        assert cure in finding.cure


def test_a_journal_in_use_is_a_warning(ward: Ward) -> None:
    config = load_config_text(ward)
    config.data_dir.mkdir()
    config.journal_path.touch()
    findings = {finding.name: finding for finding in storage.storage_findings(config)}
    assert findings["journal"].outcome == Outcome.OK
    lock = WriterLock(config.journal_path)
    findings = {finding.name: finding for finding in storage.storage_findings(config)}
    lock.release()
    assert findings["journal"].outcome == Outcome.WARN
    config.journal_path.with_name("journal.sqlite.lock").unlink()
    config.journal_path.with_name("journal.sqlite.lock").mkdir()
    findings = {finding.name: finding for finding in storage.storage_findings(config)}
    assert findings["journal"].outcome == Outcome.FAIL


def load_config_text(ward: Ward) -> Config:
    ward.file.write_text(ward.text)
    return load_config(ward.file)


def chain_of(config: Config) -> EvmChain:
    options = EvmOptions(url=config.chain.rpc.reveal(), chain_id=ChainId(config.chain.chain_id))
    return EvmChain(options, SystemClock())


async def look_at_node(config: Config, clock: Clock) -> list[Finding]:
    async with chain_of(config) as chain:
        return [finding async for finding in node_findings(chain, config.chain, clock)]


def test_a_token_that_was_found_out_is_told_with_its_cure(ward: Ward) -> None:
    config = load_config_text(ward)
    file = VerdictFile(config.verdicts_path("devnet"), ChainId(config.chain.chain_id))
    token = Address(NOBODY)
    file.write(
        [TokenVerdict(token, is_fit=False, lie=Lie.REBASES, detail="it grows", checked_block=0, expires_block=2**40)]
    )
    _, found = ward.look()
    told, counted = found["tokens"]
    assert (told.outcome, counted.outcome) == (Outcome.WARN, Outcome.OK)
    assert NOBODY in told.seen
    assert "rebases: it grows" in told.seen
    file.path.write_text("{}")
    _, found = ward.look()
    assert [(one.outcome, one.cure) for one in found["tokens"]] == [
        (Outcome.WARN, "delete the file: every token is then checked again")
    ]


def test_a_node_that_cannot_try_tokens_is_a_warning(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(re.findall(r"ws://127.0.0.1:(\d+)", ward.text)[0])
    with proxy_in_thread(port) as proxy:
        proxy.refused_methods.add("eth_simulateV1")
        ward.spoil(rf"ws://127.0.0.1:{port}", proxy.ws_url)
        _, found = ward.look()
        assert found["token check"][0].outcome == Outcome.WARN
        assert "eth_simulateV1" in found["token check"][0].cure
        monkeypatch.setattr("headrace.app.cli.doctor.tokens.probe_code", lambda: None)
        _, found = ward.look()
        assert "make setup" in found["token check"][0].cure
