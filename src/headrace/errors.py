"""Expected failures: one tree, each with typed fields and a class that says whether trying again can help.

A bug is an assertion and ends its task. A refusal (an opportunity that is not taken) is a value, not an exception: see
`headrace.model.refusal`. Everything raised on purpose derives from `HeadraceError`.
"""

from enum import StrEnum


class Retry(StrEnum):
    """Whether the same operation may be tried again."""

    NEVER = "never"  # the input is wrong: somebody has to change something
    SAME = "same"  # the very same call may succeed later
    FRESH = "fresh"  # only a call built anew on fresh state may succeed


class HeadraceError(Exception):
    """Base of every expected failure; `str()` is one sentence that names the cure."""

    retry = Retry.NEVER
    exit_code = 1


class ConfigError(HeadraceError):
    """A configuration that cannot be used; `where` is file:line:column or a dotted path."""

    exit_code = 2

    def __init__(self, message: str, where: str = "") -> None:
        """Keep the place apart from the sentence."""
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class UsageError(HeadraceError):
    """A command that cannot be run as asked."""

    exit_code = 2


class ChainError(HeadraceError):
    """A node did not do what was asked of it."""

    exit_code = 3


class NodeUnreachableError(ChainError):
    """No connection, or the connection was lost."""

    retry = Retry.SAME


class NodeTimeoutError(NodeUnreachableError):
    """The node did not answer within its deadline."""


class WrongChainError(ChainError):
    """The node serves another chain than the configuration says."""

    def __init__(self, expected: int, actual: int) -> None:
        """Name both chain ids."""
        super().__init__(
            f"the node serves chain {actual}, the configuration says {expected}: point `rpc` at a node of that chain"
        )
        self.expected = expected
        self.actual = actual


class RpcError(ChainError):
    """The node answered with a JSON-RPC error; `data` holds revert data where there is any."""

    retry = Retry.FRESH

    def __init__(self, method: str, code: int, message: str, data: str = "") -> None:
        """Keep the node's own words."""
        super().__init__(f"{method}: the node answered {code} {message}")
        self.method = method
        self.code = code
        self.message = message
        self.data = data


class LogRangeRefusedError(RpcError):
    """The node does not give the logs of so many blocks at once; `blocks_max` is how many it says it would, or None."""

    def __init__(self, refusal: RpcError, blocks_max: int | None) -> None:
        """Keep the node's own words."""
        super().__init__(refusal.method, refusal.code, refusal.message, refusal.data)
        self.blocks_max = blocks_max


class NodeBusyError(RpcError):
    """The node wants to be asked later: too many requests, or it has not seen the block yet."""

    retry = Retry.SAME

    def __init__(self, refusal: RpcError) -> None:
        """Keep the node's own words."""
        super().__init__(refusal.method, refusal.code, refusal.message, refusal.data)


class MissingLogsError(ChainError):
    """The node gave logs of a range and left some of them out; nothing of that range is kept."""

    retry = Retry.SAME


class MalformedAnswerError(ChainError):
    """The node's answer does not have the documented form."""

    def __init__(self, method: str, why: str) -> None:
        """Name the method and the field."""
        super().__init__(f"{method}: the node's answer cannot be read ({why}); use another node")
        self.method = method
        self.why = why


class IncompleteBlockError(ChainError):
    """The logs of a block do not add up to its bloom, or its parent is not the block we hold."""

    retry = Retry.SAME


class MarketStaleError(HeadraceError):
    """The market may be wrong and is not traded until it has been read anew."""

    retry = Retry.SAME


class MalformedLogError(HeadraceError):
    """A log that claims a known event and does not have its form."""

    def __init__(self, pool: str, field: str, why: str) -> None:
        """Name pool and field."""
        super().__init__(f"pool {pool}: {field}: {why}")
        self.pool = pool
        self.field = field


class MalformedPoolError(HeadraceError):
    """A pool whose parameters or state cannot be those of its protocol; it is kept out of the market."""

    def __init__(self, pool: str, field: str, why: str) -> None:
        """Name pool and field."""
        super().__init__(f"pool {pool}: {field}: {why}")
        self.pool = pool
        self.field = field
        self.why = why


class UnquotableError(HeadraceError):
    """The pool's own contract would revert for this amount, or would not take all of it."""

    retry = Retry.FRESH

    def __init__(self, pool: str, why: str) -> None:
        """Name the pool and the contract's reason."""
        super().__init__(f"pool {pool} gives no quote: {why}")
        self.pool = pool
        self.why = why


class UnansweredError(UnquotableError):
    """What the pool's contract would do is not known to us: it may well swap, so this is no word of the contract's."""


class UnexecutableError(HeadraceError):
    """A pool that can be quoted and that the Executor has no step for."""

    def __init__(self, pool: str, why: str) -> None:
        """Name the pool and what is missing."""
        super().__init__(f"pool {pool} cannot be traded: {why}")
        self.pool = pool
        self.why = why


class PlanDecodeError(HeadraceError):
    """Bytes that are no Executor plan, or not the plan that was meant."""


class TransactionDecodeError(HeadraceError):
    """Bytes that are no signed EIP-1559 transaction."""


class KeystoreError(HeadraceError):
    """A key that cannot be stored or opened."""

    exit_code = 4


class WrongPassphraseError(KeystoreError):
    """The passphrase does not open the key."""


class JournalError(HeadraceError):
    """The journal cannot be written or read; nothing may be sent."""

    exit_code = 5


class JournalLockedError(JournalError):
    """Another process writes this journal."""


class JournalCorruptError(JournalError):
    """The journal's records do not fit together."""


class StoreError(HeadraceError):
    """The history for analysis cannot be written; trading goes on without it."""

    exit_code = 5


class CatalogueError(HeadraceError):
    """What was discovered cannot be kept or read back, or belongs to another chain, factory or version."""

    exit_code = 5


class DevnetError(HeadraceError):
    """The local devnet could not do what was asked."""

    exit_code = 6


class MarketFileError(HeadraceError):
    """A market file that cannot be used as a whole: cut short, of another version or chain, or no such file."""

    exit_code = 7

    def __init__(self, file: str, why: str, line: int = 0) -> None:
        """Name the file, and the line where there is one."""
        super().__init__(f"{file}:{line}: {why}" if line else f"{file}: {why}")
        self.file = file
        self.line = line


class DeploymentError(HeadraceError):
    """A contract that cannot be deployed or set up as asked, or is not the Executor that was built here."""

    exit_code = 8


class NotIncludedError(DeploymentError):
    """What was signed is in no block yet; the same command goes on waiting for it."""

    retry = Retry.SAME
