//! Bot swarm, cluster harness, simulator, chaos, benchmarks.
