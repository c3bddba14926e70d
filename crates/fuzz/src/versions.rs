//! Orders of versions: total, and the same by comparator and by sort key.

use std::cmp::Ordering;

use tenon_versions::{Scheme, compare, sort_key};

const SCHEMES: [Scheme; 5] = [Scheme::Dpkg, Scheme::Rpm, Scheme::Apk, Scheme::Semver, Scheme::Pep440];

/// Three versions, parted by line ends, in every scheme.
pub(crate) fn versions(bytes: &[u8]) {
    let Some(text) = crate::text(bytes) else { return };
    let versions: Vec<&str> = text.split('\n').take(3).collect();
    for scheme in SCHEMES {
        let valid: Vec<&str> =
            versions.iter().copied().filter(|version| sort_key(scheme, version).is_ok()).collect();
        for a in &valid {
            assert_eq!(compare(scheme, a, a), Ok(Ordering::Equal), "{scheme:?} {a:?}");
            for b in &valid {
                let (Ok(order), Ok(back)) = (compare(scheme, a, b), compare(scheme, b, a)) else {
                    assert_eq!((a, b), (b, a), "{scheme:?}: both have keys, and they do not compare");
                    continue;
                };
                assert_eq!(order, back.reverse(), "{scheme:?} {a:?} {b:?}");
                if let (Ok(key_a), Ok(key_b)) = (sort_key(scheme, a), sort_key(scheme, b)) {
                    assert_eq!(key_a.as_bytes().cmp(key_b.as_bytes()), order, "{scheme:?} {a:?} {b:?}");
                }
            }
        }
        if let [a, b, c] = valid[..]
            && compare(scheme, a, b) != Ok(Ordering::Greater)
            && compare(scheme, b, c) != Ok(Ordering::Greater)
        {
            assert_ne!(compare(scheme, a, c), Ok(Ordering::Greater), "{scheme:?} {a:?} {b:?} {c:?}");
        }
    }
}
