"""The `guardia` command."""
