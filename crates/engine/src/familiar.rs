//! Components that are known from earlier reports, as they are written.
//!
//! Most of a report was said by other hosts before. A component that is found here, byte for byte, need not be checked, digested
//! and looked for by its digest again.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use tenon_model::{Component, Digest, HostFacts};

use crate::index::StanceId;
use crate::settling::{AsItIs, Settling};
use crate::shards::{ShardKey, of_hash};
use crate::stance::{Part, Whereabouts, package_of, print, replaced};

/// A hash of a component and what bears on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Trace(u64);

impl Trace {
    fn of(whereabouts: Whereabouts, written: &[u8]) -> Self {
        Self(print(&(whereabouts, written)))
    }
}

impl ShardKey for Trace {
    fn shard(&self) -> usize {
        of_hash(self.0)
    }
}

/// Hash of a package and its ecosystem. Components of one package share it; others may, too.
type Group = u64;

/// The group of a package, as [`package_of`] tells it.
fn group((ecosystem, package): (Option<&str>, &str)) -> Group {
    print(&(ecosystem.unwrap_or_default(), package))
}

/// A component about which nothing else was said.
#[derive(Debug)]
pub(crate) struct Familiar {
    written: Box<[u8]>,
    whereabouts: Whereabouts,
    pub(crate) digest: Digest,
    group: Group,
    /// The stance to it alone.
    stance: StanceId,
}

/// By their traces. Where two share one, the first is known and the other is not, which costs time and nothing else.
#[derive(Debug, Clone, Default)]
pub(crate) struct Familiars(Settling<Trace, Arc<Familiar>>);

impl Familiars {
    pub(crate) fn insert(
        &mut self,
        part: Part<'_>,
        whereabouts: Whereabouts,
        os: Option<&str>,
        stance: StanceId,
    ) {
        let mut written = Vec::new();
        part.component.write(&mut written);
        let trace = Trace::of(whereabouts, &written);
        let familiar = Familiar {
            written: written.into(),
            whereabouts,
            digest: part.digest,
            group: group(package_of(os, part.component)),
            stance,
        };
        self.0.insert(trace, Arc::new(familiar));
    }
}

/// Those that a host may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FamiliarTo<'i> {
    pub(crate) familiars: &'i Familiars,
    /// The number of its system; `None` where nobody of that system has reported.
    pub(crate) system: Option<u32>,
    pub(crate) offers_known: bool,
}

impl<'i> FamiliarTo<'i> {
    /// Of these components, as they are written, those that are known.
    ///
    /// They lie all over memory. Each step is taken for all of them before the next one is, so that a processor waits for many
    /// places at once, and not for one after the other.
    pub(crate) fn find(&self, components: &[Component], written: &[&[u8]]) -> Vec<Option<&'i Familiar>> {
        let sought: Vec<Option<(Trace, Whereabouts)>> = components
            .iter()
            .zip(written)
            .map(|(component, written)| {
                let whereabouts = self.whereabouts(component)?;
                Some((Trace::of(whereabouts, written), whereabouts))
            })
            .collect();
        let mut found: Vec<Option<&'i Familiar>> =
            sought.iter().map(|sought| self.familiars.0.get(&sought.as_ref()?.0).map(Arc::as_ref)).collect();
        for (found, sought) in found.iter_mut().zip(&sought) {
            *found = found.filter(|known| sought.is_some_and(|(_, sought)| known.whereabouts == sought));
        }
        for (found, written) in found.iter_mut().zip(written) {
            *found = found.filter(|known| *known.written == **written);
        }
        found
    }

    /// What bears on a component here; `None` where nothing is known of its system.
    fn whereabouts(&self, component: &Component) -> Option<Whereabouts> {
        let system = match component.ecosystem {
            None => Some(self.system?),
            Some(_) => None,
        };
        Some(Whereabouts { system, offers_known: self.offers_known })
    }
}

/// Of the parts of a report the stances to those that are known and about which it says nothing else, and the other parts, in
/// their order. `seen` says of each part whether it is known.
pub(crate) fn tell_apart<'a>(
    os: Option<&str>,
    facts: &HostFacts,
    parts: impl Iterator<Item = Part<'a>> + Clone,
    seen: &[Option<&Familiar>],
) -> (Vec<StanceId>, Vec<Part<'a>>) {
    let seen = || seen.iter().copied().chain(std::iter::repeat(None));
    let groups: Vec<Group> = parts
        .clone()
        .zip(seen())
        .map(|(part, seen)| seen.map_or_else(|| group(package_of(os, part.component)), |seen| seen.group))
        .collect();
    let offers = facts.offers.iter().map(|offer| group((os, &offer.source.name)));
    let mut told: HashMap<Group, u32, BuildHasherDefault<AsItIs>> = HashMap::default();
    told.reserve(groups.len());
    for group in groups.iter().copied().chain(offers) {
        *told.entry(group).or_default() += 1;
    }
    let replaced = replaced(facts);
    let (mut known, mut rest) = (Vec::with_capacity(groups.len()), Vec::new());
    for ((part, seen), group) in parts.zip(seen()).zip(&groups) {
        match seen {
            Some(seen) if told.get(group) == Some(&1) && !replaced.contains(part.component.name.as_str()) => {
                known.push(seen.stance);
            }
            _ => rest.push(part),
        }
    }
    (known, rest)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tenon_model::{Inventory, Offer, OfferState, OsRelease, SourcePackage, StaleProcess};

    use super::*;
    use crate::ahead::Report;
    use crate::index::Index;

    fn source(name: &str) -> SourcePackage {
        SourcePackage { name: name.to_owned(), version: "1.0-1".to_owned() }
    }

    /// Two packages of one source, the kernel, a package of its own, and a language package of its name.
    fn components() -> [Component; 5] {
        let of = |name, from| Component::os_package(name, "amd64", "1.0-1", source(from));
        let ecosystem = Some("PyPI".to_owned());
        [
            of("curl", "curl"),
            of("libcurl", "curl"),
            of("linux-image", "linux"),
            of("zlib", "zlib"),
            Component { ecosystem, ..of("zlib", "zlib") },
        ]
    }

    fn offer() -> Offer {
        Offer {
            package: "zlib".to_owned(),
            architecture: "amd64".to_owned(),
            installed: "1.0-1".to_owned(),
            candidate: "1.0-2".to_owned(),
            source: source("zlib"),
            security: true,
            state: OfferState::Offered,
            claims: Vec::new(),
        }
    }

    /// Everything that a host may say of these components.
    fn inventories() -> impl Iterator<Item = Inventory> {
        let os = |id: &str| OsRelease {
            id: id.to_owned(),
            version_id: "12".to_owned(),
            pretty_name: String::new(),
        };
        (0..1_u32 << 9).map(move |choice| {
            let says = |bit: u32| choice >> bit & 1 == 1;
            let mut facts = HostFacts::nothing_known_of(os(if says(5) { "debian" } else { "unheard-of" }));
            facts.offers_known = says(6);
            facts.offers.extend(says(7).then(offer));
            let replaced = |package: &str| StaleProcess {
                pid: 1,
                command: package.to_owned(),
                unit: None,
                file: "/usr/bin/x".to_owned(),
                package: Some(package.to_owned()),
            };
            facts.stale.extend(says(8).then(|| replaced("zlib")));
            let components =
                (0..).zip(components()).filter(|(bit, _)| says(*bit)).map(|(_, one)| one).collect();
            Inventory { components, facts }
        })
    }

    #[test]
    fn reports_are_read_alike_whatever_is_known_of_their_components() {
        let mut index = Index::default();
        let mut known = 0;
        // Forwards each is new, and backwards all was said before.
        let all: Vec<Inventory> = inventories().collect();
        for inventory in all.iter().chain(all.iter().rev()) {
            let report = Report::new(&index, inventory.clone()).unwrap();
            let familiar = index.familiar_to(&inventory.facts);
            let written: Vec<Vec<u8>> =
                inventory.components.iter().map(|component| serde_json::to_vec(component).unwrap()).collect();
            let written: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
            known += familiar.find(&inventory.components, &written).iter().flatten().count();
            let reading = report.reading().unwrap().clone();
            let alone = index.read_ahead(&report, &[]);
            assert_eq!(reading.told(), alone.told(), "{inventory:?}");
            let said: BTreeSet<Component> = inventory.components.iter().cloned().collect();
            let digests: Vec<Digest> = report.parts().map(|part| part.digest).collect();
            assert_eq!(digests, said.iter().map(Component::digest).collect::<Vec<_>>());
            index.read(&report);
        }
        assert!(known > 1_000, "{known}");
    }

    #[test]
    fn of_two_that_share_a_trace_one_is_known() {
        let [curl, libcurl, ..] = components();
        let whereabouts = Whereabouts { system: Some(1), offers_known: true };
        let [mut familiars, mut other] = [Familiars::default(), Familiars::default()];
        familiars.insert(Part::of(&curl), whereabouts, None, 1);
        other.insert(Part::of(&libcurl), whereabouts, None, 2);
        let written = |component: &Component| serde_json::to_vec(component).unwrap();
        let trace = |component| Trace::of(whereabouts, &written(component));
        let known = |familiars: &Familiars, component: &Component, offers_known| {
            let here = FamiliarTo { familiars, system: Some(1), offers_known };
            here.find(std::slice::from_ref(component), &[&written(component)])[0].map(|known| known.stance)
        };
        assert_eq!(known(&familiars, &curl, true), Some(1));
        assert_eq!(known(&familiars, &libcurl, true), None);
        assert_eq!(known(&familiars, &curl, false), None);
        // As if the hash of the one were that of the other, and as if that of another system were.
        let stranger = other.0.get(&trace(&libcurl)).unwrap().clone();
        let mut shared = Familiars::default();
        shared.0.insert(trace(&curl), stranger.clone());
        assert_eq!(known(&shared, &curl, true), None);
        let elsewhere = Whereabouts { system: Some(2), ..whereabouts };
        let mut shared = Familiars::default();
        shared.0.insert(trace(&libcurl), Arc::new(Familiar { whereabouts: elsewhere, ..copy(&stranger) }));
        assert_eq!(known(&shared, &libcurl, true), None);
    }

    fn copy(familiar: &Familiar) -> Familiar {
        Familiar { written: familiar.written.clone(), ..*familiar }
    }
}
