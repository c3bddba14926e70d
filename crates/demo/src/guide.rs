//! What a visitor is told: what happens now, and what there is to do.

use tenon_engine::{DirectiveState, GroupMode, World};
use tenon_model::{DirectiveId, GroupName, Outcome, Stage};
use tenon_server::Guide;

use crate::estate::HERO;
use crate::story::{Part, colleagues, hero};

/// What to say in a World of the story.
pub(crate) fn guide(world: &World, part: Part) -> Guide {
    let about = hero(world);
    let (happens, mut can) = told(part, about);
    let acts = HERO.parse::<GroupName>().is_ok_and(|group| world.mode(&group) == GroupMode::Act);
    if part > Part::Arriving && part < Part::Over && !acts {
        can.insert(
            0,
            "Let group shop act again, under Assets: nothing is rehearsed or applied there meanwhile.",
        );
    }
    let waits = matches!(part, Part::Approval | Part::Halted | Part::Left);
    Guide {
        part: part.number(),
        parts: Part::Over.number(),
        happens,
        can: can.into_iter().map(str::to_owned).collect(),
        directive: match part {
            // Nothing of the story is there yet: what is under way is the colleague's.
            Part::Quiet => colleagues(world),
            _ => about,
        }
        .map(|(id, _)| id),
        waits,
    }
}

fn told(part: Part, about: Option<(DirectiveId, &DirectiveState)>) -> (String, Vec<&'static str>) {
    let count = |wanted: fn(&Stage) -> bool| {
        about.map_or(0, |(_, state)| state.begun().filter(|(_, stage)| wanted(stage)).count())
    };
    let halt = about.and_then(|(_, state)| state.rollout.as_ref()?.halted.as_ref());
    let fixed = about.is_some_and(|(_, state)| matches!(state.closed, Some((_, Outcome::Fixed))));
    let by_hand = halt.is_some_and(|halt| halt.by.is_some());
    let of = about.map_or(0, |(_, state)| state.members.len());
    match part {
        Part::Arriving => (
            "The hosts of the estate enrol and report for the first time; ten days pass in some seconds.".to_owned(),
            vec!["Watch the assets come in."],
        ),
        Part::Quiet => (
            "A usual morning. Team data rolls out quillsql-15 in waves, each watched before the next.".to_owned(),
            vec![
                "Open upgrade quillsql-15: its waves, what each waits for, and why some hosts are held back.",
                "Halt it with a reason, and resume it.",
            ],
        ),
        Part::Offered => (
            "The repositories of the web servers of team shop have a newer lanternd. Nobody says yet what it mends.".to_owned(),
            vec!["Open a host named web-... under Assets: the update is offered there, and nothing is directed."],
        ),
        Part::Disclosed => (
            format!("An advisory is published: lanternd has a weakness. Within the same moment Tenon directs its upgrade on {of} hosts; each rehearses it on a throw-away copy of itself."),
            vec!["Open it: what is wrong, which row of which table decided, by when."],
        ),
        Part::Exploited => (
            format!("The weakness is exploited somewhere: it is listed in KEV. The directive has a new date and place in the queue; {} hosts still rehearse.", count(|stage| matches!(stage, Stage::Rehearsing { .. }))),
            vec!["See what moved it: Why it matters here, and its clocks."],
        ),
        Part::Approval => (
            format!("{} rehearsals passed, and one host could not be rehearsed. Nothing changes on any host before somebody approves it.", count(|stage| matches!(stage, Stage::AwaitingApproval { .. }))),
            vec![
                "Look at the evidence of a rehearsal, then approve. Where its row asks for evidence to be preserved first, say why it may go ahead.",
            ],
        ),
        Part::Rolling => (
            "What was approved goes out in waves: one canary, then one of each sort of host, then more. What is exploited is not watched for long.".to_owned(),
            vec!["Watch the waves under Rollout. Point at a cell to see what its host waits for."],
        ),
        Part::Halted if by_hand => (
            "The rollout is halted by a person: what a host has begun it ends, and nothing more is ordered.".to_owned(),
            vec!["Resume: the rest is planned anew, for the estate as it is now."],
        ),
        Part::Halted => (
            "A canary failed: its service did not start, and the old version is back on it. The rollout stopped by itself, \
             before any wave behind the canaries."
                .to_owned(),
            vec![
                "See why: the gate, the host's reason, its report under Evidence.",
                "Resume: the rest is planned anew, with another canary of that sort.",
            ],
        ),
        Part::Left => (
            "All others show the fix. What stands still waits for a person: on the one host a changed file, on the other what failed.".to_owned(),
            vec!["Retry both: they were mended by hand in the meantime. Approve again when their rehearsal passed."],
        ),
        Part::Over if !fixed => (
            "The directive was closed without its fix: its findings stay open, and the record says who decided so and why."
                .to_owned(),
            vec!["Look at Closed, and at Exposure: what is refused is told apart from what is done."],
        ),
        Part::Over => (
            "Every host shows the fix in a later report, and the directive is closed.".to_owned(),
            vec![
                "Look at Exposure, at Closed, and at the record: tenon log.",
                "Let another group act, and bring its directives to their end.",
                "See it as it was: tenon show DIRECTIVE --as-of TIME.",
            ],
        ),
    }
}
