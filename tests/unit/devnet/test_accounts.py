from headrace.devnet.accounts import OPERATOR, account_address, operator_key
from headrace.devnet.rpc import Rpc


def test_accounts_are_those_that_the_chain_derives(rpc: Rpc) -> None:
    listed = rpc.request("eth_accounts")
    assert isinstance(listed, list)
    assert [account_address(i) for i in range(len(listed))] == listed


def test_the_operator_key_is_the_well_known_one_of_account_1() -> None:
    assert operator_key().hex() == "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
    assert account_address(OPERATOR) == "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
