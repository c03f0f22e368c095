"""Who is on duty: rotations, hand-overs, overrides."""
