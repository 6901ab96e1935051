"""The commands, one group a module: a command parses, calls one function, prints."""
