"""The closed form of the second generation beside the same in the machine's signed arithmetic, in a contract of ours.

It shows that truncation, overflow and division by zero are the machine's, and proves nothing about Curve's contracts.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from tests.conformance.protocols.local_chain import NodeOnly

from headrace.devnet.abi import encode_call
from headrace.devnet.anvil import Anvil
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.deployer import Deployer
from headrace.kernels import cryptoswap_cubic
from headrace.kernels.cryptoswap_cubic import balance_of_three, balance_of_two, cube_root
from headrace.kernels.cryptoswap_newton import Curve, RevertError
from headrace.model.address import Address

SEED = 20_260_403
CASES = 2_000


class Machine(NodeOnly):
    """A chain with the contract."""

    def __init__(self, anvil: Anvil, deployer: Deployer) -> None:
        super().__init__(anvil, deployer.rpc)
        self.contract: Address = deployer.deploy(own_artifact("CryptoCubic"))
        deployer.flush()

    def ask(self, signature: str, questions: Sequence[tuple[int, ...]]) -> list[list[int] | None]:
        calls = ({"to": self.contract, "data": encode_call(signature, *one)} for one in questions)
        return self.call_all((call, "latest") for call in calls)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        yield Machine(anvil, Deployer(rpc))


def drawn(coins: int) -> list[tuple[int, ...]]:
    """A, gamma, D and the other balances, over all that the contracts take, and around balance."""
    draw, found = random.Random(SEED + coins), []
    for index in range(CASES):
        invariant = int(10 ** draw.uniform(17, 33))
        ann, gamma = int(10 ** draw.uniform(3.5, 8.4)), int(10 ** draw.uniform(10, 16.6 if coins == 3 else 17.2))
        spread = (0.001, 0.3, 2.0)[index % 3]
        others = [int(invariant * 10 ** draw.uniform(-spread, spread) / coins) for _ in range(coins - 1)]
        found.append((ann, gamma, invariant, *others))
    return found


def ours(question: tuple[int, ...]) -> list[int] | None:
    """As the contract says it: nothing found where it falls back, None where it reverts."""
    ann, gamma, invariant, *others = question
    curve = Curve(len(others) + 1, ann, gamma, invariant)
    try:
        left, k0 = balance_of_three(curve, *others) if len(others) > 1 else balance_of_two(curve, *others)
    except (RevertError, ZeroDivisionError):
        return None
    return [left, k0]


@pytest.mark.parametrize(
    ("coins", "signature"),
    [(3, "ofThree(int256,int256,int256,int256,int256)"), (2, "ofTwo(int256,int256,int256,int256)")],
)
def test_the_closed_form_is_the_machines(
    machine: Machine, coins: int, signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cryptoswap_cubic, "balance_by_newton", lambda *_: 0)
    questions = drawn(coins)
    answers = machine.ask(signature, questions)
    wrong = [q for q, answer in zip(questions, answers, strict=True) if ours(q) != answer]
    assert not wrong, f"{len(wrong)} differ (seed {SEED}), first {wrong[:2]}"
    reached = Counter("reverted" if a is None else "fallen back" if a == [0, 0] else "solved" for a in answers)
    print("reached", coins, dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert reached["solved"] >= CASES // 2
    for name, (attribute, planted) in faults(coins).items():
        with monkeypatch.context() as patched:
            patched.setattr(cryptoswap_cubic, attribute, planted)
            caught = sum(ours(q) != answer for q, answer in zip(questions, answers, strict=True))
        print(f"{name}: caught by {caught}")  # noqa: T201 - a test that passes says what it covered
        assert caught > 0, name


def faults(coins: int) -> dict[str, tuple[str, object]]:
    return {
        "divided down instead of towards zero": ("_quotient", lambda a, b: a // b if b else 0),
        "three steps of a cube root less": ("_CUBE_ROUNDS", 4),
        "another scale": ("_TRIPLE_SCALES" if coins == 3 else "_PAIR_SCALES", ()),
    }


def test_cube_roots_are_the_machines(machine: Machine) -> None:
    draw = random.Random(SEED)
    values = [0, 1, 2, 10**18, 2**255, 2**256 - 1, *(int(10 ** draw.uniform(0, 77)) for _ in range(500))]
    asked = [(value,) for value in values if value < 1 << 256]
    answers = machine.ask("cubeRoot(uint256)", asked)
    for (value,), answer in zip(asked, answers, strict=True):
        assert answer is None or answer == [cube_root(value)]
    assert sum(answer is not None for answer in answers) > 400
