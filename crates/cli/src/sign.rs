//! Signing changes with a key that the server does not have. What is signed is made here, of what was shown here: a server that
//! lies gets no signature over anything else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use tenon_approval::{HostChange, MAX_DAYS, NAMESPACE, PersonKey, Statement, root, verify};
use tenon_host::now;
use tenon_model::{AssetId, Change, Digest, DirectiveId, KeyFingerprint, Timestamp, TransactionStep};
use tenon_server::{SignableChangeView, SignableView};

use crate::api::Api;
use crate::common::document;

/// Largest public key or signature that is read, in bytes.
const MAX_TEXT: usize = 16 << 10;
/// For how many days a signature counts where nothing is said.
const DAYS: u32 = 7;

/// How changes are signed.
#[derive(Args)]
pub(crate) struct Signing {
    /// Sign the change of every host that asks for it, with this SSH key (ed25519): a private key, a hardware key, or a public
    /// key whose other half an agent holds. `ssh-keygen` signs; the key never leaves it.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// For how many days the signature counts.
    #[arg(long, value_name = "DAYS", default_value_t = DAYS, requires = "key", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DAYS)))]
    days: u32,
    /// Sign what is shown without being asked.
    #[arg(long, requires = "key")]
    yes: bool,
}

impl Signing {
    /// Whether nothing is to be signed.
    pub(crate) fn is_none(&self) -> bool {
        self.key.is_none()
    }

    /// Shows what waits for a signature, signs it and hands that over; how many hosts it covers.
    pub(crate) fn sign(&self, api: &Api<'_>, directive: &str) -> Result<usize> {
        let Some(key) = &self.key else { return Ok(0) };
        let directive: DirectiveId = directive.parse()?;
        let path = format!("/api/v1/directives/{directive}/signatures");
        let signable: SignableView = api.get(&path)?;
        let own = own_fingerprint(key);
        let changes = mine(&signable.changes, own.as_ref())?;
        if changes.is_empty() {
            return Ok(0);
        }
        let (assets, leaves) = leaves(directive, &changes)?;
        let issued = whole_seconds(now());
        let statement = Statement {
            directive,
            changes: leaves.len() as u64,
            root: root(&leaves),
            issued,
            expires: issued.plus_days(self.days),
        };
        let text = statement.to_string();
        eprint!("{}", shown(directive, &changes));
        eprintln!("your key signs this, and nothing else:");
        for line in text.lines() {
            eprintln!("  {line}");
        }
        if !self.yes {
            confirmed(key)?;
        }
        let signature = signed_by_ssh_keygen(key, &text)?;
        let by = verify(&text, &signature).context("what ssh-keygen signed does not count")?;
        if own.is_some_and(|own| own != *by.key().fingerprint()) {
            bail!("{} was signed with {}, not with the key of its public half", directive, by.key());
        }
        let body = json!({ "statement": text, "signature": signature, "assets": assets });
        let _done: Value = api.post(&path, &body)?;
        eprintln!("signed with {} until {}", by.key(), statement.expires);
        if signable.more > 0 {
            eprintln!("{} more hosts wait for signatures: sign once more", signable.more);
        }
        Ok(changes.len())
    }
}

/// The fingerprint of a key, where its public half lies beside it or is what was named.
fn own_fingerprint(key: &Path) -> Option<KeyFingerprint> {
    let mut beside = key.as_os_str().to_owned();
    beside.push(".pub");
    [PathBuf::from(beside), key.to_owned()].iter().find_map(|path| {
        let text = String::from_utf8(document(path, MAX_TEXT).ok()?).ok()?;
        Some(text.trim_end().parse::<PersonKey>().ok()?.fingerprint().clone())
    })
}

/// Those of the changes that this key can sign, and has not.
fn mine<'c>(
    changes: &'c [SignableChangeView],
    own: Option<&KeyFingerprint>,
) -> Result<Vec<&'c SignableChangeView>> {
    let Some(own) = own.map(ToString::to_string) else { return Ok(changes.iter().collect()) };
    let asks = |change: &&SignableChangeView| change.signatures.keys.contains(&own);
    let (ask, others): (Vec<_>, Vec<_>) = changes.iter().partition(asks);
    if let (true, Some(first)) = (ask.is_empty(), others.first()) {
        bail!(
            "no host that waits asks for a signature of {own}; {} asks for one of {}",
            plain(&first.hostname),
            plain(&first.signatures.keys.join(","))
        );
    }
    if let Some(first) = others.first() {
        eprintln!(
            "{} hosts ask for other keys and are left out, {} first",
            others.len(),
            plain(&first.hostname)
        );
    }
    let given = |change: &&&SignableChangeView| change.signatures.given.iter().any(|given| given.key == own);
    let signed = ask.iter().filter(given).count();
    if signed > 0 {
        eprintln!("{signed} hosts have a signature of this key, and wait for another person's");
    }
    Ok(ask.into_iter().filter(|change| !given(&change)).collect())
}

/// What of a server's word may go to a terminal on which somebody is about to sign: nothing that hides or moves what follows.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(200).collect()
}

fn host_change<'c>(directive: DirectiveId, change: &'c SignableChangeView) -> Result<HostChange<'c>> {
    Ok(HostChange {
        asset: change.asset.parse()?,
        hostname: &change.hostname,
        directive,
        targets: &change.targets,
        transaction: &change.transaction,
        files: &change.files,
    })
}

/// The assets in the order of the tree, and its leaves: of exactly what is shown, once that can be shown.
fn leaves(directive: DirectiveId, changes: &[&SignableChangeView]) -> Result<(Vec<AssetId>, Vec<Digest>)> {
    let (mut assets, mut leaves) = (Vec::new(), Vec::new());
    for change in changes {
        let change = host_change(directive, change)?;
        change.check().with_context(|| format!("the change of {} is not signed", change.asset))?;
        assets.push(change.asset);
        leaves.push(change.leaf());
    }
    if !assets.is_sorted_by(|a, b| a < b) {
        bail!("the server named hosts twice or out of order: nothing is signed");
    }
    Ok((assets, leaves))
}

/// What is signed, host by host; hosts of which the same is signed together.
fn shown(directive: DirectiveId, changes: &[&SignableChangeView]) -> String {
    let mut alike: BTreeMap<String, Vec<&SignableChangeView>> = BTreeMap::new();
    for change in changes {
        alike.entry(told(change)).or_default().push(change);
    }
    let mut text = format!("what {directive} may change, by your signature:\n");
    for (told, hosts) in alike {
        let hosts: Vec<String> =
            hosts.iter().map(|host| format!("{} ({})", host.hostname, host.asset)).collect();
        let _written = write!(text, "  on {}\n{told}", hosts.join(", "));
    }
    text
}

/// One change. What its leaf is made of was checked to be plain letters; what comes beside it is cleaned here.
fn told(change: &SignableChangeView) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        let _written = writeln!(text, "    {words}");
    };
    let steps = &change.transaction.steps;
    for TransactionStep { package, architecture, change } in steps {
        line(match change {
            Change::Upgrade { from, to } => format!("{package}:{architecture} {from} -> {to}"),
            Change::Install { to } => format!("installs {package}:{architecture} {to}"),
            Change::Remove { from } => format!("REMOVES {package}:{architecture} {from}"),
        });
    }
    for target in &change.targets {
        let step = steps.iter().any(|step| {
            let same = step.package == target.package && step.architecture == target.architecture;
            same && step.change == Change::Upgrade { from: target.from.clone(), to: target.to.clone() }
        });
        if !step {
            let (package, architecture) = (&target.package, &target.architecture);
            line(format!("asks for {package}:{architecture} {} -> {}", target.from, target.to));
        }
    }
    if !change.transaction.kept_back.is_empty() {
        line(format!("keeps back {}", change.transaction.kept_back.join(", ")));
    }
    for file in &change.files {
        let (package, architecture) = (&file.package, &file.architecture);
        line(format!("file {package}:{architecture} {} sha256 {}", file.version, file.sha256));
    }
    if !change.units.is_empty() {
        let units: Vec<String> = change.units.iter().map(|unit| plain(unit)).collect();
        line(format!("(not signed: the rehearsal touched {})", units.join(", ")));
    }
    text
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().div_euclid(1_000) * 1_000)
}

fn confirmed(key: &Path) -> Result<()> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!("nothing is signed: nobody can be asked here; --yes signs what is shown without asking");
    }
    eprint!("Sign it with {}? [y/N] ", key.display());
    std::io::stderr().flush()?;
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("nothing is signed"),
    }
}

/// Lets `ssh-keygen` sign: it knows files, agents and hardware keys, and asks for passphrases and touches itself.
fn signed_by_ssh_keygen(key: &Path, text: &str) -> Result<String> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "sign", "-q", "-n", NAMESPACE, "-f"]).arg(key);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            anyhow::anyhow!("ssh-keygen is not installed: it comes with OpenSSH (Debian: openssh-client)")
        }
        _ => anyhow::anyhow!("ssh-keygen cannot be started: {error}"),
    })?;
    if let Some(mut input) = child.stdin.take() {
        // Where it has ended already it has said why.
        let _written = input.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().context("waiting for ssh-keygen")?;
    if !output.status.success() {
        bail!("nothing is signed: ssh-keygen ended with {}", output.status);
    }
    if output.stdout.len() > MAX_TEXT {
        bail!("nothing is signed: ssh-keygen wrote {} bytes", output.stdout.len());
    }
    String::from_utf8(output.stdout).context("what ssh-keygen wrote is no text")
}

#[cfg(test)]
mod tests {
    use tenon_model::{PackageTarget, PinnedFile, Transaction};
    use tenon_server::SignaturesView;

    use super::*;

    fn change(host: u8) -> SignableChangeView {
        let text = |text: &str| text.to_owned();
        let step = |package: &str, change| TransactionStep {
            package: text(package),
            architecture: text("amd64"),
            change,
        };
        SignableChangeView {
            asset: format!("ast_{host:032x}"),
            hostname: format!("web{host}"),
            targets: vec![PackageTarget {
                package: text("redis"),
                architecture: text("amd64"),
                from: text("1"),
                to: text("2"),
            }],
            transaction: Transaction {
                steps: vec![
                    step("old", Change::Remove { from: text("0.9") }),
                    step("redis", Change::Upgrade { from: text("1"), to: text("2") }),
                    step("tools", Change::Install { to: text("3") }),
                ],
                kept_back: vec![text("vim")],
            },
            files: vec![PinnedFile {
                package: text("redis"),
                architecture: text("amd64"),
                version: text("2"),
                sha256: Digest::of(b"redis"),
            }],
            units: vec![text("redis.service\u{1b}[2K")],
            signatures: SignaturesView {
                needed: 1,
                keys: vec![text("SHA256:alice")],
                given: Vec::new(),
                missing: 1,
            },
        }
    }

    #[test]
    fn everything_that_is_signed_is_shown() {
        let other = SignableChangeView {
            targets: vec![PackageTarget {
                package: "libc6".to_owned(),
                architecture: "amd64".to_owned(),
                from: "2".to_owned(),
                to: "3".to_owned(),
            }],
            ..change(3)
        };
        let changes = [change(1), change(2), other];
        let changes: Vec<&SignableChangeView> = changes.iter().collect();
        let id = |host: u8| format!("web{host} (ast_{host:032x})");
        let same = "    REMOVES old:amd64 0.9\n    redis:amd64 1 -> 2\n    installs tools:amd64 3\n";
        let end = format!(
            "    keeps back vim\n    file redis:amd64 2 sha256 {}\n    (not signed: the rehearsal touched redis.service[2K)\n",
            Digest::of(b"redis")
        );
        assert_eq!(
            shown(DirectiveId::new(7), &changes),
            format!(
                "what dir_7 may change, by your signature:\n  on {}\n{same}    asks for libc6:amd64 2 -> 3\n{end}  on {}, {}\n{same}{end}",
                id(3),
                id(1),
                id(2)
            )
        );
    }

    #[test]
    fn what_a_lying_server_says_is_signed_as_shown_or_not_at_all() {
        let id = DirectiveId::new(7);
        let leaf = |change: &SignableChangeView| leaves(id, &[change]).unwrap().1[0];
        // Whatever is shown otherwise is signed otherwise.
        let mut moved = change(1);
        moved.hostname = "web2".to_owned();
        let mut newer = change(1);
        newer.files[0].sha256 = Digest::of(b"another");
        assert_ne!(leaf(&moved), leaf(&change(1)));
        assert_ne!(leaf(&newer), leaf(&change(1)));
        // What a terminal would show otherwise is not signed.
        let mut hidden = change(1);
        hidden.transaction.steps[0].package = "old\r    redis:amd64 1 -> 2\u{1b}[K".to_owned();
        let told = format!("{:#}", leaves(id, &[&hidden]).unwrap_err());
        assert!(told.contains("is not signed: package \"old\\r"), "{told}");
        // Nor a host that is named twice, of which another change is shown each time.
        assert!(leaves(id, &[&change(1), &newer]).is_err());
        assert!(leaves(id, &[&change(2), &change(1)]).is_err());
    }

    #[test]
    fn a_key_signs_for_the_hosts_that_ask_for_it() {
        let (alice, bob): (KeyFingerprint, KeyFingerprint) =
            ("SHA256:alice".parse().unwrap(), "SHA256:bob".parse().unwrap());
        let mut signed = change(2);
        signed.signatures.given.push(tenon_server::GivenSignatureView {
            key: "SHA256:alice".to_owned(),
            by: "alice".to_owned(),
            until: "2026-12-07T13:00:00Z".to_owned(),
        });
        let mut other = change(3);
        other.signatures.keys = vec!["SHA256:bob".to_owned()];
        let changes = [change(1), signed, other];
        let hosts = |own| -> Vec<String> {
            mine(&changes, own).unwrap().iter().map(|change| change.hostname.clone()).collect()
        };
        assert_eq!(hosts(Some(&alice)), ["web1"]);
        assert_eq!(hosts(Some(&bob)), ["web3"]);
        assert_eq!(hosts(None).len(), 3);
        let told = mine(&changes, Some(&"SHA256:carol".parse().unwrap())).unwrap_err().to_string();
        assert_eq!(
            told,
            "no host that waits asks for a signature of SHA256:carol; web1 asks for one of SHA256:alice"
        );
    }
}
