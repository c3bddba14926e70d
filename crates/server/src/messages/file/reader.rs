//! Reading the file. `docs/operations.md` describes its shape.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use lettre::message::Mailbox;
use ring::hmac;
use tenon_formats::yaml::{self, Key, Node, Place, Value};
use tenon_formats::{Problem, Problems};
use tenon_model::GroupName;
use tenon_wire::Secret;
use ureq::http::Uri;

use super::{Addressee, Addressees, Way};
use crate::messages::hook::{Hook, MIN_KEY, signing_key};
use crate::messages::mail::{Mail, Safety};
use crate::messages::{Form, Topic, plain};

/// The version of the file's shape that is read.
const VERSION: &str = "1";
/// Most addressees: each reads the record for itself.
const MAX_ADDRESSEES: usize = 20;
/// Longest name of one, in characters.
const MAX_NAME: usize = 40;
/// Longest text of a problem, in characters.
const MAX_TEXT: usize = 300;
/// Most people that one mail goes to.
const MAX_RECIPIENTS: usize = 20;
/// How long a post waits for more, where nothing is said: what one event leads to comes within seconds.
const GATHER: Duration = Duration::from_secs(10);
const LONGEST_GATHER: Duration = Duration::from_secs(24 * 3_600);

/// What every addressee says, whatever its form.
const COMMON: [&str; 5] = ["url", "form", "about", "groups", "gather"];

/// What is told to an addressee.
struct Told {
    about: BTreeSet<Topic>,
    groups: Option<BTreeSet<GroupName>>,
    gather: Duration,
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

type Secrets<'k> = &'k dyn Fn(&str) -> Result<Secret, String>;

pub(super) fn read(text: &str, secret: Secrets<'_>) -> Result<Addressees, Problems> {
    let mut reader = Reader { problems: Vec::new(), secret };
    let read = reader.file(text);
    if reader.problems.is_empty() {
        return Ok(read);
    }
    reader.problems.sort();
    let mut problems = Problems::default();
    for (place, reason) in reader.problems {
        problems.push(Problem { place: place.to_string(), subject: None, reason });
    }
    Err(problems)
}

struct Reader<'k> {
    /// Where something is wrong, and what.
    problems: Vec<(Place, String)>,
    secret: Secrets<'k>,
}

impl Reader<'_> {
    fn problem(&mut self, place: Place, reason: impl Into<String>) {
        self.problems.push((place, plain(&reason.into(), MAX_TEXT)));
    }

    fn file(&mut self, text: &str) -> Addressees {
        let mut read = Addressees::default();
        let root = match yaml::read(text.as_bytes()) {
            Ok(root) => root,
            Err(error) => {
                self.problem(error.place, error.reason);
                return read;
            }
        };
        let (mut version, mut link) = (false, false);
        for (key, node) in self.entries(&root, &["version", "link", "to"]) {
            match key.text.as_str() {
                "version" => {
                    version = true;
                    if self.text(node).is_some_and(|text| text != VERSION) {
                        self.problem(node.place, format!("this program reads version {VERSION} of the file"));
                    }
                }
                "link" => {
                    link = true;
                    if let Some((_, address)) = self.address(node) {
                        read.link = address.trim_end_matches('/').to_owned();
                    }
                }
                _ => {
                    if let Value::Map(entries) = &node.value {
                        if entries.len() > MAX_ADDRESSEES {
                            let reason = format!("{} addressees, at most {MAX_ADDRESSEES}", entries.len());
                            self.problem(node.place, reason);
                        }
                        let known = entries.iter().take(MAX_ADDRESSEES);
                        read.to = known.filter_map(|(key, node)| self.addressee(key, node)).collect();
                    } else {
                        self.problem(node.place, "a name for each addressee, and under it what it is told");
                    }
                }
            }
        }
        if !version {
            self.problem(root.place, format!("it says which shape it has: `version: {VERSION}`"));
        }
        if !link {
            self.problem(root.place, "it says where people open Tenon: `link: https://tenon.example.org`");
        }
        read
    }

    fn addressee(&mut self, name: &Key, node: &Node) -> Option<Addressee> {
        let shape = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.text.is_empty() || name.text.len() > MAX_NAME || !name.text.chars().all(shape) {
            let reason =
                format!("a name has 1 to {MAX_NAME} letters, digits, dots and dashes, not {:?}", name.text);
            self.problem(name.place, reason);
        }
        let Value::Map(all) = &node.value else {
            self.problem(node.place, format!("keys with values: {}", COMMON.join(", ")));
            return None;
        };
        let stated = |key: &str| all.iter().find(|(known, _)| known.text == key).map(|(_, node)| node);
        let Some(form) = stated("form") else {
            let forms = Form::ALL.map(Form::name).join(", ");
            self.problem(name.place, format!("{}: how to write: `form:` {forms}", name.text));
            return None;
        };
        let form = self.one_of(form, Form::ALL, Form::name)?;
        let own: &[&str] = match form {
            Form::Mail => &["from", "recipients", "user", "password-file"],
            Form::Cloudevents | Form::Slack | Form::Teams => &["key-file"],
        };
        let entries = self.entries(node, &[&COMMON, own].concat());
        let mut addressee = Told { about: Topic::USUAL.into(), groups: None, gather: GATHER };
        for (key, node) in &entries {
            match key.text.as_str() {
                "about" => {
                    addressee.about =
                        self.each(node, |reader, node| reader.one_of(node, Topic::ALL, Topic::name));
                }
                "groups" => {
                    addressee.groups = Some(self.each(node, |reader, node| {
                        let parsed = reader.text(node)?.parse::<GroupName>();
                        parsed.map_err(|error| reader.problem(node.place, error.to_string())).ok()
                    }));
                }
                "gather" if form == Form::Cloudevents => {
                    self.problem(node.place, "each CloudEvent is posted by itself: leave `gather` out");
                }
                "gather" => addressee.gather = self.duration(node).unwrap_or(GATHER),
                _ => {}
            }
        }
        if form == Form::Cloudevents {
            addressee.gather = Duration::ZERO;
        }
        let Some(url) = stated("url") else {
            let example = if form == Form::Mail { "smtps://mail.example.org" } else { "https://..." };
            self.problem(name.place, format!("{}: where to post: `url: {example}`", name.text));
            return None;
        };
        let way = match form {
            Form::Mail => Way::Mail(Box::new(self.mail(url, name, &stated)?)),
            Form::Cloudevents | Form::Slack | Form::Teams => {
                let key = stated("key-file").and_then(|node| self.signing_key(node));
                let (host, url) = self.address(url)?;
                Way::Hook(Box::new(Hook { host, url: Secret::new(url), key }))
            }
        };
        let Told { about, groups, gather } = addressee;
        Some(Addressee { name: name.text.clone(), form, about, groups, gather, way })
    }

    /// How mail leaves: over TLS, or to this machine.
    fn mail<'n>(
        &mut self,
        url: &Node,
        name: &Key,
        stated: &dyn Fn(&str) -> Option<&'n Node>,
    ) -> Option<Mail> {
        let server = self.mail_server(url);
        let from = stated("from").and_then(|node| self.mailbox(node));
        if stated("from").is_none() {
            self.problem(name.place, format!("{}: who writes: `from: tenon@example.org`", name.text));
        }
        let mut to = Vec::new();
        match stated("recipients").map(|node| (node, &node.value)) {
            Some((_, Value::List(items))) if !items.is_empty() => {
                to = items.iter().take(MAX_RECIPIENTS).filter_map(|node| self.mailbox(node)).collect();
            }
            Some((node, _)) => self.problem(node.place, "a list of addresses: [ops@example.org]"),
            None => {
                self.problem(
                    name.place,
                    format!("{}: who reads: `recipients: [ops@example.org]`", name.text),
                );
            }
        }
        let user = stated("user").and_then(|node| self.text(node));
        let password = stated("password-file").and_then(|node| {
            let file = self.text(node)?;
            (self.secret)(file).map_err(|reason| self.problem(node.place, reason)).ok()
        });
        if stated("user").is_some() != stated("password-file").is_some() {
            self.problem(name.place, format!("{}: `user` and `password-file` go together", name.text));
        }
        let (host, port, safety) = server?;
        let login = user.map(str::to_owned).zip(password);
        Some(Mail { host, port, safety, login, from: from?, to })
    }

    fn mail_server(&mut self, node: &Node) -> Option<(String, u16, Safety)> {
        let text = self.text(node)?;
        let uri = text.parse::<Uri>().ok().filter(|uri| !text.contains('@') && uri.path().len() <= 1);
        let parts =
            uri.and_then(|uri| Some((uri.host()?.to_owned(), uri.port_u16(), uri.scheme_str()?.to_owned())));
        let read = parts.and_then(|(host, port, scheme)| {
            let (safety, usual) = match scheme.as_str() {
                "smtps" => (Safety::Wrapped, 465),
                "smtp" if is_here(&host) => (Safety::Here, 25),
                "smtp" => (Safety::Upgraded, 587),
                _ => return None,
            };
            Some((host, port.unwrap_or(usual), safety))
        });
        if read.is_none() {
            self.problem(
                node.place,
                "a mail server: smtps://mail.example.org, or smtp://mail.example.org, which must offer STARTTLS unless it is this \
                 machine's own",
            );
        }
        read
    }

    fn mailbox(&mut self, node: &Node) -> Option<Mailbox> {
        let text = self.text(node)?;
        let parsed = text.parse::<Mailbox>();
        parsed.map_err(|_| self.problem(node.place, format!("{text:?} is no mail address"))).ok()
    }

    fn entries<'n>(&mut self, node: &'n Node, known: &[&str]) -> Vec<(&'n Key, &'n Node)> {
        let Value::Map(entries) = &node.value else {
            self.problem(node.place, format!("keys with values: {}", known.join(", ")));
            return Vec::new();
        };
        let mut taken = Vec::new();
        for (key, node) in entries {
            if known.contains(&key.text.as_str()) {
                taken.push((key, node));
            } else {
                let reason = format!("{:?} is not known here: {}", key.text, known.join(", "));
                self.problem(key.place, reason);
            }
        }
        taken
    }

    fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        match &node.value {
            Value::Text(text) => Some(text),
            _ => {
                self.problem(node.place, "one text");
                None
            }
        }
    }

    fn one_of<T: Copy, const N: usize>(
        &mut self,
        node: &Node,
        all: [T; N],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.text(node)?;
        let found = all.into_iter().find(|one| name(*one) == text);
        if found.is_none() {
            self.problem(node.place, format!("{text:?} is none of {}", all.map(name).join(", ")));
        }
        found
    }

    fn each<T: Ord>(
        &mut self,
        node: &Node,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> BTreeSet<T> {
        let Value::List(items) = &node.value else {
            self.problem(node.place, "a list: [one, other]");
            return BTreeSet::new();
        };
        if items.is_empty() {
            self.problem(node.place, "the list is empty: nothing would be told");
        }
        items.iter().filter_map(|item| read(self, item)).collect()
    }

    /// An address with its host: over TLS, or to this machine.
    fn address(&mut self, node: &Node) -> Option<(String, String)> {
        let text = self.text(node)?;
        let uri = text.parse::<Uri>().ok();
        let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.host()?)));
        // What is wrong with it is told without it: the address of a webhook is a secret.
        let wrong = match parts {
            Some(_) if text.contains('@') => "an address without a user in it: sign with `key-file` instead",
            Some(("https", host)) => return Some((host.to_owned(), text.to_owned())),
            Some(("http", host)) if is_here(host) => return Some((host.to_owned(), text.to_owned())),
            Some(("http", _)) => "an https address: what is told would travel readable otherwise",
            _ => "no address of the form https://host/path",
        };
        self.problem(node.place, wrong);
        None
    }

    fn duration(&mut self, node: &Node) -> Option<Duration> {
        let text = self.text(node)?;
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let seconds = match unit {
            "s" => Some(1),
            "m" => Some(60),
            "h" => Some(3_600),
            _ => None,
        };
        let duration = number.parse::<u64>().ok().zip(seconds);
        let duration =
            duration.and_then(|(number, seconds)| number.checked_mul(seconds)).map(Duration::from_secs);
        let duration = duration.filter(|duration| *duration <= LONGEST_GATHER);
        if duration.is_none() {
            self.problem(node.place, format!("{text:?} is no time up to 24h, as in 30s, 10m or 24h"));
        }
        duration
    }

    fn signing_key(&mut self, node: &Node) -> Option<hmac::Key> {
        let file = self.text(node)?;
        let short = || {
            format!("{file} holds no key of {MIN_KEY} bytes or more: make one with `openssl rand -hex 32`")
        };
        let key = (self.secret)(file).and_then(|text| signing_key(&text).ok_or_else(short));
        key.map_err(|reason| self.problem(node.place, reason)).ok()
    }
}
