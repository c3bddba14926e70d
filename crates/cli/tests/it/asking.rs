//! Somebody outside of the hosts who asks the service of each every 200 ms, and what that shows of their pairs.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tenon_fleet::Lab;

use crate::estate::{Fleet, PORT};

const EVERY: Duration = Duration::from_millis(200);
/// What a service has for its answer.
const ANSWER: Duration = Duration::from_millis(150);

/// Of a round in which every service was asked: when, and which version each answered with, if it did.
pub(crate) type Round = (Instant, Vec<Option<String>>);

/// How a service is asked.
#[derive(Clone, Copy)]
pub(crate) struct Service {
    pub(crate) port: u16,
    pub(crate) request: &'static str,
}

/// Answers whoever connects.
pub(crate) const TOYD: Service = Service { port: PORT, request: "" };

/// Somebody outside who asks every service again and again.
pub(crate) struct Prober {
    stop: Sender<()>,
    asks: JoinHandle<Vec<Round>>,
}

impl Prober {
    /// Asks this service of all hosts.
    pub(crate) fn begin(lab: &Lab, fleet: &Fleet, service: Service) -> Self {
        let hosts: Vec<Ipv4Addr> = fleet.members.iter().map(|member| member.host.ip()).collect();
        let (stop, stopped) = channel();
        let lab = lab.clone();
        let asks = std::thread::spawn(move || {
            let ask = move || {
                let mut rounds = Vec::new();
                loop {
                    let begun = Instant::now();
                    rounds.push((begun, ask_all(&hosts, service)));
                    match stopped.recv_timeout(EVERY.saturating_sub(begun.elapsed())) {
                        Err(RecvTimeoutError::Timeout) => {}
                        _ => return rounds,
                    }
                }
            };
            lab.within(ask).unwrap()
        });
        Self { stop, asks }
    }

    pub(crate) fn end(self) -> Vec<Round> {
        drop(self.stop);
        self.asks.join().unwrap()
    }
}

/// Asks all at the same moment: one that is away does not delay the question to another.
fn ask_all(hosts: &[Ipv4Addr], service: Service) -> Vec<Option<String>> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = hosts.iter().map(|ip| scope.spawn(|| answer(*ip, service))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    })
}

/// The first line of what it says.
fn answer(ip: Ipv4Addr, service: Service) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((ip, service.port)), ANSWER).ok()?;
    stream.set_read_timeout(Some(ANSWER)).ok()?;
    stream.write_all(service.request.as_bytes()).ok()?;
    let mut said = String::new();
    stream.read_to_string(&mut said).ok()?;
    said.lines().next().map(str::to_owned)
}

impl Fleet {
    /// Holds what was asked against what must be: of no pair both were away at once.
    pub(crate) fn judge(&self, rounds: &[Round]) -> Judged {
        let mut judged = Judged { least: 2, ..Judged::default() };
        let mut away: Vec<Option<Instant>> = vec![None; self.members.len()];
        let mut last = None;
        for (at, answers) in rounds {
            for (pair, [a, b]) in &self.pairs {
                let healthy = [a, b].into_iter().filter(|half| answers[**half].is_some()).count();
                assert!(healthy > 0, "nobody of {pair} answered");
                judged.least = judged.least.min(healthy);
            }
            for (since, answer) in away.iter_mut().zip(answers) {
                match (answer, *since) {
                    (None, None) => *since = Some(*at),
                    (Some(_), Some(gone)) => {
                        judged.longest_away = judged.longest_away.max(at.duration_since(gone));
                        *since = None;
                    }
                    _ => {}
                }
            }
            let between = last.replace(*at).map_or(Duration::ZERO, |last| at.duration_since(last));
            judged.longest_between = judged.longest_between.max(between);
            judged.rounds += 1;
            judged.asked += answers.len();
            judged.failed += answers.iter().filter(|answer| answer.is_none()).count();
        }
        assert!(away.iter().all(Option::is_none), "some never came back: {away:?}");
        judged
    }
}

/// What the asking showed.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    rounds: usize,
    asked: usize,
    failed: usize,
    /// Of a pair, the fewest that answered in one round.
    least: usize,
    /// For how long one service gave no answer.
    longest_away: Duration,
    /// Between the beginnings of two rounds: what is shorter may have been missed.
    longest_between: Duration,
}

impl std::fmt::Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "services asked {} times in {} rounds, at most {:.2?} apart; {} without an answer, one away for at most {:.1?}; of a \
             pair never fewer than {} of 2",
            self.asked, self.rounds, self.longest_between, self.failed, self.longest_away, self.least
        )
    }
}
