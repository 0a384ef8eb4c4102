//! The client's side of the protocol: connection, view, referee, and bots of a few styles.
