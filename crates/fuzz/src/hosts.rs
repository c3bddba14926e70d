//! What programs and files of a host say.

use tenon_host::fuzzing;

pub(crate) fn packages(bytes: &[u8]) {
    fuzzing::packages(&String::from_utf8_lossy(bytes));
}

pub(crate) fn apt(bytes: &[u8]) {
    fuzzing::apt(&String::from_utf8_lossy(bytes));
}

pub(crate) fn dnf(bytes: &[u8]) {
    fuzzing::dnf(&String::from_utf8_lossy(bytes));
}

pub(crate) fn inventory(bytes: &[u8]) {
    fuzzing::inventory(bytes);
}

pub(crate) fn limits(bytes: &[u8]) {
    let Some(text) = crate::text(bytes) else { return };
    match tenon_host::limits::read(text) {
        Ok(limits) => assert!(!limits.sentences().is_empty(), "what is read is said"),
        Err(problems) => assert!(!problems.is_empty(), "what is refused says why"),
    }
}
