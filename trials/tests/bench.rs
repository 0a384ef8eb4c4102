//! Every workload in small, over the real processes: so that the benchmarks measure what they say whenever they are asked.

use std::process::Command;

use serde_json::Value;

/// Runs `trials bench` and reads the last line. The programs are those that were built with all tests.
fn bench(arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trials"));
    let flags = ["--json", "--runs=1", "--no-build"];
    let output = command.arg("bench").args(arguments).args(flags).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn figure(results: &Value, workload: &str, kind: &str, name: &str) -> f64 {
    results[workload][kind][name].as_f64().unwrap_or_else(|| panic!("{workload}.{kind}.{name}: {results}"))
}

#[test]
fn idle_connections_are_counted_and_what_they_cost_is_told() {
    let results = bench(&["idle", "--connections=1000", "--idle-seconds=1"]);
    assert_eq!(figure(&results, "idle", "figures", "connections"), 1000.0);
    for kind in ["figures", "floor"] {
        assert!(figure(&results, "idle", kind, "connections_opened_per_s") > 0.0);
        // A thousand may fit into what starting took and gave back: many are needed to see what one costs.
        assert!(figure(&results, "idle", kind, "rss_bytes_per_connection") >= 0.0);
    }
}

#[test]
fn tables_are_played_at_the_pace_and_three_commands_an_action() {
    let dir = tempfile::tempdir().unwrap();
    let html = dir.path().join("report.html");
    let flag = format!("--html={}", html.display());
    let results = bench(&["tables", "--tables=5", "--rate=20,50", "--seconds=3", &flag]);
    for name in ["missed", "repeated", "refused", "at_20_per_s_missed"] {
        assert_eq!(figure(&results, "tables", "figures", name), 0.0, "{name}");
    }
    let figure = |kind: &str, name: &str| figure(&results, "tables", kind, name);
    assert!(figure("figures", "deliveries_per_s") > 5.0 * figure("figures", "actions_per_s"));
    assert!(figure("figures", "p50_us") > 0.0 && figure("floor", "p50_us") > 0.0);
    assert!(figure("figures", "p99_us") >= figure("figures", "p50_us"));
    assert!(figure("figures", "cpu_us_per_delivery") > 0.0);
    // Two, and what a quiet cluster asks is taken off, which comes in bursts: a short run on a busy machine knows it only roughly.
    let commands = figure("figures", "redis_commands_per_action");
    assert!((1.5..6.0).contains(&commands), "{commands}");
    let report = std::fs::read_to_string(html).unwrap();
    assert!(report.matches("<svg").count() == 2 && report.contains("two Redis hops"));
    assert!(!report.contains("src=") && !report.contains("href="), "nothing is loaded from elsewhere");
}

#[test]
fn tables_on_pits_cost_redis_one_command_an_action_beside_three() {
    let results = bench(&["tables", "--tables=4", "--rate=40", "--seconds=4", "--pits=2"]);
    for kind in ["figures", "floor"] {
        for name in ["missed", "repeated", "refused"] {
            assert_eq!(figure(&results, "tables", kind, name), 0.0, "{kind} {name}");
        }
    }
    // What a quiet cluster asks is taken off, which comes in bursts: so it is known only roughly.
    let commands = |kind| figure(&results, "tables", kind, "redis_commands_per_action");
    assert!(commands("figures") + 0.8 < commands("floor"), "{} {}", commands("figures"), commands("floor"));
}

#[test]
fn tables_with_a_currency_are_measured_beside_tables_without_one() {
    let flags = ["tables", "--tables=3", "--rate=20", "--seconds=2", "--table-currency=PLAY"];
    let results = bench(&flags);
    for kind in ["figures", "floor"] {
        let figure = |name: &str| figure(&results, "tables", kind, name);
        assert!(figure("p50_us") > 0.0 && figure("actions_per_s") > 0.0, "{kind}");
        assert_eq!(figure("missed") + figure("repeated") + figure("refused"), 0.0, "{kind}");
    }
    assert!(figure(&results, "tables", "ratio", "cpu_us_per_delivery") > 0.0);
}

#[test]
fn whoever_talks_is_heard_by_all_in_the_room_wherever_they_are() {
    let results = bench(&["chat", "--tables=5", "--rate=60", "--seconds=3", "--apart"]);
    let figure = |kind: &str, name: &str| figure(&results, "chat", kind, name);
    assert_eq!(figure("figures", "lost"), 0.0);
    assert!(figure("figures", "p99_us") >= figure("figures", "p50_us") && figure("figures", "p50_us") > 0.0);
    assert!(
        figure("figures", "p50_us") >= figure("figures", "written_late_p50_us"),
        "a line is heard after it is written"
    );
    // Sixty lines a second, to six each.
    let per_s = figure("figures", "deliveries_per_s");
    assert!((200.0..=420.0).contains(&per_s), "{per_s}");
    assert!(figure("floor", "p50_us") > 0.0 && figure("figures", "cpu_us_per_delivery") > 0.0);
}

#[test]
fn the_directory_is_read_once_a_round_by_all_workers_together_and_nobody_moves() {
    let results = bench(&["directory", "--houses=300/2,300/6"]);
    let figure = |name: &str| figure(&results, "directory", "figures", name);
    for house in ["300_rooms_2_workers", "300_rooms_6_workers"] {
        assert_eq!(figure(&format!("{house}_moved_by_an_opened_room")), 0.0);
        assert!(figure(&format!("{house}_fullest_to_mean")) < 1.6);
        // Two maps of a partition where there are rooms; and each worker looks at the two earlier ones.
        let maps = figure(&format!("{house}_maps_read_per_s"));
        assert!((204.8..=2.0 * 204.8 + 6.0 * 2.0 / 5.0).contains(&maps), "{maps}");
        assert!(figure(&format!("{house}_moved_by_an_opened_room_release_before")) > 0.0);
    }
    // It does not grow with the workers.
    let bytes = |house: &str| figure(&format!("{house}_read_bytes_per_s"));
    let (few, many) = (bytes("300_rooms_2_workers"), bytes("300_rooms_6_workers"));
    assert!(few > 0.0 && many < few * 1.05, "{few} {many}");
}

#[test]
fn a_rail_hears_everything() {
    let results = bench(&["rail", "--spectators=60", "--stalled=6", "--seconds=2"]);
    for name in ["lost", "stalled_others_lost"] {
        assert_eq!(figure(&results, "rail", "figures", name), 0.0, "{name}");
    }
    assert!(figure(&results, "rail", "figures", "cpu_us_per_delivery") > 0.0);
    assert!(figure(&results, "rail", "floor", "deliveries_per_s") > 0.0);
}

#[test]
fn a_rail_that_is_shown_a_table_late_hears_everything_and_nothing_early() {
    let late = "--rail-delay-ms=1500";
    let results = bench(&["rail", "--spectators=60", "--stalled=6", "--seconds=2", late]);
    for name in ["lost", "early"] {
        assert_eq!(figure(&results, "rail", "figures", name), 0.0, "{name}");
    }
}

#[test]
fn everybody_comes_back_and_misses_nothing() {
    let results = bench(&["return", "--players=60"]);
    for name in ["missed", "repeated"] {
        assert_eq!(figure(&results, "return", "figures", name), 0.0, "{name}");
    }
    assert_eq!(figure(&results, "return", "figures", "players"), 60.0);
    assert!(figure(&results, "return", "ratio", "all_back_ms") > 0.0);
}

#[test]
fn sockets_of_banned_users_are_all_closed_also_without_the_news() {
    let results = bench(&["rights", "--sockets=150"]);
    let figure = |name: &str| figure(&results, "rights", "figures", name);
    // Of 50 users 25 go one by one and 25 at once; then all 50.
    assert_eq!(figure("closed"), 3.0 * 100.0);
    for name in ["one_closed_p99_ms", "all_closed_p99_ms", "news_lost_closed_max_ms"] {
        assert!(figure(name) > 0.0, "{results}");
    }
}

#[test]
fn letters_arrive_and_rooms_that_open_and_end_move_no_other() {
    let results = bench(&["rooms", "--tables=4", "--rate=20", "--seconds=3", "--churned=10"]);
    let figure = |name: &str| figure(&results, "rooms", "figures", name);
    assert!(figure("letters") > 50.0 && figure("letter_p99_us") >= figure("letter_p50_us"));
    assert_eq!(figure("opened_and_ended"), 10.0);
    for name in ["left_in_the_directory", "other_rooms_moved", "missed", "repeated", "refused"] {
        assert_eq!(figure(name), 0.0, "{name}");
    }
}

/// Players come and go, and the cage stands still for a while.
fn buys_in_while_tables_are_played(flags: &[&str]) {
    // The second who comes to a table comes three seconds after the first: whoever waits for two knows that the cage is away.
    let small = ["money", "--tables=6", "--rate=30", "--seconds=6", "--buy-ins=2", "--cage-away=6"];
    let results = bench(&[&small, flags].concat());
    let figure = |kind: &str, name: &str| figure(&results, "money", kind, name);
    assert_eq!(figure("figures", "buy_ins"), 12.0);
    for name in ["buy_ins_refused", "seats_taken_back", "missed", "repeated", "refused"] {
        assert_eq!(figure("figures", name), 0.0, "{name}");
    }
    assert!(figure("figures", "p50_us") >= figure("figures", "written_late_p50_us"));
    assert!(figure("figures", "p99_us") >= figure("figures", "p50_us") && figure("floor", "p50_us") > 0.0);
    assert!(figure("figures", "hands_per_min") > 0.0);
    assert!(figure("figures", "cage_away_hands_per_min") > 0.0, "they are played without the cage");
    assert!(figure("figures", "cage_away_refused") > 0.0, "who comes then is told so");
    assert!(figure("figures", "cage_back_all_paid_ms") > 0.0);
    assert_eq!(figure("figures", "audits_without_a_difference"), 1.0);
}

#[test]
fn chips_come_and_go_while_tables_are_played_and_play_goes_on_without_the_cage() {
    buys_in_while_tables_are_played(&[]);
}

#[test]
fn the_same_where_the_ledger_is_in_postgresql() {
    buys_in_while_tables_are_played(&["--postgres"]);
}
