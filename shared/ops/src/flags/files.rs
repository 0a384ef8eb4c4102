//! Secrets that lie in files, as orchestrators mount them: `CARDHOUSE_SEAL_KEY_FILE` names a file that holds what
//! `CARDHOUSE_SEAL_KEY` would. So it is for every flag whose variable holds a secret.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
};

use clap::{Arg, Command, Error, error::ErrorKind};

/// The words of the command line, and what the files hold of flags that are not among them.
///
/// # Errors
/// When a file cannot be read or is empty, or the secret is given in a variable too: which of the two is meant?
pub(super) fn with_files(command: &mut Command, words: &[OsString]) -> Result<Vec<OsString>, Error> {
    let mut all = words.to_vec();
    let mut wrong = None;
    for flag in command.get_arguments() {
        let (Some(variable), Some(long)) = (variable(command, flag), flag.get_long()) else { continue };
        let Some(file) = set(&variable) else { continue };
        if is_given(flag, words) {
            continue;
        }
        match read(flag, &file) {
            // After the program's name.
            Ok(values) => {
                all.splice(1..1, values.into_iter().map(|value| format!("--{long}={value}").into()))
            }
            Err(why) => {
                wrong = Some(format!("{variable} {why}"));
                break;
            }
        };
    }
    match wrong {
        Some(said) => Err(command.error(ErrorKind::ValueValidation, said)),
        None => Ok(all),
    }
}

/// The variable that names the file of a flag, if one does.
pub(super) fn variable_that_is_set(command: &Command, flag: &Arg) -> Option<String> {
    variable(command, flag).filter(|name| set(name).is_some())
}

/// Whether a flag is among these words.
pub(super) fn is_given(flag: &Arg, words: &[OsString]) -> bool {
    let Some(long) = flag.get_long().map(|long| format!("--{long}")) else { return false };
    words.iter().filter_map(|word| word.to_str()).any(|word| {
        word.strip_prefix(long.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

/// The variable that may name a file of this flag: only of secrets, and not where a flag of its own reads it.
fn variable(command: &Command, flag: &Arg) -> Option<String> {
    let name = flag.get_env().filter(|_| flag.is_hide_env_values_set())?.to_str()?;
    let file = format!("{name}_FILE");
    let has_own = command.get_arguments().any(|other| other.get_env() == Some(OsStr::new(&file)));
    (!has_own).then_some(file)
}

/// An empty variable counts as not set.
fn set(variable: &str) -> Option<OsString> {
    env::var_os(variable).filter(|value| !value.is_empty())
}

/// What a file holds for a flag: one value, or where it takes several as many as there are, a line or a comma apart.
fn read(flag: &Arg, file: &OsStr) -> Result<Vec<String>, String> {
    let shown = file.display();
    let own = flag.get_env().map(|name| name.to_string_lossy()).unwrap_or_default();
    if set(&own).is_some() {
        return Err(format!("and {own} are both set: which is meant?"));
    }
    let text =
        fs::read_to_string(file).map_err(|error| format!("names {shown}, which cannot be read: {error}"))?;
    let apart = |c: char| flag.get_value_delimiter().is_some() && (c == ',' || c == '\n');
    let values: Vec<String> =
        text.split(apart).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect();
    // No older keys are none; no key is a mistake.
    if values.is_empty() && flag.get_value_delimiter().is_none() {
        return Err(format!("names {shown}, which is empty"));
    }
    Ok(values)
}
