//! Who an attacker can reach: from zones where attacks begin, over allowed flows, to what listens and is vulnerable.
//!
//! ```text
//! Network (zones, flows, classes of hosts) --edits--> weights of zone to zone --solve--> Reach: bounds for zones,
//!                                                                                        classes, findings; best paths
//! ```
//!
//! **Classes, not hosts.** Hosts of one zone with the same findings are one class and stand or fall together: an exploit that
//! works on one works on all.
//!
//! **The graph.** An attacker is in a zone because attacks begin there, or because a host in it was taken from another zone.
//! A host is taken from another zone by a vulnerability of the network that needs neither privileges nor a person, in
//! something that listens on a port to which a flow is allowed. From inside its zone, adjacent vectors, people and
//! whatever listens serve as well. Vectors that are local, or that need privileges, need a foothold on the host first. What was
//! gained is never lost (monotone).
//!
//! **The bounds.** Every exploit works or does not, independently of others; whether one can be there is exact only by
//! trying all combinations. `best` is the most likely single path, rounded down: never more than the exact value, since the
//! exploits of a path through different zones are different ones. `union` joins all ways by noisy-or, rounded up: never less,
//! since ways that share exploits are positively correlated (Harris's inequality), and so are the beginnings of attacks, which
//! are solved one by one. Circles: a way that returns to where it came from gains nothing and is left out; longer circles
//! are cut by counting no more steps than there are zones, which no way without circles exceeds.
//!
//! No clock, no I/O, no randomness, no floats: parts per billion inside, parts per million outside.

mod network;
mod part;
mod solve;
mod what_if;

pub use network::{Class, ClassId, Finding, Network, NetworkError, Rule, Service, Vector, ZoneId};
pub use part::Part;
pub use solve::{Bounds, Reach, Step};
pub use what_if::{ChokePoint, Difference};
