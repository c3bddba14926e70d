//! The other parts of the document: zones, flows, teams, services, redundancy groups, rules.

use tenon_model::context::{
    Condition, Criticality, Environment, Flow, FlowProtocol, Listening, PortRange, Redundancy, Reference,
    Rule, Sensitivity, ServiceEntry, Team, Zone,
};
use tenon_model::{Probability, Protocol};

use super::Reader;
use crate::yaml::Node;

/// Longest contact of a team, in characters.
const MAX_CONTACT: usize = 200;

impl Reader {
    pub(super) fn zone(&mut self, node: &Node) -> Zone {
        let mut zone = Zone::default();
        for (key, node) in self.keys(node, &["networks", "entry"]) {
            match key {
                "networks" => zone.networks = self.values(node).into_iter().map(|(net, _)| net).collect(),
                "entry" => zone.entry = self.probability(node),
                _ => {}
            }
        }
        zone
    }

    fn probability(&mut self, node: &Node) -> Option<Probability> {
        let text = self.text(node)?;
        let known = probability(text);
        if known.is_none() {
            self.problem(node.place, format!("{text:?} is no probability: write 0 to 1, like 0.05"));
        }
        known
    }

    pub(super) fn flow(&mut self, node: &Node) -> Option<Flow> {
        let (mut from, mut to) = (None, None);
        let (mut protocol, mut ports) = (FlowProtocol::Any, None);
        for (key, node) in self.keys(node, &["from", "to", "protocol", "ports"]) {
            match key {
                "from" => from = self.reference(node, Reference::Zone),
                "to" => to = self.reference(node, Reference::Zone),
                "protocol" => match self.text(node)? {
                    "tcp" => protocol = FlowProtocol::Tcp,
                    "udp" => protocol = FlowProtocol::Udp,
                    "any" => protocol = FlowProtocol::Any,
                    other => self.problem(node.place, format!("{other:?} is none of tcp, udp, any")),
                },
                "ports" => ports = Some(self.values(node).into_iter().map(|(range, _)| range).collect()),
                _ => {}
            }
        }
        let ports = ports.unwrap_or_else(|| [PortRange::ALL].into());
        match (from, to) {
            (Some(from), Some(to)) => Some(Flow { from, to, protocol, ports }),
            _ => {
                self.problem(node.place, "a flow needs from and to");
                None
            }
        }
    }

    pub(super) fn team(&mut self, node: &Node) -> Team {
        let mut team = Team::default();
        for (_, node) in self.keys(node, &["contact"]) {
            team.contact = self.text(node).map(|text| crate::text::one_line(text, MAX_CONTACT));
        }
        team
    }

    pub(super) fn service(&mut self, node: &Node) -> ServiceEntry {
        let mut service = ServiceEntry::default();
        let known = ["team", "environment", "sensitivity", "criticality", "depends_on"];
        for (key, node) in self.keys(node, &known) {
            match key {
                "team" => service.team = self.reference(node, Reference::Team),
                "environment" => service.environment = self.point(node, Environment::ALL),
                "sensitivity" => service.sensitivity = self.point(node, Sensitivity::ALL),
                "criticality" => service.criticality = self.point(node, Criticality::ALL),
                "depends_on" => service.depends_on = self.references(node, Reference::Service),
                _ => {}
            }
        }
        service
    }

    pub(super) fn redundancy(&mut self, node: &Node) -> Redundancy {
        let mut minimum = None;
        for (_, node) in self.keys(node, &["minimum"]) {
            minimum = self.value(node);
        }
        if minimum.is_none() {
            self.problem(node.place, "a redundancy group needs a minimum: how many must be healthy");
        }
        Redundancy { minimum: minimum.unwrap_or_default() }
    }

    pub(super) fn rule(&mut self, node: &Node) -> Option<Rule> {
        let (mut when, mut set) = (None, None);
        for (key, node) in self.keys(node, &["when", "set"]) {
            match key {
                "when" => when = Some(self.condition(node)),
                "set" => set = Some(self.labels(node)),
                _ => {}
            }
        }
        let when = when.filter(|when| !when.is_empty());
        let set = set.filter(|set| !set.is_empty());
        match (when, set) {
            (Some(when), Some(set)) => Some(Rule { when, set }),
            _ => {
                let reason = "a rule needs `when` with a condition and `set` with something to say; what counts for every \
                              asset stands under defaults";
                self.problem(node.place, reason);
                None
            }
        }
    }

    fn condition(&mut self, node: &Node) -> Condition {
        let mut condition = Condition::default();
        for (key, node) in self.keys(node, &["host", "group", "package", "listens"]) {
            match key {
                "host" => condition.host = self.value(node),
                "group" => condition.group = self.value(node),
                "package" => condition.package = self.value(node),
                "listens" => condition.listens = self.listening(node),
                _ => {}
            }
        }
        condition
    }

    /// `5432`, `8000-8100`, `tcp 5432` or `tcp/5432`
    fn listening(&mut self, node: &Node) -> Option<Listening> {
        let text = self.text(node)?;
        let (protocol, ports) = match text.split_once([' ', '/']) {
            Some(("tcp", ports)) => (Some(Protocol::Tcp), ports),
            Some(("udp", ports)) => (Some(Protocol::Udp), ports),
            Some(_) => {
                self.problem(node.place, format!("{text:?} is no port: write 443, 8000-8100 or tcp 443"));
                return None;
            }
            None => (None, text),
        };
        match ports.parse() {
            Ok(ports) => Some(Listening { protocol, ports }),
            Err(error) => {
                self.problem(node.place, error.to_string());
                None
            }
        }
    }
}

/// Parts per million of a decimal from 0 to 1, with at most six digits behind the point.
fn probability(text: &str) -> Option<Probability> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 1 || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let millionths: u32 = format!("{fraction:0<6}").parse().ok()?;
    Probability::from_ppm(whole.parse::<u32>().ok()?.checked_mul(1_000_000)?.checked_add(millionths)?)
}
