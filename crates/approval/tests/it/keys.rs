//! Keys of people that tests hold themselves, and one host's change.

use ed25519_dalek::{Signer as _, SigningKey};
use ssh_key::public::{Ed25519PublicKey, KeyData, SkEd25519};
use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, Signature, SshSig};
use tenon_approval::{HostChange, NAMESPACE, PersonKey, Required, Statement, path, root};
use tenon_model::{
    AssetId, Change, Digest, DirectiveId, KeyApproval, PackageTarget, PinnedFile, Timestamp, Transaction,
    TransactionStep,
};

/// A key of which a test has both halves.
pub(crate) struct Held {
    secret: SigningKey,
    data: KeyData,
}

impl Held {
    pub(crate) fn file(seed: u8) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let data = KeyData::Ed25519(Ed25519PublicKey(secret.verifying_key().to_bytes()));
        Self { secret, data }
    }

    /// One that signs as a hardware key does.
    pub(crate) fn hardware(seed: u8) -> Self {
        let Self { secret, .. } = Self::file(seed);
        let point = Ed25519PublicKey(secret.verifying_key().to_bytes());
        Self { secret, data: KeyData::SkEd25519(SkEd25519::new(point, "ssh:")) }
    }

    pub(crate) fn line(&self) -> String {
        PublicKey::new(self.data.clone(), "alice@example").to_openssh().unwrap()
    }

    pub(crate) fn public(&self) -> PersonKey {
        self.line().parse().unwrap()
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        self.sign_in(NAMESPACE, text, 1)
    }

    /// In any namespace, and with any flags of a hardware key.
    pub(crate) fn sign_in(&self, namespace: &str, text: &str, flags: u8) -> String {
        let message = SshSig::signed_data(namespace, HashAlg::Sha512, text.as_bytes()).unwrap();
        let signature = match &self.data {
            KeyData::SkEd25519(key) => {
                let tail = [flags, 0, 0, 0, 7];
                let parts = [Digest::of(key.application().as_bytes()), Digest::of(&message)];
                let asserted = [&parts[0].as_bytes()[..], &tail, parts[1].as_bytes()].concat();
                let signed = self.secret.sign(&asserted).to_bytes();
                Signature::new(Algorithm::SkEd25519, [&signed[..], &tail].concat()).unwrap()
            }
            _ => Signature::new(Algorithm::Ed25519, self.secret.sign(&message).to_bytes()).unwrap(),
        };
        let signed = SshSig::new(self.data.clone(), namespace, HashAlg::Sha512, signature).unwrap();
        signed.to_pem(LineEnding::LF).unwrap()
    }
}

/// The parts of a change that a [`HostChange`] borrows.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) host: u8,
    pub(crate) name: String,
    pub(crate) directive: DirectiveId,
    pub(crate) targets: Vec<PackageTarget>,
    pub(crate) transaction: Transaction,
    pub(crate) files: Vec<PinnedFile>,
}

impl Parts {
    pub(crate) fn of(host: u8) -> Self {
        let text = |text: &str| text.to_owned();
        let upgrade = Change::Upgrade { from: text("1.0"), to: text("2.0") };
        let step = |package: &str, change| TransactionStep {
            package: text(package),
            architecture: text("amd64"),
            change,
        };
        Self {
            host,
            name: format!("web{host}"),
            directive: DirectiveId::new(10),
            targets: vec![PackageTarget {
                package: text("redis"),
                architecture: text("amd64"),
                from: text("1.0"),
                to: text("2.0"),
            }],
            transaction: Transaction {
                steps: vec![
                    step("old", Change::Remove { from: text("0.9") }),
                    step("redis", upgrade),
                    step("tools", Change::Install { to: text("3") }),
                ],
                kept_back: vec![text("vim")],
            },
            files: vec![PinnedFile {
                package: text("redis"),
                architecture: text("amd64"),
                version: text("2.0"),
                sha256: Digest::of(b"redis"),
            }],
        }
    }

    pub(crate) fn change(&self) -> HostChange<'_> {
        HostChange {
            asset: AssetId::of_public_key(&[self.host]),
            hostname: &self.name,
            directive: self.directive,
            targets: &self.targets,
            transaction: &self.transaction,
            files: &self.files,
        }
    }
}

pub(crate) fn at(days: i64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + days * 86_400_000)
}

/// The statement over these changes, for a week from day 0.
pub(crate) fn statement(changes: &[Parts]) -> Statement {
    let leaves: Vec<Digest> = changes.iter().map(|parts| parts.change().leaf()).collect();
    let directive = changes.first().map_or(DirectiveId::new(1), |parts| parts.directive);
    Statement { directive, changes: leaves.len() as u64, root: root(&leaves), issued: at(0), expires: at(7) }
}

/// What an order carries for one of these changes.
pub(crate) fn approval(key: &Held, changes: &[Parts], place: usize) -> KeyApproval {
    let leaves: Vec<Digest> = changes.iter().map(|parts| parts.change().leaf()).collect();
    let statement = statement(changes).to_string();
    let signature = key.sign(&statement);
    KeyApproval { statement, signature, place: place as u64, path: path(&leaves, place).unwrap() }
}

pub(crate) fn required(needed: usize, keys: &[&Held]) -> Required {
    Required { needed, keys: keys.iter().map(|key| key.public()).collect() }
}
