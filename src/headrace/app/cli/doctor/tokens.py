"""Tokens: whether this node can try them, and which of them were found out."""

from collections.abc import AsyncIterator

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.inspectors.node.inspector import NodeInspector
from headrace.adapters.stores.verdicts import VerdictFile
from headrace.app.cli.doctor.finding import Finding, ok, warn
from headrace.app.config.tree import Config
from headrace.app.tokens import probe_code
from headrace.errors import StoreError
from headrace.model.address import checksum
from headrace.model.block import BlockHeader
from headrace.model.token_verdict import TokenVerdict

_LISTED_ONLY = "until then only the tokens of `token_check.allowed` and those with a valid verdict are traded"


async def token_findings(chain: EvmChain, config: Config, head: BlockHeader) -> AsyncIterator[Finding]:
    """Look at the node's ability and at the kept verdicts.

    Raises:
        NodeUnreachableError: the node stopped answering.
    """
    yield await _ability(chain, config, head)
    rules = config.chain.token_check
    try:
        kept = VerdictFile(config.verdicts_path(config.chain_name), chain.chain_id).read()
    except StoreError as error:
        yield warn("tokens", str(error), "delete the file: every token is then checked again")
        return
    valid = [one for one in kept if one.checked_block <= head.number <= one.expires_block]
    for one in valid:
        if not one.is_fit and one.token not in rules.all_allowed:
            yield _unfit(one)
    fit = sum(one.is_fit for one in valid)
    listed = f"{len(rules.all_allowed)} allowed unchecked, {len(rules.all_blocked)} blocked"
    yield ok("tokens", f"{fit} checked and fit, {listed}")


async def _ability(chain: EvmChain, config: Config, head: BlockHeader) -> Finding:
    code = probe_code()
    if code is None:
        return warn("token check", "the contracts are not built here", f"run `make setup`: {_LISTED_ONLY}")
    inspector = NodeInspector(chain.client, chain, {}, config.chain.wrapped_native_address, code)
    why = await inspector.why_blind(head)
    if why:
        cure = f"use a node with eth_simulateV1: {_LISTED_ONLY}"
        return warn("token check", f"the node cannot try tokens ({why})", cure)
    return ok("token check", "the node simulates what it takes to try a token")


def _unfit(verdict: TokenVerdict) -> Finding:
    seen = f"{checksum(verdict.token)} is {verdict.why}"
    cure = f"its pools are left out until block {verdict.expires_block}; `token_check.allowed` overrides that"
    return warn("tokens", seen, cure)
