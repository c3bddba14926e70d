//! Evidence of hosts that is preserved before they are changed: what is sealed, and leave to go on without.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use tenon_model::{Digest, EvidenceDocument};
use tenon_server::{DirectiveAssetView, DirectiveView, EvidenceView};

use crate::api::Api;
use crate::common::{Common, Format};
use crate::people::done;

/// Most lines of each part that are printed.
const MAX_LINES: usize = 40;

/// Evidence that is preserved before anything of a host changes, where the decision row asks for it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon evidence show dir_7                     of which hosts it is sealed, missed or waived\n  \
    tenon evidence show dir_7 --host web1         what was sealed of one: processes, sockets, files, logs\n  \
    tenon --format json evidence show dir_7 --host web1 > web1.json     the sealed bytes, as `sha256sum` sees them\n  \
    tenon evidence waive dir_7 --host web1 --why 'imaged by the forensics team, case 4711'\n\n\
    Until it is sealed or waived nothing of the host is changed, by this directive or any other."
)]
pub(crate) struct Evidence {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// What is sealed of the hosts of a directive; with --host the document of one.
    Show {
        /// `dir_...`
        directive: String,
        /// The document of this host: its name, or `ast_...`. Takes the right `investigate`.
        #[arg(long)]
        host: Option<String>,
    },
    /// Let hosts be changed without: of all that lack it, or of those that are named.
    Waive {
        /// `dir_...`
        directive: String,
        /// This host alone: its name, or `ast_...`. May be given several times.
        #[arg(long)]
        host: Vec<String>,
        /// Why. It stays in the record, with your name.
        #[arg(long)]
        why: String,
    },
}

impl Evidence {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        match &self.what {
            What::Show { directive, host: None } => list(common, directive),
            What::Show { directive, host: Some(host) } => document(common, directive, host),
            What::Waive { directive, host, why } => waive(common, directive, host, why),
        }
    }
}

/// The asset of a directive that goes by a name, or has this id.
fn on<'v>(view: &'v DirectiveView, host: &str) -> Result<&'v DirectiveAssetView> {
    let named: Vec<_> =
        view.assets.iter().filter(|asset| asset.hostname == host || asset.id == host).collect();
    match named.as_slice() {
        [asset] => Ok(asset),
        [] => bail!("{host} is not among the hosts of {} that are listed: `tenon show {}`", view.id, view.id),
        _ => bail!("{} hosts of {} go by the name {host}: say which, as ast_...", named.len(), view.id),
    }
}

fn waive(common: &Common, directive: &str, hosts: &[String], why: &str) -> Result<()> {
    let view: DirectiveView = Api::new(common)?.get(&format!("/api/v1/directives/{directive}"))?;
    let assets = hosts.iter().map(|host| Ok(on(&view, host)?.id.as_str())).collect::<Result<Vec<_>>>()?;
    let whose = if hosts.is_empty() { "every host that lacks it".to_owned() } else { hosts.join(", ") };
    let assets = (!assets.is_empty()).then_some(assets);
    let path = format!("/api/v1/directives/{directive}/evidence-waiver");
    let said = format!("evidence waived for {directive}, of {whose}");
    done(common, &path, &json!({ "assets": assets, "why": why }), &said)
}

fn list(common: &Common, directive: &str) -> Result<()> {
    let view: DirectiveView = Api::new(common)?.get(&format!("/api/v1/directives/{directive}"))?;
    if common.format == Format::Json {
        let hosts = view.assets.iter().filter_map(|asset| {
            let evidence = asset.evidence.as_ref()?;
            Some(json!({ "asset": asset.id, "hostname": asset.hostname, "evidence": evidence }))
        });
        let counts = &view.evidence;
        println!("{}", json!({ "counts": counts, "hosts": hosts.collect::<Vec<_>>() }));
        return Ok(());
    }
    let decision = &view.decision;
    let Some(counts) = &view.evidence else {
        println!(
            "{directive} is decided by {} row {}, which asks for no evidence",
            decision.table, decision.row
        );
        return Ok(());
    };
    println!("{directive} is decided by {} row {}: {}", decision.table, decision.row, decision.outcome);
    println!("  sealed of {}, waived of {}, lacking of {}", counts.sealed, counts.waived, counts.lacking);
    for asset in &view.assets {
        if let Some(evidence) = &asset.evidence {
            println!("  {:<20} {}", asset.hostname, line(evidence));
        }
    }
    Ok(())
}

/// How it stands with the evidence of a host.
pub(crate) fn line(evidence: &EvidenceView) -> String {
    let since = evidence.since.as_deref().unwrap_or_default();
    let why = evidence.why.as_deref().unwrap_or_default();
    match evidence.state.as_str() {
        "sealed" => {
            let gaps = match evidence.gaps.as_slice() {
                [] => "no gaps".to_owned(),
                gaps => format!("gaps in {}", gaps.join(", ")),
            };
            let document = evidence.document.as_deref().unwrap_or_default();
            format!("sealed {since}: {document}, {} bytes, {gaps}", evidence.bytes.unwrap_or_default())
        }
        "waived" => format!("waived {since} by {}: {why}", evidence.by.as_deref().unwrap_or_default()),
        "missed" => format!("missed {since}: {why}"),
        "ordered" => format!("the host has its order, since {since}"),
        _ => "waits for its order".to_owned(),
    }
}

fn document(common: &Common, directive: &str, host: &str) -> Result<()> {
    let api = Api::new(common)?;
    let view: DirectiveView = api.get(&format!("/api/v1/directives/{directive}"))?;
    let asset = on(&view, host)?;
    let sealed = asset.evidence.as_ref().and_then(|evidence| evidence.document.as_deref());
    let Some(sealed) = sealed else {
        let stands = asset.evidence.as_ref().map_or_else(|| "none is asked for".to_owned(), line);
        bail!("nothing of {host} is sealed for {directive}: {stands}");
    };
    let text = api.get_text(&format!("/api/v1/directives/{directive}/evidence/{}", asset.id))?;
    // What the record names is held against what came.
    let said: Digest = sealed.parse()?;
    let document = EvidenceDocument::read(text.as_bytes(), said)?;
    if common.format == Format::Json {
        print!("{text}");
        return Ok(());
    }
    print!("{}", told(&document, sealed, text.len()));
    Ok(())
}

/// A document for people. Its texts are escaped already: nothing in it moves a cursor.
fn told(document: &EvidenceDocument, digest: &str, bytes: usize) -> String {
    let mut text = format!(
        "{digest}  {bytes} bytes, as the record holds it\n{} of {}, for {}, begun {} by its own clock, in {} ms\n",
        document.hostname, document.asset, document.directive, document.begun, document.duration_ms
    );
    let mut part = |name: &str, lines: Vec<String>| {
        text.push_str(&format!("{name}: {}\n", lines.len()));
        for line in lines.iter().take(MAX_LINES) {
            text.push_str(&format!("  {line}\n"));
        }
        let more = lines.len().saturating_sub(MAX_LINES);
        if more > 0 {
            text.push_str(&format!("  and {more} more: `tenon --format json` has them\n"));
        }
    };
    part("gaps", document.gaps.iter().map(|gap| format!("{}: {}", gap.part, gap.what)).collect());
    // Threads of the kernel run no file.
    let programs = document.processes.iter().filter(|process| process.exe.is_some());
    let processes = programs.map(|process| {
        let command = process.cmdline.join(" ");
        let exe = process.exe.as_deref().unwrap_or_default();
        format!(
            "{} (parent {}, user {}) {exe}: {command} [{}]",
            process.pid, process.ppid, process.uid, process.cgroup
        )
    });
    part("processes", processes.collect());
    let network = document.sockets.iter().filter(|socket| socket.kind != "unix");
    let sockets = network.map(|socket| {
        let pids: Vec<String> = socket.pids.iter().map(ToString::to_string).collect();
        format!(
            "{} {} -> {} ({}) of {}",
            socket.kind,
            socket.local,
            socket.remote,
            socket.state,
            pids.join(", ")
        )
    });
    part("sockets", sockets.collect());
    let gone = document.maps.iter().flat_map(|maps| maps.deleted.iter().map(move |file| (maps.pid, file)));
    part("mapped and gone from the disk", gone.map(|(pid, file)| format!("{pid} {file}")).collect());
    let sessions = document.sessions.iter().map(|session| {
        let since = session.since.map(|since| since.to_string()).unwrap_or_default();
        format!("{} on {} from {} since {since}", session.user, session.line, session.from)
    });
    part("sessions", sessions.collect());
    let differ =
        document.packages.iter().flat_map(|package| package.differ.iter().map(move |file| (package, file)));
    let differ = differ.map(|(package, file)| format!("{} {} {}", package.package, file.mark, file.path));
    part("files that are not as their package says", differ.collect());
    for log in &document.logs {
        let from = log.lines.len().saturating_sub(MAX_LINES);
        text.push_str(&format!("{}: {} lines, the last:\n", log.source, log.lines.len()));
        for line in &log.lines[from..] {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}
