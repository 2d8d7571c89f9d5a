"""The commands themselves: what they are asked, and the two questions before anything is signed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.app.cli.chosen_chain import known_chain
from headrace.app.cli.deferred import perform
from headrace.app.cli.interrupts import interrupts_held
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ChainName, ConfigFile, PassphraseFd, PassphraseFile
from headrace.app.cli.output import print_result
from headrace.app.cli.passphrase import passphrase_source, read_passphrase
from headrace.app.cli.progress import progress
from headrace.app.config.load import load_config
from headrace.app.config.secret import Secret
from headrace.app.config.tree import Config, WalletConfig
from headrace.errors import ConfigError, UsageError
from headrace.model.address import ZERO_ADDRESS, Address, checksum, parse_address

if TYPE_CHECKING:
    from headrace.app.cli.contracts.deploying import Request
    from headrace.app.cli.contracts.place import Place

application = typer.Typer(
    help="The Executor on a chain: deployed, checked, its owner and lists.", no_args_is_help=False
)
At = Annotated[str, typer.Option("--address", help="The Executor; by default the configured one.")]
_SALT_MAX = 2**64 - 1
_BPS = 10_000


@application.command()
def deploy(
    *,
    owner: Annotated[str, typer.Option(help="Who appoints and withdraws, for ever: best a Safe, never the wallet.")],
    salt: Annotated[int, typer.Option(min=0, max=_SALT_MAX, help="A number; another gives another address.")] = 0,
    guardian: Annotated[str, typer.Option(help="Who may pause: for the owner's calls.")] = "",
    treasury: Annotated[str, typer.Option(help="Where operators may sweep profits: for the owner's calls.")] = "",
    tip_share_max_bps: Annotated[
        int | None, typer.Option(min=0, max=_BPS, help="Most of a profit that may be tipped: for the owner's calls.")
    ] = None,
    configure: Annotated[
        bool, typer.Option("--configure", help="Send the owner's calls too, where the wallet is the owner.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before anything is sent.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    chain: ChainName = "",
    passphrase_fd: PassphraseFd = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Deploy an Executor to an address that follows from its owner, and print what its owner has to send then.

    The wallet pays. Begun again it finishes what it began: nothing is deployed or sent twice.
    """
    source = passphrase_source(passphrase_fd, passphrase_file)
    loaded = load_config(config)
    name, wallet = known_chain(loaded, chain), _wallet(loaded)
    holders = (_address(owner, "--owner"), _holder(guardian, "--guardian"), _holder(treasury, "--treasury"))
    _require_apart(wallet.address, holders, configure=configure)
    with interrupts_held():
        from headrace.app.cli.contracts import deploying  # noqa: PLC0415 - the node's client is heavy
        from headrace.app.cli.contracts.owner_calls import Wanted  # noqa: PLC0415
    section = loaded.chains[name]
    tokens = {symbol: section.tokens[symbol] for symbol in section.start_tokens}
    request = deploying.Request(
        config=loaded,
        chain=name,
        sender=wallet.address,
        owner=holders[0],
        salt_number=salt,
        wanted=Wanted(wallet.address, holders[1], holders[2], tip_share_max_bps, tokens),
        sets_up=configure,
    )
    passphrase = _asked(request, wallet, source, yes=yes)
    with progress() as report:
        result = deploying.deploy(report=report, request=request, passphrase=passphrase)
    print_result(result, deploying.render, as_json=as_json)


@application.command()
def verify(
    config: ConfigFile = DEFAULT_CONFIG, chain: ChainName = "", address: At = "", as_json: AsJson = False
) -> None:
    """Compare the code on chain with the one built here, and print its owner; the exit code is 1 if it differs."""
    work = "headrace.app.cli.contracts.verifying:verify"
    perform(work, as_json=as_json, place=_place(config, chain, address))


@application.command()
def roles(
    config: ConfigFile = DEFAULT_CONFIG,
    chain: ChainName = "",
    address: At = "",
    from_block: Annotated[
        int | None, typer.Option(min=0, help="Where it was deployed; by default as noted here, else 0.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print who may do what with the Executor, its list of tokens, its pause and its cap on tips."""
    work = "headrace.app.cli.contracts.roles:roles"
    perform(work, as_json=as_json, place=_place(config, chain, address), from_block=from_block)


@application.command()
def allowlist(
    config: ConfigFile = DEFAULT_CONFIG, chain: ChainName = "", address: At = "", as_json: AsJson = False
) -> None:
    """Compare the start tokens with the Executor's list, and print what its owner has to send; exit code 1 if so."""
    work = "headrace.app.cli.contracts.allowlist:allowlist"
    perform(work, as_json=as_json, place=_place(config, chain, address))


def _place(file: Path, chain: str, address: str) -> "Place":
    from headrace.app.cli.contracts.place import Place  # noqa: PLC0415 - the node's client is heavy

    loaded = load_config(file)
    name = known_chain(loaded, chain)
    if not address and name != loaded.chain_name:
        raise UsageError(f"the configured Executor is on {loaded.chain_name}: give --address with --chain {name}")
    executor = _address(address, "--address") if address else loaded.execution.flash_loan.contract_address
    return Place(loaded, name, executor)


def _wallet(config: Config) -> WalletConfig:
    if config.wallet is None:
        raise UsageError("a wallet pays for the deployment: add a `wallet` section (see `headrace wallet create`)")
    return config.wallet


def _address(text: str, option: str) -> Address:
    try:
        address = parse_address(text, option)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    if address == ZERO_ADDRESS:
        raise UsageError(f"{option}: the zero address is nobody's")
    return address


def _holder(text: str, option: str) -> Address | None:
    return _address(text, option) if text else None


def _require_apart(
    wallet: Address, holders: tuple[Address, Address | None, Address | None], *, configure: bool
) -> None:
    """Refuse what would undo the point of roles."""
    owner, _, treasury = holders
    if treasury == wallet:
        raise UsageError("--treasury: the wallet is an operator, and operators may sweep everything to the treasury")
    if configure and owner != wallet:
        raise UsageError(f"--configure sends as {checksum(wallet)}, and only the owner's calls count: leave it out")


def _asked(request: "Request", wallet: WalletConfig, source: Secret | None, *, yes: bool) -> bytes | None:
    """The passphrase, once somebody has seen what would be done and wants it; None where nothing is to be signed."""
    from headrace.app.cli.contracts import deploying  # noqa: PLC0415 - the node's client is heavy

    with progress() as report:
        survey = deploying.survey(report=report, request=request)
    for line in deploying.survey_lines(request, survey):
        sys.stderr.write(f"{line}\n")
    if not survey.sends(sets_up=request.sets_up):
        return None
    if not yes:
        _confirm()
    prompt = f"Passphrase of {checksum(wallet.address)}: "
    return read_passphrase(source or wallet.passphrase, prompt).encode()


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm: look at what would be sent, then give --yes")
    sys.stderr.write("Send it? Type yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise UsageError("not confirmed: nothing was sent")
