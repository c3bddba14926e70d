//! What the inventory tells where nobody states anything: the zone by addresses, the exposure by listeners.

use std::net::IpAddr;

use tenon_model::{ContextDocument, Listener, Probability, SystemExposure, ZoneName};

use super::{Source, Sourced};
use crate::assets::AssetState;

/// The zone with the narrowest network that holds an address of the asset; of equals the first by name.
pub(super) fn zone(
    asset: &AssetState,
    document: &ContextDocument,
    version: u32,
) -> Option<Sourced<ZoneName>> {
    let mut best: Option<(u8, &ZoneName)> = None;
    for (name, zone) in &document.zones {
        let holds = zone.networks.iter().filter(|net| asset.addresses.iter().any(|at| net.contains(*at)));
        if let Some(prefix) = holds.map(|net| net.prefix()).max()
            && best.is_none_or(|(known, _)| prefix > known)
        {
            best = Some((prefix, name));
        }
    }
    best.map(|(_, name)| Sourced { value: name.clone(), source: Source::Network { version } })
}

fn listeners(asset: &AssetState) -> &[Listener] {
    asset.profile().map(|profile| profile.listeners.as_slice()).unwrap_or_default()
}

/// Whether the Internet reaches a listener over the allowed flows. Zones where an attacker is certain to be stand for
/// the Internet. `None` where the document names none, or nobody knows what the asset listens on.
pub(super) fn by_flows(
    asset: &AssetState,
    zone: &ZoneName,
    document: &ContextDocument,
    version: u32,
) -> Option<Sourced<SystemExposure>> {
    let certain =
        |name: &ZoneName| document.zones.get(name).is_some_and(|zone| zone.entry == Some(Probability::ONE));
    if !document.zones.keys().any(certain) {
        return None;
    }
    let told = |value| Some(Sourced { value, source: Source::Flows { version } });
    if certain(zone) {
        return told(SystemExposure::Open);
    }
    let mut flows = document.flows.iter().filter(|flow| flow.to == *zone && certain(&flow.from)).peekable();
    if flows.peek().is_none() {
        return told(SystemExposure::Controlled);
    }
    let listeners = listeners(asset);
    if listeners.is_empty() {
        return None;
    }
    let reached = |listener: &Listener| !listener.is_loopback();
    let open = flows.any(|flow| {
        let mut reached = listeners.iter().filter(|listener| reached(listener));
        reached.any(|listener| flow.allows(listener.protocol, listener.port))
    });
    told(if open { SystemExposure::Open } else { SystemExposure::Controlled })
}

/// Who can reach what the asset listens on, by the addresses alone: a wall in between is not seen, so a public address
/// counts as open until somebody says otherwise. `None` where that is not known.
pub(super) fn by_listeners(asset: &AssetState) -> Option<Sourced<SystemExposure>> {
    let told = |value| Some(Sourced { value, source: Source::Listeners });
    let listeners = listeners(asset);
    if listeners.is_empty() {
        return None;
    }
    let mut unknown = false;
    let mut reached = false;
    for listener in listeners.iter().filter(|listener| !listener.is_loopback()) {
        reached = true;
        // On every interface, also IPv4 where an IPv6 socket serves both.
        let every = listener.address.to_canonical().is_unspecified();
        let public = if every {
            unknown |= asset.addresses.is_empty();
            asset.addresses.iter().any(|address| is_public(*address))
        } else {
            is_public(listener.address)
        };
        if public {
            return told(SystemExposure::Open);
        }
    }
    match (reached, unknown) {
        (false, _) => told(SystemExposure::Small),
        (true, true) => None,
        (true, false) => told(SystemExposure::Controlled),
    }
}

/// Whether the Internet routes to an address, by IANA's registries of special-purpose addresses. Addresses for
/// documentation count as public: nobody has them, and examples mean public ones by them.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let protocols = (a, b, c) == (192, 0, 0);
            let benchmarks = a == 198 && (b == 18 || b == 19);
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast())
                && !(a == 0 || a >= 240 || shared || protocols || benchmarks)
        }
        // Global unicast is 2000::/3 (RFC 4291, IANA).
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    }
}
