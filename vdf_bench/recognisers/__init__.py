"""Face recognisers, a kind of plug-in: they decide whose face a clone shows."""
