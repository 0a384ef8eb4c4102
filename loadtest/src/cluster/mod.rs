//! The real thing on this machine: Redis, nginx, relays, dealer workers and reception as processes on free loopback ports.
//!
//! - [`args`]: what is wanted. [`Cluster`]: what runs.
//! - [`process`]: one process; [`broker`]: Redis; [`nginx`]: the edge; [`binaries`]: where our programs are.
//! - [`machines`]: a network of its own for each node, to be cut off from.
//! - [`undertaker`]: leaves nothing behind, even when this process is killed.

pub mod args;
pub mod binaries;
pub mod broker;
pub mod machines;
pub mod nginx;
pub mod process;
pub mod undertaker;

use std::{
    ffi::OsString,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use money::Currency;
use ops::outlet::{say, tell};
use tempfile::TempDir;
use tokio::time::{Duration, Instant};

use ::broker::seal::Sealer;
pub use args::{ClusterArgs, StandIn};
use broker::Broker;
use machines::Machines;
use process::{Process, Recipe};
use undertaker::{Living, Undertaker};

use crate::signals;

/// A process that is not ready within this will not be.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often the running cluster is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A running cluster. Dropping it kills all; [`Cluster::end`] ends it in order.
pub struct Cluster {
    // In the order in which they are to be dropped: clients of a thing before the thing.
    nginx: Process,
    relays: Vec<Process>,
    dealers: Vec<Process>,
    pits: Vec<Process>,
    reception: Process,
    recorder: Option<Process>,
    database: Database,
    broker: Broker,
    machines: Option<Arc<Machines>>,
    living: Living,
    seal_key: String,
    _undertaker: Undertaker,
    dir: TempDir,
}

/// Which of the cluster's own processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// The edge.
    Nginx,
    /// A relay, from 0.
    Relay(usize),
    /// A dealer worker, from 0.
    Dealer(usize),
    /// Relay and dealer worker in one process, from 0.
    Pit(usize),
    /// Reception.
    Reception,
    /// The reception that writes hands down and does nothing else, where there is one.
    Recorder,
}

/// Where the reception of a cluster keeps what it keeps.
#[derive(Debug, Clone)]
pub enum Database {
    /// SQLite, in a file.
    File(PathBuf),
    /// PostgreSQL, by a URL.
    Postgres(String),
}

impl Database {
    fn of(args: &ClusterArgs, dir: &Path) -> Self {
        match &args.postgres {
            Some(url) => Self::Postgres(url.clone()),
            None => Self::File(dir.join("people.db")),
        }
    }
}

/// As reception is told.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => f.write_str(url),
        }
    }
}

impl Node {
    /// The number of its machine, in a cluster of so many relays; the others run here.
    pub fn machine(self, relays: usize) -> Option<usize> {
        match self {
            Self::Relay(i) => Some(i),
            Self::Dealer(i) => Some(relays + i),
            Self::Pit(_) | Self::Nginx | Self::Reception | Self::Recorder => None,
        }
    }
}

impl Cluster {
    /// Starts everything and waits until each says that it is ready.
    ///
    /// # Errors
    /// When something is not installed, cannot be built, or does not become ready; what was started is gone again.
    pub async fn start(args: &ClusterArgs) -> anyhow::Result<Self> {
        Self::start_through(args, |_, url| Ok(url.to_owned())).await
    }

    /// The same, where each relay and dealer worker reaches Redis by the URL that `way` makes of Redis's own.
    ///
    /// # Errors
    /// As [`Cluster::start`], and those of `way`.
    pub async fn start_through(
        args: &ClusterArgs,
        mut way: impl FnMut(Node, &str) -> anyhow::Result<String>,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(args.relays + args.pits > 0, "without a relay or a pit nobody gets in");
        anyhow::ensure!(args.dealers + args.pits > 0, "without a dealer worker or a pit nobody deals");
        nginx::is_installed()?;
        let programs = binaries::folder(!args.no_build, args.pits > 0)?;
        let dir = tempfile::Builder::new().prefix("cardhouse-").tempdir()?;
        let undertaker = Undertaker::for_dir(dir.path()).context("cannot start a shell")?;
        let living = undertaker.living();
        let machines = args.machines.then(|| Machines::build(args.relays + args.dealers, &living));
        let machines = machines.transpose().context("a network for each node needs root")?;
        let here = machines.as_ref().map_or(Ipv4Addr::LOCALHOST, |machines| machines.here());
        let broker = Broker::start(args.redis, args.aof, here, &living).await?;

        let seal_key = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
        let cage = args
            .table_currency
            .map(|currency| Ok::<_, anyhow::Error>((free_address(here.into())?, currency)));
        let cage = cage.transpose()?;
        let edge = match args.port {
            Some(port) => (Ipv4Addr::LOCALHOST, port).into(),
            None => free_address(Ipv4Addr::LOCALHOST.into())?,
        };
        let database = Database::of(args, dir.path());
        let recipes = Recipes { programs, dir: dir.path(), args, machines: machines.as_deref(), edge, cage };
        let redis_url = broker.url();
        let start = |recipe| Process::start(recipe, dir.path(), &living);
        let mut reception = start(recipes.reception(&seal_key, &redis_url)?)?;
        // Relays fetch its keys when they start.
        reception.ready(READY_WITHIN).await?;
        // Whoever is first makes the keys.
        let mut recorder = match args.postgres {
            Some(_) => Some(start(recipes.recorder(&seal_key, &redis_url)?)?),
            None => None,
        };
        let mut dealers = Vec::new();
        for i in 0..args.dealers {
            dealers.push(start(recipes.dealer(i, &seal_key, &way(Node::Dealer(i), &redis_url)?)?)?);
        }
        let mut relays = Vec::new();
        for i in 0..args.relays {
            relays.push(start(recipes.relay(i, reception.listen(), &way(Node::Relay(i), &redis_url)?)?)?);
        }
        let mut pits = Vec::new();
        for i in 0..args.pits {
            let url = way(Node::Pit(i), &redis_url)?;
            pits.push(start(recipes.pit(i, &seal_key, reception.listen(), &url)?)?);
        }
        for process in dealers.iter_mut().chain(&mut relays).chain(&mut pits).chain(&mut recorder) {
            process.ready(READY_WITHIN).await?;
        }
        let relay_addresses = relays.iter().chain(&pits).map(Process::listen).collect();
        let mut nginx = start(recipes.nginx(relay_addresses, reception.listen())?)?;
        nginx.ready(READY_WITHIN).await?;
        Ok(Self {
            nginx,
            relays,
            dealers,
            pits,
            reception,
            recorder,
            database,
            broker,
            machines,
            living,
            seal_key,
            _undertaker: undertaker,
            dir,
        })
    }

    /// Where players and browsers go.
    pub fn address(&self) -> SocketAddr {
        self.nginx.listen()
    }

    /// The WebSocket behind nginx.
    pub fn ws_url(&self) -> String {
        format!("ws://{}/ws", self.address())
    }

    /// Logs and configuration, until the end.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What opens the records of its journals, where it has not been given [keys](ClusterArgs::seal_key_dir).
    ///
    /// # Panics
    /// Never: it has made the key itself.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(&self.seal_key.parse().expect("it is a key"))
    }

    /// Redis.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// How many servers of Redis hold data: the first of [`Broker::servers`].
    pub fn broker_nodes(&self) -> usize {
        self.broker.nodes()
    }

    /// Kills a data node of Redis and starts it again.
    ///
    /// # Errors
    /// When it does not come up again.
    pub async fn restart_broker(&mut self, node: usize) -> anyhow::Result<()> {
        self.broker.restart(node, &self.living).await
    }

    /// See [`Broker::fail_over`].
    ///
    /// # Errors
    /// Its.
    pub async fn fail_over_broker(&mut self, pair: usize, behind: Duration) -> anyhow::Result<()> {
        self.broker.fail_over(pair, behind, &self.living).await
    }

    /// Where reception keeps what it keeps.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The list of all that is to go when this process does.
    pub fn living(&self) -> Living {
        self.living.clone()
    }

    /// The machines of relays, and then of dealer workers, if each has one.
    pub fn machines(&self) -> Option<Arc<Machines>> {
        self.machines.clone()
    }

    /// A process of ours.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn node(&mut self, node: Node) -> &mut Process {
        match node {
            Node::Nginx => &mut self.nginx,
            Node::Relay(i) => &mut self.relays[i],
            Node::Dealer(i) => &mut self.dealers[i],
            Node::Pit(i) => &mut self.pits[i],
            Node::Reception => &mut self.reception,
            Node::Recorder => self.recorder.as_mut().expect("there is a recorder"),
        }
    }

    /// Names of all processes of ours.
    pub fn nodes(&self) -> Vec<Node> {
        let relays = (0..self.relays.len()).map(Node::Relay);
        let dealers = (0..self.dealers.len()).map(Node::Dealer);
        let recorder = self.recorder.iter().map(|_| Node::Recorder);
        let pits = (0..self.pits.len()).map(Node::Pit);
        let ours = relays.chain(dealers).chain(pits);
        [Node::Nginx, Node::Reception].into_iter().chain(recorder).chain(ours).collect()
    }

    /// Ends all in order: nobody loses what they stand on before they are gone.
    pub async fn end(mut self) {
        self.nginx.end().await;
        futures_util::future::join_all(self.relays.iter_mut().map(Process::end)).await;
        futures_util::future::join_all(self.dealers.iter_mut().map(Process::end)).await;
        futures_util::future::join_all(self.pits.iter_mut().map(Process::end)).await;
        if let Some(recorder) = &mut self.recorder {
            recorder.end().await;
        }
        self.reception.end().await;
    }

    fn print(&self, args: &ClusterArgs) {
        say(format_args!("cardhouse at http://{}/", self.address()));
        say(format_args!("  swarm:      cargo run --release -p loadtest -- swarm --url {}", self.ws_url()));
        say(format_args!(
            "  redis:      {} ({:?}, {} processes)",
            self.broker.url(),
            args.redis,
            self.broker.servers().len()
        ));
        let recorder = &self.recorder;
        for process in [&self.reception, &self.nginx]
            .into_iter()
            .chain(recorder)
            .chain(&self.dealers)
            .chain(&self.relays)
            .chain(&self.pits)
        {
            let pid = process.pid().unwrap_or_default();
            let (name, at, health) = (process.name(), process.listen(), process.ops());
            say(format_args!("  {name:<11} pid {pid:<8} {at} health {health}"));
        }
        say(format_args!("  logs:       {}", self.dir().display()));
    }
}

/// How each process is started.
struct Recipes<'a> {
    programs: PathBuf,
    dir: &'a Path,
    args: &'a ClusterArgs,
    machines: Option<&'a Machines>,
    /// Where nginx listens.
    edge: SocketAddr,
    /// Where the ledger is asked, and for what the tables play.
    cage: Option<(SocketAddr, Currency)>,
}

/// What everybody begins with where tables play for a currency: more than a run can cost.
const OPENING: u64 = 1_000_000_000;

/// What the ledger is told of a currency.
fn of_currency(currency: Currency) -> String {
    format!("--currency={currency}:0:{OPENING}:0")
}

impl Recipes<'_> {
    /// Of our own processes; those on a machine are told which.
    fn ours(
        &self,
        mut program: PathBuf,
        name: String,
        mut arguments: Vec<String>,
        listen: SocketAddr,
        machine: Option<usize>,
    ) -> anyhow::Result<Recipe> {
        let ops = free_address(listen.ip())?;
        arguments.extend(["--ops-listen".into(), ops.to_string()]);
        if let (Some(machines), Some(machine)) = (self.machines, machine) {
            let [first, second] = machines.on(machine);
            arguments.splice(0..0, [second, program.display().to_string()]);
            program = first.into();
        }
        Ok(Recipe {
            name,
            program,
            arguments,
            environment: Vec::new(),
            listen,
            ready: (ops, "/readyz"),
            end_signal: "TERM",
        })
    }

    /// The program of the relay or worker of this number.
    fn program(&self, name: &str, i: usize) -> PathBuf {
        let older = self.args.older.as_ref().filter(|_| i % 2 == 1);
        older.unwrap_or(&self.programs).join(name)
    }

    /// Where what runs here is reached.
    fn here(&self) -> Ipv4Addr {
        self.machines.map_or(Ipv4Addr::LOCALHOST, Machines::here)
    }

    /// Where what runs on a machine is reached.
    fn there(&self, machine: usize) -> Ipv4Addr {
        self.machines.map_or(Ipv4Addr::LOCALHOST, |machines| machines.address(machine))
    }

    fn reception(&self, seal_key: &str, redis_url: &str) -> anyhow::Result<Recipe> {
        let listen = free_address(self.here().into())?;
        let mut arguments = vec![
            format!("--listen={listen}"),
            self.key_dir(),
            // There is one key and nobody has an older one; the bots all come from one address.
            "--key-settle-ms=0".into(),
            "--key-reread-ms=500".into(),
            "--tokens-per-minute=0".into(),
            "--trust-proxy".into(),
        ];
        let keeps_people = self.args.accounts || self.cage.is_some() || self.keeps_hands();
        arguments.extend(keeps_people.then(|| self.database()));
        arguments.extend((keeps_people || self.args.ai_players).then(|| format!("--redis-url={redis_url}")));
        arguments.extend(self.args.ai_players.then(|| format!("--agency-url=ws://{}/ws", self.edge)));
        if let Some((cage, currency)) = self.cage {
            arguments.push(format!("--cage-listen={cage}"));
            arguments.push(of_currency(currency));
            arguments.extend(
                self.args.keep_tape.then(|| format!("--tape-dir={}", self.dir.join("tape").display())),
            );
        }
        if self.keeps_hands() && self.args.postgres.is_none() {
            arguments.push("--keep-hands".into());
        }
        arguments.extend(self.args.reception_flag.iter().cloned());
        let program = self.programs.join("reception");
        let mut recipe = self.ours(program, "reception".into(), arguments, listen, None)?;
        if self.cage.is_some() || self.keeps_hands() {
            recipe.environment.push(self.seal_key(seal_key));
        }
        Ok(recipe)
    }

    /// A reception to which nobody is led.
    fn recorder(&self, seal_key: &str, redis_url: &str) -> anyhow::Result<Recipe> {
        let listen = free_address(self.here().into())?;
        let mut arguments = vec![
            format!("--listen={listen}"),
            self.key_dir(),
            "--key-settle-ms=0".into(),
            self.database(),
            format!("--redis-url={redis_url}"),
            "--keep-hands".into(),
        ];
        // Whoever starts last says what a currency is.
        arguments.extend(self.cage.map(|(_, currency)| of_currency(currency)));
        let mut recipe =
            self.ours(self.programs.join("reception"), "recorder".into(), arguments, listen, None)?;
        recipe.environment.push(self.seal_key(seal_key));
        Ok(recipe)
    }

    fn key_dir(&self) -> String {
        format!("--key-dir={}", self.dir.join("keys").display())
    }

    fn database(&self) -> String {
        format!("--database={}", Database::of(self.args, self.dir))
    }

    fn keeps_hands(&self) -> bool {
        self.args.keep_hands || self.args.postgres.is_some() || self.cage.is_some()
    }

    /// What a relay is told, Redis aside.
    fn of_relay(&self, listen: SocketAddr, reception: SocketAddr) -> Vec<String> {
        let arguments = [
            format!("--listen={listen}"),
            format!("--jwks-url=http://{reception}/.well-known/jwks.json"),
            "--trust-proxy".into(),
            "--near".into(),
            "--connections-per-address-max=1000000".into(),
        ];
        arguments.into_iter().chain(self.args.relay_flag.iter().cloned()).collect()
    }

    /// What a dealer worker is told, Redis aside.
    fn of_dealer(&self) -> Vec<String> {
        let mut arguments = vec![format!("--tables={}", self.args.tables)];
        if let Some((cage, currency)) = self.cage {
            arguments.extend([format!("--cage-url=http://{cage}"), format!("--table-currency={currency}")]);
        }
        if self.keeps_hands() {
            arguments.push("--keep-hands".into());
        }
        if self.args.ai_players {
            arguments.extend(["--players-tables".into(), "--agency".into()]);
        }
        arguments.extend(self.args.dealer_flag.iter().cloned());
        arguments
    }

    fn pit(
        &self,
        i: usize,
        seal_key: &str,
        reception: SocketAddr,
        redis_url: &str,
    ) -> anyhow::Result<Recipe> {
        let listen = free_address(Ipv4Addr::LOCALHOST.into())?;
        let mut arguments = self.of_relay(listen, reception);
        // Both have flags of one name, which are said once.
        let more: Vec<String> =
            self.of_dealer().into_iter().filter(|flag| !arguments.contains(flag)).collect();
        arguments.extend(more);
        arguments.push(format!("--redis-url={redis_url}"));
        let program = self.programs.join("pit");
        let mut recipe = self.ours(program, format!("pit {}", i + 1), arguments, listen, None)?;
        recipe.environment.push(self.seal_key(seal_key));
        Ok(recipe)
    }

    fn relay(&self, i: usize, reception: SocketAddr, redis_url: &str) -> anyhow::Result<Recipe> {
        let machine = Node::Relay(i).machine(self.args.relays);
        let listen = free_address(self.there(i).into())?;
        let mut arguments = self.of_relay(listen, reception);
        arguments.push(format!("--redis-url={redis_url}"));
        self.ours(self.program("relay", i), format!("relay {}", i + 1), arguments, listen, machine)
    }

    fn dealer(&self, i: usize, seal_key: &str, redis_url: &str) -> anyhow::Result<Recipe> {
        let mut arguments = self.of_dealer();
        arguments.push(format!("--redis-url={redis_url}"));
        let machine = Node::Dealer(i).machine(self.args.relays);
        let listen = (self.there(self.args.relays + i), 0).into();
        let program = match &self.args.stand_in {
            Some(StandIn { program, words, asks }) => {
                arguments.splice(0..0, words.iter().cloned());
                let asked = asks.iter().map(|(flag, port)| format!("{flag}=http://{}:{port}/", self.here()));
                arguments.extend(asked);
                program.clone()
            }
            None => self.program("dealer-worker", i),
        };
        let mut recipe = self.ours(program, format!("dealer {}", i + 1), arguments, listen, machine)?;
        recipe.listen = recipe.ready.0;
        recipe.environment.push(self.seal_key(seal_key));
        Ok(recipe)
    }

    fn seal_key(&self, seal_key: &str) -> (String, OsString) {
        match &self.args.seal_key_dir {
            Some(folder) => ("CARDHOUSE_SEAL_KEY_DIR".into(), folder.into()),
            None => ("CARDHOUSE_SEAL_KEY".into(), seal_key.into()),
        }
    }

    fn nginx(&self, relays: Vec<SocketAddr>, reception: SocketAddr) -> anyhow::Result<Recipe> {
        let edge = nginx::Edge {
            program: self.args.edge.clone(),
            templates: self.args.nginx_dir.clone(),
            web: self.args.web_dir.clone(),
            listen: self.edge,
            relays,
            reception,
            source: self.machines.map(Machines::here),
            checks: Some(self.programs.clone()),
        };
        edge.recipe(&self.dir.join("nginx"))
    }
}

/// A port that was free on this machine a moment ago, at this address.
fn free_address(ip: IpAddr) -> anyhow::Result<SocketAddr> {
    Ok((ip, ::servers::redis_server::free_port()?).into())
}

/// `loadtest cluster`: until Ctrl-C or SIGTERM. A process that ends before is told.
///
/// # Errors
/// When the cluster cannot be started.
pub async fn command(args: ClusterArgs) -> anyhow::Result<ExitCode> {
    let stop = signals::until_told()?;
    let begin = Instant::now();
    let mut cluster = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
        cluster = Cluster::start(&args) => cluster?,
    };
    cluster.print(&args);
    say(format_args!("all ready after {:.1} s; Ctrl-C ends it", begin.elapsed().as_secs_f64()));
    let mut code = ExitCode::SUCCESS;
    while !stop.is_cancelled() {
        for node in cluster.nodes() {
            let process = cluster.node(node);
            if let Some(ended) = process.has_ended() {
                tell(format_args!("{} ended: {ended}\n{}", process.name(), process.last_words()));
                code = ExitCode::FAILURE;
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    say("ending");
    cluster.end().await;
    Ok(code)
}
