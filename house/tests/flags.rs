//! The house's flags as people set them: what is taken, and what is told in which words.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use clap::Parser;
use dealer_worker::flags::Flags;
use house::Config;
use ops::{flags, testing::variables::variables};

/// The binary with these flags and variables; what it said, line by line.
fn refused(flags: &[&str], variable: Option<(&str, &str)>) -> Vec<String> {
    let mut house = Command::new(env!("CARGO_BIN_EXE_house"));
    let ended = house.args(flags).args(["--memory", "--ops-listen", "0"]).envs(variable).output().unwrap();
    assert!(!ended.status.success(), "{flags:?} {variable:?}");
    String::from_utf8_lossy(&ended.stderr).lines().map(str::to_owned).collect()
}

#[test]
fn what_is_wrong_is_told_in_a_sentence_with_what_would_be_right() {
    for (flags, told) in [
        ("--listen=x", "error: invalid value 'x' for '--listen <ADDRESS>': x has no port; try x:8080"),
        (
            "--listen=8080x",
            "error: invalid value '8080x' for '--listen <ADDRESS>': \"8080x\" is not an address; try 8080 or 127.0.0.1:8080",
        ),
        (
            "--listen=",
            "error: invalid value '' for '--listen <ADDRESS>': \"\" is not an address; try 8080 or 127.0.0.1:8080",
        ),
        (
            "--ops-listen=80:80",
            "error: invalid value '80:80' for '--ops-listen <ADDRESS>': \"80:80\" is not an address; try 8080 or \
             127.0.0.1:8080",
        ),
        (
            "--listen=192.0.2.1:8080",
            "house: cannot listen on 192.0.2.1:8080 (--listen): 192.0.2.1 is not an address of this machine; try \
             127.0.0.1:8080 for this machine alone or 0.0.0.0:8080 for everybody",
        ),
        (
            "--stakes=0",
            "error: invalid value '0' for '--stakes <TIMES>': each multiple is a whole number from 1, as in 1,2,5",
        ),
        (
            "--stakes=1,,2",
            "error: invalid value '' for '--stakes <TIMES>': each multiple is a whole number from 1, as in 1,2,5",
        ),
        ("--tables=0", "error: invalid value '0' for '--tables <COUNT>': it must be from 1 to 1000"),
        (
            "--tables=many",
            "error: invalid value 'many' for '--tables <COUNT>': it must be a whole number, such as 4",
        ),
        (
            "--turn-ms=15s",
            "error: invalid value '15s' for '--turn-ms <MS>': it must be a whole number, such as 15000",
        ),
        ("--turn-ms=-1", "error: invalid value '-1' for '--turn-ms <MS>': it must not be negative"),
        ("--turn-ms=0", "house: --turn-ms is from 1 to 3600000 milliseconds; it says 0"),
        ("--idle-ms=0", "error: invalid value '0' for '--idle-ms <MS>': it must be at least 1"),
        (
            "--pause-ms=99999999999",
            "error: invalid value '99999999999' for '--pause-ms <MS>': it must be at most 86400000 (a day)",
        ),
        ("--pause-ms=600001", "house: --pause-ms is from 0 to 600000 milliseconds; it says 600001"),
        (
            "--connections-max=99999999999",
            "error: invalid value '99999999999' for '--connections-max <COUNT>': it must be at most 1000000000",
        ),
        ("--seats=11", "error: invalid value '11' for '--seats <COUNT>': it must be from 2 to 10"),
        (
            "--seats=10 --variant=omaha6",
            "house: this game is for 2 to 7 seats, as far as the deck reaches; --seats says 10",
        ),
        (
            "--small-blind=5",
            "house: the small blind is larger than the big blind: --small-blind 5, --big-blind 2",
        ),
        ("--small-blind=0 --big-blind=0", "house: the big blind is at least 1 chip; --big-blind says 0"),
        (
            "--ante=100000",
            "house: whoever sits down with the smallest buy-in, 80 chips, could not pay the big blind of 2 and the ante of \
             100000: lower --big-blind or --ante, or raise --buy-in-min",
        ),
        (
            "--buy-in-min=300",
            "house: the smallest buy-in is at least 1 chip and at most the largest: --buy-in-min comes to 600 chips, \
             --buy-in-max to 400",
        ),
        (
            "--big-blind=1099511627777",
            "house: --big-blind comes to 1099511627777 chips, more than a table counts, which is 1099511627776",
        ),
        (
            "--rake-basis-points=500",
            "house: a rake of at most 0 chips is none: with --rake-basis-points set --rake-cap too",
        ),
        (
            "--origin=cards.example",
            "error: invalid value 'cards.example' for '--origin <ORIGIN>': not an origin such as https://cards.example",
        ),
    ] {
        let flags: Vec<&str> = flags.split(' ').collect();
        let listens = flags.iter().any(|flag| flag.starts_with("--listen") || flag.starts_with("--ops"));
        let free = (!listens).then_some("--listen=0");
        let flags: Vec<&str> = flags.into_iter().chain(free).collect();
        assert_eq!(refused(&flags, None).first().map(String::as_str), Some(told), "{flags:?}");
    }
}

#[test]
fn what_is_wrong_in_a_variable_is_told_with_the_variables_name() {
    for (variable, value, told) in [
        (
            "CARDHOUSE_TABLES",
            "many",
            "error: invalid value 'many' for 'CARDHOUSE_TABLES': it must be a whole number, such as 4",
        ),
        (
            "CARDHOUSE_LISTEN",
            "x",
            "error: invalid value 'x' for 'CARDHOUSE_LISTEN': x has no port; try x:8080",
        ),
        (
            "CARDHOUSE_BOTS_FILL",
            "maybe",
            "error: invalid value 'maybe' for 'CARDHOUSE_BOTS_FILL': it must be true or false",
        ),
        ("CARDHOUSE_VARIANT", "stud", "error: invalid value 'stud' for 'CARDHOUSE_VARIANT'"),
    ] {
        assert_eq!(
            refused(&[], Some((variable, value))).first().map(String::as_str),
            Some(told),
            "{variable}={value}"
        );
    }
}

#[test]
fn empty_variables_count_as_not_set_and_switches_understand_the_usual_words() {
    let program = env!("CARGO_BIN_EXE_house");
    let names = variables(program).unwrap();
    assert!(names.len() > 60, "{names:?}");
    let mut house = Command::new(program);
    house.args(["--listen", "0"]).envs(names.iter().map(|name| (name, "")));
    let mut house = house
        .env("CARDHOUSE_BOTS_FILL", "yes")
        .env("CARDHOUSE_MEMORY", "on")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(house.stdout.take().unwrap()).lines().next();
    house.kill().unwrap();
    house.wait().unwrap();
    assert!(said.is_some_and(|line| line.unwrap().starts_with("Cardhouse is open: http://127.0.0.1:")));
}

#[test]
fn a_house_that_lets_others_in_says_which_address_they_open() {
    let said = |listen: &str| {
        let mut house = Command::new(env!("CARGO_BIN_EXE_house"));
        let mut house = house.args(["--memory", "--listen", listen]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(house.stdout.take().unwrap()).lines().map(Result::unwrap);
        let lines: Vec<String> = lines.take_while(|line| !line.contains("Health")).collect();
        house.kill().unwrap();
        house.wait().unwrap();
        lines
    };
    let own = said("0");
    assert!(own[1].starts_with("  Only this machine can open it; --listen :"), "{own:?}");
    let open = said(":0");
    let port = open[0].trim_end_matches('/').rsplit_once(':').expect("a port").1;
    let addresses = house::outside::addresses(format!("0.0.0.0:{port}").parse().unwrap());
    for address in &addresses {
        assert!(open[1].contains(&format!("http://{address}/")), "{open:?}");
    }
    assert!(!addresses.is_empty() || open[1].contains("it is in no network"), "{open:?}");
    // A picture is for a camera before a terminal, not for a file.
    assert!(open.iter().all(|line| !line.contains('▀') && !line.contains('\x1b')), "{open:?}");
}

#[test]
fn a_log_for_people_that_goes_into_a_pipe_has_no_colours() {
    let mut house = Command::new(env!("CARGO_BIN_EXE_house"));
    house
        .args(["--memory", "--listen", "0", "--log", "trace", "--log-format", "human"])
        .stdout(Stdio::null());
    let mut house = house.stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(house.stderr.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<String> = lines.take(20).collect();
    house.kill().unwrap();
    house.wait().unwrap();
    assert!(lines.len() == 20 && lines.iter().all(|line| !line.contains('\x1b')), "{lines:?}");
}

/// Each number of a program, set to what no clock, queue or sum can carry, is refused with its bound.
fn bounds<T: clap::FromArgMatches>(command: &clap::Command, needed: &[&str]) {
    let mut numbers = 0;
    for flag in command.get_arguments() {
        let default = flag.get_default_values().first().and_then(|default| default.to_str());
        let Some(long) = flag.get_long().filter(|_| default.is_some_and(|text| text.parse::<u64>().is_ok()))
        else {
            continue;
        };
        numbers += 1;
        for far in ["99999999999999", "18446744073709551615", "99999999999999999999999"] {
            // Chips may be many; together they are checked where tables are opened.
            if far.len() <= 20
                && flag
                    .get_value_names()
                    .is_some_and(|names| names.iter().any(|name| name == "CHIPS" || name == "BIG_BLINDS"))
            {
                continue;
            }
            let words = ["program"].iter().chain(needed).map(|word| (*word).into());
            let words = words.chain([format!("--{long}={far}").into()]).collect();
            let Err(error) = flags::read_from::<T>(command, words) else { panic!("--{long}={far} is taken") };
            let told = error.to_string();
            assert!(told.contains("it must be ") || told.contains("it is too large"), "{told}");
        }
    }
    assert!(numbers > 3);
}

#[test]
fn no_number_may_be_larger_than_what_it_counts() {
    #[derive(Parser)]
    struct Relay {
        #[command(flatten)]
        _relay: relay::RelayConfig,
        #[command(flatten)]
        _node: ops::config::NodeArgs,
        #[command(flatten)]
        _redis: ops::config::RedisArgs,
        #[command(flatten)]
        _threads: ops::config::ThreadArgs,
    }
    use clap::CommandFactory as _;
    let key = broker::seal::SealKey::random().to_hex();
    bounds::<Config>(&Config::our_command(), &[]);
    bounds::<Flags>(&Flags::command(), &["--seal-key", &key]);
    bounds::<reception::config::Config>(&reception::config::Config::command(), &[]);
    bounds::<Relay>(&Relay::command(), &[]);
}
