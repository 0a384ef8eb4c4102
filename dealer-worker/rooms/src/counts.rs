//! The macros of [`metrics`] for code that is generic over the kind of room.
//!
//! What they expand to would be compiled for each kind, and for each counter: a function inside a generic one is not generic itself, and is
//! compiled once. A name that is not written out, or has labels, goes through as it is.

macro_rules! counter {
    ($name:literal) => {{
        fn named() -> ::metrics::Counter {
            ::metrics::counter!($name)
        }
        named()
    }};
    ($($told:tt)+) => { ::metrics::counter!($($told)+) };
}

macro_rules! gauge {
    ($name:literal) => {{
        fn named() -> ::metrics::Gauge {
            ::metrics::gauge!($name)
        }
        named()
    }};
}

pub(crate) use {counter, gauge};
