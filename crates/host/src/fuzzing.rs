//! Doors for the fuzzer to parsers that nothing outside this crate calls.

/// Package databases and lists: dpkg, apk, rpm.
pub fn packages(text: &str) {
    crate::packages::read_all(text);
}

/// What apt and systemctl print.
pub fn apt(text: &str) {
    let _simulation = crate::apt::simulation(text);
    let _questions = crate::conffiles::unanswered_questions(text);
    let _states = crate::units::parse(text);
}

/// What dnf and rpm print.
pub fn dnf(text: &str) {
    crate::dnf::read_all(text);
}

/// Files and tables that an inventory reads.
pub fn inventory(bytes: &[u8]) {
    crate::inventory::read_all(bytes);
}
