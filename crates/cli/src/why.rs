//! `tenon why`: a priority to the last input.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;
use tenon_model::Probability;
use tenon_server::{
    ClockView, DecisionView, DirectiveView, FactorView, FlipView, MoveView, MovesView, SetView, WhyView,
};

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::show::listed;

/// Most vulnerabilities whose factors are written out.
const MAX_FACTORS: usize = 10;

#[derive(Serialize)]
struct Explained<'a> {
    directive: &'a DirectiveView,
    why: &'a WhyView,
    moves: &'a MovesView,
}

/// Entries that are written out of those that moved it.
const MAX_MOVES: usize = 5;

pub(crate) fn run(common: &Common, id: &str, moment: &AsOf) -> Result<()> {
    let api = Api::new(common)?;
    let directive: DirectiveView = api.get_as_of(&format!("/api/v1/directives/{id}"), moment)?;
    let why: WhyView = api.get_as_of(&format!("/api/v1/directives/{id}/why"), moment)?;
    let moves: MovesView = api.get_as_of(&format!("/api/v1/directives/{id}/moves"), moment)?;
    match common.format {
        Format::Json => {
            let explained = Explained { directive: &directive, why: &why, moves: &moves };
            println!("{}", serde_json::to_string_pretty(&explained)?);
        }
        Format::Text => {
            print!("{}\n{}{}", directive.title, text(&directive, &why, "  "), moved(&moves, "  "));
        }
    }
    Ok(())
}

/// The explanation for people, each line behind `indent`.
pub(crate) fn text(directive: &DirectiveView, why: &WhyView, indent: &str) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _written = write(&mut text, directive, why, indent);
    text
}

/// What moved it, the last first.
fn moved(view: &MovesView, indent: &str) -> String {
    let mut text = String::new();
    let points = |points: &str| {
        points.parse::<f64>().map_or_else(|_| points.to_owned(), |value| format!("{value:.1}"))
    };
    for MoveView { seq, time, said, before, points: after } in view.items.iter().take(MAX_MOVES) {
        let time = time.get(..16).unwrap_or(time).replace('T', " ");
        let from =
            before.as_ref().map_or("raised with".to_owned(), |before| format!("{} ->", points(before)));
        text += &format!("{indent}moved     {time} {from} {}: {said} (entry {seq})\n", points(after));
    }
    if view.more || view.items.len() > MAX_MOVES {
        text += &format!("{indent}          and more before\n");
    }
    text
}

/// The day of an RFC 3339 time.
pub(crate) fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

/// A column without the version of its decision point.
pub(crate) fn column(name: &str) -> &str {
    name.split(" v").next().unwrap_or(name)
}

/// Parts per million in per cent; what is no probability stays as it is.
pub(crate) fn percent(ppm: u64) -> String {
    if ppm.is_multiple_of(10_000) {
        return format!("{}%", ppm / 10_000);
    }
    let known = u32::try_from(ppm).ok().and_then(Probability::from_ppm);
    known.map_or_else(|| format!("{ppm} ppm"), |known| known.to_string())
}

fn write(text: &mut String, directive: &DirectiveView, why: &WhyView, indent: &str) -> std::fmt::Result {
    let decision = &directive.decision;
    let of = decision.vulnerability.as_deref().map(|id| format!(" for {id}")).unwrap_or_default();
    writeln!(
        text,
        "{indent}decision  {} by row {} of {}{of}",
        decision.outcome, decision.row, decision.table
    )?;
    write_inputs(text, decision, indent)?;
    if let Some(evidence) = &directive.evidence {
        writeln!(
            text,
            "{indent}evidence  asked for before anything changes: sealed of {}, waived of {}, lacking of {}",
            evidence.sealed, evidence.waived, evidence.lacking
        )?;
    }
    for attack in &directive.attacks {
        writeln!(text, "{indent}attack    {}", crate::detection::line(attack))?;
    }
    write_clocks(text, &directive.clocks, indent)?;
    let set_before = directive
        .due
        .as_deref()
        .filter(|due| directive.clocks.first().is_none_or(|clock| clock.due != **due));
    if let Some(due) = set_before {
        writeln!(text, "{indent}          due {}: set earlier, and not moved later", day(due))?;
    }
    let controls = if why.factors.iter().any(|factor| factor.control.is_some()) { " x controls" } else { "" };
    writeln!(
        text,
        "{indent}removes   {} risk points = threat x reach x impact{controls}, summed",
        directive.removes
    )?;
    for factor in why.factors.iter().take(MAX_FACTORS) {
        let on = if factor.assets > 1 { format!(" on {} assets", factor.assets) } else { String::new() };
        writeln!(
            text,
            "{indent}  {:<18} {:>7} x {:>4} x {:>4}{} = {:>7}{on}",
            factor.vulnerability,
            percent(factor.threat_ppm),
            percent(factor.reach_ppm),
            percent(factor.impact_ppm),
            left(factor),
            factor.points
        )?;
    }
    if why.factors.len() > MAX_FACTORS {
        writeln!(text, "{indent}  and {} more", why.factors.len() - MAX_FACTORS)?;
    }
    write_reach(text, why.factors.first(), indent)?;
    let control = why.factors.iter().find_map(|factor| factor.control.as_ref());
    if let Some(control) = control {
        writeln!(text, "{indent}control   {} [{}]", control.fact, control.source)?;
    }
    write_flips(text, &why.flips, indent)
}

/// What controls leave over, as one more factor; nothing where none stands there.
fn left(factor: &FactorView) -> String {
    match &factor.control {
        Some(_) => format!(" x {:>4}", percent(factor.controls_ppm)),
        None => String::new(),
    }
}

/// How attackers get there, of what counts most: the last reason of the reach.
fn write_reach(text: &mut String, factor: Option<&FactorView>, indent: &str) -> std::fmt::Result {
    let Some([_threat, .., reach, _impact]) = factor.map(|factor| factor.because.as_slice()) else {
        return Ok(());
    };
    let as_of = reach.as_of.as_deref().map(|at| format!(" of {}", day(at))).unwrap_or_default();
    writeln!(text, "{indent}reach     {} [{}{as_of}]", reach.fact, reach.source)
}

/// What the table asked for, each with its source.
pub(crate) fn write_inputs(text: &mut String, decision: &DecisionView, indent: &str) -> std::fmt::Result {
    for input in &decision.inputs {
        let as_of = input.basis.as_of.as_deref().map(|at| format!(" of {}", day(at))).unwrap_or_default();
        let source = if input.assumed { String::new() } else { format!(" [{}{as_of}]", input.basis.source) };
        let assumed = if input.assumed { "assumed: " } else { "" };
        let (column, value) = (column(&input.column), &input.value);
        writeln!(text, "{indent}  {column:<28} {value:<12} {assumed}{}{source}", input.basis.fact)?;
    }
    Ok(())
}

/// Every rule that sets a date.
pub(crate) fn write_clocks(text: &mut String, clocks: &[ClockView], indent: &str) -> std::fmt::Result {
    for clock in clocks {
        writeln!(
            text,
            "{indent}clock     {} by row {} of {} ({}), from {} on, for {}",
            day(&clock.due),
            clock.row,
            clock.rule,
            clock.outcome,
            day(&clock.since),
            clock.vulnerability
        )?;
    }
    if clocks.is_empty() {
        writeln!(text, "{indent}clock     none of the rules that count sets a date")?;
    }
    Ok(())
}

/// The smallest changes that lead to another outcome.
pub(crate) fn write_flips(text: &mut String, flips: &[FlipView], indent: &str) -> std::fmt::Result {
    for flip in flips {
        let word = if flip.sooner { "sooner" } else { "later" };
        writeln!(text, "{indent}{word:<9} {} if {}", flip.outcome, conditions(&flip.set).join(" and "))?;
    }
    Ok(())
}

/// What has to change, in words; of vulnerabilities that change alike at once.
fn conditions(set: &[SetView]) -> Vec<String> {
    let mut alike: Vec<(&SetView, Vec<String>)> = Vec::new();
    for one in set {
        let same = |known: &&mut (&SetView, Vec<String>)| {
            let (first, _) = known;
            (&first.column, &first.from, &first.to) == (&one.column, &one.from, &one.to)
        };
        match (alike.iter_mut().find(same), &one.vulnerability) {
            (Some((_, ids)), Some(id)) => ids.push(id.clone()),
            (_, id) => alike.push((one, id.iter().cloned().collect())),
        }
    }
    let condition = |(SetView { column: of, from, to, .. }, ids): (&SetView, Vec<String>)| {
        let whose = if ids.is_empty() { "the assets".to_owned() } else { listed(&ids) };
        format!("\"{}\" of {whose} were {to} and not {}", column(of), from.join(" or "))
    };
    alike.into_iter().map(condition).collect()
}
