"""What a signer handed back, compared with what it was asked to sign: the last look before the journal.

A rehearsed plan is worth nothing if other bytes are sent. The signer may be a device, another process or a library
with a fault, so its answer is read back from its bytes, for executions and for cancellations alike.
"""

from headrace.errors import TransactionDecodeError
from headrace.model.address import keccak_hex
from headrace.model.eip1559_fields import SignedFields, signed_fields
from headrace.model.transaction import SignedTransaction, UnsignedTransaction


def difference(signed: SignedTransaction, asked: UnsignedTransaction, nonce: int) -> str:
    """The first field in which the signed bytes differ from `asked` on `nonce`, in words; empty when none does.

    Compared are the hash, the chain, the nonce, target, value, calldata, gas limit and both fees; the access list must
    be empty. Whose key signed is not asked: the node does that.
    """
    if keccak_hex(signed.raw) != signed.hash:
        return f"the signer says {signed.hash}, the hash of its bytes is {keccak_hex(signed.raw)}"
    try:
        found = signed_fields(signed.raw)
    except TransactionDecodeError as error:
        return f"the signer's bytes cannot be read: {error}"
    wanted = _wanted(asked, nonce)
    if found == wanted:
        return ""
    names = (name for name in SignedFields.__struct_fields__ if getattr(found, name) != getattr(wanted, name))
    return f"the signed bytes differ from what was to be signed in {', '.join(names)}"


def _wanted(asked: UnsignedTransaction, nonce: int) -> SignedFields:
    return SignedFields(
        chain_id=asked.chain_id,
        nonce=nonce,
        priority_fee_wei=asked.priority_fee_wei,
        max_fee_wei=asked.max_fee_wei,
        gas_limit=asked.gas_limit,
        to=bytes.fromhex(asked.to[2:]),
        value_wei=asked.value_wei,
        data=asked.data,
    )
