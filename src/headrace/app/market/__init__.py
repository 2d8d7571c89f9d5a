"""`headrace market`: the market's memory as files."""
