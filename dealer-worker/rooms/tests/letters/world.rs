//! A star, four tables, a bus and a broker, all from one seed.

use std::collections::BTreeMap;

use protocol::id::RoomId;
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha20Rng;
use rooms::{planted, room::letters::Mail};

use crate::{
    app::{App, Place, STACK, Star, Table, star},
    faults::{Faults, Planted},
    owner::{Owner, Surroundings},
    store::Store,
};

const TABLES: usize = 4;
const PLAYERS: u8 = 10;

/// After the storm everything is quiet within so many steps.
const CALM_STEPS_MAX: usize = 40_000;

/// One of the next so many messages comes first.
const DISORDER: usize = 6;

#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    pub(crate) breaches: Vec<String>,
    pub(crate) steps: usize,
    pub(crate) crashes: usize,
    pub(crate) lost: usize,
    pub(crate) moved: u64,
    /// A table was told that chips were made or lost.
    pub(crate) has_adjusted: bool,
    /// Two rooms know that they do not remember the same.
    pub(crate) has_diverged: bool,
}

struct World {
    rng: ChaCha20Rng,
    store: Store,
    faults: Faults,
    planted: Option<Planted>,
    tables: Vec<RoomId>,
    rooms: Vec<RoomId>,
    new: BTreeMap<RoomId, App>,
    owners: BTreeMap<RoomId, Owner>,
    zombies: Vec<Owner>,
    bus: Vec<(RoomId, Vec<u8>)>,
    late: Vec<(RoomId, Vec<u8>)>,
    next_epoch: u64,
    now: u64,
    losses: usize,
    is_stormy: bool,
    outcome: Outcome,
}

/// Runs so many steps in a storm, then waits until all is quiet, and looks.
pub(crate) fn run(seed: u64, steps: usize, faults: Faults, planted: Option<Planted>) -> Outcome {
    planted::without(match planted {
        Some(Planted::Without(rule)) => Some(rule),
        _ => None,
    });
    let mut world = World::new(seed, faults, planted);
    for _ in 0..steps {
        world.step();
    }
    world.is_stormy = false;
    let mut calm = 0;
    let patience = |world: &World| if world.has_diverged() { CALM_STEPS_MAX / 10 } else { CALM_STEPS_MAX };
    while !world.is_quiet() && calm < patience(&world) && world.outcome.breaches.is_empty() {
        world.step();
        calm += 1;
    }
    world.judge();
    world.outcome.steps = steps + calm;
    planted::without(None);
    world.outcome
}

impl World {
    fn new(seed: u64, faults: Faults, planted: Option<Planted>) -> Self {
        let tables: Vec<RoomId> = (1..=TABLES).map(|n| RoomId::new(&format!("t{n}")).unwrap()).collect();
        let rooms: Vec<RoomId> = std::iter::once(star()).chain(tables.iter().cloned()).collect();
        let mut first = Star::default();
        let mut seated = vec![Table::default(); TABLES];
        for player in 0..PLAYERS {
            let table = usize::from(player) % TABLES;
            first.places.insert(player, Place::At(tables[table].clone()));
            seated[table].players.insert(player, STACK);
        }
        let apps = std::iter::once(App::Star(first)).chain(seated.into_iter().map(App::Table));
        let mut world = Self {
            rng: ChaCha20Rng::seed_from_u64(seed),
            store: Store::default(),
            faults,
            planted,
            tables,
            new: rooms.iter().cloned().zip(apps).collect(),
            rooms,
            owners: BTreeMap::new(),
            zombies: Vec::new(),
            bus: Vec::new(),
            late: Vec::new(),
            next_epoch: 0,
            now: 1_000_000,
            losses: 0,
            is_stormy: true,
            outcome: Outcome::default(),
        };
        for room in world.rooms.clone() {
            world.take_over(&room);
        }
        world
    }

    /// Does something with this room's owner or a zombie, and puts what it sends on the bus.
    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut BTreeMap<RoomId, Owner>, &mut Vec<Owner>, &mut Surroundings<'_>) -> T,
    ) -> T {
        let mut sent = Vec::new();
        let mut around = Surroundings {
            store: &mut self.store,
            rng: &mut self.rng,
            tables: &self.tables,
            next_epoch: &mut self.next_epoch,
            now: self.now,
            sent: &mut sent,
            breaches: &mut self.outcome.breaches,
            planted: self.planted,
            is_stormy: self.is_stormy,
            crashes: self.faults.crash_after_commit,
            refuses: self.faults.refuse,
        };
        let result = act(&mut self.owners, &mut self.zombies, &mut around);
        for (to, mail) in sent {
            self.post(to, &mail);
        }
        result
    }

    fn take_over(&mut self, room: &RoomId) {
        let peers = if *room == star() { self.tables.clone() } else { vec![star()] };
        let new = self.new[room].clone();
        let owner = self.with(|_, _, around| Owner::take_over(room, peers, new, around));
        if let Some(owner) = owner {
            self.owners.insert(room.clone(), owner);
        }
    }

    fn post(&mut self, to: RoomId, mail: &Mail) {
        if self.is_stormy && self.rng.random_bool(self.faults.drop) {
            return;
        }
        let bytes = mail.encode().to_vec();
        if self.rng.random_bool(self.faults.double) {
            self.bus.push((to.clone(), bytes.clone()));
        }
        if self.is_stormy && self.rng.random_bool(self.faults.late) {
            self.late.push((to, bytes));
        } else {
            self.bus.push((to, bytes));
        }
    }

    fn any_room(&mut self) -> RoomId {
        self.rooms.choose(&mut self.rng).unwrap().clone()
    }

    fn step(&mut self) {
        self.now += self.rng.random_range(0..20);
        if !self.late.is_empty() && self.rng.random_bool(0.02) {
            let late = self.rng.random_range(0..self.late.len());
            let late = self.late.swap_remove(late);
            self.bus.push(late);
        }
        let what: f64 = self.rng.random();
        if !self.bus.is_empty() && what < 0.55 {
            let next = self.rng.random_range(0..self.bus.len().min(DISORDER));
            let (to, bytes) = self.bus.remove(next);
            self.deliver(&to, &bytes);
        } else if what < 0.75 {
            let room = self.any_room();
            let zombie = self.rng.random_range(0..8_usize);
            self.with(|owners, zombies, around| {
                owners.get_mut(&room).unwrap().pulse(around);
                if let Some(zombie) = zombies.get_mut(zombie) {
                    zombie.pulse(around);
                }
            });
        } else {
            let room = self.any_room();
            let zombie = self.rng.random_range(0..40_usize);
            self.with(|owners, zombies, around| {
                owners.get_mut(&room).unwrap().work(around);
                if let Some(zombie) = zombies.get_mut(zombie) {
                    zombie.work(around);
                }
            });
        }
        if self.is_stormy {
            self.strike();
        }
        for room in self.rooms.clone() {
            let owner = &mut self.owners.get_mut(&room).unwrap();
            self.outcome.crashes += usize::from(std::mem::take(&mut owner.has_crashed));
            if owner.is_dead && self.rng.random_bool(0.2) {
                self.take_over(&room);
            }
        }
        self.zombies.retain(|zombie| !zombie.is_dead);
        if self.zombies.len() > 4 {
            self.zombies.remove(0);
        }
    }

    fn deliver(&mut self, to: &RoomId, bytes: &[u8]) {
        let mail = Mail::decode(bytes).expect("what was encoded is read");
        let hears: Vec<bool> = self.zombies.iter().map(|zombie| zombie.room == *to).collect();
        let hears: Vec<bool> = hears.into_iter().map(|hears| hears && self.rng.random_bool(0.3)).collect();
        self.with(|owners, zombies, around| {
            owners.get_mut(to).unwrap().hear(mail.clone(), around);
            for (zombie, _) in zombies.iter_mut().zip(hears).filter(|(_, hears)| *hears) {
                zombie.hear(mail.clone(), around);
            }
        });
    }

    fn die(&mut self, room: &RoomId) {
        self.owners.get_mut(room).unwrap().is_dead = true;
        self.outcome.crashes += 1;
    }

    /// The owner lives on and does not know that another has taken its room over.
    fn linger(&mut self, room: &RoomId) {
        if self.owners[room].is_dead {
            return;
        }
        let zombie = self.owners.remove(room).unwrap();
        self.take_over(room);
        self.zombies.push(zombie);
    }

    fn strike(&mut self) {
        if self.rng.random_bool(self.faults.crash) {
            let room = self.any_room();
            self.die(&room);
        }
        if self.rng.random_bool(self.faults.zombie) {
            let room = self.any_room();
            self.linger(&room);
        }
        if self.losses < self.faults.losses_max && self.rng.random_bool(self.faults.lose) {
            let room = self.any_room();
            let entries = self.rng.random_range(1..=self.faults.lose_entries_max);
            self.outcome.lost += self.store.lose(&room, entries);
            self.losses += 1;
            let fate: f64 = self.rng.random();
            if fate < self.faults.lose_and_die {
                self.die(&room);
            } else if fate < self.faults.lose_and_die + self.faults.lose_and_linger {
                self.linger(&room);
            }
        }
    }

    fn is_quiet(&self) -> bool {
        self.owners.values().all(Owner::is_quiet)
    }

    fn has_diverged(&self) -> bool {
        self.owners.values().any(Owner::has_diverged)
    }

    fn judge(&mut self) {
        self.outcome.has_diverged = self.has_diverged();
        let mut breaches = Vec::new();
        if !self.is_quiet() {
            let stuck =
                self.owners.values().filter(|owner| !owner.is_quiet()).map(|owner| owner.room.to_string());
            breaches.push(format!("never quiet: {}", stuck.collect::<Vec<_>>().join(" ")));
        }
        // Each letter that was said, in the histories that count in the end, was heard once.
        for (room, owner) in &self.owners {
            for (peer, said) in &owner.state.said {
                let heard = self.owners[peer].state.heard.get(room).copied().unwrap_or_default();
                if heard != *said {
                    breaches.push(format!("{peer} has not heard exactly what {room} has said"));
                }
            }
        }
        let App::Star(believed) = &self.owners[&star()].state.app else { unreachable!("it is the star") };
        self.outcome.moved = believed.moved;
        let (mut chips, mut seats) = (0, BTreeMap::<u8, usize>::new());
        for room in &self.tables {
            let App::Table(table) = &self.owners[room].state.app else { unreachable!("it is a table") };
            self.outcome.has_adjusted |= table.adjusted != 0;
            chips += table.players.values().sum::<i64>() - table.adjusted;
            for player in table.players.keys() {
                *seats.entry(*player).or_default() += 1;
                if believed.places.get(player) != Some(&Place::At(room.clone())) {
                    breaches.push(format!("player {player} sits at {room}, and the star believes otherwise"));
                }
            }
        }
        for player in 0..PLAYERS {
            let count = seats.get(&player).copied().unwrap_or_default();
            if count != 1 {
                breaches.push(format!("player {player} sits at {count} tables"));
            }
        }
        if chips != STACK * i64::from(PLAYERS) {
            breaches.push(format!("{chips} chips"));
        }
        self.outcome.breaches.extend(breaches);
    }
}
