"""Defenses, one module or folder per method; no method imports another one, ``common`` is what they share."""
