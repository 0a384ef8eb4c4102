//! Hands of everybody in files, as an operator wants them: to learn from, or to prove what was played. And whether such a file is what it was.
//!
//! Files have numbers, and so many hands each, in the order in which these were written down: one that comes late is in a later file. In files that prove
//! something it is the order of their ends, in which chains are. A cursor beside them says where the next one begins. A file that is full is final: who makes it again,
//! after whatever has gone wrong, makes the same. The last one is made anew each time until it is full. A file is written while hands are read, a page
//! at a time, so one of a million takes the memory of a page.

use std::{
    fs::{self, File},
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use broker::clock::Clock;
use cage::{
    DbError, Tellers, Tx,
    history::find::{self, Found},
    people::{
        audit::{self, Entry},
        refresh::RefreshKeys,
    },
};
use hands::{Viewer, checkpoint, told};
use ops::outlet::say;
use protocol::time::UnixMs;
use serde::{Deserialize, Serialize};
use tokens::KeySet;

use crate::{
    database,
    key_dir::KeyDir,
    keyring::Keys,
    people::{
        Collected,
        collecting::{Looked, SETTLED_MS, pseudonym, told, with_all},
    },
    proof::{
        ALL,
        verify::verify,
        write::{Known, Trees, Writer, witnesses},
    },
};

/// Hands that are read at once.
const PAGE: u32 = 500;

/// Where the next file begins.
const CURSOR: &str = "cursor.json";

/// What is done with hands that are kept.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Hands {
    /// Write hands of everybody into files: without names, for programs that learn from them; or whole, to prove what was played. Where an earlier
    /// export has ended the next one goes on
    Export(ExportArgs),
}

/// Which files.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportArgs {
    /// The folder for the files, which is made if there is none
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
    /// What stands in them: jsonl and phh have other names for people, and no times, tables and hashes; proof is all of it, with every card, to be
    /// verified
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    pub format: Format,
    /// Hands in a file; the same for all files of a folder
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub hands_a_file: u32,
}

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON object a line, as `GET /api/training/hands` tells them.
    Jsonl,
    /// PHH, a table for each hand.
    Phh,
    /// See [`proof`](crate::proof).
    Proof,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Phh => "phhs",
            Self::Proof => "proof.jsonl",
        }
    }
}

/// What is verified.
#[derive(Debug, Clone, clap::Args)]
pub struct VerifyArgs {
    /// The file: GET /api/me/hands/export?format=proof, or hands export --format proof
    pub file: PathBuf,
    /// The house's public keys as they were told before: a copy of its /.well-known/jwks.json. Without them those in the file are believed
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
}

/// Says what a file comes to.
///
/// # Errors
/// When anything is wrong with it: then that was said.
pub fn verify_file(VerifyArgs { file, keys }: &VerifyArgs) -> anyhow::Result<()> {
    let trusted = match keys {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let keys = KeySet::from_json_for(checkpoint::PURPOSE, &text);
            let keys = keys.with_context(|| path.display().to_string())?;
            anyhow::ensure!(!keys.is_empty(), "{} holds no key for hands", path.display());
            Some(keys)
        }
        None => None,
    };
    let opened = File::open(file).with_context(|| file.display().to_string())?;
    let report = verify(BufReader::new(opened), trusted.as_ref())
        .map_err(anyhow::Error::msg)
        .with_context(|| file.display().to_string())?;
    report.findings.iter().for_each(say);
    if report.wrong > report.findings.len() {
        say(format_args!("And {} more.", report.wrong - report.findings.len()));
    }
    anyhow::ensure!(report.is_right(), "{} is not what the house has made", file.display());
    say(format_args!(
        "{} is what the house has made: {} hands of {} tables.",
        file.display(),
        report.hands,
        report.tables
    ));
    report.notes.iter().for_each(say);
    Ok(())
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    format: Format,
    hands_a_file: u32,
    /// So many files are full.
    files: u64,
    /// The last hand in them; none: they are none.
    after: Option<String>,
}

impl Cursor {
    fn read(args: &ExportArgs) -> anyhow::Result<Self> {
        let ExportArgs { to, format, hands_a_file } = args;
        let path = to.join(CURSOR);
        if !path.exists() {
            return Ok(Self { format: *format, hands_a_file: *hands_a_file, files: 0, after: None });
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let cursor: Self = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        anyhow::ensure!(
            cursor.format == *format && cursor.hands_a_file == *hands_a_file,
            "{} holds files of another form or size: name another folder",
            to.display()
        );
        Ok(cursor)
    }

    fn after(&self) -> anyhow::Result<Collected> {
        let after = self.after.as_deref().map_or(Ok(Collected::Nothing), Collected::read);
        after.map_err(|_| anyhow::anyhow!("the cursor names no hand"))
    }
}

/// Makes the files that are not there yet, and says so.
///
/// # Errors
/// When there is no database, or it, the keys or the folder is in the way.
pub async fn export(
    database: Option<cage::Place>,
    names: &RefreshKeys,
    keys: &KeyDir,
    args: &ExportArgs,
) -> anyhow::Result<()> {
    let place = match database {
        // The house may be open meanwhile.
        Some(cage::Place::File(path)) => cage::Place::FileBeside(path),
        Some(place) => place,
        None => anyhow::bail!("say where the database is: --database, or the variable CARDHOUSE_DATABASE"),
    };
    let (tellers, keys) = (database::open(place).await?, keys.read_or_create()?);
    let exporter = Exporter { tellers: &tellers, names, keys: &keys, now: Clock::system().now_ms() };
    let hands = exporter.export(args).await?;
    say(format_args!("{hands} hands written to {}", args.to.display()));
    Ok(())
}

/// What files are made of.
pub struct Exporter<'a> {
    /// The database.
    pub tellers: &'a Tellers,
    /// What makes other names.
    pub names: &'a RefreshKeys,
    /// What signs proofs, and how it is published.
    pub keys: &'a Keys,
    /// When it is.
    pub now: UnixMs,
}

impl Exporter<'_> {
    /// Makes the files that are not there yet; answers how many hands they hold.
    ///
    /// # Errors
    /// When the database or the folder is in the way. What was written until then is whole.
    pub async fn export(&self, args: &ExportArgs) -> anyhow::Result<u64> {
        fs::create_dir_all(&args.to).with_context(|| args.to.display().to_string())?;
        let (mut cursor, mut all) = (Cursor::read(args)?, 0);
        self.told(args.format, cursor.after.clone()).await?;
        loop {
            let name = format!("hands-{:06}.{}", cursor.files + 1, args.format.extension());
            let mut new = NewFile::at(&args.to.join(name))?;
            let (hands, last) = self.file(args, cursor.after()?, &mut new).await?;
            if hands == 0 {
                return Ok(all);
            }
            all += u64::from(hands);
            new.keep()?;
            if hands < args.hands_a_file {
                return Ok(all);
            }
            cursor.files += 1;
            cursor.after = Some(last.to_string());
            let mut new = NewFile::at(&args.to.join(CURSOR))?;
            new.write_all(&serde_json::to_vec(&cursor)?).and_then(|()| new.keep())?;
        }
    }

    /// Whoever reads hands of everybody stands in the audit.
    async fn told(&self, format: Format, after: Option<String>) -> anyhow::Result<()> {
        let behind = after.map_or_else(|| "from the first".into(), |after| format!("behind {after}"));
        let entry = Entry {
            at_ms: self.now,
            actor: "house".into(),
            action: "hands_collected".into(),
            subject: None,
            reason: None,
            detail: format!("by a command, {behind}, as {}", format.extension()),
            network: None,
        };
        self.tellers.write("audit", move |tx| audit::append(tx, &entry)).await?;
        Ok(())
    }

    /// Writes the file behind a hand, as hands are read; answers how many it holds, and the last one.
    async fn file(
        &self,
        args: &ExportArgs,
        mut after: Collected,
        to: &mut (impl Write + Send),
    ) -> anyhow::Result<(u32, Collected)> {
        let (mut hands, mut trees) = (0, Trees::default());
        let mut proof =
            (args.format == Format::Proof).then(|| Writer::begin(ALL, &self.keys.jwks_of_hands()));
        if let Some((_, head)) = &proof {
            to.write_all(head.as_bytes())?;
        }
        let now = self.now;
        while hands < args.hands_a_file {
            let (most, behind, is_proof) =
                (PAGE.min(args.hands_a_file - hands), after.clone(), proof.is_some());
            let work = move |tx: &mut dyn Tx| {
                let (found, last) = if is_proof {
                    by_ends(tx, now, &behind, most)?
                } else {
                    behind.read_on(tx, now, most)?
                };
                let witnesses = if is_proof { witnesses(tx, &found)? } else { Vec::new() };
                Ok((with_all(tx, found)?, last, witnesses))
            };
            let (looked, last, witnesses) = self.tellers.read(work).await?;
            let known = trees.known(self.tellers, witnesses).await?;
            let count = u32::try_from(looked.hands.len()).unwrap_or(u32::MAX);
            after = last.unwrap_or(after);
            let text = match &mut proof {
                Some((writer, _)) => prove(writer, looked, &known),
                None => self.tell(args.format, looked, hands),
            };
            to.write_all(text.as_bytes())?;
            hands += count;
            if count < most {
                break;
            }
        }
        if let Some((writer, _)) = proof {
            to.write_all(writer.end(self.keys, self.now).as_bytes())?;
        }
        Ok((hands, after))
    }

    fn tell(&self, format: Format, mut looked: Looked, before: u32) -> String {
        let mut text = String::new();
        // Who is gone has no name in any case, and is as good a player as others.
        looked.gone.clear();
        for (number, hand) in (before + 1..).zip(told(looked, Viewer::Integrity)) {
            let seen = hand.seen.clone().with_pseudonyms(|user| pseudonym(self.names, user));
            let id = self.names.pseudonym(&hand.name.to_string());
            if format == Format::Phh {
                let mut record = told::files::phh_nameless(&seen, hand.about(), &id);
                record.name = number.to_string();
                text.push_str(&record.to_string());
            } else {
                text.push_str(&told::json::nameless(&seen, hand.about(), &id).to_string());
            }
            text.push('\n');
        }
        text
    }
}

/// The next hands in the order of their ends, and how far that is.
fn by_ends(
    tx: &mut dyn Tx,
    now: UnixMs,
    behind: &Collected,
    most: u32,
) -> Result<(Vec<Found>, Option<Collected>), DbError> {
    let behind = match behind {
        Collected::Place(place) => Some(place),
        Collected::Nothing | Collected::Number(_) => None,
    };
    let found = find::of_all(tx, now.saturating_sub(SETTLED_MS), behind, most)?;
    let last = found.last().map(|last| Collected::Place((last.record.ended_ms, last.name.clone())));
    Ok((found, last))
}

fn prove(writer: &mut Writer, looked: Looked, known: &[Known]) -> String {
    let found = looked.hands.clone();
    let hands = told(looked, Viewer::Integrity);
    let each = hands.iter().zip(&found).zip(known);
    each.map(|((hand, found), known)| {
        writer.hand(found, known, Viewer::Integrity, (&hand.seen, hand.about()))
    })
    .collect()
}

/// A file under way: it comes whole or not at all, in the place of what was there.
struct NewFile {
    path: PathBuf,
    new: PathBuf,
    file: File,
}

impl NewFile {
    fn at(path: &Path) -> anyhow::Result<Self> {
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        let file = File::create(&new).with_context(|| new.display().to_string())?;
        Ok(Self { path: path.into(), new, file })
    }

    /// It is whole.
    fn keep(&self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.new, &self.path)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Of what was kept nothing is there under this name.
        let _ = fs::remove_file(&self.new);
    }
}

#[cfg(test)]
mod tests {
    use cage::history::{NewHand, keep};
    use hands::testing::any_hand;
    use protocol::id::{Position, RoomId, UserId};
    use tokens::Signer;

    use super::*;

    /// How many hands came at a time.
    #[derive(Default)]
    struct Parts(Vec<usize>);

    impl Write for Parts {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let lines = str::from_utf8(bytes).unwrap().lines();
            let is_hand = |line: &&str| line.contains("\"hand\":") || line.contains("\"players\":");
            self.0.push(lines.filter(is_hand).count());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_file_of_any_size_holds_one_page_of_hands_at_a_time() {
        const HANDS: u64 = 2 * PAGE as u64 + 100;
        let tellers = Tellers::open(&cage::Place::Memory).unwrap();
        let users: Vec<UserId> = ["ann", "bob"].iter().map(|name| UserId::new(name).unwrap()).collect();
        let work = move |tx: &mut dyn Tx| {
            (1..=HANDS).try_for_each(|number| {
                let record = any_hand(number % 7, number, [0; 32], &users);
                let room = RoomId::new("t1").expect("a name");
                keep(tx, &NewHand { room, at: Position::new(1, number), record, late_ms: 0 }).map(drop)
            })
        };
        tellers.write("hands", work).await.unwrap();
        let names = RefreshKeys::new(cage::people::refresh::RefreshKey::new([7; 32]), Vec::new());
        let keys = Keys::new(vec![Signer::generate()], 0).unwrap();
        let exporter = Exporter { tellers: &tellers, names: &names, keys: &keys, now: u64::MAX };
        for format in [Format::Jsonl, Format::Proof] {
            let args = ExportArgs { to: PathBuf::new(), format, hands_a_file: 1_000_000 };
            let mut parts = Parts::default();
            let (hands, _) = exporter.file(&args, Collected::Nothing, &mut parts).await.unwrap();
            let full: Vec<usize> = parts.0.into_iter().filter(|hands| *hands > 0).collect();
            assert_eq!(
                (u64::from(hands), full),
                (HANDS, vec![PAGE as usize, PAGE as usize, 100]),
                "{format:?}"
            );
        }
    }
}
