//! As much of a Redis client as a test needs: it knows all nodes and asks the primary among them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Result, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PORT: u16 = 6379;
/// How long one answer may take; a primary that hands over holds writes back meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many keys are asked for at once.
const BATCH: usize = 1_000;

/// The nodes of one service.
#[derive(Debug, Clone)]
pub(crate) struct Nodes(Vec<Ipv4Addr>);

impl Nodes {
    pub(crate) fn new(addresses: Vec<Ipv4Addr>) -> Self {
        Self(addresses)
    }

    /// How many nodes answer now, and which of them is the primary.
    pub(crate) fn seen(&self) -> (u64, Option<Ipv4Addr>) {
        let role = |node: &Ipv4Addr| Wire::to(*node).and_then(|mut wire| wire.ask(&["ROLE"])).ok();
        let roles: Vec<_> = self.0.iter().filter_map(|node| Some((*node, role(node)?))).collect();
        let primary = roles.iter().find(|(_, role)| role.first().is_some_and(|role| role == "master"));
        (roles.len() as u64, primary.map(|(node, _)| *node))
    }

    /// A connection to the node that is the primary; every node is asked once.
    fn primary(&self) -> Option<Wire> {
        self.0.iter().find_map(|node| {
            let mut wire = Wire::to(*node).ok()?;
            (wire.ask(&["ROLE"]).ok()?.first()? == "master").then_some(wire)
        })
    }

    /// Those of these keys that a node does not hold with their values.
    pub(crate) fn missing(&self, node: Ipv4Addr, wanted: &BTreeMap<String, u64>) -> Vec<String> {
        let mut wire = Wire::to(node).unwrap();
        let mut missing = Vec::new();
        let wanted: Vec<_> = wanted.iter().collect();
        for batch in wanted.chunks(BATCH) {
            let words: Vec<&str> =
                std::iter::once("MGET").chain(batch.iter().map(|(key, _)| key.as_str())).collect();
            let held = wire.ask(&words).unwrap();
            assert_eq!(held.len(), batch.len());
            let lacks = batch.iter().zip(held).filter(|((_, value), held)| *held != value.to_string());
            missing.extend(lacks.map(|((key, _), _)| (*key).clone()));
        }
        missing
    }
}

/// A client of the service.
pub(crate) struct Connection {
    nodes: Nodes,
    wire: Option<Wire>,
}

impl Connection {
    pub(crate) fn new(nodes: Nodes) -> Self {
        Self { nodes, wire: None }
    }

    /// The answer of the primary. Where the node that was it is gone, or is none any more, the client looks once who is it now and
    /// asks there; what it asks may be asked twice. `None` where that gives no answer either: the request failed.
    pub(crate) fn ask(&mut self, words: &[&str]) -> Option<String> {
        for _ in 0..2 {
            self.wire = self.wire.take().or_else(|| self.nodes.primary());
            if let Some(answer) =
                self.wire.as_mut()?.ask(words).ok().and_then(|answer| answer.into_iter().next())
            {
                return Some(answer);
            }
            self.wire = None;
        }
        None
    }
}

/// A connection to one node, in the protocol RESP 2.
struct Wire(BufReader<TcpStream>);

impl Wire {
    fn to(node: Ipv4Addr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&SocketAddr::from((node, PORT)), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Asks, and gives the parts of the answer; an error that the node tells is an error. Nothing where there is no value reads as
    /// an empty text.
    fn ask(&mut self, words: &[&str]) -> Result<Vec<String>> {
        let mut line = format!("*{}\r\n", words.len());
        for word in words {
            line.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.0.get_mut().write_all(line.as_bytes())?;
        let mut parts = Vec::new();
        self.read(&mut parts)?;
        Ok(parts)
    }

    fn read(&mut self, parts: &mut Vec<String>) -> Result<()> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").ok_or(ErrorKind::UnexpectedEof)?;
        let (kind, rest) = line.split_at_checked(1).ok_or(ErrorKind::InvalidData)?;
        let number = || rest.parse::<i64>().map_err(Error::other);
        match kind {
            "+" | ":" => parts.push(rest.to_owned()),
            "$" => {
                let mut text = vec![0; usize::try_from(number()?).map_or(0, |length| length + 2)];
                self.0.read_exact(&mut text)?;
                text.truncate(text.len().saturating_sub(2));
                parts.push(String::from_utf8(text).map_err(Error::other)?);
            }
            "*" => {
                for _ in 0..number()? {
                    self.read(parts)?;
                }
            }
            _ => return Err(Error::other(line.to_owned())),
        }
        Ok(())
    }
}
