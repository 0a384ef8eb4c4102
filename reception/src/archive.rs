//! Hands of everybody in files, as an operator wants them: to learn from, or to prove what was played. And whether such a file is what it was.
//!
//! Files have numbers, and so many hands each; a cursor beside them says where the next one begins. A file that is full is final: who makes it again,
//! after whatever has gone wrong, makes the same. The last one is made anew each time until it is full.

use std::{
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use broker::clock::Clock;
use cage::{
    Tellers, Tx,
    history::find::{self, Place},
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
    people::collecting::{Looked, SETTLED_MS, pseudonym, read_place, told, with_all, write_place},
    proof::{
        ALL,
        verify::verify,
        write::{Known, Leaves, Writer},
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

    fn after(&self) -> anyhow::Result<Option<Place>> {
        let place = self.after.as_deref().map(read_place).transpose();
        place.map_err(|_| anyhow::anyhow!("the cursor names no hand"))
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
            let (text, hands, last) = self.file(args, cursor.after()?).await?;
            if hands == 0 {
                return Ok(all);
            }
            all += u64::from(hands);
            let name = format!("hands-{:06}.{}", cursor.files + 1, args.format.extension());
            put(&args.to.join(name), &text)?;
            if hands < args.hands_a_file {
                return Ok(all);
            }
            cursor.files += 1;
            cursor.after = last.as_ref().map(write_place);
            put(&args.to.join(CURSOR), &serde_json::to_string(&cursor)?)?;
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

    /// The text of the file behind a hand, how many it holds, and the last one.
    async fn file(
        &self,
        args: &ExportArgs,
        mut after: Option<Place>,
    ) -> anyhow::Result<(String, u32, Option<Place>)> {
        let (mut text, mut hands) = (String::new(), 0);
        let mut proof = (args.format == Format::Proof).then(|| {
            let (writer, head) = Writer::begin(ALL, &self.keys.jwks_of_hands());
            text.push_str(&head);
            writer
        });
        let before = self.now.saturating_sub(SETTLED_MS);
        while hands < args.hands_a_file {
            let (most, behind, is_proof) =
                (PAGE.min(args.hands_a_file - hands), after.clone(), proof.is_some());
            let work = move |tx: &mut dyn Tx| {
                let found = find::of_all(tx, before, behind.as_ref(), most)?;
                let known = if is_proof { Leaves::default().of(tx, &found)? } else { Vec::new() };
                Ok((with_all(tx, found)?, known))
            };
            let (looked, known): (Looked, Vec<Known>) = self.tellers.read(work).await?;
            let count = u32::try_from(looked.hands.len()).unwrap_or(u32::MAX);
            if let Some(last) = looked.hands.last() {
                after = Some((last.record.ended_ms, last.name.clone()));
            }
            match &mut proof {
                Some(writer) => prove(writer, looked, &known, &mut text),
                None => self.tell(args.format, looked, hands, &mut text),
            }
            hands += count;
            if count < most {
                break;
            }
        }
        if let Some(writer) = proof {
            text.push_str(&writer.end(self.keys, self.now));
        }
        Ok((text, hands, after))
    }

    fn tell(&self, format: Format, mut looked: Looked, before: u32, text: &mut String) {
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
    }
}

fn prove(writer: &mut Writer, looked: Looked, known: &[Known], text: &mut String) {
    let found = looked.hands.clone();
    for ((hand, found), known) in told(looked, Viewer::Integrity).iter().zip(&found).zip(known) {
        text.push_str(&writer.hand(found, known, Viewer::Integrity, (&hand.seen, hand.about())));
    }
}

/// Whole or not at all, in the place of what was there.
fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    fs::write(&new, text).with_context(|| new.display().to_string())?;
    File::open(&new).and_then(|file| file.sync_all()).with_context(|| new.display().to_string())?;
    fs::rename(&new, path).with_context(|| path.display().to_string())
}
