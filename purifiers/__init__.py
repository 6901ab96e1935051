"""Purifiers that ship: what happens to a video between publication and capture."""
