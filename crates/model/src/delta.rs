//! What differs between two reports of one host.
//!
//! A host mostly says what it said before. It sends the difference from the last report that was accepted, and both sides
//! hold the [`InventorySum`] of what they have before and after against each other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    ApprovalAsked, Architecture, Capability, Component, Digest, HostFacts, IndexState, Inventory, Kernel,
    Listener, Manifest, ManifestError, Offer, OsRelease, Service, StaleProcess, Sum, Updater,
};

/// Most packages and offers that one delta may name; a host that changed more sends a whole report.
pub const MAX_DELTA_NAMED: usize = 2_000;

/// All that a host says, as two sums: of its packages, and of everything else but its name and the age of its index, which
/// differ without anything having changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InventorySum {
    /// Of the digests of its components.
    pub packages: Sum,
    /// Of the digests of its offers and of each other part of its facts.
    pub facts: Sum,
}

/// Which offers are meant: all for this package of this architecture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OfferKey {
    /// Name of the source package.
    pub source: String,
    /// Binary package name.
    pub package: String,
    /// Architecture.
    pub architecture: String,
}

impl OfferKey {
    /// The key of an offer.
    pub fn of(offer: &Offer) -> Self {
        Self {
            source: offer.source.name.clone(),
            package: offer.package.clone(),
            architecture: offer.architecture.clone(),
        }
    }

    /// Whether an offer is meant.
    pub fn names(&self, offer: &Offer) -> bool {
        (&self.source, &self.package, &self.architecture)
            == (&offer.source.name, &offer.package, &offer.architecture)
    }
}

/// The difference between two reports of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryDelta {
    /// What it differs from.
    pub base: InventorySum,
    /// What it leads to.
    pub result: InventorySum,
    /// Components that came, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Component>,
    /// Components that went, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Component>,
    /// Offers that went or were replaced, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<OfferKey>,
    /// Offers that came or replace others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<Offer>,
    /// The host's name, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Freshness of the package index, which is another at every report.
    pub index: IndexState,
    /// What else changed.
    #[serde(default, skip_serializing_if = "FactsChange::is_empty")]
    pub facts: FactsChange,
}

/// The parts of a host's facts that are told whole where they changed. A part is digested under its name, so that two parts
/// of the same content differ. A part that came later is no member of the sum where it says nothing: an agent or a record from
/// before it comes to the same.
macro_rules! facts_parts {
    ($($(#[$doc:meta])* $part:ident: $type:ty $(, nothing: $nothing:ident)?;)*) => {
        /// Parts of a host's facts that changed, each as it now is.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub struct FactsChange {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $part: Option<$type>,)*
        }

        impl FactsChange {
            /// Whether nothing changed.
            pub fn is_empty(&self) -> bool {
                $(self.$part.is_none())&&*
            }

            fn between(before: &HostFacts, now: &HostFacts) -> Self {
                Self { $($part: (before.$part != now.$part).then(|| now.$part.clone()),)* }
            }

            /// Makes the changes.
            pub fn make(self, facts: &mut HostFacts) {
                $(if let Some(part) = self.$part {
                    facts.$part = part;
                })*
            }

            /// The sum of a host's facts after these changes, from that before.
            pub fn sum_after(&self, sum: Sum, before: &HostFacts) -> Sum {
                let mut sum = sum;
                $(if let Some(now) = &self.$part {
                    if true $(&& !before.$part.$nothing())? {
                        sum = sum.without(&part(stringify!($part), &before.$part));
                    }
                    if true $(&& !now.$nothing())? {
                        sum = sum.with(&part(stringify!($part), now));
                    }
                })*
                sum
            }
        }

        impl HostFacts {
            /// The sum of its parts but the offers, the host's name and the age of its index.
            pub fn sum_of_parts(&self) -> Sum {
                let mut sum = Sum::default();
                $(if true $(&& !self.$part.$nothing())? {
                    sum = sum.with(&part(stringify!($part), &self.$part));
                })*
                sum
            }
        }
    };
}

facts_parts! {
    /// Operating system.
    os: OsRelease;
    /// Architecture.
    architecture: Architecture;
    /// Running kernel.
    kernel: Kernel;
    /// Whether the offers are the package manager's word.
    offers_known: bool;
    /// Processes that run replaced code.
    stale: Vec<StaleProcess>;
    /// Sockets that take traffic.
    listeners: Vec<Listener>;
    /// Addresses.
    addresses: Vec<IpAddr>;
    /// Services.
    services: Vec<Service>;
    /// Packages that ask for a reboot.
    reboot_required_by: Vec<String>;
    /// Other updaters.
    updaters: Vec<Updater>;
    /// What the agent can do.
    capability: Capability;
    /// What could not be found out.
    gaps: Vec<String>;
    /// The signatures that it asks for.
    approval: ApprovalAsked, nothing: is_none;
}

fn part(name: &str, value: &impl Serialize) -> Digest {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend(name.as_bytes());
    bytes.push(0);
    // Nothing that is summed fails to encode: they are structures of text and numbers.
    let _encoded = serde_json::to_writer(&mut bytes, value);
    Digest::of(&bytes)
}

/// Digests components, one after the other, as they are written.
pub(crate) struct ComponentPage(Vec<u8>);

impl ComponentPage {
    /// What a component is digested under.
    const HEAD: &[u8] = b"component\0";

    pub(crate) fn digest(&mut self, written: &[u8]) -> Digest {
        self.0.truncate(Self::HEAD.len());
        self.0.extend_from_slice(written);
        Digest::of(&self.0)
    }
}

impl Default for ComponentPage {
    fn default() -> Self {
        let mut page = Vec::with_capacity(256);
        page.extend_from_slice(Self::HEAD);
        Self(page)
    }
}

impl Component {
    /// Its digest as a member of a sum.
    pub fn digest(&self) -> Digest {
        let ComponentPage(mut page) = ComponentPage::default();
        self.write(&mut page);
        Digest::of(&page)
    }
}

impl Offer {
    /// Its digest as a member of a sum.
    pub fn digest(&self) -> Digest {
        part("offer", self)
    }
}

impl HostFacts {
    /// The sum of all of it but the host's name and the age of its index.
    pub fn sum(&self) -> Sum {
        self.offers.iter().fold(self.sum_of_parts(), |sum, offer| sum.with(&offer.digest()))
    }
}

/// A report whose packages were checked and sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The packages.
    pub manifest: Manifest,
    /// Everything else.
    pub facts: HostFacts,
}

impl Reported {
    /// Checks and sorts the packages of a report.
    ///
    /// # Errors
    /// When they break a bound.
    pub fn new(inventory: Inventory) -> Result<Self, ManifestError> {
        Ok(Self { manifest: Manifest::new(inventory.components)?, facts: inventory.facts })
    }

    /// The report as it is sent.
    pub fn inventory(&self) -> Inventory {
        Inventory { facts: self.facts.clone(), components: self.manifest.components().to_vec() }
    }

    /// All of it, as sums.
    pub fn sum(&self) -> InventorySum {
        InventorySum { packages: self.manifest.sum(), facts: self.facts.sum() }
    }

    /// What this report says that an earlier one did not, or said otherwise; `None` where that is more than a delta may
    /// name.
    pub fn since(&self, before: &Self) -> Option<InventoryDelta> {
        let only = |here: &Manifest, there: &Manifest| -> Vec<Component> {
            let there: BTreeSet<&Component> = there.components().iter().collect();
            let here = here.components().iter().filter(|component| !there.contains(component));
            here.cloned().collect()
        };
        let (old, new) = (by_key(&before.facts.offers), by_key(&self.facts.offers));
        let withdrawn = old.iter().filter(|(key, offers)| new.get(key) != Some(offers));
        let offered = new.iter().filter(|(key, offers)| old.get(key) != Some(offers));
        let delta = InventoryDelta {
            base: before.sum(),
            result: self.sum(),
            added: only(&self.manifest, &before.manifest),
            removed: only(&before.manifest, &self.manifest),
            withdrawn: withdrawn.map(|(key, _)| key.clone()).collect(),
            offered: offered.flat_map(|(_, offers)| offers.iter().map(|offer| (*offer).clone())).collect(),
            hostname: (self.facts.hostname != before.facts.hostname).then(|| self.facts.hostname.clone()),
            index: self.facts.index.clone(),
            facts: FactsChange::between(&before.facts, &self.facts),
        };
        (delta.named() <= MAX_DELTA_NAMED).then_some(delta)
    }
}

fn by_key(offers: &[Offer]) -> BTreeMap<OfferKey, Vec<&Offer>> {
    let mut by_key: BTreeMap<OfferKey, Vec<&Offer>> = BTreeMap::new();
    for offer in offers {
        by_key.entry(OfferKey::of(offer)).or_default().push(offer);
    }
    by_key
}

impl InventoryDelta {
    /// How many packages and offers it names.
    pub fn named(&self) -> usize {
        self.added.len() + self.removed.len() + self.withdrawn.len() + self.offered.len()
    }

    /// Whether it says nothing new but the age of the index.
    pub fn is_empty(&self) -> bool {
        self.named() == 0 && self.hostname.is_none() && self.facts.is_empty()
    }

    /// Checks what can be checked without the base: how much it names, what it adds, and that its lists ascend, so that
    /// nothing is named twice.
    ///
    /// # Errors
    /// [`DeltaError`]: send a whole report.
    pub fn check(&self) -> Result<(), DeltaError> {
        if self.named() > MAX_DELTA_NAMED {
            return Err(DeltaError::TooMany { named: self.named() });
        }
        let ascends = self.added.is_sorted_by(|a, b| a < b)
            && self.removed.is_sorted_by(|a, b| a < b)
            && self.withdrawn.is_sorted_by(|a, b| a < b);
        if !ascends {
            return Err(DeltaError::Unordered);
        }
        self.added.iter().try_for_each(Component::check).map_err(DeltaError::Component)
    }
}

/// Why a delta is refused before its base is looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// It names too much.
    #[error(
        "a delta names {named} packages and offers, at most {MAX_DELTA_NAMED} are accepted: send a whole report"
    )]
    TooMany {
        /// How many.
        named: usize,
    },
    /// Its lists are out of order.
    #[error("a delta names something twice, or its lists do not ascend")]
    Unordered,
    /// A component that no package manager would write.
    #[error(transparent)]
    Component(ManifestError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> HostFacts {
        let text = |text: &str| text.to_owned();
        HostFacts::nothing_known_of(OsRelease {
            id: text("debian"),
            version_id: text("12"),
            pretty_name: text("Debian"),
        })
    }

    #[test]
    fn a_host_that_asks_for_no_signatures_comes_to_the_sum_of_before_there_were_any() {
        // As the release before this part had it.
        let known = "\"208c9d0bda4a15b3630ba604c272d7e6526aeb3f0658529e00753f572aab719b\"";
        assert_eq!(serde_json::to_string(&facts().sum()).unwrap(), known);
        assert!(!serde_json::to_string(&facts()).unwrap().contains("approval"));

        let asks = ApprovalAsked { needed: 1, keys: vec!["SHA256:AAAA".parse().unwrap()] };
        let asking = HostFacts { approval: asks, ..facts() };
        assert_ne!(asking.sum(), facts().sum());
        for (before, now) in [(facts(), asking.clone()), (asking, facts())] {
            let change = FactsChange::between(&before, &now);
            assert_eq!(change.sum_after(before.sum(), &before), now.sum());
            let mut made = before;
            change.make(&mut made);
            assert_eq!(made, now);
        }
    }
}
