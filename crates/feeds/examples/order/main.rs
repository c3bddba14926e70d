//! In which order should work be done? Estates are worked off in each order, and judged by what was exploited afterwards: listed in KEV,
//! reported elsewhere, or taken up by a simulated attacker.
//!
//! `cargo run --release -p tenon-feeds --example order -- [FOLDER] [ESTATES] [UNTIL]`, where FOLDER is a mirror of the feeds with their history,
//! by default that of the tests (`feeds` in `TENON_SHARED` or in `../shared`). Prints Markdown.

mod judge;

use std::path::PathBuf;
use std::time::Instant;

use judge::{Question, RELEASES, Result, Verdict, judge};
use tenon_predict::Day;
use tenon_predict::ordering::{Exposed, Order};

fn main() -> Result<()> {
    let shared = std::env::var_os("TENON_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let mut words = std::env::args().skip(1);
    let folder = words.next().map_or_else(|| shared.join("feeds"), PathBuf::from);
    let estates: u64 = words.next().map_or(Ok(50), |word| word.parse())?;

    let until: Option<Day> = words.next().map(|word| word.parse()).transpose()?;

    let start = Instant::now();
    let answer = judge(&Question { folder: &folder, estates, until })?;
    let (from, to) = answer.span;
    println!(
        "{estates} estates of {} hosts in all, {from} to {to}; {} packages of {} with {} updates, which close {} vulnerabilities, {} of them with a CVSS score.\n",
        answer.hosts,
        answer.packages,
        RELEASES.join(", "),
        answer.updates,
        answer.cves,
        answer.scored
    );
    for verdict in &answer.verdicts {
        println!("### {}\n\n{} of the vulnerabilities here.\n", verdict.title, verdict.cves);
        print(verdict);
    }
    eprintln!(
        "measured: {estates} estates in {} orders by 3 judges in {:.1?}",
        Order::ALL.len(),
        start.elapsed()
    );
    Ok(())
}

fn told(order: Order) -> &'static str {
    match order {
        Order::PerChange => "Tenon, most risk per change",
        Order::PerHour => "the same per hour, if hours were known",
        Order::Removes => "Tenon, most risk",
        Order::Cvss => "CVSS",
        Order::Epss => "EPSS",
        Order::EpssPerHour => "sum of EPSS per hour",
        Order::Kev => "KEV, then the oldest",
        Order::Oldest => "the oldest",
        Order::Hindsight => "what will be exploited, per hour",
    }
}

/// A table of what each order left exposed, and in how many estates Tenon's left less.
fn print(verdict: &Verdict) {
    let own = || verdict.of(Order::PerChange);
    println!(
        "| order | host-hours exposed | of them since the exploitation | hit | changes | hours of work | Tenon's left less, more |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for order in Order::ALL {
        let mut sum = Exposed::default();
        for one in verdict.of(order) {
            sum += one;
        }
        let less =
            own().zip(verdict.of(order)).filter(|(own, other)| own.host_days < other.host_days).count();
        let more =
            own().zip(verdict.of(order)).filter(|(own, other)| own.host_days > other.host_days).count();
        println!(
            "| {} | {} | {} | {} | {} | {} | {less}, {more} |",
            told(order),
            sum.host_days * Exposed::HOURS,
            sum.host_days_since * Exposed::HOURS,
            sum.hit,
            sum.changes,
            sum.minutes / 60
        );
    }
    println!();
}
