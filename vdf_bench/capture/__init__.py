"""Capture: the preprocessing that all 3D-field talking-face systems share; one module a task of RAD-NeRF's pipeline."""
