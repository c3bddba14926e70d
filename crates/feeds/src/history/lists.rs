//! Lists of public exploits: only the day on which each list first had a CVE.

use tenon_predict::{CveId, Day, Fact, Sighting};

use super::Taking;
use crate::error::FeedError;
use crate::evidence;
use crate::name::{EvidenceKind, FeedName};
use crate::problem::Ledger;

/// The lists that have dates. Exploit-DB's has none, so it would be known from the day of its file; reports of
/// exploitation end in January 2025, so that a model would learn from a feed that is no more.
pub(super) fn exploits(taking: &mut Taking<'_>, folder: &'static str) -> Result<(), FeedError> {
    let kinds =
        [(EvidenceKind::GithubPoc, Sighting::PublicExploit), (EvidenceKind::Metasploit, Sighting::Framework)];
    for (kind, sighting) in kinds {
        let file = format!("{folder}/{}", kind.file());
        let mut ledger = Ledger::new(FeedName::Exploits(kind));
        let list = evidence::read(kind, taking.open(&file)?, &mut ledger)?;
        for problem in ledger.listed() {
            taking.problems.push(tenon_formats::Problem {
                place: format!("{file}: {}", problem.record),
                subject: None,
                reason: problem.reason.clone(),
            });
        }
        for (id, evidence) in &list.entries {
            let (Ok(id), Some(seen)) = (CveId::try_from(id), evidence.first_seen.and_then(Day::of)) else {
                continue;
            };
            let fact = if evidence.on_or_before { Fact::SeenBefore(sighting) } else { Fact::Seen(sighting) };
            taking.add(id, seen, fact)?;
        }
    }
    Ok(())
}
