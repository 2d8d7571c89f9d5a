"""Ethereum-like chains, through any node that speaks JSON-RPC over a WebSocket or a local socket."""
