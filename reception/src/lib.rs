//! HTTP in front of the house: guest tokens, public keys, health.
