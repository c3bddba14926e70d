//! Becoming an asset.

use rcgen::{CertificateParams, KeyPair};
use tenon_host::System;
use tenon_model::Digest;
use tenon_wire::{EnrolRequest, EnrolResponse, EnrolToken, path};

use crate::client::{Client, Trust};
use crate::error::AgentError;
use crate::state::{AgentState, Identity};

/// Enrols this host with the server at `url` (the agents' gateway). The key is made here and stays here.
///
/// The server is known by the token before anything is told to it: it shows its authority, whose digest must be the
/// one in the token; only then, and over TLS that this authority vouches for, the token's secret is sent.
///
/// # Errors
/// When the host is enrolled already, the server is another one, the token is not accepted, or the network fails.
pub fn enrol(
    state: &AgentState,
    url: &str,
    token: &EnrolToken,
    hostname: &str,
) -> Result<Identity, AgentError> {
    if let Some(identity) = state.identity()? {
        return Err(AgentError::Enrolled { asset: identity.asset, path: state.root().to_owned() });
    }
    let authority = Client::new(url, &Trust::Unknown)?.get_text(path::AUTHORITY)?;
    if digest_of_pem(&authority) != Some(token.authority) {
        return Err(AgentError::OtherAuthority { url: url.to_owned() });
    }
    let key = KeyPair::generate()?;
    let request = CertificateParams::new(Vec::new())?.serialize_request(&key)?.pem()?;
    // The key is kept first: a certificate without its key would be of no use, and the token is used up by then.
    state.write("key.pem", &key.serialize_pem())?;
    let client = Client::new(url, &Trust::Authority { authority: &authority, identity: None })?;
    let request = EnrolRequest {
        request,
        hostname: hostname.to_owned(),
        machine: tenon_host::machine(&System::live()),
        token: token.id.clone(),
        secret: token.secret.clone(),
    };
    let answer: EnrolResponse = client.post(path::ENROL, &request)?;
    state.write("authority.pem", &authority)?;
    state.write("certificate.pem", &answer.certificate)?;
    let identity = Identity { asset: answer.asset, server: url.to_owned(), order_key: answer.order_key };
    state.write_json("identity.json", &identity)?;
    Ok(identity)
}

/// SHA-256 of the one certificate (DER) in a PEM text.
fn digest_of_pem(pem: &str) -> Option<Digest> {
    let certificate = ureq::tls::Certificate::from_pem(pem.as_bytes()).ok()?;
    Some(Digest::of(certificate.der()))
}
