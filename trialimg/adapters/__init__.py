"""The world: each subpackage implements ports of `trialimg.services.ports`; none imports another."""
