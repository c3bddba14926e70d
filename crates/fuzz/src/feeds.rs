//! What only feeds read: lists of changes and of exploits, archives, rows of a bundle.

use tenon_feeds::fuzzing;

pub(crate) fn lists(bytes: &[u8]) {
    fuzzing::lists(bytes);
}

pub(crate) fn archive(bytes: &[u8]) {
    fuzzing::archive(bytes);
}

pub(crate) fn rows(bytes: &[u8]) {
    fuzzing::rows(bytes);
}
