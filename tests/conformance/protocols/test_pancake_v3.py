"""PancakeSwap v3 against its published bytecode, through the plug-in of Uniswap v3."""

from collections import Counter
from pathlib import Path

import pytest
from tests.conformance.protocols import limited as limits
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.pancake_v3_subject import ARTIFACT, PancakeSubject
from tests.conformance.protocols.suite import DexConformance, History, read_states
from tests.conformance.protocols.test_uniswap_v3 import draw_swaps, limited_swap, own

from headrace.adapters.protocols.uniswap_v3 import logs
from headrace.devnet.artifacts import npm_artifact
from headrace.errors import DevnetError


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> PancakeSubject:
    try:
        npm_artifact(ARTIFACT)
    except DevnetError:
        pytest.skip("@pancakeswap/v3-core is not installed")
    return PancakeSubject(local_chain)


class TestPancakeSwapV3(DexConformance):
    def test_its_swaps_say_the_protocols_shares(self, subject: PancakeSubject, history: History) -> None:
        told = Counter(log.topics[0] for log in history.logs)
        assert told[logs.SWAP] == 0
        assert told[logs.SWAP_OF_PANCAKE] >= 60
        shares = [int(log.data[2 + 64 * 5 :], 16) for log in history.logs if log.topics[0] == logs.SWAP_OF_PANCAKE]
        assert sum(share > 0 for share in shares) >= 20
        packed = [subject.chain.deployer.call(pool.address, "slot0()(uint160,int24,uint16,uint16,uint16,uint32)")[5]
                  for pool in subject.pools]  # fmt: skip
        assert any(isinstance(one, int) and one >> 16 and one & 0xFFFF for one in packed)

    def test_price_limits_equal_the_pools(self, subject: PancakeSubject, history: History, tmp_path: Path) -> None:
        del history
        swaps = draw_swaps([own(state) for state in read_states(subject)], 2000)
        answers = subject.awkward.ask([one.asked for one in swaps])
        limits.compare(subject.dex, [limited_swap(one) for one in swaps], answers, tmp_path)
