"""The record log, lanes, publications, evidence and proofs."""
