//! Carrying feeds to where there is no network.

use tenon_feeds::{Store, export, import};
use tenon_model::Timestamp;

use crate::mirror::{sync_all, write_all};

#[test]
fn a_bundle_brings_what_the_store_held_and_nothing_when_it_was_altered() {
    let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    write_all(folders[0].path());
    let mut store = Store::open(folders[1].path()).unwrap();
    sync_all(&folders[0].path().display().to_string(), &mut store);
    let file = folders[0].path().join("feeds.zip");
    let now = Timestamp::parse("2026-11-13").unwrap();
    assert_eq!(export(&store, &file, now).unwrap().len(), 3);

    let mut other = Store::open(folders[2].path()).unwrap();
    let imported = import(&mut other, &file).unwrap();
    assert!(imported.iter().all(|imported| imported.taken), "{imported:?}");
    let id = "CVE-2026-1001".parse().unwrap();
    assert_eq!(other.intel(&id).unwrap(), store.intel(&id).unwrap());
    assert_eq!(
        other.advisories("Debian:12", "openssl").unwrap(),
        store.advisories("Debian:12", "openssl").unwrap()
    );
    // One byte anywhere is noticed before anything changes, unless it is one that says nothing (a date of the container).
    let whole = std::fs::read(&file).unwrap();
    let mut noticed = 0;
    for part in 1..32 {
        let mut altered = whole.clone();
        altered[whole.len() * part / 32] ^= 0x55;
        std::fs::write(&file, altered).unwrap();
        let mut third = Store::open(&folders[3].path().join(part.to_string())).unwrap();
        if import(&mut third, &file).is_err() {
            noticed += 1;
            assert!(third.feeds().unwrap().iter().all(|state| state.fetched.is_none()), "part {part}");
        } else {
            assert_eq!(third.intel(&id).unwrap(), store.intel(&id).unwrap(), "part {part}");
        }
    }
    assert!(noticed > 16, "{noticed} of 31 altered bundles were refused");
}
