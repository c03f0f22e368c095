"""The clean corpus: files that no correction may detect, kept by content, listed in a manifest, really scanned."""
