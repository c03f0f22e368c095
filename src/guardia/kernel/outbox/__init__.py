"""What must happen outside after a commit: written with it, done at least once, deduplicated by key."""
