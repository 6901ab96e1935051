"""What all victims share: the scene box, the driving code, training targets and the watch over a fit."""
