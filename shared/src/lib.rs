//! Wire protocol, frame codec, the Bus and Store ports with their adapters, tokens, configuration, telemetry.
