"""Lenders for the length of one transaction, one file each."""
