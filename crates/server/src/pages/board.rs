//! The sheet for the board, to read and to print.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use tenon_model::{RiskPoints, Timestamp};

use super::chart::chart;
use super::words::{count, gap, grouped, lasting, minute, moved, plural, points, stage};
use super::{BOARD_STYLE, page};
use crate::view::{
    BoardView, Change, DAYS, DirectiveLine, FiguresView, Moved, Needed, ShareView, Unseen, Verdict, day_of,
};

/// The sheet. `then` is of when it was asked for, as it stands in the address; `played` says that nothing in it is real.
pub(crate) fn sheet(board: &BoardView, then: Option<&str>, played: bool) -> Response {
    let back = then.map_or_else(|| "/".to_owned(), |then| format!("/?as_of={then}"));
    let body = html! {
        main.board data-testid="board" {
            header {
                div {
                    h1 { "Security updates: better or worse" }
                    p.sub {
                        (DAYS) " days up to " (board.time.map_or_else(|| "now".to_owned(), |time| minute(&time.to_string())))
                        ", " (plural(board.assets, "asset")) ", entry " (count(board.generation)) " of the record"
                        @if then.is_some() { ", as it stood then" }
                    }
                }
                p.screen { a href=(back) data-testid="leave-board" { "To the queue" } }
            }
            @if played {
                p.played data-testid="played" { "A demonstration: every host and every advisory here is invented." }
            }
            (part("verdict", "Better or worse", &verdict(board)))
            (part("why", "Why", &why(&board.moved)))
            (part("work", "How the work goes", &work(&board.figures)))
            (part("needed", "What is needed", &needed(&board.needed, board.now)))
            (part("unseen", "What we cannot see", &unseen(&board.unseen, board.assets)))
        }
    };
    page(StatusCode::OK, "better or worse", BOARD_STYLE, &body)
}

fn part(name: &str, title: &str, content: &Markup) -> Markup {
    html! {
        section aria-labelledby=(format!("{name}-title")) data-testid=(format!("board-{name}")) {
            h2 id=(format!("{name}-title")) { (title) }
            (content)
        }
    }
}

fn verdict(board: &BoardView) -> Markup {
    let Verdict::Told { change, from, to, tenths, whole, since } = board.verdict else {
        return html! { p { "Too early to say: the record has no two days yet." } };
    };
    let (word, class, sign) = match change {
        Change::Better => ("Better", "good", "M3.6 6.1 5.3 7.8 8.4 4.3"),
        Change::AsBefore => ("As before", "even", "M3.5 6h5"),
        Change::Worse => ("Worse", "bad", "m4.2 4.2 3.6 3.6m0-3.6-3.6 3.6"),
    };
    html! {
        div.verdict {
            div {
                p.word.(class) {
                    // A sign that reads without colour.
                    svg viewBox="0 0 12 12" width="20" height="20" aria-hidden="true" {
                        circle cx="6" cy="6" r="5" {}
                        path d=(sign) {}
                    }
                    " " b { (word) }
                }
                p {
                    "Like for like, exposure went from " b { (points(from)) } " to " b { (points(to)) } " risk points"
                    @if let Some(day) = since { " since " (day_of(day)) ", the first day of which anything is known" }
                    @if let Some(tenths) = tenths { " (" (change_of(tenths)) ")" }
                    ". With hosts that are new it is " b { (points(whole)) } "."
                }
                p.sub { "100 risk points are a certain loss of everything on one asset within 30 days." }
            }
            (chart(&board.days))
        }
    }
}

/// A change of so many tenths of a percent: as a percentage, and where nobody thinks in that any more as a multiple.
fn change_of(tenths: i64) -> String {
    const TENFOLD: u64 = 9_000;
    let (sign, size) = (if tenths < 0 { "-" } else { "+" }, tenths.unsigned_abs());
    match size % 10 {
        _ if size >= TENFOLD => format!("{} times as much", count(size.saturating_add(1_000) / 1_000)),
        0 => format!("{sign}{}\u{a0}%", count(size / 10)),
        tenth => format!("{sign}{}.{tenth}\u{a0}%", count(size / 10)),
    }
}

fn why(all: &[Moved]) -> Markup {
    if all.is_empty() {
        return html! { p { "Nothing moved it." } };
    }
    html! {
        table {
            caption.unseen { "What moved exposure" }
            tbody {
                @for Moved { word, says, by } in all {
                    tr {
                        td.number { b { (moved(*by)) } }
                        th scope="row" { (word) }
                        td { (says) }
                    }
                }
            }
        }
    }
}

/// A share in percent; what is there is never told as nothing.
fn percent(percent: Option<&String>, part: u64) -> String {
    match percent {
        None => "–".to_owned(),
        Some(said) if said == "0.0" && part > 0 => "<0.1\u{a0}%".to_owned(),
        Some(said) => format!("{said}\u{a0}%"),
    }
}

fn share(of: &ShareView) -> String {
    percent(of.percent.as_ref(), of.part)
}

fn work(figures: &FiguresView) -> Markup {
    let FiguresView { remediation, sla, overdue, change_success, foretold, waited_for, .. } = figures;
    let fixed = remediation.median_seconds.map_or_else(|| "–".to_owned(), |half| lasting(half.into()));
    let part_of = |of: &ShareView, what: &str, nothing: &str| match of.of {
        0 => nothing.to_owned(),
        _ => format!("{} of {}{what}", count(of.part), count(of.of)),
    };
    let facts = [
        ("done by the due date", share(sla), part_of(sla, " that came due", "nothing came due")),
        ("cases overdue now", count(overdue.part), format!("of {} open", count(overdue.of))),
        (
            "time to fix",
            fixed,
            if remediation.count > 0 { "half of the cases took no longer" } else { "nothing verified" }
                .to_owned(),
        ),
        ("changes that held", share(change_success), part_of(change_success, "", "no changes")),
        (
            "failures foretold",
            count(foretold.part),
            format!("of {}, before they reached a host", plural(foretold.of, "rehearsal")),
        ),
    ];
    let longest = waited_for.iter().max_by_key(|wait| wait.seconds).filter(|wait| wait.seconds > 0);
    html! {
        dl {
            @for (name, value, of) in facts {
                div { dt.sub { (name) } dd { b { (value) } " " span.sub { (of) } } }
            }
        }
        @if let Some(wait) = longest {
            p {
                "Most of the time went to waiting for " b { (waits_for(&wait.waits_for)) } ": "
                (percent(wait.percent.as_ref(), wait.seconds)) "."
            }
        }
    }
}

fn waits_for(name: &str) -> &str {
    match name {
        "person" => "people",
        "machine" => "machines",
        "window" => "waves and windows",
        other => other,
    }
}

fn needed(Needed { first, first_remove, open, overdue, remove }: &Needed, now: Timestamp) -> Markup {
    if *open == 0 {
        return html! { p { "Nothing to do that Tenon knows of." } };
    }
    let points = |of: &RiskPoints| points(i64::try_from(of.0).unwrap_or(i64::MAX));
    html! {
        p {
            (plural(*open, "directive")) " to do"
            @if *overdue > 0 { ", " b { (count(*overdue)) " overdue" } }
            ". "
            @if (first.len() as u64) < *open && remove.0 > 0 {
                "These " (first.len()) " remove " b { (points(first_remove)) } " of " (points(remove)) " risk points:"
            }
        }
        table.wide {
            thead {
                tr {
                    th scope="col" { "What to do" }
                    th scope="col" { "Group" }
                    th scope="col" { "Due" }
                    th scope="col" class="number" { "Removes" }
                    th scope="col" { "Waits" }
                }
            }
            tbody { @for line in first { (directive(line, now)) } }
        }
    }
}

fn directive(line: &DirectiveLine, now: Timestamp) -> Markup {
    let late = line.due.as_deref().and_then(Timestamp::parse).is_some_and(|due| due < now);
    let first = line.stages.iter().min_by_key(|(name, _)| stage(name).0);
    html! {
        tr {
            th scope="row" { (line.title) }
            td { (line.group) }
            td.late[late] {
                @match &line.due {
                    Some(due) => time datetime=(due) { (minute(due)) },
                    None => "no date",
                }
            }
            td.number { (grouped(&line.removes)) }
            td {
                @if let Some((name, assets)) = first {
                    (stage(name).1)
                    @if *assets > 1 { " on " (count(*assets)) }
                }
            }
        }
    }
}

fn unseen(Unseen { gaps, gaps_in_all, not_whole, feeds, broken, accepted }: &Unseen, assets: u64) -> Markup {
    let more = gaps_in_all.saturating_sub(gaps.len()) as u64;
    html! {
        p {
            @if *not_whole > 0 {
                b { (count(*not_whole)) } " of " (plural(assets, "asset"))
                @if *not_whole == 1 { " is" } @else { " are" }
                " not wholly known: what is not seen there is in no figure above. "
            } @else if assets == 0 {
                "No asset is enrolled: nothing is known. "
            } @else {
                "Every asset is wholly known. "
            }
            @if !broken.is_empty() {
                "Of " (plural(*feeds as u64, "feed")) " " (broken.len()) " did not come: " (broken.join(", ")) ". "
            }
            @if *accepted > 0 {
                (plural(*accepted as u64, "accepted risk")) @if *accepted == 1 { " is" } @else { " are" }
                " in no figure above, either."
            }
        }
        @if !gaps.is_empty() {
            table {
                caption.unseen { "What is not seen" }
                tbody {
                    @for one in gaps {
                        tr {
                            th scope="row" { (gap(&one.kind)) }
                            td { (one.said) }
                            td.number { (plural(one.assets, "host")) }
                        }
                    }
                }
            }
        }
        @if more > 0 { p.sub { "and " (plural(more, "more gap")) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_percentage_until_it_is_a_multiple() {
        let told = [-400, 173, 10, 8_999, 9_000, 253_215].map(change_of);
        assert_eq!(
            told,
            [
                "-40\u{a0}%",
                "+17.3\u{a0}%",
                "+1\u{a0}%",
                "+899.9\u{a0}%",
                "10 times as much",
                "254 times as much"
            ]
        );
    }

    #[test]
    fn a_share_of_something_is_never_told_as_nothing() {
        let told = |said: Option<&str>, part| percent(said.map(str::to_owned).as_ref(), part);
        assert_eq!(told(None, 0), "–");
        assert_eq!(told(Some("0.0"), 0), "0.0\u{a0}%");
        assert_eq!(told(Some("0.0"), 1), "<0.1\u{a0}%");
    }
}
