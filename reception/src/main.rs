//! The `reception` binary: reads its keys, serves, and leaves on SIGTERM or Ctrl-C.

use std::{future::pending, process::ExitCode, sync::Arc, time::Duration};

use broker::{clock::Clock, pass::Passes, queue::Queue, seal::Sealer};
use cage::Place;
use ops::{
    flags, outlet,
    readiness::{Readiness, drain_route, ops_routes},
    serve::{Front, serve},
    signals,
    telemetry::{Metrics, exit_code},
};
use reception::{
    Desk, Keyring, People, archive,
    archive::Hands,
    cage_api,
    config::{Admin, Config, Tape, Task},
    database,
    key_dir::KeyDir,
    passwords::Cost,
    people,
    people::HandKeys,
    recorder::Recorder,
    revocations::Nobody,
};
use tokio::runtime::Runtime;

/// Between two looks at the keys of dealer workers.
const KEYS_REREAD: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    exit_code("reception", start())
}

fn start() -> anyhow::Result<()> {
    let config: Config = flags::read();
    let settle = Duration::from_millis(config.key_settle_ms);
    let keys = KeyDir::new(config.key_dir.clone(), settle);
    let hand_keys = match &config.hand_key_dir {
        Some(folder) => KeyDir::new(folder.clone(), settle),
        None => keys.of_hands(),
    };
    match config.task {
        Some(Task::Keys(what)) => {
            keys.manage(what)?.iter().for_each(outlet::say);
            Ok(())
        }
        Some(Task::HandKeys(what)) => {
            hand_keys.manage(what)?.iter().for_each(outlet::say);
            Ok(())
        }
        Some(Task::Verify(what)) => archive::verify_file(&what),
        Some(Task::Tape(Tape::Check { folder })) => {
            let lines = cage::tape::check(&folder)?;
            outlet::say(format_args!("{} is whole: {lines} lines", folder.display()));
            Ok(())
        }
        Some(Task::Hands(Hands::Export(what))) => {
            let names = config.people.keys(&config.key_dir)?;
            Runtime::new()?.block_on(archive::export(config.people.database, &names, &hand_keys, &what))
        }
        Some(Task::Admin(Admin::Create { handle })) => {
            Runtime::new()?.block_on(create_admin(config.people.database, &handle))
        }
        None => Runtime::new()?.block_on(run(config, keys, hand_keys)),
    }
}

async fn run(config: Config, keys: KeyDir, hand_keys: KeyDir) -> anyhow::Result<()> {
    config.log.init()?;
    let metrics = Metrics::install()?;
    let _tidy = metrics.keep_tidy();
    let leaving = signals::leaving()?;
    let front = config.front();

    let keyring = Arc::new(Keyring::new(keys.read_or_create()?));
    let rereading = keys.follow(keyring.clone(), Duration::from_millis(config.key_reread_ms));
    config.oidc.check(config.people.database.is_some())?;
    let token_ms = config.tokens.token_ms(config.people.database.is_some());
    let desk = Desk::new(keyring, Clock::system(), token_ms);
    let hands = match (config.hands.keep_hands, &config.people.database) {
        (false, _) => None,
        (true, None) => anyhow::bail!("--keep-hands needs the database: --database"),
        (true, Some(_)) => Some(config.people.queue("--keep-hands").await?),
    };
    let people = match &config.people.database {
        Some(place) => Some(open_people(&config, place, desk.clone(), hands.clone(), hand_keys).await?),
        None if config.cage.chips.tape_dir.is_some() => {
            anyhow::bail!("--tape-dir needs the database: --database")
        }
        None => None,
    };
    let readiness = Readiness::new();
    let tried = desk.clone();
    readiness.check("keys", move || tried.check().map_err(|error| error.to_string()));

    let cage = serve_cage(&config, people.clone()).await?;
    let recording = record(&config, people.clone(), hands)?;
    let agency = config.agency.open(&config.people, desk.clone()).await?;
    let coach = config.coach.open(config.agency.agency_url.as_deref(), &desk)?;
    let ops = config.ops.ops_listen.listen("--ops-listen").await?;
    let listener = config.listen.listen("--listen").await?;
    tracing::info!(address = %listener.local_addr()?, ops = %ops.local_addr()?, "listening");

    let api = config.tokens.api(config.hosts, config.allow_origin);
    let router = match people.clone() {
        Some(people) => reception::router_with_people(people, api),
        None => reception::router(desk, api),
    };
    let tidying = async {
        match &people {
            Some(people) => {
                let audits = Duration::from_secs(config.cage.chips.audit_seconds.into());
                tokio::join!(people.keep_tidy(), people.keep_audited(audits), people.sign_hands()).0
            }
            None => pending().await,
        }
    };
    let serving = serve(listener, router, front, leaving.clone().cancelled_owned());
    let guard = config.ops.guard(ops.local_addr()?)?;
    let routes = guard.protect(ops_routes(metrics, readiness.clone()).merge(drain_route(leaving.clone())));
    let watching = serve(ops, routes, Front::operators(config.http), pending());
    let told = async {
        leaving.cancelled().await;
        tracing::info!("leaving");
        readiness.drain();
        pending::<()>().await
    };
    tokio::select! {
        () = serving => Ok(()),
        () = watching => unreachable!("it serves for ever"),
        () = rereading => unreachable!("keys are followed for ever"),
        () = tidying => unreachable!("people are kept for ever"),
        () = recording => unreachable!("hands are written down for ever"),
        () = agency => unreachable!("AI players come for ever"),
        () = coach => unreachable!("questions are answered for ever"),
        () = cage => unreachable!("it serves for ever"),
        () = told => unreachable!("it waits for the server to end"),
    }
}

/// What dealer workers ask, if they may. Ends never: requests that are open when the process leaves are asked again.
async fn serve_cage(
    config: &Config,
    people: Option<Arc<People>>,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let cage = config.cage.clone();
    let serving = match (&cage.cage_listen, people) {
        (None, _) => None,
        (Some(_), None) => anyhow::bail!("--cage-listen needs the database: --database"),
        (Some(address), Some(people)) => {
            let (key, older) = cage.keys()?;
            let listener = address.listen("--cage-listen").await?;
            tracing::info!(cage = %listener.local_addr()?, "dealer workers may ask the ledger");
            let passes = Arc::new(Passes::new(money::wire::PURPOSE, &key, &older));
            let router = cage_api::router(people, passes.clone(), Clock::system());
            Some((listener, router, passes, Front::inside(config.http, cage_api::CONNECTIONS_MAX)))
        }
    };
    Ok(async move {
        let Some((listener, router, passes, front)) = serving else { return pending().await };
        tokio::join!(serve(listener, router, front, pending()), passes.follow(KEYS_REREAD, || cage.keys()));
    })
}

/// Writes down hands that are over, if it may, and forgets them in time.
fn record(
    config: &Config,
    people: Option<Arc<People>>,
    hands: Option<Arc<dyn Queue>>,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let (cage, days) = (config.cage.clone(), config.hands.kept.keep_hands_days);
    let recorder = match hands.zip(people.clone()) {
        None => None,
        Some((queue, people)) => {
            let (key, older) = cage.keys()?;
            let sealer = Arc::new(Sealer::with(&key, &older));
            let name = format!("recorder-{:016x}", rand::random::<u64>());
            Some((Recorder::new(queue, sealer.clone(), people, Clock::system(), name), sealer))
        }
    };
    Ok(async move {
        let forgetting = async {
            match people {
                Some(people) => people.forget_hands(days).await,
                None => pending().await,
            }
        };
        let recording = async {
            let Some((recorder, sealer)) = recorder else { return pending().await };
            let following = async {
                loop {
                    tokio::time::sleep(KEYS_REREAD).await;
                    match cage.keys() {
                        Ok((key, older)) => drop(sealer.replace(&key, &older)),
                        Err(error) => tracing::warn!(%error, "the keys of hands are not read"),
                    }
                }
            };
            tokio::join!(recorder.run(), following).1
        };
        tokio::join!(forgetting, recording);
    })
}

async fn open_people(
    config: &Config,
    place: &Place,
    desk: Desk,
    hands: Option<Arc<dyn Queue>>,
    hand_keys: KeyDir,
) -> anyhow::Result<Arc<People>> {
    let keys = config.people.keys(&config.key_dir)?;
    let providers = config.oidc.providers()?;
    let ports = config.people.ports().await?;
    let tellers = database::open(place.clone()).await?;
    let currencies = config.cage.chips.currencies.clone();
    tellers.write("currencies", move |tx| cage::ledger::define(tx, &currencies)).await?;
    let tape = config.cage.chips.tape_dir.as_deref();
    database::keep_tape(&tellers, tape, Clock::system().now_ms()).await?;
    tracing::info!(database = %place, "people are kept");
    // Another reception may write them down.
    let keeps_hands = config.hands.keep_hands || tellers.read(cage::history::find::any).await?;
    let people = match ports {
        Some(ports) => database::people(tellers, keys, desk, ports, Vec::new()),
        None => {
            tracing::warn!(
                "bans and sign-outs reach live sockets when their tokens end, and who deletes himself may still sit: relays and dealer \
                 workers are reached by --redis-url"
            );
            People::new(tellers, keys, desk, Cost::default(), Arc::new(Nobody))
        }
    };
    let people = people.with_providers(providers).with_purses(config.cage.cage_listen.is_some());
    let people = people.that_keeps_hands(keeps_hands);
    let people = match hands {
        Some(hands) => people.with_hands(hands),
        None => people,
    };
    if !keeps_hands {
        return Ok(Arc::new(people));
    }
    match HandKeys::in_folder(hand_keys) {
        Ok(keys) => Ok(Arc::new(people.with_hand_keys(keys))),
        Err(error) => {
            tracing::warn!(%error, "hands are not signed: --hand-key-dir names a folder for the keys");
            Ok(Arc::new(people))
        }
    }
}

/// Prints the link where the operator sees it, and nowhere else.
async fn create_admin(database: Option<Place>, handle: &str) -> anyhow::Result<()> {
    let place = match database {
        // The house may be open meanwhile.
        Some(Place::File(path)) => Place::FileBeside(path),
        Some(place) => place,
        None => anyhow::bail!("say where the database is: --database, or the variable CARDHOUSE_DATABASE"),
    };
    let tellers = database::open(place).await?;
    let link = people::admin(&tellers, handle, Clock::system().now_ms()).await?;
    outlet::say(format_args!("{handle} is an admin once the password is set, within 30 minutes, at"));
    outlet::say(format_args!("  https://THE-HOUSE/#password={}", link.secret.as_str()));
    Ok(())
}
