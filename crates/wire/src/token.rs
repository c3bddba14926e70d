//! One-time enrolment tokens.

use std::fmt;
use std::str::FromStr;

use tenon_model::{Digest, TokenId};

use crate::Secret;

/// First part of every token: names the format.
const FORMAT: &str = "tenon1";

/// What a new host needs to enrol: `tenon1.<id>.<secret>.<SHA-256 of the certificate authority>`. The last part lets
/// the host know the server before it trusts any certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolToken {
    /// Names the token in the record.
    pub id: TokenId,
    /// 32 random bytes in hexadecimal; presented once.
    pub secret: Secret,
    /// SHA-256 of the certificate authority's certificate (DER).
    pub authority: Digest,
}

/// A text that is no enrolment token. The text itself is not repeated: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an enrolment token ({reason}): copy the whole line that `tenon enrol-token` printed")]
pub struct TokenError {
    reason: &'static str,
}

impl EnrolToken {
    /// The token as it is handed to the host. Whoever reads it can enrol one host.
    pub fn reveal(&self) -> String {
        format!("{FORMAT}.{}.{}.{}", self.id, self.secret.expose(), self.authority)
    }
}

impl FromStr for EnrolToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let fail = |reason| TokenError { reason };
        let parts: Vec<&str> = text.trim().splitn(5, '.').collect();
        let [format, id, secret, authority] = parts[..] else { return Err(fail("it has not four parts")) };
        if format != FORMAT {
            return Err(fail("it does not begin with tenon1"));
        }
        if secret.len() != 64 || !secret.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(fail("its third part is not 64 hexadecimal digits"));
        }
        Ok(Self {
            id: id.parse().map_err(|_| fail("its second part is no token id"))?,
            secret: Secret::new(secret.to_owned()),
            authority: authority.parse().map_err(|_| fail("its last part is no SHA-256 digest"))?,
        })
    }
}

impl fmt::Display for EnrolToken {
    /// Only the public half.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FORMAT}.{}", self.id)
    }
}
