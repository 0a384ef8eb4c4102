//! A dealer worker that knows counters beside tables: `trials counting-worker`, which `bench` and `chaos` have clusters run in the place of `dealer-worker`.

use std::sync::Arc;

use loadtest::cluster::StandIn;
use rooms::{
    planted,
    testing::{Counter, counter::TILL},
};

use crate::chaos::till::TillAt;

/// Flags of `trials counting-worker`: those of `dealer-worker`, and where the till is.
#[derive(Debug, clap::Args)]
pub struct CountingWorker {
    #[command(flatten)]
    worker: dealer_worker::flags::Flags,
    /// The till that counters pay to
    #[arg(long)]
    till_url: Option<String>,
    /// A tournament seats one player twice, to see that it is seen
    #[arg(long)]
    plant_second_seat: bool,
    /// Rooms of jobs take answers of whoever has had a job before, to see that it is seen
    #[arg(long)]
    plant_late_answers: bool,
}

impl CountingWorker {
    /// Runs it until it is told to end.
    ///
    /// # Errors
    /// Those of a dealer worker.
    pub fn run(self) -> anyhow::Result<()> {
        let mut kinds = dealer_worker::kinds().with::<Counter>();
        if self.plant_second_seat {
            planted::plant_everywhere(planted::Fault::SeatsTwice);
        }
        if self.plant_late_answers {
            planted::plant_everywhere(planted::Fault::AnswersAnew);
        }
        if let Some(url) = self.till_url {
            kinds = kinds.served_by(TILL, Arc::new(TillAt::new(url)));
        }
        dealer_worker::process::run(self.worker, kinds)
    }
}

/// Such workers for a cluster, perhaps with a till at this port of the machine, and with flags of their own.
///
/// # Errors
/// When this program is not to be found.
pub fn stand_in(till_port: Option<u16>, flags: &[&str]) -> anyhow::Result<StandIn> {
    let mut words = vec!["counting-worker".to_owned()];
    words.extend(flags.iter().map(|flag| (*flag).to_owned()));
    Ok(StandIn {
        program: crate::program()?,
        words,
        asks: till_port.map(|port| ("--till-url".to_owned(), port)),
    })
}
