//! What programs and files of a host say.

use tenon_host::fuzzing;

pub(crate) fn packages(bytes: &[u8]) {
    fuzzing::packages(&String::from_utf8_lossy(bytes));
}

pub(crate) fn apt(bytes: &[u8]) {
    fuzzing::apt(&String::from_utf8_lossy(bytes));
}

pub(crate) fn inventory(bytes: &[u8]) {
    fuzzing::inventory(bytes);
}
