"""The web of engineers, analysts, reviewers, releasers and duty managers."""
