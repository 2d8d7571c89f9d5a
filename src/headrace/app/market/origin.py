"""Who a market file names as its writer."""

from importlib.metadata import version

SOURCE = f"headrace {version('headrace')}"
