"""Whatever leaves the Executor is on this list, with why it may: a call that is added is argued for here first."""

import json
from collections import Counter

from tests.contracts.compiler import CONTRACTS, compile_executor, sources
from tests.contracts.outward_calls import outward_calls

MOVES = {  # what can lessen what is held, or let somebody lessen it
    "BalanceGuard.sol _pay: token.safeTransfer": "the one way a plan pays; refuses a token that is not counted",
    "BalanceGuard.sol _grant: token.forceApprove": "the one way a plan approves; refuses a token that is not counted",
    "Executor.sol sweep: token.safeTransfer": "to the owner's treasury, for operators, while no plan runs",
    "Executor.sol withdraw: token.safeTransfer": "for the owner alone",
    "Executor.sol _tip: LowLevelCall.callNoReturn": "native coin of measured gain to the builder, under the guard",
    "Executor.sol _tip: wrappedNative.withdraw": "no more than the tip; native coin and its wrapper are one asset",
    "Executor.sol wrapNative: wrappedNative.deposit{value:address(this).balance}": "the same asset, and back to here",
    "Executor.sol executeBatch: LowLevelCall.callNoReturn": "itself, without value: executeOfBatch",
}
GATES = {  # who asks the guard to let something out
    "Borrowing.sol _letTake: _grant": "what was lent, to the lender that was expected, who takes it himself",
    "Borrowing.sol _repay: _pay": "what was lent, to the lender that was expected",
    "steps/BalancerV2Step.sol _swapBalancerV2: _grant": "the step's input, to its Vault; must be used up",
    "steps/CurveStep.sol _swapCurve: _grant": "the step's input, to its pool; must be used up",
    "steps/BalancerV3Step.sol balancerV3Callback: _pay": "the step's input, to its Vault",
    "steps/SolidlyStep.sol _swapSolidly: _pay": "the step's input, to its pair",
    "steps/UniswapV2Step.sol _swapUniswapV2: _pay": "the step's input, to its pair",
    "steps/UniswapV3Step.sol _payUniswapV3: _pay": "the step's input, to its pool",
    "steps/UniswapV4Step.sol unlockCallback: _pay": "the step's input, to its manager",
}
VENUES = {  # what is said to venues and lenders: nothing that a token listens to
    "Borrowing.sol _borrowAaveV3: IAaveV3Pool(header.lender).flashLoanSimple": "borrows",
    "Borrowing.sol _borrowBalancerV2: IBalancerV2Vault(header.lender).flashLoan": "borrows",
    "Borrowing.sol _borrowUniswapV3: pool.flash": "borrows",
    "Borrowing.sol _borrowBalancerV3: IBalancerV3Vault(header.lender).unlock": "borrows",
    "Borrowing.sol balancerV3LoanCallback: vault.sendTo": "takes the loan, from the caller that was expected",
    "Borrowing.sol balancerV3LoanCallback: vault.settle": "says that it has paid",
    "Borrowing.sol _borrowUniswapV4: IUniswapV4PoolManager(header.lender).unlock": "borrows",
    "Borrowing.sol _continueUniswapV4Loan: manager.take": "takes the loan, from the caller that was expected",
    "Borrowing.sol _continueUniswapV4Loan: manager.sync": "says that it is about to pay",
    "Borrowing.sol _continueUniswapV4Loan: manager.settle": "says that it has paid; without value",
    "Borrowing.sol _borrowMorpho: IMorpho(header.lender).flashLoan": "borrows",
    "Borrowing.sol _borrowErc3156: IERC3156FlashLender(header.lender).flashLoan": "borrows",
    "steps/BalancerV2Step.sol _swapBalancerV2: IBalancerV2Vault(step.venue).swap": "swaps",
    "steps/BalancerV3Step.sol _swapBalancerV3: IBalancerV3Vault(step.venue).unlock": "swaps",
    "steps/BalancerV3Step.sol balancerV3Callback: vault.swap": "swaps, at the caller that was expected",
    "steps/BalancerV3Step.sol balancerV3Callback: vault.settle": "says that it has paid",
    "steps/BalancerV3Step.sol balancerV3Callback: vault.sendTo": "takes what it bought",
    "steps/CurveStep.sol _exchange: pool.exchange": "swaps, by either width of index",
    "steps/CurveStep.sol _exchange: pool.exchange_underlying": "swaps",
    "steps/SolidlyStep.sol _swapSolidly: pair.swap": "swaps",
    "steps/UniswapV2Step.sol _flashUniswapV2: IUniswapV2Pair(step.venue).swap": "swaps, paying later",
    "steps/UniswapV2Step.sol _swapUniswapV2: IUniswapV2Pair(step.venue).swap": "swaps",
    "steps/UniswapV3Step.sol _takeUniswapV3: IUniswapV3Pool(step.venue).swap": "swaps",
    "steps/UniswapV4Step.sol _swapUniswapV4: IUniswapV4PoolManager(step.venue).unlock": "swaps",
    "steps/UniswapV4Step.sol _swapWhole: manager.swap": "swaps, at the caller that was expected",
    "steps/UniswapV4Step.sol unlockCallback: manager.sync": "says that it is about to pay",
    "steps/UniswapV4Step.sol unlockCallback: manager.settle": "says that it has paid; without value",
    "steps/UniswapV4Step.sol unlockCallback: manager.take": "takes what it bought",
}
VIEWS = {  # what changes nothing, by the compiler's word
    "BalanceGuard.sol _guard: token.balanceOf": "counts",
    "BalanceGuard.sol _held: token.balanceOf": "counts",
    "BalanceGuard.sol _requireSpent: token.allowance": "asks whether an approval was used up",
    "Borrowing.sol _borrowUniswapV3: pool.token0": "which of the pool's tokens is borrowed",
    "PlanFunding.sol _receivedInFlash: first.tokenOut.balanceOf": "measures",
    "StepWalker.sol _swapMeasured: step.tokenOut.balanceOf": "measures",
    "steps/SolidlyStep.sol _swapSolidly: pair.getAmountOut": "asks for the output",
    "steps/UniswapV2Step.sol _quoteUniswapV2: IUniswapV2Pair(step.venue).getReserves": "computes the output",
}
TWICE = {"steps/CurveStep.sol _exchange: pool.exchange"}
FORBIDDEN = {0xF0: "CREATE", 0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xF5: "CREATE2", 0xFF: "SELFDESTRUCT"}
PUSH1, PUSH32 = 0x60, 0x7F


def opcodes(code: bytes) -> Counter[int]:
    """Without what is pushed, and without the compiler's note at the end, whose length is its last two bytes."""
    found: Counter[int] = Counter()
    position, end = 0, len(code) - 2 - int.from_bytes(code[-2:])
    while position < end:
        opcode = code[position]
        found[opcode] += 1
        position += opcode - PUSH1 + 2 if PUSH1 <= opcode <= PUSH32 else 1
    return found


def test_every_call_that_leaves_the_executor_is_on_the_list() -> None:
    texts = sources()
    found = outward_calls(compile_executor(texts, has_trees=True).trees, texts)
    listed = Counter(f"src/{line}" for line in {**MOVES, **GATES, **VENUES, **VIEWS})
    listed.update(f"src/{line}" for line in TWICE)
    assert found == listed


def test_a_call_that_is_added_is_told() -> None:
    texts = sources()
    name = "src/steps/CurveStep.sol"
    texts[name] = texts[name].replace(
        "_grant(step.tokenIn, step.venue, amountIn);",
        "_grant(step.tokenIn, step.venue, amountIn); step.venue.delegatecall(''); assembly { pop(create(0, 0, 0)) }",
    )
    found = outward_calls(compile_executor(texts, has_trees=True).trees, texts)
    assert found[f"{name} _swapCurve: step.venue.delegatecall"] == 1
    assert found[f"{name} _swapCurve: assembly create"] == 1


def test_the_executor_that_is_deployed_delegates_creates_and_destroys_nothing() -> None:
    built = json.loads((CONTRACTS / "out" / "Executor.sol" / "Executor.json").read_text())
    found = opcodes(bytes.fromhex(built["deployedBytecode"]["object"].removeprefix("0x")))
    assert {name for opcode, name in FORBIDDEN.items() if found[opcode]} == set()
    assert found[0xF1] > 0, "it does make calls"
