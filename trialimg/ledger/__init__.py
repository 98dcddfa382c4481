"""The audit trail: hash chain per trial, one Merkle tree, signed checkpoints, offline verifier."""
