"""The market's memory as files: lines of JSON, compressed. docs/reference/market-files.md describes them."""
