"""The benchmark held against itself: what must be true of it if its figures mean what they say."""
