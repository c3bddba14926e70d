//! Stances: all that a host says of one package, and that bears on what is vulnerable there and what must be done.
//!
//! Hosts of one estate differ as a whole and agree in most packages: a stance is kept once for all hosts that share it,
//! matched once, and what follows from it is the same for all of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{Component, HostFacts, Manifest, Offer, SourcePackage, Virtualization};
use tenon_versions::Scheme;

use crate::kernel::is_kernel;
use crate::matching::{Named, name};

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
    /// The name that advisories use; on Debian the source package.
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

    /// Names and versions that ranges speak of.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = SourcePackage> {
        self.components
            .iter()
            .filter_map(|component| Some(name(self.ecosystem.as_deref(), component)?.pair()))
    }
}

/// A stance as a report says it, before it is known whether it is kept already.
#[derive(Debug, Hash)]
pub(crate) struct Draft<'a> {
    ecosystem: Option<&'a str>,
    package: &'a str,
    components: Vec<&'a Arc<Component>>,
    offers: Vec<&'a Offer>,
    offers_known: bool,
    runs_replaced: bool,
    kernel: Option<KernelFacts>,
}

impl<'a> Draft<'a> {
    /// What a report would say that tells this stance.
    pub(crate) fn of(stance: &'a Stance) -> Self {
        Self {
            ecosystem: stance.ecosystem.as_deref(),
            package: &stance.package,
            components: stance.components.iter().collect(),
            offers: stance.offers.iter().collect(),
            offers_known: stance.offers_known,
            runs_replaced: stance.runs_replaced,
            kernel: stance.kernel.clone(),
        }
    }

    /// Where it is looked for: equal ones in the same place.
    pub(crate) fn print(&self) -> u64 {
        print(self)
    }

    pub(crate) fn is(&self, stance: &Stance) -> bool {
        self.ecosystem == stance.ecosystem.as_deref()
            && self.package == stance.package
            && self.offers_known == stance.offers_known
            && self.runs_replaced == stance.runs_replaced
            && self.kernel == stance.kernel
            && self.components.iter().copied().eq(&stance.components)
            && self.offers.iter().copied().eq(&stance.offers)
    }

    pub(crate) fn keep(&self, mut share: impl FnMut(&Arc<Component>) -> Arc<Component>) -> Stance {
        Stance {
            ecosystem: self.ecosystem.map(str::to_owned),
            package: self.package.to_owned(),
            components: self.components.iter().map(|component| share(component)).collect(),
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

/// What a report says of each package, in the order in which the packages are first named.
pub(crate) fn drafts<'a>(
    os: Option<&'a str>,
    facts: &'a HostFacts,
    manifest: &'a Manifest,
) -> Vec<Draft<'a>> {
    let replaced: HashSet<&str, Fixed> =
        facts.stale.iter().filter_map(|process| process.package.as_deref()).collect();
    let split = manifest.components().iter().any(|component| component.name == "kernel-core");
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    let mut places: HashMap<(Option<&'a str>, &'a str), usize, Fixed> = HashMap::default();
    let mut draft_of = |drafts: &mut Vec<Draft<'a>>, ecosystem, package| {
        *places.entry((ecosystem, package)).or_insert_with(|| {
            drafts.push(Draft {
                ecosystem,
                package,
                components: Vec::new(),
                offers: Vec::new(),
                offers_known: facts.offers_known,
                runs_replaced: false,
                kernel: None,
            });
            drafts.len() - 1
        })
    };
    for component in manifest.components() {
        let ecosystem = component.ecosystem.as_deref().or(os);
        let named = name(os, component);
        let package = match &named {
            Some(named) => named.package,
            None if component.ecosystem.is_none() => &component.source.name,
            None => &component.name,
        };
        let place = draft_of(&mut drafts, ecosystem, package);
        let draft = &mut drafts[place];
        draft.components.push(component);
        draft.runs_replaced |= component.ecosystem.is_none() && replaced.contains(component.name.as_str());
        let scheme = ecosystem.and_then(Scheme::of_osv_ecosystem);
        if draft.kernel.is_none() && scheme.is_some_and(|scheme| is_kernel(scheme, component)) {
            let (running, owner) = (facts.kernel.running.clone(), facts.kernel.owner);
            draft.kernel = Some(KernelFacts { running, owner, split });
        }
    }
    for offer in &facts.offers {
        let place = draft_of(&mut drafts, os, &offer.source.name);
        drafts[place].offers.push(offer);
    }
    drafts
}
