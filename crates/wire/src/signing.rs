//! The signature under every order: Ed25519 (RFC 8032) over a domain tag and the exact bytes.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use tenon_model::Order;

use crate::message::MAX_ORDER_BYTES;

/// Precedes the order's bytes under the signature, so that no other signature of this key can pass for an order.
const DOMAIN: &[u8] = b"tenon order v1\0";

/// The server's online key for orders.
pub struct DirectiveKey(SigningKey);

impl DirectiveKey {
    /// The key with this 32-byte seed, which must come from the system's random source.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The half that agents keep.
    pub fn public(&self) -> DirectivePublicKey {
        DirectivePublicKey(self.0.verifying_key())
    }

    /// Signs an order.
    ///
    /// # Errors
    /// When the order does not encode, or is above [`MAX_ORDER_BYTES`].
    pub fn sign(&self, order: &Order) -> Result<SignedOrder, SignatureError> {
        let body =
            serde_json::to_string(order).map_err(|source| SignatureError::Encoding(source.to_string()))?;
        if body.len() > MAX_ORDER_BYTES {
            return Err(SignatureError::TooLarge { size: body.len() });
        }
        let signature = self.0.sign(&signed_bytes(&body));
        Ok(SignedOrder { order: body, signature: hex::encode(signature.to_bytes()) })
    }
}

impl fmt::Debug for DirectiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DirectiveKey({})", self.public())
    }
}

/// The public half of a [`DirectiveKey`]; printed as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectivePublicKey(VerifyingKey);

/// A text that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an Ed25519 public key in 64 hexadecimal digits")]
pub struct KeyError(String);

impl fmt::Display for DirectivePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl FromStr for DirectivePublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let error = || KeyError(text.chars().take(80).collect());
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| error())?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| error())?;
        // A key of small order would accept signatures that nobody made.
        if key.is_weak() { Err(error()) } else { Ok(Self(key)) }
    }
}

/// An order as it travels: the exact bytes that were signed, and the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOrder {
    /// The order's JSON, exactly as signed. Never re-encode it.
    pub order: String,
    /// Ed25519 signature, 128 hexadecimal digits.
    pub signature: String,
}

/// Why an order cannot be signed, or a signed one not be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Larger than any order is.
    #[error("an order of {size} bytes is above the limit of {MAX_ORDER_BYTES}")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// Not made by the key this host enrolled with.
    #[error("the signature under the order is not by the key that this host enrolled with")]
    Wrong,
    /// Signed, and still no order.
    #[error("not an order: {0}")]
    Encoding(String),
}

impl SignedOrder {
    /// Checks the signature over the exact bytes, then reads the order.
    ///
    /// # Errors
    /// A [`SignatureError`]; nothing of the order may be used then.
    pub fn verify(&self, key: &DirectivePublicKey) -> Result<Order, SignatureError> {
        if self.order.len() > MAX_ORDER_BYTES {
            return Err(SignatureError::TooLarge { size: self.order.len() });
        }
        let mut bytes = [0; 64];
        hex::decode_to_slice(&self.signature, &mut bytes).map_err(|_| SignatureError::Wrong)?;
        let signature = Signature::from_bytes(&bytes);
        key.0.verify_strict(&signed_bytes(&self.order), &signature).map_err(|_| SignatureError::Wrong)?;
        serde_json::from_str(&self.order).map_err(|source| SignatureError::Encoding(source.to_string()))
    }
}

fn signed_bytes(body: &str) -> Vec<u8> {
    [DOMAIN, body.as_bytes()].concat()
}
