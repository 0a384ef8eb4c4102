//! The newcomer's command: opens a house, says where it is, and closes it on Ctrl-C.

use std::{io, io::IsTerminal as _, net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context as _;
use house::{Config, House, Kept, config::Task, data, outside};
use ops::{
    outlet::say,
    signals,
    telemetry::{exit_code, takes_colours},
};
use reception::{archive, archive::Hands};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Shorter closing needs no word.
const WORTH_SAYING: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    exit_code("house", start())
}

fn start() -> anyhow::Result<()> {
    let config = Config::from_command_line();
    match &config.task {
        Some(Task::Verify(what)) => archive::verify_file(what),
        Some(Task::Hands(Hands::Export(what))) => {
            let folder = config.data.folder.as_deref().context("a house that keeps nothing has no hands")?;
            Runtime::new()?.block_on(data::export(folder, what))
        }
        None => Runtime::new()?.block_on(run(config)),
    }
}

async fn run(config: Config) -> anyhow::Result<()> {
    config.log.init()?;
    let closing = signals::leaving()?;
    let traces = config.traces.start("house", "house")?;
    let bots = counted(config.bots.at_a_table(config.tables.seats).into(), "bot");
    let house = House::open(config).await?;
    let tables = counted(house.tables(), "table");
    say(format_args!("Cardhouse is open: {}", house.url()));
    tell_others(house.address());
    say(format_args!("  {tables} with {bots} each. Open the address in a browser, pick a name, sit down."));
    say("  Open it in a second window to play against yourself.");
    match house.folder() {
        Some(folder) => {
            say(format_args!(
                "  Tables, chips and accounts are kept in {}.{}",
                folder.display(),
                going_on(house.kept())
            ));
        }
        None => say("  Everything is in memory: when the house closes, tables and chips are gone."),
    }
    say(format_args!("  Health and metrics: http://{}/metrics", house.ops_address()));
    say("  Ctrl-C closes it; -h lists what can be set, --help all of it.");
    let within = house.closes_within();
    let impatient = told_again(closing.clone(), within);
    tokio::select! {
        ended = house.run(closing) => ended.context("the house had to close")?,
        again = impatient => again?,
    }
    traces.finish().await;
    say("Closed.");
    Ok(())
}

/// What there is to say of tables that were kept, as another sentence.
fn going_on(kept: Kept) -> String {
    let tables = counted(kept.tables, "table");
    match kept {
        Kept { tables: 0, .. } => String::new(),
        Kept { are_as_told: true, .. } => format!(" Of an earlier time {tables} went on."),
        Kept { are_as_told: false, .. } => {
            format!(
                " Of an earlier time {tables} went on, set as they were then: another --data or --memory begins anew."
            )
        }
    }
}

/// As in "1 table" and "4 bots".
fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    }
}

/// Says where others open the house, to a phone's camera too.
fn tell_others(address: SocketAddr) {
    let port = address.port();
    if address.ip().is_loopback() {
        return say(format_args!(
            "  Only this machine can open it; --listen :{port} lets others in your network in."
        ));
    }
    let urls = outside::addresses(address).into_iter().map(|address| format!("http://{address}/"));
    let urls: Vec<String> = urls.collect();
    let Some(first) = urls.first() else {
        return say("  Only this machine can open it: it is in no network.");
    };
    say(format_args!("  Phones and other machines in your network open {}", urls.join(" or ")));
    if io::stdout().is_terminal() {
        let rows = outside::picture(first, takes_colours(&io::stdout())).unwrap_or_default();
        rows.iter().for_each(|row| say(format_args!("    {row}")));
    }
}

/// Returns when a house that is closing is told to close once more: by who does not want to wait.
async fn told_again(closing: CancellationToken, within: Duration) -> io::Result<()> {
    closing.cancelled().await;
    let again = signals::leaving()?;
    if within > WORTH_SAYING {
        let seconds = within.as_secs_f32().ceil();
        say(format_args!("Closing: players go within {seconds} s. Once more closes at once."));
    }
    again.cancelled().await;
    Ok(())
}
