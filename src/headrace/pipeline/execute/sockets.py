"""The ports that transactions stand on."""

import msgspec

from headrace.ports.chain import Chain
from headrace.ports.clock import Clock
from headrace.ports.journal import Journal
from headrace.ports.signer import Signer
from headrace.ports.simulator import Simulator
from headrace.ports.treasury import Holdings


class Sockets(msgspec.Struct, frozen=True):
    """What the transactions of one account stand on."""

    chain: Chain
    simulator: Simulator
    signer: Signer
    journal: Journal
    holdings: Holdings
    clock: Clock
