"""How the networks that ship were made: data, losses, gates. Nothing here runs in a benchmark but fine-tuning."""
