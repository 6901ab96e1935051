"""Adapters to the official talking-head systems: they run the user's own checkout, and hold none of its code."""
