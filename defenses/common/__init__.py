"""What several defenses share: the parsing objective, and 8-bit pixels within a budget."""
