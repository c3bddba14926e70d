//! An OSV record into an advisory of the model.

use tenon_model::{Advisory, Affected, AffectedRange, VulnerabilityId};

use super::order::VersionOrder;
use super::range::{contains, read_events};
use super::{OsvAffected, OsvRangeKind, OsvRecord};
use crate::FormatError;

/// Whether an OSV ecosystem (`Debian:12`, `Ubuntu:18.04:LTS`) lies in a release or family of releases (`Debian:12`,
/// `Debian`). Whole parts compare: `Debian:1` is not the start of `Debian:12`.
pub fn in_release(ecosystem: &str, release: &str) -> bool {
    ecosystem.strip_prefix(release).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// What a record says about the given releases; `None` when that is nothing: it was withdrawn, affects other releases,
/// or speaks of commits only.
///
/// The advisory addresses the CVE ids of `upstream` and `aliases`; records of distributions that name none there are
/// read by `related`, and by the CVE in their own id (`DEBIAN-CVE-2024-1234`). Listed versions that a range covers
/// already are left out; ranges of kind GIT say nothing of package versions.
///
/// # Errors
/// When a range of these releases cannot be read exactly.
pub fn to_advisory<R: AsRef<str>>(
    record: &OsvRecord,
    releases: &[R],
) -> Result<Option<Advisory>, FormatError> {
    if record.withdrawn.is_some() {
        return Ok(None);
    }
    let mut affected = Vec::new();
    for entry in &record.affected {
        if releases.iter().any(|release| in_release(&entry.ecosystem, release.as_ref())) {
            affected.extend(read_affected(entry, &record.summary)?);
        }
    }
    if affected.is_empty() {
        return Ok(None);
    }
    Ok(Some(Advisory {
        id: record.id.clone(),
        summary: record.summary.clone(),
        published: record.published,
        addresses: addresses(record),
        affected,
    }))
}

fn read_affected(entry: &OsvAffected, summary: &str) -> Result<Option<Affected>, FormatError> {
    let mut ranges: Vec<(AffectedRange, VersionOrder)> = Vec::new();
    for range in &entry.ranges {
        if range.kind == OsvRangeKind::Git {
            continue;
        }
        let order = VersionOrder::of(range.kind, &entry.ecosystem);
        let read = read_events(&range.events, order).map_err(|reason| FormatError::Range {
            ecosystem: entry.ecosystem.clone(),
            package: entry.package.clone(),
            reason,
        })?;
        ranges.extend(read.into_iter().map(|range| (range, order)));
    }
    let covered = |version: &String| {
        ranges.iter().any(|(range, order)| contains(range, version, *order).unwrap_or_default())
    };
    let versions: Vec<String> = entry.versions.iter().filter(|version| !covered(version)).cloned().collect();
    let ranges: Vec<AffectedRange> = ranges.into_iter().map(|(range, _)| range).collect();
    if ranges.is_empty() && versions.is_empty() {
        return Ok(None);
    }
    Ok(Some(Affected {
        ecosystem: entry.ecosystem.clone(),
        package: entry.package.clone(),
        module: ranges.iter().any(is_modular).then(|| module_stream(summary)).flatten(),
        ranges,
        versions,
    }))
}

/// Whether a range speaks of builds for a module stream: distributions of RPM packages mark those in the release
/// (`1:14.20.1-2.module_el8.6.0+3261+490666b3`, `2.4.37-43.module+el8.5.0+747+83fae388`).
fn is_modular(range: &AffectedRange) -> bool {
    let versions = [&range.introduced, &range.fixed, &range.last_affected];
    versions
        .into_iter()
        .flatten()
        .any(|version| version.contains(".module_el") || version.contains(".module+el"))
}

/// The module stream that a summary names (`Important: nodejs:14 security update`): OSV has no field for it.
fn module_stream(summary: &str) -> Option<String> {
    let named = |word: &&str| {
        let (module, stream) = word.split_once(':').unwrap_or_default();
        let plain = |text: &str| {
            !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'))
        };
        plain(module) && plain(stream)
    };
    summary.split_whitespace().find(named).map(str::to_owned)
}

/// The CVE ids a record stands for, sorted.
fn addresses(record: &OsvRecord) -> Vec<VulnerabilityId> {
    let mut ids: Vec<VulnerabilityId> =
        record.upstream.iter().chain(&record.aliases).filter_map(|id| cve_in(id)).collect();
    if ids.is_empty() && is_distribution_record(record) {
        ids = record.related.iter().filter_map(|id| cve_in(id)).collect();
    }
    if ids.is_empty() && !record.id.is_cve() {
        ids.extend(cve_in(record.id.as_str()));
    }
    ids.sort();
    ids.dedup();
    ids
}

/// `related` means "similar" in general, but "fixed by this advisory" in records of these distributions.
fn is_distribution_record(record: &OsvRecord) -> bool {
    record.affected.iter().any(|entry| {
        matches!(
            entry.ecosystem.split(':').next(),
            Some("Debian" | "Ubuntu" | "AlmaLinux" | "Rocky Linux" | "SUSE" | "openSUSE" | "Red Hat")
        )
    })
}

/// The CVE id in `CVE-2024-1234`, or in a distribution's own spelling of it (`DEBIAN-CVE-2024-1234`).
fn cve_in(id: &str) -> Option<VulnerabilityId> {
    let cve =
        ["DEBIAN-", "UBUNTU-", "ALPINE-"].iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id);
    let (year, number) = cve.strip_prefix("CVE-")?.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if year.len() != 4 || number.len() < 4 || !digits(year) || !digits(number) {
        return None;
    }
    cve.parse().ok()
}
