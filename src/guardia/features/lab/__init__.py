"""Samples, lab jobs, drafts, gates and approvals."""
