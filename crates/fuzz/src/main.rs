//! The fuzzer: `TENON_FUZZ_TARGET` names the parser.
#![no_main]

use std::sync::LazyLock;

use tenon_fuzz::{TARGETS, Target};

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("TENON_FUZZ_TARGET").unwrap_or_default();
    #[allow(clippy::panic, reason = "a fuzzer without a target has nothing to do")]
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        panic!("TENON_FUZZ_TARGET is {name:?}, none of {}", known.join(", "))
    })
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (TARGET.run)(bytes);
});
