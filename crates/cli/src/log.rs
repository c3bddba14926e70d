//! The record: reading it, proving it, and taking it along.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::json;
use tenon_formats::percent;
use tenon_journal::{Exported, Head, JournalError, Store, export};
use tenon_model::{Digest, Timestamp};
use tenon_server::{
    Beginning, DataFolder, LogEntryView, LogFilter, LogPage, prove, prove_export, read_log, replay, restore,
};

use crate::api::Api;
use crate::common::{Common, Format, RecordStore};

/// Most entries that one question to the server brings.
const PAGE: usize = 500;
/// Digits of a hash that are shown to people; programs get all.
const SHORT: usize = 8;

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tenon log                                   what happened last\n  \
                  tenon log --directive dir_7                 the whole story of one directive\n  \
                  tenon log --kind order --since 2026-11-01   every order since then\n  \
                  tenon log verify                            prove that the record was not edited"
)]
pub(crate) struct Log {
    #[command(subcommand)]
    whole: Option<Whole>,
    #[command(flatten)]
    list: List,
}

/// Which entries.
#[derive(Args)]
struct List {
    /// Only those of this kind, or of all kinds that begin so: `directive-closed`, `directive`.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only those about this asset.
    #[arg(long, value_name = "ID")]
    asset: Option<String>,
    /// Only those about this directive.
    #[arg(long, value_name = "ID")]
    directive: Option<String>,
    /// Only those of directives that close this vulnerability, or whose vendor claims it.
    #[arg(long, value_name = "ID")]
    vulnerability: Option<String>,
    /// Only those at or after this day or time.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only those before this day or time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The newest so many of them.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    last: u32,
    /// Read the data folder of a Tenon that does not run. People are shown by their ids.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    store: RecordStore,
}

#[derive(Subcommand)]
enum Whole {
    /// Recompute every hash of the record: of an export, of a stopped data folder, of a database, or of the running server's.
    #[command(
        after_help = "Examples:\n  tenon log verify                 the record of this machine's Tenon, running or not\n  tenon log verify audit.jsonl     an export, anywhere, without Tenon's data"
    )]
    Verify {
        /// An export; without it the record of the data folder.
        export: Option<PathBuf>,
        #[command(flatten)]
        store: RecordStore,
    },
    /// Print the whole record, one JSON line per entry: of the running server, or of a store that is named.
    Export {
        #[command(flatten)]
        store: RecordStore,
    },
}

impl Log {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        match self.whole {
            None => self.list.run(common),
            Some(Whole::Export { store }) => {
                match store.named()? {
                    Some(store) => {
                        export(store.open_read_only()?.as_ref(), &mut std::io::stdout().lock())?;
                    }
                    None => print!("{}", Api::new(common)?.get_text("/api/v1/journal")?),
                }
                Ok(())
            }
            Some(Whole::Verify { export, store }) => {
                verify_log(common, prove_record(common, export, &store)?)
            }
        }
    }
}

impl List {
    fn run(&self, common: &Common) -> Result<()> {
        let mut items = match self.store.named()? {
            Some(store) => self.read(&store)?,
            None if self.offline => self.read(&DataFolder::existing(&common.data()?)?.store())?,
            None => self.ask(&Api::new(common)?)?,
        };
        // As it happened: what came last stands where the prompt comes back.
        items.reverse();
        match common.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&items)?),
            Format::Text if items.is_empty() => println!("Nothing in the record is like that."),
            Format::Text => items.iter().for_each(|entry| println!("{}", line(entry))),
        }
        Ok(())
    }

    /// The newest first, from the server.
    fn ask(&self, api: &Api<'_>) -> Result<Vec<LogEntryView>> {
        let given = [
            ("kind", &self.kind),
            ("asset", &self.asset),
            ("directive", &self.directive),
            ("vulnerability", &self.vulnerability),
            ("since", &self.since),
            ("until", &self.until),
        ];
        let mut wanted = String::new();
        for (name, value) in given {
            if let Some(value) = value {
                wanted.push_str(&format!("&{name}="));
                percent::encode_into(&mut wanted, value, percent::is_unreserved);
            }
        }
        let mut cursor = String::new();
        self.gather(|limit| {
            let page: LogPage = api.get(&format!("/api/v1/log?limit={limit}{wanted}{cursor}"))?;
            cursor = page.next.as_ref().map(|next| format!("&cursor={next}")).unwrap_or_default();
            Ok(page)
        })
    }

    /// The newest first, from a store that no server has open.
    fn read(&self, store: &Store) -> Result<Vec<LogEntryView>> {
        let journal = store.open_read_only()?;
        let world = restore(journal.as_ref())?;
        let time =
            |said: &String| Timestamp::parse(said).with_context(|| format!("{said:?} is no day or time"));
        let filter = LogFilter {
            kind: self.kind.clone(),
            asset: self.asset.as_ref().map(|id| id.parse()).transpose()?,
            directive: self.directive.as_ref().map(|id| id.parse()).transpose()?,
            vulnerability: self.vulnerability.as_ref().map(|id| id.parse()).transpose()?,
            since: self.since.as_ref().map(time).transpose()?,
            until: self.until.as_ref().map(time).transpose()?,
        };
        let read = |from, most| Ok(journal.read(from, usize::try_from(most).unwrap_or(usize::MAX))?);
        let mut before = u64::MAX;
        self.gather(|limit| {
            let page = read_log(&read, &world, &filter, before, limit)?;
            before = page.before().unwrap_or_default();
            Ok(page)
        })
    }

    /// Page after page, until there are as many as are wanted.
    fn gather(&self, mut page: impl FnMut(usize) -> Result<LogPage>) -> Result<Vec<LogEntryView>> {
        let last = self.last as usize;
        let mut items = Vec::new();
        loop {
            let LogPage { items: more, next, .. } = page((last - items.len()).min(PAGE))?;
            items.extend(more);
            if next.is_none() || items.len() >= last {
                return Ok(items);
            }
        }
    }
}

/// One entry for people.
fn line(entry: &LogEntryView) -> String {
    let minute = entry.time.get(..16).unwrap_or(&entry.time).replace('T', " ");
    let hash = entry.hash.get(..SHORT).unwrap_or(&entry.hash);
    let by = entry.by.as_ref().map(|by| format!("{by}: ")).unwrap_or_default();
    format!("{:>6}  {minute}  {hash}  {by}{}", entry.seq, entry.said)
}

/// What a verification proved.
struct Proven {
    what: String,
    /// Where the record begins, where old history was let go.
    beginning: Option<Beginning>,
    head: Head,
    /// Digest of the World that the record gives, where its blobs are at hand.
    world: Option<Digest>,
}

fn prove_record(common: &Common, export: Option<PathBuf>, store: &RecordStore) -> Result<Proven> {
    if let Some(path) = export {
        let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        let (Exported { head, .. }, beginning) = prove_export(&mut BufReader::new(file))?;
        return Ok(Proven { what: path.display().to_string(), beginning, head, world: None });
    }
    let store = match store.named()? {
        Some(store) => store,
        None => DataFolder::existing(&common.data()?)?.store(),
    };
    match store.open_read_only() {
        Ok(journal) => {
            let (report, beginning) = prove(journal.as_ref())?;
            let world = replay(journal.as_ref())?;
            let (what, head, world) = (store.to_string(), report.head, Some(world.digest()?));
            Ok(Proven { what, beginning, head, world })
        }
        // A server writes it: it hands out the record, and this program computes the hashes.
        Err(JournalError::InUse { .. }) => {
            let lines = Api::new(common)?.get_text("/api/v1/journal")?;
            let (Exported { head, .. }, beginning) = prove_export(&mut lines.as_bytes())?;
            Ok(Proven { what: format!("the record of {}", common.url()), beginning, head, world: None })
        }
        Err(error) => Err(error.into()),
    }
}

fn verify_log(common: &Common, proven: Proven) -> Result<()> {
    let Proven { what, beginning, head, world } = proven;
    match common.format {
        Format::Json => {
            let begins =
                beginning.map(|Beginning { base, said_by }| json!({ "base": base, "said_by": said_by }));
            println!(
                "{}",
                json!({ "verified": what, "begins": begins, "entries": head.seq, "head": head.hash, "world": world })
            );
        }
        Format::Text => {
            match &beginning {
                None => println!("{what}: {} entries, every hash right", head.seq),
                Some(Beginning { base, said_by }) => {
                    println!("{what}: entries {} to {}, every hash right", base.seq, head.seq);
                    println!("begin {}  ({}; entry {said_by} says so)", base.hash, base.time);
                    println!(
                        "      What was before is let go. An export or backup of before shows this hash at entry {}.",
                        base.seq
                    );
                }
            }
            println!("head  {}", head.hash);
            if let Some(world) = world {
                let from = if beginning.is_none() {
                    "the first entry"
                } else {
                    "the snapshot that the record begins with"
                };
                println!("world {world}  (replayed from {from})");
            }
            println!(
                "Compare the head with one that somebody else kept: a chain proves nothing against its own owner."
            );
        }
    }
    Ok(())
}
