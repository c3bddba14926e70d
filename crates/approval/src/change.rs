//! The change of one host, as it is signed.

use tenon_model::{AssetId, Change, Digest, DirectiveId, PackageTarget, PinnedFile, Transaction};

/// Begins the bytes of every change: they are no other structure's.
const DOMAIN: &[u8] = b"tenon change v1\0";
/// Longest text in it, in bytes; no package manager writes a longer one.
const MAX_TEXT: usize = 512;
/// Most targets, steps, packages kept back and files together.
const MAX_ENTRIES: usize = 20_000;

/// All that an order to apply says of one host, and the name by which people know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostChange<'a> {
    /// The host: follows from its own key.
    pub asset: AssetId,
    /// The name that it gives itself. A person reads names, so what is signed for one is nothing for a host of another.
    pub hostname: &'a str,
    /// The directive that it serves.
    pub directive: DirectiveId,
    /// What is asked for.
    pub targets: &'a [PackageTarget],
    /// Everything that changes with it.
    pub transaction: &'a Transaction,
    /// The package files, as they were rehearsed.
    pub files: &'a [PinnedFile],
}

/// A change that nobody can be asked to sign: what is shown of it might not be what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// A text that a terminal might show otherwise, or that is too long.
    #[error("{what} {start:?} holds more than plain letters, or is longer than {MAX_TEXT} bytes")]
    Text {
        /// Which.
        what: &'static str,
        /// Its beginning.
        start: String,
    },
    /// More than any change is.
    #[error("it names {entries} packages and files, more than the {MAX_ENTRIES} accepted")]
    TooMany {
        /// How many.
        entries: usize,
    },
}

impl HostChange<'_> {
    /// Whether a person can be shown what it is: plain letters without blanks, none of them one that a terminal acts on.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), ChangeError> {
        let entries = self.targets.len()
            + self.transaction.steps.len()
            + self.transaction.kept_back.len()
            + self.files.len();
        if entries > MAX_ENTRIES {
            return Err(ChangeError::TooMany { entries });
        }
        let mut texts = vec![("the host's name", self.hostname)];
        for PackageTarget { package, architecture, from, to } in self.targets {
            let of =
                [("package", package), ("architecture", architecture), ("version", from), ("version", to)];
            texts.extend(of.map(|(what, text)| (what, text.as_str())));
        }
        for step in &self.transaction.steps {
            texts.extend([("package", step.package.as_str()), ("architecture", step.architecture.as_str())]);
            let (_, from, to) = parts(&step.change);
            texts
                .extend([from, to].into_iter().filter(|version| !version.is_empty()).map(|v| ("version", v)));
        }
        texts.extend(self.transaction.kept_back.iter().map(|package| ("package", package.as_str())));
        for file in self.files {
            let of = [
                ("package", &file.package),
                ("architecture", &file.architecture),
                ("version", &file.version),
            ];
            texts.extend(of.map(|(what, text)| (what, text.as_str())));
        }
        let plain = |text: &str| {
            (1..=MAX_TEXT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match texts.into_iter().find(|(_, text)| !plain(text)) {
            Some((what, text)) => Err(ChangeError::Text { what, start: text.chars().take(80).collect() }),
            None => Ok(()),
        }
    }

    /// Its bytes: every text behind its length and every list behind its number, so that no two changes have the same.
    fn bytes(&self) -> Vec<u8> {
        let mut out = Writer(DOMAIN.to_vec());
        out.text(&self.asset.to_string());
        out.text(self.hostname);
        out.text(&self.directive.to_string());
        out.number(self.targets.len());
        for PackageTarget { package, architecture, from, to } in self.targets {
            [package, architecture, from, to].into_iter().for_each(|text| out.text(text));
        }
        let Transaction { steps, kept_back } = self.transaction;
        out.number(steps.len());
        for step in steps {
            let (kind, from, to) = parts(&step.change);
            [step.package.as_str(), step.architecture.as_str(), kind, from, to]
                .into_iter()
                .for_each(|text| out.text(text));
        }
        out.number(kept_back.len());
        kept_back.iter().for_each(|package| out.text(package));
        out.number(self.files.len());
        for PinnedFile { package, architecture, version, sha256 } in self.files {
            [package, architecture, version].into_iter().for_each(|text| out.text(text));
            out.0.extend_from_slice(sha256.as_bytes());
        }
        out.0
    }

    /// Its leaf: what the statement's root is made of.
    pub fn leaf(&self) -> Digest {
        crate::tree::leaf(&self.bytes())
    }
}

/// What happens to a package, with the version before and after; empty where there is none.
fn parts(change: &Change) -> (&'static str, &str, &str) {
    match change {
        Change::Upgrade { from, to } => ("upgrade", from, to),
        Change::Install { to } => ("install", "", to),
        Change::Remove { from } => ("remove", from, ""),
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }
}
