"""Where lab workers fetch work and hand in findings (token, HTTP)."""
