//! A folder of a tape: a file for each day, each of which goes on where the one before ended.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use super::{
    TapeError,
    line::{self, FORM, Head, Line, NOTHING},
};

/// How the names of its files end.
pub(super) const ENDING: &str = ".tape";

/// What is wrong with a tape, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tape is damaged: {}, line {line}: {what}", .file.display())]
pub struct Damage {
    /// In which file.
    pub file: PathBuf,
    /// In which line of it; the first is 1.
    pub line: u64,
    /// What.
    pub what: String,
}

/// The end of what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tip {
    /// The number of the last line; 0 before the first.
    pub(super) n: u64,
    /// Its hash.
    pub(super) hash: String,
}

impl Tip {
    pub(super) fn beginning() -> Self {
        Self { n: 0, hash: NOTHING.into() }
    }
}

/// A file of a tape.
#[derive(Debug)]
pub(super) struct Reel {
    pub(super) path: PathBuf,
    pub(super) head: Head,
    hash: String,
}

/// How far a file is whole.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) tip: Tip,
    /// So many bytes; what is behind them was never on the disk for certain, and nobody was told of it.
    pub(super) bytes: u64,
}

/// The files of a folder, in order. One whose first line is not whole, and behind which there is none, was just being begun: it is removed.
pub(super) fn reels(folder: &Path) -> Result<Vec<Reel>, TapeError> {
    let at = |error| TapeError::Io(folder.into(), error);
    let mut paths = Vec::new();
    for file in fs::read_dir(folder).map_err(at)? {
        let path = file.map_err(at)?.path();
        if path.to_str().is_some_and(|path| path.ends_with(ENDING)) {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    let last = paths.last().cloned();
    let mut reels: Vec<Reel> = Vec::new();
    for path in paths {
        let first = first_line(&path)?;
        let damage = |what: &str| Damage { file: path.clone(), line: 1, what: what.into() };
        let Some(first) = first.strip_suffix('\n') else {
            if last.as_ref() == Some(&path) {
                fs::remove_file(&path).map_err(|error| TapeError::Io(path, error))?;
                break;
            }
            return Err(damage("it is not whole").into());
        };
        let (head, hash) = line::read::<Head>(first).map_err(damage)?;
        if head.tape != FORM {
            return Err(damage("a later release has written it").into());
        }
        if reels
            .first()
            .is_some_and(|reel| (&reel.head.id, &reel.head.database) != (&head.id, &head.database))
        {
            return Err(damage("it is of another tape").into());
        }
        reels.push(Reel { path, head, hash });
    }
    Ok(reels)
}

fn first_line(path: &Path) -> Result<String, TapeError> {
    let mut first = Vec::new();
    let read = File::open(path).and_then(|file| BufReader::new(file).read_until(b'\n', &mut first));
    read.map_err(|error| TapeError::Io(path.into(), error))?;
    Ok(String::from_utf8_lossy(&first).into_owned())
}

/// The files that hold lines behind this one.
pub(super) fn behind(mut reels: Vec<Reel>, n: u64) -> Vec<Reel> {
    let from = reels.iter().rposition(|reel| reel.head.from <= n + 1).unwrap_or_default();
    reels.split_off(from)
}

/// Reads files one after the other, and says where they end. Of the last one the last line may be torn.
pub(super) fn read(reels: &[Reel], mut each: impl FnMut(&Reel, u64, Line)) -> Result<Whole, TapeError> {
    let mut whole = Whole { tip: Tip::beginning(), bytes: 0 };
    for (at, reel) in reels.iter().enumerate() {
        let damage = |line, what: &str| Damage { file: reel.path.clone(), line, what: what.into() };
        let begins = Tip { n: reel.head.from - 1, hash: reel.head.prev.clone() };
        if at > 0 && begins != whole.tip {
            return Err(damage(1, "it does not go on where the file before ends").into());
        }
        whole = read_one(reel, at + 1 == reels.len(), begins, &mut each)?;
    }
    Ok(whole)
}

fn read_one(
    reel: &Reel,
    is_last: bool,
    begins: Tip,
    each: &mut impl FnMut(&Reel, u64, Line),
) -> Result<Whole, TapeError> {
    let failed = |error| TapeError::Io(reel.path.clone(), error);
    let damage = |line, what: &str| Damage { file: reel.path.clone(), line, what: what.into() };
    let mut file = BufReader::new(File::open(&reel.path).map_err(failed)?);
    let mut tip = Tip { n: begins.n, hash: reel.hash.clone() };
    let (mut bytes, mut number, mut text) = (0, 0, Vec::new());
    loop {
        text.clear();
        let length = file.read_until(b'\n', &mut text).map_err(failed)? as u64;
        number += 1;
        if length == 0 {
            return Ok(Whole { tip, bytes });
        }
        let line = std::str::from_utf8(&text).map_err(|_| "it is no text");
        let line = line.and_then(|text| text.strip_suffix('\n').ok_or("it is not whole"));
        let line = match line {
            Err(what) => Err(what),
            // The head is read.
            Ok(_) if number == 1 => Ok(None),
            Ok(line) => line::read::<Line>(line).map(Some),
        };
        match line {
            Ok(None) => {}
            Ok(Some((line, hash))) => {
                if line.n != tip.n + 1 || line.prev != tip.hash {
                    return Err(damage(number, "it does not follow from the line before").into());
                }
                tip = Tip { n: line.n, hash };
                each(reel, number, line);
            }
            Err(what) => {
                // Written in part when the machine lost its power: without its end, or with a hole in it.
                let is_part = text.last() != Some(&b'\n') || text.contains(&0);
                let is_torn = is_part && is_last && file.fill_buf().map_err(failed)?.is_empty();
                return if is_torn { Ok(Whole { tip, bytes }) } else { Err(damage(number, what).into()) };
            }
        }
        bytes += length;
    }
}

/// Goes through a whole tape; how many lines it has.
///
/// # Errors
/// [`TapeError::Damaged`] names the first line that is wrong.
pub fn check(folder: &Path) -> Result<u64, TapeError> {
    let reels = reels(folder)?;
    read(&reels, |_, _, _| {}).map(|whole| whole.tip.n)
}
