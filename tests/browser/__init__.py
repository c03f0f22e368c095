"""Tests in a real Chromium against the real server: everything that `guardia run` starts, on loopback ports."""
