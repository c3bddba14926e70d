//! Reads every feed once and prints what it holds and how long that took.
//!
//! `cargo run -p tenon-feeds --example read_feeds -- SOURCE RELEASE...`, where SOURCE is `public`, the address of a web
//! mirror or a mirror folder, and RELEASE is spelt as OSV spells it (`Debian:12`).

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Instant;

use tenon_feeds::{FeedDocument, Source, fetch_epss, fetch_kev, fetch_osv};
use tenon_model::VulnerabilityId;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let source: Source = arguments.next().ok_or("name a source and releases")?.parse()?;
    let releases: Vec<String> = arguments.collect();
    let cache = std::env::temp_dir().join("tenon-read-feeds");

    let start = Instant::now();
    let osv = fetch_osv(&source, &cache, &releases, &mut |_| {})?;
    report("OSV", &osv, osv.content.len(), start);

    let start = Instant::now();
    let kev = fetch_kev(&source, &cache, &mut |_| {})?;
    report("KEV", &kev, kev.content.len(), start);

    let named: BTreeSet<&VulnerabilityId> =
        osv.content.iter().flat_map(|advisory| advisory.vulnerabilities()).collect();
    let start = Instant::now();
    let epss = fetch_epss(&source, &cache, &|id| named.contains(id), &mut |_| {})?;
    report("EPSS", &epss, epss.content.scores.len(), start);
    Ok(())
}

fn report<T>(feed: &str, document: &FeedDocument<T>, kept: usize, start: Instant) {
    let as_of = document.as_of.map_or_else(|| "never".to_owned(), |as_of| as_of.to_string());
    println!(
        "{feed}: {} records, {kept} kept, {} problems, as of {as_of}, {:?}, in {:.0?}",
        document.records,
        document.problems.total(),
        document.origin,
        start.elapsed(),
    );
    for problem in document.problems.listed().iter().take(10) {
        println!("  {problem}");
    }
}
