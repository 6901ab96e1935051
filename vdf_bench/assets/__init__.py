"""What is brought along rather than computed: weights, official checkouts, the folders that they lie in."""
