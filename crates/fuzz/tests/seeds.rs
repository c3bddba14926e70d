//! What the fuzzer found, and examples of every format, once more.

use std::path::Path;

use tenon_fuzz::TARGETS;

#[test]
fn every_seed_is_read_or_refused() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut read = 0;
    for target in TARGETS {
        let folder = seeds.join(target.name);
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}: every target has seeds", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{} has no seeds", target.name);
        for file in files {
            // A failure says by itself which target and file it was.
            println!("{}", file.display());
            (target.run)(&std::fs::read(&file).unwrap());
            read += 1;
        }
    }
    println!("measured: {read} seeds of {} parsers", TARGETS.len());
}
