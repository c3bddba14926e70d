//! `tenon feeds`: the local store of public feeds, and carrying it to where there is no network.

mod progress;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenon_feeds::{
    Change, Choice, FeedProblem, FeedState, Limits, Selection, Source, Store, SyncReport, Synced,
};
use tenon_host::now;
use tenon_model::Timestamp;

use crate::common::{Common, Format};
pub(crate) use progress::sync_shown;

/// A feed failed, or could not be tried; its last good copy stands.
const FAILED: u8 = 1;
/// `--strict`: everything was had, but something could not be read.
const PROBLEMS: u8 = 2;

#[derive(Subcommand)]
pub(crate) enum Feeds {
    /// Fetch what is new of every feed into the local store.
    #[command(
        after_help = "Examples:\n  tenon feeds sync                                  from the public addresses\n  \
            tenon feeds sync --only kev,epss,osv:Debian       these only\n  \
            tenon feeds sync --mirror /srv/mirror             from a folder\n  \
            tenon feeds sync --mirror https://mirror.example  from a web server with the same layout\n  \
            tenon feeds sync --strict                         exit with 2 if any record cannot be read\n\n\
            Feeds: kev, epss, cve, osv:ECOSYSTEM (osv: all), exploits:github, metasploit, exploitdb, inthewild (exploits: all).\n\
            The public source has no exploit evidence that is read here; of the CVE list it gives the newest release as a whole, \
            of EPSS the current day.\n\
            Proxies: HTTPS_PROXY, ALL_PROXY, NO_PROXY.\n\n\
            Exit: 0 all current, 1 a feed could not be had (its last good copy stands), 2 unreadable records with --strict."
    )]
    Sync(Sync),
    /// How old every feed is, how much it holds, what could not be read.
    #[command(after_help = "Examples:\n  tenon feeds status\n  tenon --format json feeds status\n\n\
            A feed is stale when its source has not confirmed it for a day (exploit evidence: 30 days), or when by its own\n\
            account it reaches back more than 3 days (epss, cve), 7 days (osv), 14 days (kev), 60 days (exploit evidence).")]
    Status(Place),
    /// The records that could not be read, with file, record and field.
    #[command(after_help = "Examples:\n  tenon feeds problems\n  tenon --format json feeds problems")]
    Problems(Place),
    /// Write every feed of the store to one file.
    #[command(after_help = "Examples:\n  tenon feeds export feeds.zip")]
    Export {
        /// The file to write.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Take the feeds of such a file into the store. It is checked as a whole before anything changes.
    #[command(
        after_help = "Examples:\n  tenon feeds import feeds.zip\n\nFeeds that the store has from later are kept."
    )]
    Import {
        /// The file to read.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
pub(crate) struct Place {
    /// The store's folder [default: feeds in the data folder]
    #[arg(long, value_name = "FOLDER")]
    store: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Sync {
    /// A mirror instead of the public addresses: a folder, or the address of a web server.
    #[arg(
        long,
        value_name = "DIR|URL",
        env = "TENON_FEEDS",
        default_value = "public",
        hide_default_value = true
    )]
    mirror: Source,
    /// These feeds only.
    #[arg(long, value_name = "FEED,...", value_delimiter = ',')]
    only: Vec<Choice>,
    /// Exit with 2 when a record cannot be read. What can be read is stored all the same.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    place: Place,
}

impl Place {
    fn folder(&self, common: &Common) -> Result<PathBuf> {
        common.store(self.store.as_deref())
    }

    /// Opens it to be read.
    pub(crate) fn read(&self, common: &Common) -> Result<Store> {
        Store::open_read_only(&self.folder(common)?)
            .context("no feeds are at hand: `tenon feeds sync` or `tenon feeds import FILE` fetches them")
    }
}

impl Feeds {
    pub(crate) fn run(self, common: &Common) -> Result<ExitCode> {
        match self {
            Self::Sync(sync) => return sync.run(common),
            Self::Status(place) => status(common, &place.read(common)?)?,
            Self::Problems(place) => problems(common, &place.read(common)?)?,
            Self::Export { file, place } => export(common, &place.read(common)?, &file)?,
            Self::Import { file, place } => import(common, &place.folder(common)?, &file)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Sync {
    fn run(self, common: &Common) -> Result<ExitCode> {
        let mut store = Store::open(&self.place.folder(common)?)?;
        let selection = if self.only.is_empty() { Selection::Usual } else { Selection::Required(&self.only) };
        let report = sync_shown(&self.mirror, &mut store, selection, Limits::default())?;
        for trouble in &report.troubles {
            eprintln!("warning: {trouble}");
        }
        match common.format {
            Format::Json => print_json(&report_json(&report))?,
            Format::Text => {
                let mut out = std::io::stdout().lock();
                for synced in &report.feeds {
                    writeln!(out, "{}", synced_line(synced))?;
                }
            }
        }
        let mut failed = !report.troubles.is_empty();
        let mut unread = 0;
        for synced in &report.feeds {
            if let Err(error) = &synced.outcome {
                failed = true;
                let had = synced.state.as_ref().and_then(|state| state.fetched);
                let stands = had.map_or("there is no copy of it".to_owned(), |had| {
                    format!("the last good copy of {had} stands")
                });
                eprintln!("error: {}: {error}; {stands}", synced.feed);
            }
            unread += synced.state.as_ref().map_or(0, |state| state.problems);
        }
        if unread > 0 {
            eprintln!(
                "warning: {unread} problems; `tenon feeds problems` lists them with file, record and field"
            );
        }
        Ok(match (failed, self.strict && unread > 0) {
            (true, _) => ExitCode::from(FAILED),
            (false, true) => ExitCode::from(PROBLEMS),
            (false, false) => ExitCode::SUCCESS,
        })
    }
}

fn print_json(value: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

fn text(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// A time as a person reads it.
fn ago(time: Option<Timestamp>, now: Timestamp) -> String {
    let Some(time) = time else { return "no date".to_owned() };
    let minutes = now.as_millis().saturating_sub(time.as_millis()).max(0) / 60_000;
    match minutes {
        0..120 => format!("{minutes} min ago"),
        120..2_880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1_440),
    }
}

fn state_json(state: &FeedState, now: Timestamp) -> Value {
    json!({
        "feed": state.feed.to_string(),
        "origin": state.origin,
        "edition": state.edition,
        "as_of": text(state.as_of),
        "fetched": text(state.fetched),
        "checked": text(state.checked),
        "digest": state.digest.map(|digest| digest.to_string()),
        "records": state.records,
        "problems": state.problems,
        "failure": state.failure,
        "stale": state.is_stale(now),
    })
}

fn change_name(synced: &Synced) -> &'static str {
    match synced.outcome {
        Ok(Change::Unchanged) => "unchanged",
        Ok(Change::Replaced) => "replaced",
        Ok(Change::Advanced(_)) => "advanced",
        Ok(Change::NotOffered) => "not-offered",
        Err(_) => "failed",
    }
}

fn report_json(report: &SyncReport) -> Value {
    let now = now();
    let feeds: Vec<Value> = report
        .feeds
        .iter()
        .map(|synced| {
            json!({
                "feed": synced.feed.to_string(),
                "outcome": change_name(synced),
                "error": synced.outcome.as_ref().err().map(ToString::to_string),
                "state": synced.state.as_ref().map(|state| state_json(state, now)),
            })
        })
        .collect();
    json!({ "feeds": feeds, "troubles": report.troubles })
}

fn synced_line(synced: &Synced) -> String {
    let what = match &synced.outcome {
        Ok(Change::Advanced(records)) => format!("{records} records changed"),
        Ok(Change::NotOffered) => "not offered by this source".to_owned(),
        _ => change_name(synced).to_owned(),
    };
    let state = synced.state.as_ref().filter(|state| state.fetched.is_some()).map(|state| {
        let as_of = text(state.as_of).unwrap_or_else(|| "no date".to_owned());
        let edition = if state.edition.is_empty() { String::new() } else { format!(" ({})", state.edition) };
        format!("; {} records{edition}, {} problems, as of {as_of}", state.records, state.problems)
    });
    format!("{:<22} {what}{}", synced.feed.to_string(), state.unwrap_or_default())
}

fn status(common: &Common, store: &Store) -> Result<()> {
    let (feeds, now) = (store.feeds()?, now());
    if common.format == Format::Json {
        return print_json(&feeds.iter().map(|state| state_json(state, now)).collect());
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<22} {:>9} {:>9}  {:<14} {:<14} edition",
        "feed", "records", "problems", "reaches to", "confirmed"
    )?;
    for state in &feeds {
        writeln!(
            out,
            "{:<22} {:>9} {:>9}  {:<14} {:<14} {}",
            state.feed.to_string(),
            state.records,
            state.problems,
            ago(state.as_of, now),
            ago(state.checked, now),
            state.edition
        )?;
    }
    drop(out);
    for state in &feeds {
        if let Some(why) = state.is_stale(now) {
            eprintln!("warning: {} is stale: {why}", state.feed);
        }
        if let Some(failure) = &state.failure {
            eprintln!("warning: {}: the last attempt failed: {failure}", state.feed);
        }
    }
    Ok(())
}

fn problems(common: &Common, store: &Store) -> Result<()> {
    let problems = store.problems()?;
    if common.format == Format::Json {
        let one = |problem: &FeedProblem| {
            json!({
                "feed": problem.feed.to_string(),
                "file": problem.file,
                "record": problem.record,
                "field": problem.field,
                "reason": problem.reason,
            })
        };
        return print_json(&problems.iter().map(one).collect());
    }
    let mut out = std::io::stdout().lock();
    for problem in &problems {
        let or_whole = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        writeln!(
            out,
            "{}  {}  {}  {}  {}",
            problem.feed,
            or_whole(&problem.file),
            or_whole(&problem.record),
            or_whole(&problem.field),
            problem.reason
        )?;
    }
    let total: u64 = store.feeds()?.iter().map(|state| state.problems).sum();
    let unlisted = total.saturating_sub(problems.len() as u64);
    if unlisted > 0 {
        eprintln!("and {unlisted} more that were only counted");
    }
    Ok(())
}

fn export(common: &Common, store: &Store, file: &Path) -> Result<()> {
    let (feeds, now) = (tenon_feeds::export(store, file, now())?, now());
    if common.format == Format::Json {
        return print_json(&feeds.iter().map(|state| state_json(state, now)).collect());
    }
    for state in &feeds {
        println!("{:<22} {} records, as of {}", state.feed.to_string(), state.records, ago(state.as_of, now));
    }
    eprintln!("wrote {}", file.display());
    Ok(())
}

fn import(common: &Common, folder: &Path, file: &Path) -> Result<()> {
    let mut store = Store::open(folder)?;
    let (imported, now) = (tenon_feeds::import(&mut store, file)?, now());
    if common.format == Format::Json {
        let one = |imported: &tenon_feeds::Imported| json!({ "taken": imported.taken, "state": state_json(&imported.state, now) });
        return print_json(&imported.iter().map(one).collect());
    }
    for imported in &imported {
        let what = if imported.taken { "taken" } else { "kept: the store has it from later" };
        let as_of = ago(imported.state.as_of, now);
        println!(
            "{:<22} {what}; {} records, as of {as_of}",
            imported.state.feed.to_string(),
            imported.state.records
        );
    }
    Ok(())
}
