//! Keys of people and the signatures that they make with `ssh-keygen -Y sign`: SSHSIG (PROTOCOL.sshsig of OpenSSH) by
//! Ed25519, in a file, an agent or a hardware key (PROTOCOL.u2f).

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, VerifyingKey};
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, PublicKey, SshSig};
use tenon_model::{Digest, KeyFingerprint};

use crate::statement::{MAX_STATEMENT, NAMESPACE};

/// Longest line of a key, in bytes.
const MAX_KEY: usize = 1_024;
/// Longest comment of a key that is kept, in characters.
const MAX_COMMENT: usize = 80;
/// Longest signature, in bytes. Those of `ssh-keygen` have some hundred.
const MAX_SIGNATURE: usize = 2_048;
/// Of a signature by a hardware key: that somebody touched it.
const TOUCHED: u8 = 1;

/// The public half of a key that a person holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonKey {
    data: KeyData,
    comment: String,
    fingerprint: KeyFingerprint,
}

/// A text that is no key which is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the line of a public key.
    #[error("not the line of a public key, as in `ssh-ed25519 AAAA... alice@example` ({0})")]
    Shape(String),
    /// A key of another type.
    #[error(
        "{0} is not taken: ssh-ed25519 and sk-ssh-ed25519@openssh.com are (`ssh-keygen -t ed25519`, or -t ed25519-sk)"
    )]
    Type(String),
    /// A point that accepts signatures which nobody made.
    #[error("a weak key, which accepts signatures that nobody made")]
    Weak,
}

impl PersonKey {
    fn of(data: KeyData, comment: &str) -> Result<Self, KeyError> {
        let point = match &data {
            KeyData::Ed25519(key) => key.0,
            KeyData::SkEd25519(key) => key.public_key().0,
            other => return Err(KeyError::Type(other.algorithm().to_string())),
        };
        let point = VerifyingKey::from_bytes(&point).map_err(|error| KeyError::Shape(error.to_string()))?;
        if point.is_weak() {
            return Err(KeyError::Weak);
        }
        let fingerprint = data.fingerprint(HashAlg::Sha256).to_string();
        let fingerprint =
            fingerprint.parse().map_err(|_| KeyError::Shape("it has no fingerprint".to_owned()))?;
        let plain = comment.chars().filter(|c| !c.is_control());
        Ok(Self { data, comment: plain.take(MAX_COMMENT).collect(), fingerprint })
    }

    /// Whether both are the same key, whatever is written beside it.
    pub fn is(&self, other: &Self) -> bool {
        self.data == other.data
    }

    /// Its fingerprint.
    pub fn fingerprint(&self) -> &KeyFingerprint {
        &self.fingerprint
    }
}

impl FromStr for PersonKey {
    type Err = KeyError;

    fn from_str(line: &str) -> Result<Self, KeyError> {
        if line.len() > MAX_KEY {
            return Err(KeyError::Shape(format!("it is longer than {MAX_KEY} bytes")));
        }
        if line.chars().any(char::is_control) {
            return Err(KeyError::Shape("it holds line ends or other control characters".to_owned()));
        }
        let kind = line.split_whitespace().next().unwrap_or_default();
        let key = PublicKey::from_openssh(line).map_err(|error| match kind {
            "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" => KeyError::Shape(error.to_string()),
            kind if kind.contains("ssh-") || kind.contains("ecdsa-") => {
                KeyError::Type(kind.chars().take(60).collect())
            }
            _ => KeyError::Shape(error.to_string()),
        })?;
        Self::of(key.key_data().clone(), key.comment())
    }
}

impl fmt::Display for PersonKey {
    /// The fingerprint, and the comment where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fingerprint)?;
        if self.comment.is_empty() { Ok(()) } else { write!(f, " ({})", self.comment) }
    }
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a signature of `ssh-keygen -Y sign`.
    #[error("not a signature as `ssh-keygen -Y sign -n {NAMESPACE}` writes it ({0})")]
    Shape(String),
    /// Made for something else.
    #[error("it was made for {0:?}, not for {NAMESPACE:?}")]
    Namespace(String),
    /// By a key of a type that is not taken.
    #[error("its key: {0}")]
    Key(#[from] KeyError),
    /// Over another text, or by another key than it says.
    #[error("it is not over this statement, or not by the key that it names")]
    Wrong,
    /// By a hardware key that nobody touched.
    #[error("nobody touched the hardware key: make the key without `-O no-touch-required`")]
    Untouched,
}

/// A signature that is right: only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    key: PersonKey,
}

impl Signed {
    /// The key that made it.
    pub fn key(&self) -> &PersonKey {
        &self.key
    }
}

/// Checks a signature over the exact text of a statement, by the key that it names. Whether that key counts is another question.
///
/// # Errors
/// A [`SignatureError`]: nobody is known to have signed.
pub fn verify(statement: &str, signature: &str) -> Result<Signed, SignatureError> {
    let shape = |why: String| SignatureError::Shape(why);
    if signature.len() > MAX_SIGNATURE || statement.len() > MAX_STATEMENT {
        return Err(shape("it is too long".to_owned()));
    }
    let read = SshSig::from_pem(signature).map_err(|error| shape(error.to_string()))?;
    // One signature has one text: what is equal is the same, and nothing rides along.
    let written = read.to_pem(LineEnding::LF).map_err(|error| shape(error.to_string()))?;
    if written.trim_end() != signature.trim_end_matches('\n') || read.version() != SshSig::VERSION {
        return Err(shape("it is not written as ssh-keygen writes it".to_owned()));
    }
    if !read.reserved().is_empty() {
        return Err(shape("it holds what no version of it holds".to_owned()));
    }
    if read.namespace() != NAMESPACE {
        return Err(SignatureError::Namespace(read.namespace().chars().take(40).collect()));
    }
    let key = PersonKey::of(read.public_key().clone(), "")?;
    if read.algorithm() != read.public_key().algorithm() {
        return Err(SignatureError::Wrong);
    }
    let message = SshSig::signed_data(NAMESPACE, read.hash_alg(), statement.as_bytes())
        .map_err(|error| shape(error.to_string()))?;
    match read.public_key() {
        KeyData::SkEd25519(hardware) => {
            let (signed, tail) = read.signature_bytes().split_at_checked(64).ok_or(SignatureError::Wrong)?;
            // Flags and counter, which the key itself adds.
            if tail.len() != 5 {
                return Err(SignatureError::Wrong);
            }
            let (application, message) =
                (Digest::of(hardware.application().as_bytes()), Digest::of(&message));
            let asserted = [&application.as_bytes()[..], tail, message.as_bytes()].concat();
            check(&hardware.public_key().0, &asserted, signed)?;
            if tail.first().is_none_or(|flags| flags & TOUCHED == 0) {
                return Err(SignatureError::Untouched);
            }
        }
        KeyData::Ed25519(key) => check(&key.0, &message, read.signature_bytes())?,
        _ => return Err(SignatureError::Wrong),
    }
    Ok(Signed { key })
}

fn check(key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let key = VerifyingKey::from_bytes(key).map_err(|_| SignatureError::Wrong)?;
    let signature = Signature::from_slice(signature).map_err(|_| SignatureError::Wrong)?;
    key.verify_strict(message, &signature).map_err(|_| SignatureError::Wrong)
}
