//! Stances: all that a host says of one package, and that bears on what is vulnerable there and what must be done.
//!
//! Hosts of one estate differ as a whole and agree in most packages: a stance is kept once for all hosts that share it,
//! matched once, and what follows from it is the same for all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{Component, Digest, HostFacts, Offer, Virtualization};
use tenon_versions::Scheme;

use crate::kernel::is_kernel;
use crate::matching::{Named, name};
use crate::shards::ShardKey;

/// The host's kernel, as far as it bears on the packages built from a kernel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct KernelFacts {
    /// `uname -r`; empty on a system at rest.
    pub(crate) running: String,
    /// Whether it is the host's own.
    pub(crate) owner: Virtualization,
    /// Whether the image was split off into `kernel-core`.
    pub(crate) split: bool,
}

/// All that a host says of one package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Stance {
    /// OSV ecosystem with release; `None` where it is not known.
    pub(crate) ecosystem: Option<String>,
    /// The source package: a fix comes for all that was built from it at once. Of a language package its own name.
    pub(crate) package: String,
    /// What is installed of it.
    pub(crate) components: Vec<Arc<Component>>,
    /// What the host's own repositories offer of it.
    pub(crate) offers: Vec<Offer>,
    /// Whether `offers` is the package manager's word.
    pub(crate) offers_known: bool,
    /// Whether a process still runs files of it that were replaced.
    pub(crate) runs_replaced: bool,
    /// Only of packages built from a kernel.
    pub(crate) kernel: Option<KernelFacts>,
}

impl Stance {
    /// The components by the names that advisories use: versions that are installed side by side, and module streams, are
    /// told apart.
    pub(crate) fn named(&self) -> BTreeMap<Named<'_>, Vec<&Component>> {
        let mut names: BTreeMap<Named<'_>, Vec<&Component>> = BTreeMap::new();
        for component in &self.components {
            if let Some(named) = name(self.ecosystem.as_deref(), component) {
                names.entry(named).or_default().push(component);
            }
        }
        names
    }

    /// Whether advisories of this ecosystem call something of it so.
    pub(crate) fn calls(&self, ecosystem: &str, name: &str) -> bool {
        self.ecosystem.as_deref() == Some(ecosystem) && self.pairs().any(|(known, _)| known == name)
    }

    /// Names and versions that ranges speak of.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.components.iter().filter_map(|component| {
            let named = name(self.ecosystem.as_deref(), component)?;
            Some((named.package, named.version))
        })
    }
}

/// A component and its digest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) component: &'a Component,
    pub(crate) digest: Digest,
}

impl<'a> Part<'a> {
    pub(crate) fn of(component: &'a Component) -> Self {
        Self { component, digest: component.digest() }
    }
}

/// By what a stance is found. A host can choose what it reports: what equal stances have in common is digested, and not only
/// hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum StanceKey {
    /// Of one component about which nothing else is said, as most are: its digest, and what else bears on it.
    Alone(Digest, Whereabouts),
    /// The digest of all of it.
    Whole(Digest),
}

/// What bears on a package of an operating system that is said once for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Whereabouts {
    /// The ecosystem by its number; `None` of a language package, which names its own.
    pub(crate) system: Option<u32>,
    pub(crate) offers_known: bool,
}

/// A stance as a report says it, before it is known whether it is kept already.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    ecosystem: Option<&'a str>,
    package: &'a str,
    first: Option<Part<'a>>,
    /// The others: of most packages there are none.
    more: Vec<Part<'a>>,
    offers: Vec<&'a Offer>,
    offers_known: bool,
    runs_replaced: bool,
    kernel: Option<KernelFacts>,
}

impl ShardKey for StanceKey {
    fn shard(&self) -> usize {
        let (Self::Alone(digest, _) | Self::Whole(digest)) = self;
        digest.shard()
    }
}

impl<'a> Draft<'a> {
    /// What a report would say that tells this stance, of whose components these are the digests.
    pub(crate) fn of(stance: &'a Stance, digests: &[Digest]) -> Self {
        let mut parts = stance
            .components
            .iter()
            .zip(digests)
            .map(|(component, digest)| Part { component, digest: *digest });
        Self {
            ecosystem: stance.ecosystem.as_deref(),
            package: &stance.package,
            first: parts.next(),
            more: parts.collect(),
            offers: stance.offers.iter().collect(),
            offers_known: stance.offers_known,
            runs_replaced: stance.runs_replaced,
            kernel: stance.kernel.clone(),
        }
    }

    /// OSV ecosystem; `None` where it is not known.
    pub(crate) fn ecosystem(&self) -> Option<&'a str> {
        self.ecosystem
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part<'a>> {
        self.first.iter().chain(&self.more)
    }

    /// By what it is found; `system` numbers the ecosystems of operating systems.
    pub(crate) fn key(&self, system: impl FnOnce(&str) -> u32) -> StanceKey {
        let said = !self.more.is_empty() || !self.offers.is_empty() || self.runs_replaced;
        match &self.first {
            Some(part) if !said && self.kernel.is_none() => {
                let of_system = part.component.ecosystem.is_none();
                let system = of_system.then(|| system(self.ecosystem.unwrap_or_default()));
                StanceKey::Alone(part.digest, Whereabouts { system, offers_known: self.offers_known })
            }
            _ => StanceKey::Whole(self.digest()),
        }
    }

    fn digest(&self) -> Digest {
        let count = self.parts().count();
        let head = (self.ecosystem, self.package, self.offers_known, self.runs_replaced, &self.kernel, count);
        // Text and numbers always encode.
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let offers: Vec<Digest> = self.offers.iter().map(|offer| offer.digest()).collect();
        let digests = self.parts().map(|part| &part.digest).chain(&offers);
        Digest::of_all(
            std::iter::once(head.as_slice()).chain(digests.map(|digest| digest.as_bytes().as_slice())),
        )
    }

    pub(crate) fn keep(&self, share: impl FnMut(&Part<'_>) -> Arc<Component>) -> Stance {
        Stance {
            ecosystem: self.ecosystem.map(str::to_owned),
            package: self.package.to_owned(),
            components: self.parts().map(share).collect(),
            offers: self.offers.iter().map(|offer| (*offer).clone()).collect(),
            offers_known: self.offers_known,
            runs_replaced: self.runs_replaced,
            kernel: self.kernel.clone(),
        }
    }
}

/// A number by which equal values are found. It never leaves the process, and is the same in every fork.
pub(crate) fn print(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The order of lookups shows in nothing.
type Fixed = BuildHasherDefault<DefaultHasher>;

/// What of a report bears on every package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// OSV ecosystem of the operating system.
    pub(crate) os: Option<&'a str>,
    pub(crate) facts: &'a HostFacts,
    /// Whether the kernel's image was split off into `kernel-core`.
    pub(crate) split: bool,
}

/// Whether this is the package into which a kernel's image was split off.
pub(crate) fn is_split_kernel(component: &Component) -> bool {
    component.name == "kernel-core"
}

/// Ecosystem and package under which the stance to a component is kept.
pub(crate) fn package_of<'a>(os: Option<&'a str>, component: &'a Component) -> (Option<&'a str>, &'a str) {
    let ecosystem = component.ecosystem.as_deref().or(os);
    (ecosystem, package_in(component))
}

/// The source of a package of the operating system, by which offers are kept too, whatever advisories name (see
/// [`crate::matching::name`]); a language package itself.
fn package_in(component: &Component) -> &str {
    if component.ecosystem.is_none() { &component.source.name } else { &component.name }
}

/// The names of binary packages of which a process runs replaced files.
pub(crate) fn replaced(facts: &HostFacts) -> BTreeSet<&str> {
    facts.stale.iter().filter_map(|process| process.package.as_deref()).collect()
}

/// What a report says of each of these packages, in the order in which they are first named. The components are sorted.
pub(crate) fn drafts<'a>(
    around: Around<'a>,
    parts: impl Iterator<Item = Part<'a>>,
    offers: impl Iterator<Item = &'a Offer>,
) -> Vec<Draft<'a>> {
    let Around { os, facts, split } = around;
    let os_scheme = os.and_then(Scheme::of_osv_ecosystem);
    let replaced = replaced(facts);
    let mut drafts: Vec<Draft<'a>> = Vec::with_capacity(parts.size_hint().0);
    let mut places: HashMap<(Option<&'a str>, &'a str), usize, Fixed> = HashMap::default();
    places.reserve(parts.size_hint().0);
    let mut draft_of = |drafts: &mut Vec<Draft<'a>>, (ecosystem, package)| {
        *places.entry((ecosystem, package)).or_insert_with(|| {
            drafts.push(Draft {
                ecosystem,
                package,
                first: None,
                more: Vec::new(),
                offers: Vec::new(),
                offers_known: facts.offers_known,
                runs_replaced: false,
                kernel: None,
            });
            drafts.len() - 1
        })
    };
    for part in parts {
        let component: &'a Component = part.component;
        let (ecosystem, scheme) = match component.ecosystem.as_deref() {
            None => (os, os_scheme),
            Some(ecosystem) => (Some(ecosystem), Scheme::of_osv_ecosystem(ecosystem)),
        };
        let place = draft_of(&mut drafts, (ecosystem, package_in(component)));
        let draft = &mut drafts[place];
        draft.runs_replaced |= component.ecosystem.is_none() && replaced.contains(component.name.as_str());
        if draft.kernel.is_none() && scheme.is_some_and(|scheme| is_kernel(scheme, component)) {
            let (running, owner) = (facts.kernel.running.clone(), facts.kernel.owner);
            draft.kernel = Some(KernelFacts { running, owner, split });
        }
        match draft.first {
            None => draft.first = Some(part),
            Some(_) => draft.more.push(part),
        }
    }
    for offer in offers {
        let place = draft_of(&mut drafts, (os, &offer.source.name));
        drafts[place].offers.push(offer);
    }
    for draft in &mut drafts {
        // Told in whichever order, they are the same stance.
        draft.offers.sort_by(|a, b| (&a.package, &a.architecture).cmp(&(&b.package, &b.architecture)));
    }
    drafts
}
