"""Pending transactions of a node, by subscription."""
