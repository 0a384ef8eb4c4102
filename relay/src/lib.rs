//! Terminates WebSockets, checks tokens, routes commands, fans out frames.
