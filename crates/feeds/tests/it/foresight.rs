//! What is foreseen of what the feeds name.

use std::collections::BTreeMap;

use tenon_feeds::{Asked, Foresight, Store, intel_deltas};
use tenon_model::{Advisory, Foreseen, Intel, IntelDelta, Timestamp, VulnerabilityId};
use tenon_predict::ModelFile;

use crate::mirror::{mirrored, record, sync_all, write_epss, write_kev, write_osv};

fn id(text: &str) -> VulnerabilityId {
    text.parse().unwrap()
}

/// What the store says of all that its advisories address, as of a day.
fn known(store: &Store, now: &str) -> BTreeMap<VulnerabilityId, Intel> {
    let models = ModelFile::shipped().unwrap();
    let advisories: Vec<Advisory> =
        store.advisories_of(&["Debian:12".to_owned()]).unwrap().collect::<Result<_, _>>().unwrap();
    let mut asked = Asked::default();
    asked.advised(&advisories);
    let foresight = Foresight::of(&models, &store.feeds().unwrap(), Timestamp::parse(now).unwrap());
    store.known_intel(&asked, foresight).unwrap()
}

fn foreseen(known: &BTreeMap<VulnerabilityId, Intel>, of: &str) -> Option<Foreseen> {
    known.get(&id(of)).and_then(|intel| intel.foreseen.clone())
}

#[test]
fn what_is_not_listed_is_foreseen_as_of_the_day_after_the_newest_feed() {
    let (mirror, _place, mut store) = mirrored();
    assert_eq!(foreseen(&known(&store, "2026-11-20"), "CVE-2026-1002"), None, "nothing was fetched yet");
    sync_all(mirror.path().to_str().unwrap(), &mut store);

    let first = known(&store, "2026-11-20");
    assert_eq!(foreseen(&first, "CVE-2026-1001"), None, "CISA lists it");
    let one = foreseen(&first, "CVE-2026-1002").unwrap();
    assert_eq!(
        (one.day, one.model.as_str()),
        (Timestamp::parse("2026-11-12").unwrap(), "five-restated-2026-08-07")
    );
    assert_eq!(
        foreseen(&known(&store, "2026-11-11"), "CVE-2026-1002").unwrap().day.to_string(),
        "2026-11-11T00:00:00Z"
    );

    // A higher score raises it, and being listed takes it away: one delta, with what changed alone.
    write_epss(mirror.path(), "2026-11-12", &[("CVE-2026-1001", "0.9"), ("CVE-2026-1002", "0.4")]);
    sync_all(mirror.path().to_str().unwrap(), &mut store);
    let second = known(&store, "2026-11-20");
    let higher = foreseen(&second, "CVE-2026-1002").unwrap();
    assert!(higher.probability > one.probability, "{higher:?} {one:?}");
    let deltas = intel_deltas(first.iter(), &second);
    let told = deltas.iter().find_map(|delta| match delta {
        IntelDelta::Forecast { day, foreseen, dropped, .. } => {
            Some((*day, foreseen.clone(), dropped.clone()))
        }
        _ => None,
    });
    assert_eq!(told, Some((higher.day, vec![(id("CVE-2026-1002"), higher.probability)], Vec::new())));
    assert!(intel_deltas(second.iter(), &known(&store, "2026-11-21")).is_empty(), "nothing new was fetched");

    write_kev(mirror.path(), "2026.11.12", &["CVE-2026-1001", "CVE-2026-1002"]);
    sync_all(mirror.path().to_str().unwrap(), &mut store);
    let third = known(&store, "2026-11-20");
    assert_eq!(foreseen(&third, "CVE-2026-1002"), None);
    let dropped = intel_deltas(second.iter(), &third).into_iter().find_map(|delta| match delta {
        IntelDelta::Forecast { foreseen, dropped, .. } if foreseen.is_empty() => Some(dropped),
        _ => None,
    });
    assert_eq!(dropped, Some(vec![id("CVE-2026-1002")]));
}

/// Neither has a record or a score: the older advisory tells that its CVE is no news.
#[test]
fn what_an_advisory_alone_names_is_foreseen_by_when_that_was_published() {
    let (mirror, _place, mut store) = mirrored();
    let published = |id: &str, cve: &str, day: &str| {
        let mut record = record(id, cve, "nginx", "1.22.1-9", "2026-11-11T00:00:00Z");
        record["published"] = format!("{day}T00:00:00Z").into();
        record.to_string()
    };
    let (new, old) = (
        published("DSA-8-1", "CVE-2026-7001", "2026-11-11"),
        published("DSA-9-1", "CVE-2026-7002", "2026-02-11"),
    );
    write_osv(mirror.path(), &[("DSA-8-1", new), ("DSA-9-1", old)]);
    sync_all(mirror.path().to_str().unwrap(), &mut store);
    let known = known(&store, "2026-11-20");
    let of = |cve: &str| foreseen(&known, cve).unwrap().probability.ppm();
    assert!(of("CVE-2026-7001") > 4 * of("CVE-2026-7002"), "{} {}", of("CVE-2026-7001"), of("CVE-2026-7002"));
    assert!(known[&id("CVE-2026-7001")].epss.is_none());
}
