//! Every parser of outside data as a function of bytes that must return, within bounds, whatever the bytes are.
//!
//! What must hold beyond that (an order is total, a canonical form is stable, a sort key orders as its comparator) is
//! asserted here, so that the fuzzer looks for it too.

mod feeds;
mod formats;
mod hosts;
mod policy;
mod records;
mod versions;

/// A parser under the fuzzer.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder of seeds.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("versions", versions::versions),
    target("cvss", formats::cvss),
    target("tables", formats::tables),
    target("osv", formats::osv),
    target("kev", formats::kev),
    target("epss", formats::epss),
    target("cve5", formats::cve5),
    target("cyclonedx", formats::cyclonedx),
    target("openvex", formats::openvex),
    target("purl", formats::purl),
    target("vers", formats::vers),
    target("context", formats::context),
    target("cmdb", formats::cmdb),
    target("policy", policy::policy),
    target("feed-lists", feeds::lists),
    target("feed-archive", feeds::archive),
    target("feed-rows", feeds::rows),
    target("packages", hosts::packages),
    target("apt", hosts::apt),
    target("dnf", hosts::dnf),
    target("inventory", hosts::inventory),
    target("limits", hosts::limits),
    target("events", records::events),
    target("export", records::export),
    target("wire", records::wire),
    target("approval", records::approval),
];

/// The bytes as text, where they are; most parsers of text begin so.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
