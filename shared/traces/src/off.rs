//! What stands in the place of traces where they are not built: nothing, which takes no room either.

use crate::{Command, NotStarted, Step, TraceArgs};

/// Telling, which ends with it.
#[derive(Debug)]
pub struct Traces;

impl TraceArgs {
    /// Tells nobody.
    ///
    /// # Errors
    /// When somebody was to be told.
    pub fn start(&self, _service: &'static str, _node: &str) -> Result<Traces, NotStarted> {
        match self.traces_url {
            Some(_) => Err(NotStarted::NotBuilt),
            None => Ok(Traces),
        }
    }
}

impl Traces {
    /// Nothing is left to be told.
    pub async fn finish(self) {}
}

/// A step under way.
#[derive(Debug, Default)]
pub struct Span(());

impl Span {
    /// A step begins.
    pub fn begin(_step: Step, _command: &Command<'_>) -> Self {
        Self(())
    }

    /// It is over.
    pub fn end(self) {}

    /// It is over, and the command is refused.
    pub fn refused(self) {}
}

/// Steps of several commands that are under way.
#[derive(Debug, Default)]
pub struct Spans(());

impl Spans {
    /// A step begins.
    pub fn begin(&mut self, _step: Step, _command: &Command<'_>) {}

    /// That of the command of this number is over.
    pub fn end(&mut self, _n: u64) {}

    /// It is over, and the command is refused.
    pub fn refused(&mut self, _n: u64) {}
}
