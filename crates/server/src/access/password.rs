//! Passwords: argon2id, never kept, never compared as they are.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tenon_wire::Secret;
use tokio::sync::Semaphore;

/// Shortest password, in characters. Length is what counts (NIST SP 800-63B, section 5.1.1.2).
pub(crate) const MIN_PASSWORD: usize = 12;
/// Longest password, in bytes: what is hashed must be bounded.
pub(crate) const MAX_PASSWORD: usize = 256;
/// Hashes computed at a time: each takes its memory and tens of milliseconds.
const AT_A_TIME: usize = 2;

/// 19 MiB, two passes, one lane: the first recommendation of OWASP's Password Storage Cheat Sheet for argon2id.
fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes passwords, a few at a time.
#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    /// What is checked for a name that nobody has, so that the time taken does not tell.
    nobodys: Arc<str>,
}

/// Why a password is not accepted, or could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("a password has at least {MIN_PASSWORD} characters: several words are easy to keep in mind")]
    TooShort,
    #[error("a password has at most {MAX_PASSWORD} bytes")]
    TooLong,
    #[error("the password cannot be hashed: {0}")]
    Failed(String),
}

impl Passwords {
    /// # Errors
    /// When the system's random source fails.
    pub(crate) fn new() -> Result<Self, PasswordError> {
        let nobodys = hash(b"nobody's password").map(Arc::from)?;
        Ok(Self { permits: Arc::new(Semaphore::new(AT_A_TIME)), nobodys })
    }

    /// The hash to keep of a new password.
    ///
    /// # Errors
    /// When it is too short or too long, or hashing fails.
    pub(crate) async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        if password.expose().chars().count() < MIN_PASSWORD {
            return Err(PasswordError::TooShort);
        }
        if password.expose().len() > MAX_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        self.run(move || hash(password.expose().as_bytes())).await?
    }

    /// Whether this is the password of the hash; of nobody's where there is none.
    ///
    /// # Errors
    /// When hashing fails.
    pub(crate) async fn verify(&self, password: Secret, kept: Option<String>) -> Result<bool, PasswordError> {
        if password.expose().len() > MAX_PASSWORD {
            return Ok(false);
        }
        let nobodys = self.nobodys.clone();
        self.run(move || {
            let text = kept.as_deref().unwrap_or(&nobodys);
            let hash = PasswordHash::new(text).map_err(|error| PasswordError::Failed(error.to_string()))?;
            let right = hasher().verify_password(password.expose().as_bytes(), &hash).is_ok();
            Ok(right && kept.is_some())
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let failed = |error: String| PasswordError::Failed(error);
        let _permit = self.permits.acquire().await.map_err(|error| failed(error.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(error.to_string()))
    }
}

fn hash(password: &[u8]) -> Result<String, PasswordError> {
    let failed = |error: String| PasswordError::Failed(error);
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| failed(error.to_string()))?;
    let hash =
        hasher().hash_password_with_salt(password, &salt).map_err(|error| failed(error.to_string()))?;
    Ok(hash.to_string())
}
