//! Kernels: a fix installs a new package beside the old one, and only what runs is in force.

use tenon_model::{Affected, Component, Virtualization};
use tenon_versions::Scheme;

use crate::findings::FindingState;
use crate::matching::{Named, is_safe, name};
use crate::stance::Stance;

/// Where a vulnerable kernel stands.
pub(crate) enum KernelState {
    /// Nothing of it can run here: headers and tools, or a container's packages, whose kernel is its host's.
    NoFinding,
    /// It is settled.
    State(FindingState),
    /// The running image is vulnerable: the ordinary states apply.
    Running,
}

/// Whether a component was built from a kernel.
pub(crate) fn is_kernel(scheme: Scheme, component: &Component) -> bool {
    match scheme {
        Scheme::Dpkg => component.source.name == "linux",
        Scheme::Rpm => component.source.name == "kernel" || component.source.name.starts_with("kernel-"),
        _ => false,
    }
}

/// The release (`uname -r`) that a kernel image package brings; `None` for everything else built from a kernel. Headers,
/// kbuild and tools carry no running kernel code, and meta packages carry none at all.
pub(crate) fn image_release(scheme: Scheme, component: &Component) -> Option<String> {
    match scheme {
        // `linux-image-6.1.0-44-amd64`
        Scheme::Dpkg => {
            let release = component.name.strip_prefix("linux-image-")?;
            let release = release.strip_suffix("-unsigned").unwrap_or(release);
            release.starts_with(|c: char| c.is_ascii_digit()).then(|| release.to_owned())
        }
        // `kernel-core` 5.14.0-427.13.1.el9_4 x86_64; before it was split off the image was in `kernel` itself.
        Scheme::Rpm
            if component.name == "kernel"
                || component.name.ends_with("-core") && is_kernel(scheme, component) =>
        {
            let version =
                component.version.split_once(':').map_or(component.version.as_str(), |(_, version)| version);
            Some(format!("{version}.{}", component.architecture))
        }
        _ => None,
    }
}

/// The state of a vulnerability in a kernel's packages.
pub(crate) fn kernel_state(
    stance: &Stance,
    named: &Named<'_>,
    binaries: &[&Component],
    affected: &Affected,
) -> KernelState {
    let Some(kernel) = &stance.kernel else { return KernelState::NoFinding };
    if kernel.owner == Virtualization::Container {
        return KernelState::NoFinding;
    }
    let images: Vec<String> =
        binaries.iter().filter_map(|binary| image_release(named.scheme, binary)).collect();
    // Where the image was split off, `kernel` is empty.
    let split = kernel.split && named.package == "kernel" && named.scheme == Scheme::Rpm;
    if images.is_empty() || split {
        return KernelState::NoFinding;
    }
    // A system at rest runs no kernel: the newest of its images is the next one to run.
    let at_rest = kernel.running.is_empty();
    if !at_rest && !images.contains(&kernel.running) {
        return KernelState::State(FindingState::NotRunning);
    }
    let fixed_installed = stance.components.iter().any(|other| {
        image_release(named.scheme, other).is_some()
            && name(stance.ecosystem.as_deref(), other)
                .is_some_and(|other| is_safe(affected, named.scheme, other.version))
    });
    match (fixed_installed, at_rest) {
        (true, true) => KernelState::State(FindingState::NotRunning),
        (true, false) => KernelState::State(FindingState::RebootPending),
        (false, _) => KernelState::Running,
    }
}

/// Whether a binary can show that a fix is missing: of the packages that come beside those of the old kernel, with its release in
/// their name or as another version, only the running image counts.
pub(crate) fn can_lag(scheme: Scheme, stance: &Stance, component: &Component) -> bool {
    if !is_kernel(scheme, component) {
        return true;
    }
    let of_a_release = |prefix: &str| {
        component.name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    match image_release(scheme, component) {
        Some(release) => stance.kernel.as_ref().is_some_and(|kernel| kernel.running == release),
        // Modules and headers of old kernels stay beside their images.
        None if scheme == Scheme::Rpm => false,
        None => !["linux-headers-", "linux-kbuild-"].into_iter().any(of_a_release),
    }
}
