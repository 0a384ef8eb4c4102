//! The command line and the environment, read the same way by every program.
//!
//! Here stands what holds of all flags: an empty variable counts as not set, a switch in a variable is on or off in any of the
//! usual words, numbers have an upper bound by what they count, and a mistake is told in a sentence with the flag or the
//! variable that holds it, and an example. Secrets may also lie in files (`files`).

mod files;

use std::{
    env,
    error::Error as _,
    ffi::{OsStr, OsString},
};

use clap::{
    Arg, ArgAction, ArgMatches, Command, Error, FromArgMatches, Parser,
    builder::BoolishValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// The most that a time may be set to, milliseconds.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// The most of anything that is counted.
const COUNT_MAX: u128 = 1_000_000_000;
/// The most bytes.
const BYTES_MAX: u128 = 1 << 40;

/// Reads the command line and the environment. On a mistake, or for `--help`, prints and exits.
pub fn read<T: Parser>() -> T {
    read_as(&T::command())
}

/// As [`read`], for flags that were changed after they were derived.
pub fn read_as<T: FromArgMatches>(command: &Command) -> T {
    read_from(command, env::args_os().collect()).unwrap_or_else(|error| error.exit())
}

/// As [`read_as`], with these words.
///
/// # Errors
/// As clap's, in our words; also what `--help` prints is one.
pub fn read_from<T: FromArgMatches>(command: &Command, words: Vec<OsString>) -> Result<T, Error> {
    let mut ours = heeded(command.clone());
    let all = files::with_files(&mut ours, &words);
    let read = all.and_then(|all| ours.try_get_matches_from_mut(all)).and_then(|mut matches| {
        check_bounds(&mut ours, &matches)?;
        T::from_arg_matches_mut(&mut matches)
    });
    match read {
        // The help also names variables that are empty.
        Err(error) if !error.use_stderr() => command.clone().try_get_matches_from(&words).and(Err(error)),
        Err(error) => Err(in_our_words(&mut ours, error, &words)),
        Ok(read) => Ok(read),
    }
}

/// Shows the flags of these names under headings of their own, in this order and before those of other headings.
///
/// # Panics
/// If there is no such flag, in debug builds.
pub fn grouped(mut command: Command, groups: &[(&'static str, &[&str])]) -> Command {
    for (heading, names) in groups {
        for name in *names {
            debug_assert!(
                command.get_arguments().any(|flag| flag.get_id() == name),
                "no flag is called {name}"
            );
            command = command.mut_arg(name, |flag| flag.help_heading(*heading));
        }
    }
    // Headings stand in the order of flags, and a changed flag is the last one.
    let is_named =
        |flag: &Arg| groups.iter().any(|(_, names)| names.iter().any(|name| flag.get_id() == name));
    let others = command.get_arguments().filter(|flag| flag.get_help_heading().is_some() && !is_named(flag));
    let others: Vec<String> = others.map(|flag| flag.get_id().to_string()).collect();
    others.into_iter().fold(command, |command, name| command.mut_arg(name, |flag| flag))
}

/// Checks, for a program's tests, that each of its flags has an environment variable of ours and a line of help.
///
/// # Panics
/// If one has not, or the flags do not fit together.
pub fn assert_explained(command: &Command) {
    command.clone().debug_assert();
    for flag in command.get_arguments().filter(|flag| !["help", "version"].contains(&flag.get_id().as_str()))
    {
        let name = flag.get_env().and_then(|name| name.to_str());
        assert!(name.is_some_and(|name| name.starts_with("CARDHOUSE_")), "{}", flag.get_id());
        assert!(flag.get_help().is_some(), "{}", flag.get_id());
    }
}

/// With empty variables left out, and switches that understand more than `true` and `false`.
fn heeded(command: Command) -> Command {
    let command = command.mut_args(|flag| {
        let flag = match flag.get_env() {
            Some(name) if env::var_os(name).is_some_and(|value| value.is_empty()) => {
                flag.env(None::<&'static str>)
            }
            _ => flag,
        };
        match flag.get_action() {
            ArgAction::SetTrue => flag.value_parser(BoolishValueParser::new()),
            _ => flag,
        }
    });
    command.mut_subcommands(heeded)
}

/// No number may be larger than its kind allows, whatever its type could hold: what is meant as "never" would overflow a clock
/// or ask for more memory than there is.
fn check_bounds(command: &mut Command, matches: &ArgMatches) -> Result<(), Error> {
    if let Some((name, matches)) = matches.subcommand() {
        return command.find_subcommand_mut(name).map_or(Ok(()), |command| check_bounds(command, matches));
    }
    let mut wrong = None;
    for flag in command.get_arguments() {
        let (Some(most), Ok(Some(values))) = (most(flag), matches.try_get_raw(flag.get_id().as_str())) else {
            continue;
        };
        let number = |value: &OsStr| value.to_str()?.trim().parse::<u128>().ok();
        if let Some(value) =
            values.into_iter().find(|value| number(value).is_some_and(|number| number > most))
        {
            wrong = Some((flag.clone(), value.to_string_lossy().into_owned(), most));
            break;
        }
    }
    let Some((flag, value, most)) = wrong else { return Ok(()) };
    let of = match flag.get_id().as_str() {
        name if name.ends_with("_ms") => " (a day)",
        _ => "",
    };
    let said = sentence(&flag, &flag.to_string(), &value, &format!("it must be at most {most}{of}"));
    Err(command.error(ErrorKind::ValueValidation, said))
}

/// The most that a flag's number may be, by what it counts.
fn most(flag: &Arg) -> Option<u128> {
    if flag.get_id().as_str().ends_with("_ms") {
        return Some(DAY_MS.into());
    }
    match flag.get_value_names()?.first()?.as_str() {
        "COUNT" | "PER_SECOND" => Some(COUNT_MAX),
        "BYTES" => Some(BYTES_MAX),
        _ => None,
    }
}

/// What clap says of a value, in our words; other mistakes stay as clap tells them.
fn in_our_words(command: &mut Command, mut error: Error, words: &[OsString]) -> Error {
    if let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) {
        let missing = missing.iter().map(|shown| match find(command, words, shown) {
            Some((_, flag)) => or_variable(&flag, shown),
            None => shown.clone(),
        });
        let missing = missing.collect();
        error.insert(ContextKind::InvalidArg, ContextValue::Strings(missing));
        return error;
    }
    let (Some(shown), Some(value)) =
        (text(&error, ContextKind::InvalidArg), text(&error, ContextKind::InvalidValue))
    else {
        return error;
    };
    let Some((command, flag)) = find(command, words, &shown) else { return error };
    let from = variable_of(command, &flag, &value, words).unwrap_or(shown);
    if error.kind() != ErrorKind::ValueValidation {
        // One of several words: clap lists them.
        error.insert(ContextKind::InvalidArg, ContextValue::String(from));
        return error;
    }
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    let said = sentence(&flag, &from, &value, &explain(&flag, &value, &why));
    command.error(ErrorKind::ValueValidation, said)
}

fn or_variable(flag: &Arg, shown: &str) -> String {
    flag.get_env()
        .map_or_else(|| shown.to_owned(), |name| format!("{shown}, or the variable {}", name.display()))
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The flag that clap shows so, and its command.
fn find<'a>(command: &'a mut Command, words: &[OsString], shown: &str) -> Option<(&'a mut Command, Arg)> {
    let named = command.get_subcommands().map(|sub| sub.get_name().to_owned());
    let named: Vec<String> = named.filter(|name| words.iter().any(|word| word == name.as_str())).collect();
    if let [name] = &named[..] {
        return find(command.find_subcommand_mut(name)?, words, shown);
    }
    let flag = command.get_arguments().find(|flag| flag.to_string() == shown)?.clone();
    Some((command, flag))
}

/// The variable that the value comes from, if it does.
fn variable_of(command: &Command, flag: &Arg, value: &str, words: &[OsString]) -> Option<String> {
    if files::is_given(flag, words) {
        return None;
    }
    let name = flag.get_env()?;
    let holds_it = env::var(name).is_ok_and(|held| held.contains(value));
    if holds_it {
        return Some(name.to_string_lossy().into_owned());
    }
    files::variable_that_is_set(command, flag)
}

/// Never shows a secret: who mistypes a key has most of it right.
fn sentence(flag: &Arg, from: &str, value: &str, why: &str) -> String {
    if flag.is_hide_env_values_set() {
        format!("invalid value for '{from}': {why}")
    } else {
        format!("invalid value '{value}' for '{from}': {why}")
    }
}

/// Why a value is none. Our own parsers say it themselves.
fn explain(flag: &Arg, value: &str, why: &str) -> String {
    let number = value.trim().parse::<i128>();
    if why == "value was not a boolean" {
        return "it must be true or false".into();
    }
    if let Some((_, range)) = why.split_once(" is not in ") {
        return match range.split_once("..") {
            Some((least, "")) => format!("it must be at least {least}"),
            Some((least, most)) => format!("it must be from {least} to {}", most.trim_start_matches('=')),
            None => why.into(),
        };
    }
    match (why, number) {
        ("invalid digit found in string" | "cannot parse integer from empty string", Err(_)) => {
            let default =
                flag.get_default_values().first().map(|default| default.to_string_lossy().into_owned());
            let example = default.map(|example| format!(", such as {example}")).unwrap_or_default();
            format!("it must be a whole number{example}")
        }
        ("invalid digit found in string", Ok(..0)) => "it must not be negative".into(),
        ("number too large to fit in target type", _) => "it is too large".into(),
        _ => why.into(),
    }
}
