//! What people state: about one asset, or about the estate as a whole in one reviewed file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenon_formats::Problems;
use tenon_formats::context::{self, MAX_DOCUMENT, cmdb};
use tenon_model::ContextDocument;
use tenon_model::context::{ContextDiff, Labels};
use tenon_server::{ContextDocumentView, PreviewView};

use crate::api::Api;
use crate::common::{AsOf, Common, Format, document};
use crate::rules::{Stated, say};

/// State what an asset is for, which replaces what was stated before; or the whole estate's context from one file.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  tenon context ast_0123456789abcdef0123456789abcdef --exposure open --human-impact high\n  \
    tenon context ast_0123456789abcdef0123456789abcdef --file context.json\n  \
    tenon context check context.yaml --cmdb servers.csv"
)]
pub(crate) struct Context {
    /// `ast_...`
    #[arg(required = true)]
    asset: Option<String>,
    #[command(flatten)]
    stated: Stated,
    /// A JSON file that states the same, as published: {"exposure": "open", "human_impact": "very high", "mission": "low"}
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(subcommand)]
    estate: Option<Estate>,
}

/// The estate's context as one file.
#[derive(Subcommand)]
enum Estate {
    /// Read a context file, say everything that is wrong with it, and what it holds; needs no server.
    Check(Check),
    /// Take over a context file: what it changes for which assets is shown first.
    Apply(Apply),
    /// What counts, and of how many assets nobody states what.
    #[command(
        after_help = "Examples:\n  tenon context show\n  tenon context show --as-of 2026-11-01T06:00:00Z"
    )]
    Show {
        #[command(flatten)]
        moment: AsOf,
    },
}

/// A context file, and what joins it.
#[derive(Args)]
pub(crate) struct Source {
    /// The context file (YAML); `docs/context.md` describes it.
    file: PathBuf,
    /// An export of a CMDB (CSV with a header), which adds what the file does not say of assets itself.
    #[arg(long, value_name = "FILE")]
    cmdb: Option<PathBuf>,
    /// What a column of the export means, where its header does not tell: u_tier=criticality
    #[arg(long = "column", value_name = "HEADER=FIELD", value_parser = column, requires = "cmdb")]
    columns: Vec<(String, String)>,
}

fn column(text: &str) -> Result<(String, String), String> {
    let (header, field) = text.split_once('=').ok_or("write it as HEADER=FIELD")?;
    Ok((header.to_owned(), field.to_owned()))
}

/// Read a context file, and say what is wrong with it.
#[derive(Args)]
#[command(after_help = "Examples:\n  tenon context check context.yaml\n  \
    tenon context check context.yaml --before context-of-june.yaml\n  \
    tenon context check context.yaml --cmdb servers.csv --column u_tier=criticality")]
struct Check {
    #[command(flatten)]
    source: Source,
    /// Show what changes from this context file.
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
}

/// Take over a context file. It replaces the one before.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon context apply context.yaml --diff\n  tenon context apply context.yaml --yes\n\n\
    Without --yes nothing is taken over."
)]
struct Apply {
    #[command(flatten)]
    source: Source,
    /// Only show what would change.
    #[arg(long, conflicts_with = "yes")]
    diff: bool,
    /// Take it over.
    #[arg(long)]
    yes: bool,
}

impl Source {
    /// The document with what the export adds; what of the export cannot be read is told on standard error.
    pub(crate) fn read(&self) -> Result<ContextDocument> {
        let read = read(&self.file)?;
        let Some(export) = &self.cmdb else { return Ok(read) };
        let bytes = document(export, cmdb::MAX_EXPORT)?;
        let means: BTreeMap<String, String> = self.columns.iter().cloned().collect();
        let joined = cmdb::join(&bytes, &means, &read).with_context(|| export.display().to_string())?;
        report(export, &joined);
        Ok(joined.document)
    }
}

fn read(path: &Path) -> Result<ContextDocument> {
    let bytes = document(path, MAX_DOCUMENT)?;
    match context::parse(&bytes) {
        Ok(read) => Ok(read),
        Err(problems) => {
            tell(path, &problems);
            bail!("{}: {} problems; nothing is taken over", path.display(), problems.total())
        }
    }
}

fn tell(path: &Path, problems: &Problems) {
    for problem in problems.listed() {
        eprintln!("{}: {problem}", path.display());
    }
    let rest = problems.total() - problems.listed().len() as u64;
    if rest > 0 {
        eprintln!("{}: and {rest} more", path.display());
    }
}

fn report(path: &Path, joined: &cmdb::Cmdb) {
    let shown = path.display();
    eprintln!("{shown}: {} rows, {} assets", joined.rows, joined.assets);
    for (header, field) in &joined.columns {
        match field {
            Some(field) => eprintln!("{shown}: column {header:?} is {field}"),
            None => eprintln!(
                "{shown}: column {header:?} is not known and left out; --column {header}=FIELD says what it is"
            ),
        }
    }
    tell(path, &joined.problems);
}

impl Context {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        match &self.estate {
            Some(Estate::Check(check)) => return check.run(common),
            Some(Estate::Apply(apply)) => return apply.run(common),
            Some(Estate::Show { moment }) => return show(common, moment),
            None => {}
        }
        let asset = self.asset.as_deref().unwrap_or_default();
        let context = self.stated.with_file(self.file.as_deref())?;
        let path = format!("/api/v1/assets/{asset}/context");
        let answer: Value = Api::new(common)?.post(&path, &context)?;
        say(common, &answer, &format!("stated about {asset}; its directives are ranked anew"));
        Ok(())
    }
}

impl Check {
    fn run(&self, common: &Common) -> Result<()> {
        let document = self.source.read()?;
        let before = self.before.as_deref().map(read).transpose()?;
        let diff = before.map(|before| ContextDiff::between(&before, &document).lines());
        match common.format {
            Format::Json => println!("{}", json!({ "document": document, "diff": diff })),
            Format::Text => {
                println!("{}", holds(&document).join("\n"));
                match diff {
                    Some(lines) if lines.is_empty() => println!("nothing changes"),
                    Some(lines) => println!("{}", lines.join("\n")),
                    None => {}
                }
            }
        }
        Ok(())
    }
}

impl Apply {
    fn run(&self, common: &Common) -> Result<()> {
        let document = self.source.read()?;
        let api = Api::new(common)?;
        let seen: PreviewView = api.post("/api/v1/context/preview", &document)?;
        match common.format {
            Format::Json if !self.yes => println!("{}", serde_json::to_string(&seen)?),
            Format::Json => {}
            Format::Text => print(&seen),
        }
        if self.diff || seen.lines.is_empty() {
            return Ok(());
        }
        if !self.yes {
            bail!("nothing is taken over; --yes takes this over, --diff only shows it");
        }
        let body = json!({ "document": document, "compared": seen.version });
        let answer: Value = api.post("/api/v1/context", &body)?;
        let said = format!(
            "context version {} counts; every directive is ranked anew",
            seen.version.saturating_add(1)
        );
        say(common, &answer, &said);
        Ok(())
    }
}

fn print(seen: &PreviewView) {
    if seen.lines.is_empty() {
        println!("nothing changes: context version {} says that already", seen.version);
        return;
    }
    println!("against context version {}:", seen.version);
    for line in &seen.lines {
        println!("  {line}");
    }
    println!("for {} assets:", seen.assets);
    for effect in &seen.effects {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not stated".to_owned());
        let rest = effect.assets - (effect.hosts.len() as u64).min(effect.assets);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let hosts = effect.hosts.join(", ");
        println!(
            "  {}: {} -> {}, {} assets: {hosts}{more}",
            effect.field,
            shown(&effect.from),
            shown(&effect.to),
            effect.assets
        );
    }
}

fn show(common: &Common, moment: &AsOf) -> Result<()> {
    let known: ContextDocumentView = Api::new(common)?.get_as_of("/api/v1/context", moment)?;
    if common.format == Format::Json {
        println!("{}", serde_json::to_string(&known)?);
        return Ok(());
    }
    match known.version {
        0 => println!("no context was taken over yet"),
        version => println!("context version {version}:"),
    }
    println!("{}", holds(&known.document).join("\n"));
    for count in known.unstated {
        println!(
            "{} of {} hosts have no stated {}: {} derived from the inventory, {} by default, {} unknown",
            count.assets,
            count.of,
            count.field,
            count.derived,
            count.by_default,
            count.assets - count.derived - count.by_default
        );
    }
    Ok(())
}

/// What a document holds, in numbers.
fn holds(document: &ContextDocument) -> Vec<String> {
    let entries = document.zones.values().filter(|zone| zone.entry.is_some()).count();
    let mut lines = vec![
        format!(
            "{} zones, {entries} of them where attacks begin; {} flows",
            document.zones.len(),
            document.flows.len()
        ),
        format!(
            "{} teams, {} services, {} redundancy groups",
            document.teams.len(),
            document.services.len(),
            document.redundancy.len()
        ),
        format!("{} assets, {} rules", document.assets.len(), document.rules.len()),
    ];
    let stated =
        |labels: &Labels| labels.fields().iter().map(|(field, _)| *field).collect::<Vec<_>>().join(", ");
    lines.push(match stated(&document.defaults) {
        fields if fields.is_empty() => "no defaults".to_owned(),
        fields => format!("defaults for {fields}"),
    });
    lines
}
