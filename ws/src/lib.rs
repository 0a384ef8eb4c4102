//! RFC 6455, the server's side: a lean codec without buffers while idle, and a byte-bounded outbox.
