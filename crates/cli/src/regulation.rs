//! `tenon regulation`: due-date rules that are adopted as one reviewed file each.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenon_risk::regulation::{MAX_BYTES, Regulation};
use tenon_server::RegulationView;

use crate::api::Api;
use crate::common::{AsOf, Common, Format, document};
use crate::rules::say;

/// Due-date rules of a new regulation, a contract, or your own: one reviewed file each.
#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  tenon regulation check acme.csv     what it says, or what is wrong with it; needs no server\n  \
    tenon regulation adopt acme.csv     it counts from its effective day on; due dates of before stand\n  \
    tenon regulation list               those that were adopted\n  tenon regulation withdraw acme 1\n\n\
    docs/regulations.md describes the file."
)]
pub(crate) enum Command {
    /// Read a file and say what it comes to, or what is wrong with it. Needs no server.
    Check(Named),
    /// Adopt a regulation: it counts for what is raised from its effective day on.
    Adopt(Named),
    /// Withdraw a version of a regulation; due dates are set anew without it.
    Withdraw(Version),
    /// The file of a regulation that was adopted.
    Show(Version),
    /// The regulations that were adopted.
    List(List),
}

/// A file.
#[derive(Args)]
pub(crate) struct Named {
    /// The regulation (CSV with leading lines; docs/regulations.md).
    file: PathBuf,
}

/// One that was adopted.
#[derive(Args)]
pub(crate) struct Version {
    /// Its id.
    id: String,
    /// Its version.
    version: String,
}

/// Those that were adopted.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    moment: AsOf,
}

impl Command {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        match self {
            Self::Check(Named { file }) => {
                let view = read(file)?;
                match common.format {
                    Format::Json => println!("{}", json!(view)),
                    Format::Text => println!("{}", line(&view)),
                }
                Ok(())
            }
            Self::Adopt(Named { file }) => {
                let view = read(file)?;
                let body = json!({ "text": view.text });
                let answer: Value = Api::new(common)?.post("/api/v1/regulations", &body)?;
                say(common, &answer, &format!("adopted: {}", line(&view)));
                Ok(())
            }
            Self::Withdraw(Version { id, version }) => {
                Api::new(common)?.delete(&format!("/api/v1/regulations/{id}/{version}"))?;
                let said = format!("{id} {version} is withdrawn; due dates are set anew");
                say(common, &json!({ "id": id, "version": version }), &said);
                Ok(())
            }
            Self::Show(Version { id, version }) => {
                let all: Vec<RegulationView> = Api::new(common)?.get("/api/v1/regulations")?;
                let Some(one) = all.iter().find(|one| (&one.id, &one.version) == (id, version)) else {
                    bail!(
                        "no version {version} of a regulation {id} was adopted; `tenon regulation list` names those that were"
                    );
                };
                match common.format {
                    Format::Json => println!("{}", json!(one)),
                    Format::Text => print!("{}", one.text),
                }
                Ok(())
            }
            Self::List(List { moment }) => {
                let all: Vec<RegulationView> = Api::new(common)?.get_as_of("/api/v1/regulations", moment)?;
                match common.format {
                    Format::Json => println!("{}", json!(all)),
                    Format::Text if all.is_empty() => println!("no regulation was adopted"),
                    Format::Text => all.iter().for_each(|one| println!("{}", line(one))),
                }
                Ok(())
            }
        }
    }
}

fn read(file: &Path) -> Result<RegulationView> {
    let shown = || file.display().to_string();
    let bytes = document(file, MAX_BYTES)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{}: it is not UTF-8", shown()))?;
    let regulation = Regulation::read(&text).with_context(shown)?;
    Ok(RegulationView::of(&regulation, &text))
}

/// What it comes to, in one line.
fn line(view: &RegulationView) -> String {
    let RegulationView { id, version, title, rows, columns, from, effective, replaces, .. } = view;
    let day = effective.get(..10).unwrap_or(effective);
    let columns: Vec<&str> = columns.iter().map(|column| crate::why::column(column)).collect();
    let instead = match replaces.as_slice() {
        [] => String::new(),
        clocks => format!(", instead of {}", clocks.join(", ")),
    };
    format!(
        "{id} {version} ({title}): {rows} rows over {}; counts from when it was {from}, for what is raised from {day} on{instead}",
        columns.join(", ")
    )
}
