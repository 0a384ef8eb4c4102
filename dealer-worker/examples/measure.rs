//! What an idle room and a decision cost, on the memory adapters in one thread.
//!
//! `cargo run --release -p dealer-worker --example measure -- [ROOMS] [ACTIONS]`

use std::{borrow::Cow, fs, sync::Arc, time::Instant};

use broker::{
    bus::memory::MemoryBus,
    clock::Clock,
    directory::{self, Readers},
    node::RoomSpec,
    ports::Ports,
    seal::{Form, SealKey, Sealer},
    store::{Store, memory::MemoryStore},
    wire::Wire,
};
use bytes::Bytes;
use protocol::{
    id::{NodeId, Position, RoomId, UserId},
    rights::Rights,
    table::TableConfig,
};
use rooms::{
    Chance, Worker, WorkerConfig, open_room,
    room::{
        Input, Moment, Room, frame,
        record::{Delta, DeltaOf},
    },
};
use table::Table;
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rooms = arguments.next().map_or(Ok(20_000), |text| text.parse())?;
    let actions = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        commits(actions).await?;
        idle(rooms).await
    })
}

fn ports(node: &NodeId) -> (Ports, Arc<MemoryStore>) {
    let wire = Wire::perfect();
    let store = Arc::new(MemoryStore::new(wire.clone(), node));
    let bus = Arc::new(MemoryBus::new(wire, node));
    (Ports { bus, store: store.clone(), clock: Clock::system() }, store)
}

/// Resident bytes of this process.
fn resident() -> anyhow::Result<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm")?.split(' ').nth(1).unwrap_or("0").parse()?;
    Ok(pages * 4_096)
}

/// What owning a room costs beyond its being in the maps and the journal. (The memory adapters' share of it, a journal of two
/// entries and a subscription, is in it; so this is an upper bound.)
async fn idle(rooms: u32) -> anyhow::Result<()> {
    let node = NodeId::new("w1")?;
    let (ports, store) = ports(&node);
    let spec = RoomSpec::new(Table::NAME, &TableConfig::default());
    for number in 1..=rooms {
        open_room(&ports, &RoomId::new(&format!("t{number}"))?, &spec, Readers::OfThisRelease).await?;
    }
    let before = resident()?;
    let worker = Worker::new(
        ports,
        WorkerConfig::new(node, SealKey::random()),
        dealer_worker::kinds(),
        Chance::seeded(1),
    );
    let task = tokio::spawn(worker.run(CancellationToken::new()));
    let begun = Instant::now();
    for number in 1..=rooms {
        while directory::owner(&*store, &RoomId::new(&format!("t{number}"))?).await?.is_none() {
            sleep(Duration::from_millis(20)).await;
        }
    }
    let took = begun.elapsed();
    sleep(Duration::from_secs(2)).await;
    let each = resident()?.saturating_sub(before) / u64::from(rooms);
    println!(
        "{rooms} idle rooms, owned within {took:.2?}: {each} resident bytes each, journal and subscription in memory included"
    );
    task.abort();
    Ok(())
}

/// Six players check and call for ever: decide, encode, seal, append, publish, adopt.
async fn commits(actions: u32) -> anyhow::Result<()> {
    let (ports, store) = ports(&NodeId::new("w1")?);
    let sealer = Sealer::new(&SealKey::random());
    let (id, mut chance) = (RoomId::new("t1")?, Chance::of_the_system());
    let frames = broker::channel::Channel::frames(&id);
    let config = TableConfig { runout_ms: 0, ..TableConfig::default() };
    let mut table = Table::new(config);
    let mut now = ports.clock.now_ms();
    let users: Vec<UserId> = (0..6).map(|n| UserId::new(&format!("u{n}"))).collect::<Result<_, _>>()?;
    for user in &users {
        let rights = Rights::default();
        let sit = Input::Command { user, name: "somebody", rights, body: br#"{"a":"sit","buy_in":400}"# };
        table = table.decide(sit, moment(now), &mut chance).expect("a free seat").after;
    }
    let (mut taken, mut seq, mut bytes) = (0, 0, 0);
    let begun = Instant::now();
    while taken < actions {
        let turn =
            table.public().hand.as_ref().and_then(|hand| hand.turn.clone().map(|turn| (hand.hand, turn)));
        let decision = match turn {
            None => {
                let Some(due) = table.deadline() else { break };
                now = now.max(due);
                table.decide(Input::Clock, moment(now), &mut chance).expect("the clock is not refused")
            }
            Some((hand, turn)) => {
                taken += 1;
                let kind = if turn.call.is_some() { "call" } else { "check" };
                let seat = table.public().seats[usize::from(turn.seat)].as_ref().expect("a player's turn");
                let user = seat.user.clone();
                let body = format!(r#"{{"a":"act","hand":{hand},"turn":{},"kind":"{kind}"}}"#, turn.turn);
                let act = Input::Command {
                    user: &user,
                    name: "somebody",
                    rights: Rights::default(),
                    body: body.as_bytes(),
                };
                table.decide(act, moment(now), &mut chance).expect("a legal action")
            }
        };
        seq += 1;
        let at = Position::new(1, seq);
        let mut entry = frame::delta(&id, at, None, decision.public, decision.privates, Table::SPARSE);
        rooms::room::record::seal(
            &sealer,
            &mut entry,
            Form::Headed,
            &DeltaOf::<Table>(Cow::Owned(Delta::of(decision.events, now))),
        );
        let encoded = entry.encode();
        bytes += encoded.stored.len();
        let keep_from = seq.is_multiple_of(64).then(|| Position::new(1, seq - 63));
        store.append(&id, at, encoded.stored, keep_from).await?;
        let published: Bytes = encoded.published;
        ports.bus.publish(&frames, published).await?;
        table = decision.after;
    }
    let took = begun.elapsed();
    let rate = f64::from(taken) / took.as_secs_f64();
    let entry = bytes as u64 / seq;
    println!("{taken} actions in {took:.2?}: {rate:.0} a second, {entry} bytes an entry");
    Ok(())
}

fn moment(now: u64) -> Moment {
    Moment { now, at: Position::default() }
}
