"""When an Executor was created, as far as it was this configuration's wallet that did it."""

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.stores.deployments import DeploymentFile
from headrace.app.cli.contracts.deployment import PROXY
from headrace.model.address import Address, Hash32


async def creation(chain: EvmChain, file: DeploymentFile, executor: Address) -> tuple[Hash32, int] | None:
    """Hash and block of the transaction that created it; None where it was another's.

    The chain is asked about those whose receipt nobody waited for.

    Raises:
        StoreError: the record of deployments cannot be read.
        ChainError: the node failed.
    """
    for one in file.read():
        if (one.contract, one.to) != (executor, PROXY):
            continue
        if one.block is not None and one.is_success:
            return one.tx_hash, one.block
        receipt = await chain.receipt(one.tx_hash)
        if receipt is not None and receipt.is_success:
            return one.tx_hash, receipt.block_number
    return None
