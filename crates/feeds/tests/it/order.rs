//! The order of work, judged by what was listed afterwards, on the public history: as `--example order` does.

#[path = "../../examples/order/judge.rs"]
mod judge;

use judge::{Question, RELEASES, judge};
use tenon_predict::ordering::Order;

#[test]
fn an_order_by_forecasts_leaves_less_exposed_than_by_scores_or_lists() {
    let Some(feeds) =
        crate::history_public::feeds("an_order_by_forecasts_leaves_less_exposed_than_by_scores_or_lists")
    else {
        return;
    };
    let answer = judge(&Question { folder: &feeds, estates: 50, until: None }).unwrap();
    let (from, to) = answer.span;
    println!(
        "measured: 50 estates of {} hosts in all, {from} to {to}, {} packages of {} with {} updates, which close {} vulnerabilities, {} of them with a CVSS score",
        answer.hosts,
        answer.packages,
        RELEASES.join(", "),
        answer.updates,
        answer.cves,
        answer.scored
    );
    for verdict in answer.verdicts.iter().filter(|verdict| verdict.cves > 9) {
        let of = |order| verdict.of(order).map(|one| one.host_days).sum::<u64>();
        let work = |order| verdict.of(order).map(|one| one.minutes).sum::<u64>();
        for other in [Order::Cvss, Order::Epss, Order::Kev, Order::Oldest] {
            println!(
                "measured: {}: {} of {} host-days by {other:?}",
                verdict.title,
                of(Order::PerChange),
                of(other)
            );
            assert!(of(Order::PerChange) < of(other), "{}: {other:?}", verdict.title);
            let (own, other) = (work(Order::PerChange), work(other));
            assert!(own.abs_diff(other) * 50 < other, "at equal work: {own} of {other} minutes");
        }
        assert!(of(Order::Hindsight) <= of(Order::PerChange), "{}: nothing is seen ahead", verdict.title);
    }
}
