"""The audit trail: hash chain, Merkle tree, signed checkpoints, offline verifier (not built yet)."""
