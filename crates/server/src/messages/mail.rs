//! Mail by SMTP.

use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport as _};
use tenon_wire::Secret;

use super::plain;
use super::post::NotTaken;

/// Longest time for one answer of the mail server.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most of an answer that is told, in characters.
const MAX_ANSWER: usize = 200;

/// How mail leaves.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) safety: Safety,
    /// Name and password.
    pub(super) login: Option<(String, Secret)>,
    pub(super) from: Mailbox,
    pub(super) to: Vec<Mailbox>,
}

/// How what is told is kept from others on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Safety {
    /// TLS from the first byte (RFC 8314).
    Wrapped,
    /// TLS before anything is told (STARTTLS, RFC 3207).
    Upgraded,
    /// None: it does not leave this machine.
    Here,
}

impl Mail {
    /// Sends a text; blocks until the mail server has taken it.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub(super) fn send(&self, id: &str, subject: &str, text: &str) -> Result<(), NotTaken> {
        let not_taken = |why: String| NotTaken { why, wait: None };
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(subject)
            // The same for the same message: a repetition is one mail to most readers.
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let mut message = builder.body(text.to_owned()).map_err(|error| not_taken(error.to_string()))?;
        // RFC 3834: no out-of-office answers.
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        message.headers_mut().insert_raw(automatic);
        let parameters = || {
            let parameters = TlsParameters::new(self.host.clone());
            parameters.map_err(|error| not_taken(format!("{}: {error}", self.host)))
        };
        let tls = match self.safety {
            Safety::Wrapped => Tls::Wrapper(parameters()?),
            Safety::Upgraded => Tls::Required(parameters()?),
            Safety::Here => Tls::None,
        };
        let mut transport =
            SmtpTransport::builder_dangerous(&self.host).port(self.port).tls(tls).timeout(Some(PATIENCE));
        if let Some((user, password)) = &self.login {
            transport = transport.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        transport.build().send(&message).map(drop).map_err(|error| {
            let said = plain(&error.to_string(), MAX_ANSWER);
            not_taken(format!("{}: {said}", self.host))
        })
    }
}
