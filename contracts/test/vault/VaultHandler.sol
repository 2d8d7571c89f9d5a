// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Test} from "forge-std/Test.sol";
import {DevToken} from "../../src/devnet/DevToken.sol";
import {ILocker, Term} from "../../src/interfaces/ILocker.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {Locker} from "../../src/Locker.sol";
import {Vault} from "../../src/Vault.sol";
import {Manner, StrategyDouble} from "./StrategyDouble.sol";

/// @notice Depositors, a donor, a sandwicher, a thieving operator, an owner, and two strategies that earn, steal and lie, in
/// any order. Each action checks what must hold right after it, and is counted when it succeeds.
contract VaultHandler is Test {
    uint256 private constant BPS = 10_000;
    uint256 private constant AMOUNT_MAX = 1_000e18;

    DevToken private immutable token;
    Vault public immutable vault;
    Locker public immutable locker;
    address private immutable owner;
    address private immutable operator;
    StrategyDouble[2] public strategies;
    address[3] public depositors = [address(0xA1), address(0xA2), address(0xA3)];
    address private constant THIEF = address(0xBAD);

    uint256[] public lockIds;
    mapping(bytes32 => uint256) public done;
    mapping(bytes32 => uint256) public tried;

    constructor(DevToken ofToken, Vault ofVault, StrategyDouble first, StrategyDouble second, address operator_) {
        token = ofToken;
        vault = ofVault;
        locker = ofVault.locker();
        owner = ofVault.owner();
        operator = operator_;
        strategies = [first, second];
        for (uint256 i; i < 3; ++i) {
            _approve(depositors[i]);
        }
        _approve(THIEF);
    }

    /// @dev Who stays never pays for anybody's coming, going, stealing or lying at the price that shares are bought at: it
    /// falls when the owner writes off, and only then.
    modifier keepingTheEntryPrice() {
        uint256 price = entryPrice();
        _;
        assertGe(entryPrice(), price, "the price of entry fell");
    }

    function deposit(uint256 who, uint256 assets) external keepingTheEntryPrice {
        address depositor = depositors[who % 3];
        assets = bound(assets, 1e6, AMOUNT_MAX);
        deal(address(token), depositor, assets);
        ++tried["deposit"];
        vm.prank(depositor);
        vault.deposit(assets, depositor); // nobody can make it fail
        ++done["deposit"];
    }

    function mint(uint256 who, uint256 shares) external keepingTheEntryPrice {
        address depositor = depositors[who % 3];
        shares = bound(shares, 1, 1e6 * AMOUNT_MAX);
        deal(address(token), depositor, vault.previewMint(shares));
        ++tried["mint"];
        vm.prank(depositor);
        vault.mint(shares, depositor);
        ++done["mint"];
    }

    function withdraw(uint256 who, uint256 assets) external keepingTheEntryPrice {
        address depositor = depositors[who % 3];
        assets = bound(assets, 0, vault.maxWithdraw(depositor));
        bool isHere = assets <= token.balanceOf(address(vault));
        ++tried["withdraw"];
        vm.prank(depositor);
        try vault.withdraw(assets, depositor, depositor) {
            ++done["withdraw"];
        } catch {
            assertFalse(isHere, "what lies in the vault was refused");
        }
    }

    function redeem(uint256 who, uint256 shares) external keepingTheEntryPrice {
        address depositor = depositors[who % 3];
        shares = bound(shares, 0, vault.balanceOf(depositor));
        uint256 assets = vault.previewRedeem(shares);
        bool isHere = assets <= token.balanceOf(address(vault));
        ++tried["redeem"];
        vm.prank(depositor);
        try vault.redeem(shares, depositor, depositor) returns (uint256 paid) {
            assertEq(paid, assets);
            ++done["redeem"];
        } catch {
            assertFalse(isHere, "what lies in the vault was refused");
        }
    }

    function donate(uint256 assets) external keepingTheEntryPrice {
        assets = bound(assets, 1, AMOUNT_MAX);
        deal(address(token), address(this), assets);
        token.transfer(address(vault), assets);
        ++done["donate"];
    }

    /// @dev Buys before something that moves the price, and sells at once after it.
    function sandwich(uint256 assets, uint256 what, uint256 which, uint256 amount) external keepingTheEntryPrice {
        assets = bound(assets, 1e6, 100 * AMOUNT_MAX);
        amount = bound(amount, 1, AMOUNT_MAX);
        StrategyDouble strategy = strategies[which % 2];
        if (what % 4 == 3) strategy.answer(Manner.Lying, 0);
        deal(address(token), THIEF, assets);
        vm.prank(THIEF);
        uint256 shares = vault.deposit(assets, THIEF);
        if (what % 4 > 0) deal(address(token), address(strategy), token.balanceOf(address(strategy)) + amount);
        else deal(address(token), address(vault), token.balanceOf(address(vault)) + amount);
        if (what % 4 > 1) strategy.answer(Manner.Honest, 0);
        vault.harvest(address(strategy));
        ++tried["sandwich"];
        vm.prank(THIEF);
        try vault.redeem(shares, THIEF, THIEF) returns (uint256 out) {
            assertLe(out, assets, "a sandwich paid");
            ++done["sandwich"];
        } catch {
            vm.prank(THIEF);
            vault.transfer(depositors[which % 3], shares);
        }
    }

    function allocate(uint256 which, uint256 assets) external keepingTheEntryPrice {
        StrategyDouble strategy = strategies[which % 2];
        assets = bound(assets, 0, token.balanceOf(address(vault)));
        uint256 cap = vault.capOf(address(strategy));
        ++tried["allocate"];
        vm.prank(operator);
        try vault.allocate(address(strategy), assets) {
            assertLe(vault.debtOf(address(strategy)), cap);
            ++done["allocate"];
        } catch {}
    }

    function free(uint256 which, uint256 assets) external keepingTheEntryPrice {
        vm.prank(operator);
        vault.free(address(strategies[which % 2]), bound(assets, 0, 2 * AMOUNT_MAX));
        ++done["free"];
    }

    function harvest(uint256 which) external keepingTheEntryPrice {
        uint256 supply = vault.totalSupply();
        uint256 gain = vault.harvest(address(strategies[which % 2]));
        uint256 fee = (vault.totalSupply() - supply) * entryPrice() / 1e36;
        assertLe(fee, gain * vault.feeBps() / BPS, "a fee above what was agreed");
        ++tried["harvest"];
        if (gain != 0) ++done["harvest"];
    }

    function earn(uint256 which, uint256 assets) external keepingTheEntryPrice {
        address strategy = address(strategies[which % 2]);
        uint256 debt = vault.debtOf(strategy);
        deal(address(token), strategy, Math.max(token.balanceOf(strategy), debt) + bound(assets, 1, AMOUNT_MAX));
        ++done["earn"];
    }

    function steal(uint256 which, uint256 assets) external keepingTheEntryPrice {
        StrategyDouble strategy = strategies[which % 2];
        strategy.lose(THIEF, bound(assets, 0, token.balanceOf(address(strategy))));
        ++done["steal"];
    }

    function lie(uint256 which, uint256 manner, uint256 assets) external keepingTheEntryPrice {
        strategies[which % 2].answer(Manner(bound(manner, 0, 5)), bound(assets, 0, 1e40));
        ++done["lie"];
    }

    function refuseToPay(uint256 which, uint256 manner, uint256 atMost) external keepingTheEntryPrice {
        strategies[which % 2].pay(Manner(bound(manner, 0, 5)), bound(atMost, 0, AMOUNT_MAX), 0);
        ++done["refuseToPay"];
    }

    function repent(uint256 which) public keepingTheEntryPrice {
        strategies[which % 2].answer(Manner.Honest, 0);
        strategies[which % 2].pay(Manner.Honest, type(uint256).max, 0);
        ++done["repent"];
    }

    function setCap(uint256 which, uint256 cap) external keepingTheEntryPrice {
        vm.prank(owner);
        vault.setCap(address(strategies[which % 2]), bound(cap, 0, 10 * AMOUNT_MAX));
        ++done["setCap"];
    }

    /// @dev The one thing that lowers the price of entry, and by no more than what strategies lack.
    function announceAndWriteOff(uint256 which) external {
        address strategy = address(strategies[which % 2]);
        ++tried["writeOff"];
        vm.prank(owner);
        try vault.announceLoss(strategy) {}
        catch {
            return;
        }
        skip(vault.NOTICE());
        uint256 assets = vault.totalAssets();
        vm.prank(owner);
        vault.writeOff(strategy);
        assertGe(vault.totalAssets(), assets, "writing off lowered the price of exit");
        ++done["writeOff"];
    }

    function lock(uint256 who, uint256 shares, uint256 term) external keepingTheEntryPrice {
        address depositor = depositors[who % 3];
        if (vault.balanceOf(depositor) == 0) return;
        shares = bound(shares, 1, vault.balanceOf(depositor));
        vm.prank(depositor);
        lockIds.push(locker.lock(shares, Term(term % 4)));
        ++done["lock"];
    }

    function claim(uint256 which) external keepingTheEntryPrice {
        if (lockIds.length == 0) return;
        uint256 id = lockIds[which % lockIds.length];
        ++tried["claim"];
        vm.prank(locker.lockOf(id).owner);
        if (locker.claim(id) != 0) ++done["claim"];
    }

    function unlock(uint256 which) external keepingTheEntryPrice {
        if (lockIds.length == 0) return;
        uint256 place = which % lockIds.length;
        uint256 id = lockIds[place];
        ILocker.Lock memory held = locker.lockOf(id);
        bool isOver = block.timestamp >= locker.lockedUntil(id);
        bool isNoticed = held.lockedAt <= vault.announcedAt() && block.timestamp < vault.noticeEnd();
        ++tried["unlock"];
        vm.prank(held.owner);
        try locker.unlock(id) returns (uint256 shares, uint256) {
            assertTrue(isOver || isNoticed, "a lock opened early");
            assertEq(shares, held.shares);
            ++done["unlock"];
            lockIds[place] = lockIds[lockIds.length - 1];
            lockIds.pop();
        } catch {
            assertFalse(isOver || isNoticed, "a lock did not open");
        }
    }

    function wait_(uint256 time) external keepingTheEntryPrice {
        skip(bound(time, 1, 20 days));
        ++done["wait"];
    }

    function lockCount() external view returns (uint256) {
        return lockIds.length;
    }

    /// @return Of 1e36 shares.
    function entryPrice() public view returns (uint256) {
        return (vault.entryAssets() + 1) * 1e36 / (vault.totalSupply() + 1e6);
    }

    function _approve(address depositor) private {
        vm.startPrank(depositor);
        token.approve(address(vault), type(uint256).max);
        vault.approve(address(locker), type(uint256).max);
        vm.stopPrank();
    }
}
