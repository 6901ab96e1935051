"""Attackers as texts: purifier chains, ways to capture, and the suites that are made of both."""
