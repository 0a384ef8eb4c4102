//! Every bound of a relay, with its unit and default: flags, or `CARDHOUSE_*` environment variables.

use broker::{members::Heartbeat, node::ListenPace};
use clap::Args;
use ops::{
    config::positive,
    serve::{Front, HostName, Hosts, HttpArgs, Limits, Pages, TrustProxy},
};
use protocol::bounds::{ANSWER_BYTES_MAX, ANSWERS_PER_SESSION_MAX, MESSAGE_BYTES_MAX};

/// Room for what browsers ask beside their sockets, and for connections that are told that there is none, as a part of the
/// limits on sockets and at least so many.
const BESIDE_PART: usize = 16;
const BESIDE_MIN: usize = 64;

/// The bounds of a relay. Times in milliseconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Bounds")]
pub struct RelayConfig {
    /// Connections at most; more are turned away with close code 1013.
    #[arg(long, env = "CARDHOUSE_CONNECTIONS_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().connections_max, value_parser = positive::<usize>)]
    pub connections_max: usize,
    /// Connections at most from one address: an IPv4 address or an IPv6 /64.
    #[arg(long, env = "CARDHOUSE_CONNECTIONS_PER_ADDRESS_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().connections_per_address_max, value_parser = positive::<usize>)]
    pub connections_per_address_max: usize,
    /// Believe proxies about a client's address, which they write into `X-Forwarded-For`: a number of proxies, one behind the
    /// other (alone: 1), or their networks, such as `10.0.0.0/8,fd00::/8`. Only behind proxies that set that header.
    #[arg(long, env = "CARDHOUSE_TRUST_PROXY", value_name = "PROXIES", num_args = 0..=1, default_value = "false", default_missing_value = "1", hide_default_value = true)]
    pub trust_proxy: TrustProxy,
    /// A name by which pages may reach this house, such as `cards.example`; `.cards.example` for all below it, `*` for any. May
    /// be repeated or a list with commas. Addresses, `localhost` and this machine's name always may, and behind a trusted proxy
    /// all do unless one is named.
    #[arg(long = "host", env = "CARDHOUSE_HOSTS", value_name = "NAME", value_delimiter = ',')]
    pub hosts: Vec<HostName>,
    /// The edge takes a client that connects with `?near=TABLE` to the relay of that table's players: tell clients to do so
    /// when they have a seat.
    #[arg(long, env = "CARDHOUSE_NEAR")]
    pub near: bool,
    /// A page's origin that may connect, such as `https://cards.example`; `*` for any. May be repeated or a list with
    /// commas. A page from the relay's own host may always, and so may programs, which name no origin.
    #[arg(long = "origin", env = "CARDHOUSE_ORIGINS", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub origins: Vec<String>,

    /// A client's message at most, bytes; not more than 65536, which rooms make place for.
    #[arg(long, env = "CARDHOUSE_MESSAGE_BYTES_MAX", value_name = "BYTES", default_value_t = RelayConfig::default().message_bytes_max, value_parser = clap::value_parser!(u32).range(1..=i64::from(MESSAGE_BYTES_MAX)))]
    pub message_bytes_max: u32,
    /// A client's messages per second, sustained.
    #[arg(long, env = "CARDHOUSE_MESSAGES_PER_S", value_name = "PER_SECOND", default_value_t = RelayConfig::default().messages_per_s, value_parser = positive::<u32>)]
    pub messages_per_s: u32,
    /// Messages at once before that rate holds. Beyond it commands are refused; at twice that the connection is closed.
    #[arg(long, env = "CARDHOUSE_MESSAGES_BURST", value_name = "COUNT", default_value_t = RelayConfig::default().messages_burst, value_parser = positive::<u32>)]
    pub messages_burst: u32,
    /// A client's bytes per second, sustained, of whatever kind. Above it the connection is closed.
    #[arg(long, env = "CARDHOUSE_BYTES_PER_S", value_name = "PER_SECOND", default_value_t = RelayConfig::default().bytes_per_s, value_parser = positive::<u32>)]
    pub bytes_per_s: u32,
    /// Bytes at once before that rate holds.
    #[arg(long, env = "CARDHOUSE_BYTES_BURST", value_name = "BYTES", default_value_t = RelayConfig::default().bytes_burst, value_parser = positive::<u32>)]
    pub bytes_burst: u32,
    /// Rooms that one connection may watch.
    #[arg(long, env = "CARDHOUSE_ROOMS_PER_CONNECTION_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().rooms_per_connection_max, value_parser = positive::<usize>)]
    pub rooms_per_connection_max: usize,
    /// Commands of one connection that may wait for their answers; not more than 16, of so many a room remembers what it has answered.
    #[arg(long, env = "CARDHOUSE_COMMANDS_IN_FLIGHT_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().commands_in_flight_max, value_parser = remembered)]
    pub commands_in_flight_max: usize,
    /// Questions of one connection per second.
    #[arg(long, env = "CARDHOUSE_QUESTIONS_PER_S", value_name = "PER_SECOND", default_value_t = RelayConfig::default().questions_per_s, value_parser = positive::<u32>)]
    pub questions_per_s: u32,
    /// What is kept for a client that does not read, bytes; beyond it the client gets nothing until it has caught up.
    #[arg(long, env = "CARDHOUSE_QUEUE_BYTES_MAX", value_name = "BYTES", default_value_t = RelayConfig::default().queue_bytes_max, value_parser = positive::<usize>)]
    pub queue_bytes_max: usize,

    /// Time to say `hello`, milliseconds.
    #[arg(long, env = "CARDHOUSE_HELLO_MS", value_name = "MS", default_value_t = RelayConfig::default().hello_ms, value_parser = positive::<u64>)]
    pub hello_ms: u64,
    /// A connection on which nothing was heard for so long is closed, milliseconds. At half of it the relay sends a ping.
    #[arg(long, env = "CARDHOUSE_IDLE_MS", value_name = "MS", default_value_t = RelayConfig::default().idle_ms, value_parser = positive::<u64>)]
    pub idle_ms: u64,
    /// A client that has something to read and reads nothing for so long is closed, milliseconds.
    #[arg(long, env = "CARDHOUSE_SLOW_MS", value_name = "MS", default_value_t = RelayConfig::default().slow_ms, value_parser = positive::<u64>)]
    pub slow_ms: u64,
    /// Time for a client to answer a close, milliseconds.
    #[arg(long, env = "CARDHOUSE_CLOSE_MS", value_name = "MS", default_value_t = RelayConfig::default().close_ms)]
    pub close_ms: u64,
    /// On leaving, clients are told to reconnect at times spread over so long, milliseconds.
    #[arg(long, env = "CARDHOUSE_DRAIN_MS", value_name = "MS", default_value_t = RelayConfig::default().drain_ms)]
    pub drain_ms: u64,
    /// When a table has been for so long for another process that is relay and dealer worker, its players here are told to reconnect, so that the edge
    /// leads them there; milliseconds. At times spread over `--drain-ms`.
    #[arg(long, env = "CARDHOUSE_LEAD_AFTER_MS", value_name = "MS", default_value_t = RelayConfig::default().lead_after_ms, value_parser = positive::<u64>)]
    pub lead_after_ms: u64,

    /// Rooms that this relay may follow at once.
    #[arg(long, env = "CARDHOUSE_ROOMS_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().rooms_max, value_parser = positive::<usize>)]
    pub rooms_max: usize,
    /// That there is no room of some name is believed for so long after the store has said it, unless news of the room come,
    /// milliseconds.
    #[arg(long, env = "CARDHOUSE_ABSENT_MS", value_name = "MS", default_value_t = RelayConfig::default().absent_ms)]
    pub absent_ms: u64,
    /// Names of rooms that do not exist which are kept in mind.
    #[arg(long, env = "CARDHOUSE_ABSENT_ROOMS_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().absent_rooms_max)]
    pub absent_rooms_max: usize,
    /// A room is followed for so long after its last watcher, milliseconds.
    #[arg(long, env = "CARDHOUSE_LINGER_MS", value_name = "MS", default_value_t = RelayConfig::default().linger_ms)]
    pub linger_ms: u64,
    /// Frames of a room that are kept for those who come back, beside the ones since the keyframe before the last.
    #[arg(long, env = "CARDHOUSE_WINDOW_FRAMES", value_name = "COUNT", default_value_t = RelayConfig::default().window_frames)]
    pub window_frames: usize,
    /// Of a room that is shown to its rail late: frames that wait until they are due, bytes; what is beyond is read from the journal when it is nearer.
    #[arg(long, env = "CARDHOUSE_RAIL_BYTES_MAX", value_name = "BYTES", default_value_t = RelayConfig::default().rail_bytes_max, value_parser = positive::<usize>)]
    pub rail_bytes_max: usize,
    /// Journals read at the same time.
    #[arg(long, env = "CARDHOUSE_JOURNAL_READS_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().journal_reads_max, value_parser = positive::<usize>)]
    pub journal_reads_max: usize,
    /// An answer of the bus or the store is waited for at most so long, milliseconds.
    #[arg(long, env = "CARDHOUSE_ANSWER_MS", value_name = "MS", default_value_t = RelayConfig::default().answer_ms, value_parser = positive::<u64>)]
    pub answer_ms: u64,
    /// A room from which nothing came for so long is compared with its journal, milliseconds.
    #[arg(long, env = "CARDHOUSE_QUIET_MS", value_name = "MS", default_value_t = RelayConfig::default().quiet_ms, value_parser = positive::<u64>)]
    pub quiet_ms: u64,
    /// Such comparisons per second at most.
    #[arg(long, env = "CARDHOUSE_QUIET_CHECKS_PER_S", value_name = "PER_SECOND", default_value_t = RelayConfig::default().quiet_checks_per_s, value_parser = positive::<usize>)]
    pub quiet_checks_per_s: usize,
    /// Rooms with more watchers here than this are served by a task of their own, in pieces.
    #[arg(long, env = "CARDHOUSE_INLINE_WATCHERS_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().inline_watchers_max)]
    pub inline_watchers_max: usize,

    /// A command without an answer is repeated after so long, then after twice that, and so on, milliseconds.
    #[arg(long, env = "CARDHOUSE_RETRY_FIRST_MS", value_name = "MS", default_value_t = RelayConfig::default().retry_first_ms, value_parser = positive::<u64>)]
    pub retry_first_ms: u64,
    /// The longest time between two repetitions, milliseconds.
    #[arg(long, env = "CARDHOUSE_RETRY_MAX_MS", value_name = "MS", default_value_t = RelayConfig::default().retry_max_ms, value_parser = positive::<u64>)]
    pub retry_max_ms: u64,
    /// Messages to rooms that may wait where the bus answers each (in a Redis Cluster).
    #[arg(long, env = "CARDHOUSE_PUBLISHES_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().publishes_max, value_parser = positive::<usize>)]
    pub publishes_max: usize,

    /// Lobby news are sent at most this often, milliseconds.
    #[arg(long, env = "CARDHOUSE_LOBBY_EVERY_MS", value_name = "MS", default_value_t = RelayConfig::default().lobby_every_ms, value_parser = positive::<u64>)]
    pub lobby_every_ms: u64,
    /// A room of which nothing was heard for so long leaves the lobby, milliseconds. Workers tell of each every minute.
    #[arg(long, env = "CARDHOUSE_LOBBY_FORGET_MS", value_name = "MS", default_value_t = RelayConfig::default().lobby_forget_ms, value_parser = positive::<u64>)]
    pub lobby_forget_ms: u64,
    /// Rooms that the lobby holds at most.
    #[arg(long, env = "CARDHOUSE_LOBBY_TABLES_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().lobby_tables_max, value_parser = positive::<usize>)]
    pub lobby_tables_max: usize,
    /// Different views of the lobby that are looked at. Who asks for another gets a coarser one, and is told.
    #[arg(long, env = "CARDHOUSE_LOBBY_VIEWS_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().lobby_views_max)]
    pub lobby_views_max: usize,
    /// Rows that are walked between two lobby news for the pages that there are, and as many for new views. What does not fit waits for
    /// the next news.
    #[arg(long, env = "CARDHOUSE_LOBBY_ROWS_PER_ROUND_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().lobby_rows_per_round_max, value_parser = positive::<usize>)]
    pub lobby_rows_per_round_max: usize,
    /// The keys that tokens are checked with are fetched again after so long, where they come from an address, milliseconds.
    #[arg(long, env = "CARDHOUSE_KEYS_REFRESH_MS", value_name = "MS", default_value_t = RelayConfig::default().keys_refresh_ms, value_parser = positive::<u64>)]
    pub keys_refresh_ms: u64,
    /// Time between two fetches at least, however many tokens name an unknown key, milliseconds.
    #[arg(long, env = "CARDHOUSE_KEYS_REFRESH_MIN_MS", value_name = "MS", default_value_t = RelayConfig::default().keys_refresh_min_ms)]
    pub keys_refresh_min_ms: u64,
    /// Revocations of tokens are read again after so long, since news of them may be lost, milliseconds.
    #[arg(long, env = "CARDHOUSE_REVOCATIONS_REREAD_MS", value_name = "MS", default_value_t = RelayConfig::default().revocations_reread_ms, value_parser = positive::<u64>)]
    pub revocations_reread_ms: u64,
    /// Users and logins whose tokens are known to be void; of more, those are forgotten whose tokens expire first.
    #[arg(long, env = "CARDHOUSE_REVOCATIONS_MAX", value_name = "COUNT", default_value_t = RelayConfig::default().revocations_max, value_parser = positive::<usize>)]
    pub revocations_max: usize,

    /// The relay's name; one that nobody else has is made up, if left out.
    #[arg(skip)]
    pub node: Option<protocol::id::NodeId>,
    /// The worker that is one process with this relay, if there is one.
    #[arg(skip)]
    pub pit: Option<protocol::id::NodeId>,
    /// The pace of the heartbeat, by which this relay is known to live and knows that it hears.
    #[arg(skip)]
    pub heartbeat: Heartbeat,
    /// How often owners that want to know it are told where this relay listens.
    #[arg(skip)]
    pub listens: ListenPace,
    /// Seed of what is random (sessions' names, spreading); from the system, if left out. For simulations.
    #[arg(skip)]
    pub seed: Option<u64>,
}

/// Under which headings `--help` shows them.
pub const GROUPS: &[(&str, &[&str])] = &[
    (
        "Connections",
        &["connections_max", "connections_per_address_max", "trust_proxy", "near", "origins", "hosts"],
    ),
    ("Connections", &["hello_ms", "idle_ms", "slow_ms", "close_ms", "drain_ms", "lead_after_ms"]),
    (
        "What one client may",
        &["message_bytes_max", "messages_per_s", "messages_burst", "bytes_per_s", "bytes_burst"],
    ),
    (
        "What one client may",
        &["rooms_per_connection_max", "commands_in_flight_max", "questions_per_s", "queue_bytes_max"],
    ),
    (
        "Rooms",
        &["rooms_max", "linger_ms", "window_frames", "rail_bytes_max", "journal_reads_max", "answer_ms"],
    ),
    (
        "Rooms",
        &[
            "quiet_ms",
            "quiet_checks_per_s",
            "inline_watchers_max",
            "retry_first_ms",
            "retry_max_ms",
            "publishes_max",
        ],
    ),
    (
        "Lobby",
        &[
            "lobby_every_ms",
            "lobby_forget_ms",
            "lobby_tables_max",
            "lobby_views_max",
            "lobby_rows_per_round_max",
        ],
    ),
    ("Tokens", &["keys_refresh_ms", "keys_refresh_min_ms", "revocations_reread_ms", "revocations_max"]),
];

impl RelayConfig {
    /// How the relay's port is served. `files_kept`: what the process keeps open beside.
    pub fn front(&self, http: HttpArgs, files_kept: usize) -> Front {
        let with_beside = |max: usize| max.saturating_add((max / BESIDE_PART).max(BESIDE_MIN));
        let limits = Limits {
            connections_max: with_beside(self.connections_max),
            connections_per_address_max: with_beside(self.connections_per_address_max),
            files_kept,
        };
        Front::new(http, limits, self.trust_proxy.clone())
    }

    /// Whether the bounds fit each other.
    ///
    /// # Errors
    /// A sentence that names those which do not.
    pub fn check(&self) -> Result<(), String> {
        let fit = [
            (
                self.commands_in_flight_max <= ANSWERS_PER_SESSION_MAX,
                "--commands-in-flight-max: rooms remember the last 16 answers of a session",
            ),
            (
                self.message_bytes_max <= MESSAGE_BYTES_MAX,
                "--message-bytes-max: rooms make place for 65536 bytes",
            ),
            (
                self.message_bytes_max <= self.bytes_burst,
                "--message-bytes-max is more than --bytes-burst: such a message would end its connection",
            ),
            (
                self.queue_bytes_max >= ANSWER_BYTES_MAX,
                "--queue-bytes-max: an answer of a room may have 32768 bytes",
            ),
            (self.retry_first_ms <= self.retry_max_ms, "--retry-first-ms is more than --retry-max-ms"),
        ];
        let first = fit.into_iter().find(|(fits, _)| !fits);
        first.map_or(Ok(()), |(_, why)| Err(why.into()))
    }

    /// The pages that may open a socket.
    pub fn pages(&self) -> Pages {
        Pages::new(Hosts::new(self.hosts.clone()), self.origins.clone())
    }
}

/// Reads how many commands may wait.
fn remembered(text: &str) -> Result<usize, String> {
    let commands = positive::<usize>(text)?;
    if commands <= ANSWERS_PER_SESSION_MAX {
        Ok(commands)
    } else {
        Err(format!(
            "it must be at most {ANSWERS_PER_SESSION_MAX}: so many answers of each session a room remembers"
        ))
    }
}

/// Reads `--origin`: as browsers write it, or `*`.
fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains('/'));
    if text == "*" || is_origin {
        Ok(text.into())
    } else {
        Err("not an origin such as https://cards.example".into())
    }
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            connections_per_address_max: 10_000,
            trust_proxy: TrustProxy::Nobody,
            hosts: Vec::new(),
            near: false,
            origins: Vec::new(),
            message_bytes_max: 16 * 1024,
            messages_per_s: 30,
            messages_burst: 60,
            bytes_per_s: 64 * 1024,
            bytes_burst: 256 * 1024,
            rooms_per_connection_max: 32,
            commands_in_flight_max: 16,
            questions_per_s: 4,
            queue_bytes_max: 256 * 1024,
            hello_ms: 10_000,
            idle_ms: 30_000,
            slow_ms: 15_000,
            close_ms: 3_000,
            drain_ms: 5_000,
            lead_after_ms: 5_000,
            rooms_max: 20_000,
            absent_ms: 1_000,
            absent_rooms_max: 4_096,
            linger_ms: 10_000,
            window_frames: 32,
            rail_bytes_max: 256 * 1_024,
            journal_reads_max: 64,
            answer_ms: 5_000,
            quiet_ms: 10_000,
            quiet_checks_per_s: 50,
            inline_watchers_max: 64,
            retry_first_ms: 250,
            retry_max_ms: 2_000,
            publishes_max: 4_096,
            lobby_every_ms: 1_000,
            lobby_forget_ms: 150_000,
            lobby_tables_max: 20_000,
            lobby_views_max: 2_000,
            lobby_rows_per_round_max: 1_000_000,
            keys_refresh_ms: 60_000,
            keys_refresh_min_ms: 1_000,
            revocations_reread_ms: 5_000,
            revocations_max: 65_536,
            node: None,
            pit: None,
            heartbeat: Heartbeat::default(),
            listens: ListenPace::default(),
            seed: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Flags {
        #[command(flatten)]
        config: RelayConfig,
    }

    #[test]
    fn bounds_that_would_let_nobody_in_and_origins_that_no_page_has_are_refused() {
        let parse = |flag: &str| Flags::try_parse_from(["relay", flag]);
        let none = ["--connections-max=0", "--idle-ms=0", "--message-bytes-max=0", "--queue-bytes-max=0"];
        let nobody = ["--origin=cards.example", "--origin=https://cards.example/", "--origin=https://"];
        for flag in none.iter().chain(&nobody) {
            assert!(parse(flag).is_err(), "{flag}");
        }
        assert!(parse("--host=https://cards.example").is_err());
        let pages = parse("--origin=https://cards.example,*").unwrap().config.origins;
        assert_eq!(pages, ["https://cards.example", "*"]);
    }

    #[test]
    fn bounds_that_do_not_fit_those_of_rooms_or_each_other_are_refused_at_the_start() {
        let parse = |flags: &[&str]| Flags::try_parse_from(["relay"].iter().chain(flags));
        assert!(parse(&["--commands-in-flight-max=16"]).is_ok());
        assert!(parse(&["--commands-in-flight-max=17"]).unwrap_err().to_string().contains("at most 16"));
        assert!(parse(&["--message-bytes-max=65537"]).is_err());
        assert_eq!(RelayConfig::default().check(), Ok(()));
        for (flags, named) in [
            (["--message-bytes-max=4096", "--bytes-burst=4095"], "--bytes-burst"),
            (["--queue-bytes-max=32767", "--near"], "--queue-bytes-max"),
            (["--retry-first-ms=500", "--retry-max-ms=499"], "--retry-max-ms"),
        ] {
            let why = parse(&flags).unwrap().config.check().unwrap_err();
            assert!(why.contains(named), "{why}");
        }
    }

    #[test]
    fn trust_in_proxies_is_given_as_before_or_by_number_or_network() {
        let trust = |flags: &[&str]| {
            let flags = ["relay"].iter().chain(flags);
            Flags::try_parse_from(flags)
                .map(|flags| flags.config.trust_proxy)
                .map_err(|error| error.to_string())
        };
        assert_eq!(trust(&[]), Ok(TrustProxy::Nobody));
        assert_eq!(trust(&["--trust-proxy"]), Ok(TrustProxy::Hops(1)));
        assert_eq!(trust(&["--trust-proxy", "--near"]), Ok(TrustProxy::Hops(1)));
        assert_eq!(trust(&["--trust-proxy=true"]), Ok(TrustProxy::Hops(1)));
        assert_eq!(trust(&["--trust-proxy", "2"]), Ok(TrustProxy::Hops(2)));
        assert_eq!(trust(&["--trust-proxy", "10.0.0.0/8"]), Ok("10.0.0.0/8".parse().unwrap()));
        assert!(trust(&["--trust-proxy", "nginx"]).unwrap_err().contains("networks of proxies"));
    }
}
