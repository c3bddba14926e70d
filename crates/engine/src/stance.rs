//! Stances: all that a host says of one package, and that bears on what is vulnerable there and what must be done.
//!
//! Hosts of one estate differ as a whole and agree in most packages: a stance is kept once for all hosts that share it,
//! matched once, and what follows from it is the same for all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{Component, HostFacts, Offer, SourcePackage, Sum, Virtualization};
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

/// What a stance adds to the sums of an asset.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) components: Sum,
    pub(crate) offers: Sum,
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

    /// The sums of its components and of its offers.
    pub(crate) fn sums(&self) -> Sums {
        let components = self.components.iter().fold(Sum::default(), |sum, one| sum.with(&one.digest()));
        let offers = self.offers.iter().fold(Sum::default(), |sum, one| sum.with(&one.digest()));
        Sums { components, offers }
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
    let package = match name(os, component) {
        Some(named) => named.package,
        None if component.ecosystem.is_none() => &component.source.name,
        None => &component.name,
    };
    (ecosystem, package)
}

/// The names of binary packages of which a process runs replaced files.
pub(crate) fn replaced(facts: &HostFacts) -> BTreeSet<&str> {
    facts.stale.iter().filter_map(|process| process.package.as_deref()).collect()
}

/// What a report says of each of these packages, in the order in which they are first named. The components are sorted.
pub(crate) fn drafts<'a>(
    around: Around<'a>,
    components: impl Iterator<Item = &'a Arc<Component>>,
    offers: impl Iterator<Item = &'a Offer>,
) -> Vec<Draft<'a>> {
    let Around { os, facts, split } = around;
    let replaced = replaced(facts);
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    let mut places: HashMap<(Option<&'a str>, &'a str), usize, Fixed> = HashMap::default();
    let mut draft_of = |drafts: &mut Vec<Draft<'a>>, (ecosystem, package)| {
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
    for component in components {
        let of = package_of(os, component);
        let place = draft_of(&mut drafts, of);
        let draft = &mut drafts[place];
        draft.components.push(component);
        draft.runs_replaced |= component.ecosystem.is_none() && replaced.contains(component.name.as_str());
        let scheme = of.0.and_then(Scheme::of_osv_ecosystem);
        if draft.kernel.is_none() && scheme.is_some_and(|scheme| is_kernel(scheme, component)) {
            let (running, owner) = (facts.kernel.running.clone(), facts.kernel.owner);
            draft.kernel = Some(KernelFacts { running, owner, split });
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
