"""Where the devnet's parts lie: npm packages and compiled contracts stand beside the source tree."""

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[3]
NODE_MODULES = PROJECT_ROOT / "node_modules"
CONTRACTS_OUT = PROJECT_ROOT / "contracts" / "out"
ANVIL_BINARY = NODE_MODULES / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
