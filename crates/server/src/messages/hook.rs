//! A post over HTTP, signed, within bounds of time.

use std::io::Read as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use tenon_model::Timestamp;
use tenon_wire::Secret;
use ureq::Agent;
use ureq::http::header::RETRY_AFTER;

use super::plain;
use super::post::NotTaken;

/// Longest time for one post, from looking up the name to the answer's head.
const WHOLE: Duration = Duration::from_secs(20);
/// Shortest key that signs, in bytes, as Standard Webhooks asks.
pub(super) const MIN_KEY: usize = 24;
/// Most of an answer that is told, in bytes.
const MAX_ANSWER: u64 = 200;
/// Longest wait that the other side can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Where to post. Who knows the address of a chat's webhook can write there: it is a secret.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    pub(super) url: Secret,
    /// The host in it, which is none.
    pub(super) host: String,
    /// What signs each post.
    pub(super) key: Option<hmac::Key>,
}

/// Posts. Redirects are not followed: what is told goes where the file says, and nowhere else.
#[derive(Debug, Clone)]
pub(super) struct Client(Agent);

impl Client {
    /// Proxies come from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(WHOLE))
            .user_agent(concat!("tenon/", env!("CARGO_PKG_VERSION")))
            .build();
        Self(config.new_agent())
    }

    /// Sends a post at `now`; blocks until there is an answer.
    ///
    /// # Errors
    /// [`NotTaken`], without the address, which is a secret.
    pub(super) fn send(
        &self,
        to: &Hook,
        id: &str,
        (content_type, body): (&str, &[u8]),
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        let mut request = self.0.post(to.url.expose()).header("content-type", content_type);
        if let Some(key) = &to.key {
            // Standard Webhooks 1.0: the id and the time are signed with the body.
            let seconds = now.as_millis() / 1_000;
            let signature = sign(key, id, seconds, body);
            request = request
                .header("webhook-id", id)
                .header("webhook-timestamp", seconds.to_string())
                .header("webhook-signature", signature);
        }
        let no_answer = |error: ureq::Error| NotTaken {
            why: format!("{} gives no answer: {}", to.host, said(&error)),
            wait: None,
        };
        let mut answer = request.send(body).map_err(no_answer)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let mut bytes = Vec::new();
        // What an error page says is welcome, and nothing depends on it.
        let _read = answer.body_mut().as_reader().take(MAX_ANSWER).read_to_end(&mut bytes);
        let words = plain(&String::from_utf8_lossy(&bytes), bytes.len());
        let words = if words.trim().is_empty() { String::new() } else { format!(": {}", words.trim()) };
        Err(NotTaken {
            why: format!("{} answers {status}{words}", to.host),
            wait: wait.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT)),
        })
    }
}

/// What went wrong, in words that hold no address.
fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "its name is not known".to_owned(),
        ureq::Error::Timeout(_) => format!("not within {} s", WHOLE.as_secs()),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::Rustls(error) => error.to_string(),
        _ => "the request failed".to_owned(),
    }
}

/// A key that signs; `None` where the text holds none that is long enough. What stands behind `whsec_` is Base64, as Standard
/// Webhooks writes keys; others are taken as they are.
pub(super) fn signing_key(text: &Secret) -> Option<hmac::Key> {
    let bytes = match text.expose().strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok()?,
        None => text.expose().as_bytes().to_vec(),
    };
    (bytes.len() >= MIN_KEY).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn sign(key: &hmac::Key, id: &str, seconds: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(format!("{id}.{seconds}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks libraries.
    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        let key = signing_key(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned())).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
