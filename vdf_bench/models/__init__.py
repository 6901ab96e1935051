"""The networks that ship with the package: what they are, how they are trained, where their weights come from."""
