"""Can a protected portrait video still be cloned? A benchmark of proactive defenses against 3D-field talking heads."""
