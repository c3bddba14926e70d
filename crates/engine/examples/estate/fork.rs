//! What a fork of the World costs: time, and memory as it comes to differ from the original.

use std::error::Error;
use std::time::{Duration, Instant};

use tenon_engine::World;
use tenon_model::{Command, Reported};

use crate::memory::{self, resident};
use crate::{Bench, VERSIONS, advisory, inventory, key, publish, show};

/// Hosts that send the fork a delta.
const DELTAS: usize = 1_000;

/// Forks the World of so many hosts and lets the fork go its own way while the original is kept. The World is the original
/// again afterwards.
pub(crate) fn measure(
    bench: &mut Bench,
    [assets, manifests, packages]: [usize; 3],
) -> Result<(), Box<dyn Error>> {
    // The reader's old World is no part of the estate.
    bench.reader = World::default();
    let deltas: Vec<Command> = (0..assets.min(DELTAS))
        .map(|n| delta(n * assets / assets.min(DELTAS), n, manifests, packages))
        .collect::<Result<_, _>>()?;
    let before = resident();
    let share = || 100.0 * memory::added() as f64 / (before << 20) as f64;
    memory::begin();
    let started = Instant::now();
    let original = bench.world.clone();
    let took = started.elapsed();
    println!("  a fork takes {took:.2?} and adds {} bytes to {before} MB resident", memory::added());
    let mut times: Vec<Duration> =
        deltas.into_iter().map(|delta| bench.tell(delta)).collect::<Result<_, _>>()?;
    show("a delta of 1 to 5 packages, on the fork", &mut times);
    bench.reader = World::default();
    println!("  the fork has then added {:.2} % of the estate; {} MB resident", share(), resident());
    let changed = advisory("DSA-9001-1", 0, "CVE-2026-6000")?;
    show("an advisory about a package of every host", &mut [bench.tell(publish(vec![changed]))?]);
    bench.reader = World::default();
    println!("  the fork has then added {:.2} % of the estate; {} MB resident", share(), resident());
    memory::end();
    bench.world = original;
    Ok(())
}

/// A host upgrades 1 to 5 packages.
fn delta(host: usize, n: usize, manifests: usize, packages: usize) -> Result<Command, Box<dyn Error>> {
    let before = inventory(host, manifests, packages);
    let mut now = before.clone();
    let outdated = now.components.iter_mut().filter_map(|component| {
        let package = component.source.name.rsplit('-').next()?.parse().ok()?;
        let newest = crate::component(package, VERSIONS - 1);
        (component.version != newest.version).then_some((component, newest))
    });
    outdated.take(1 + n % 5).for_each(|(component, newest)| *component = newest);
    let delta = Reported::new(now)?.since(&Reported::new(before)?).ok_or("a delta that names too much")?;
    // Beyond those of the reports before.
    Ok(Command::ReportDelta { asset: key(host), sequence: 10, delta: Box::new(delta) })
}
