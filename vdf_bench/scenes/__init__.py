"""Rendered talking heads and a photograph in motion: clips with ground truth."""
