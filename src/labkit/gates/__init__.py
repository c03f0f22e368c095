"""The gates: six checks between a correction and its release, on exactly the bytes to be released."""
