"""A plug-in of vdf-bench with a defense, a parser, a purifier and a judge: a pattern to copy."""
