//! A moment of a rollout as lines for people.

use super::Tally;
use super::progress::{Moment, Progress, Wave};

/// Widest and narrowest bar of a wave.
const BAR: (usize, usize) = (6, 30);
/// Columns of a wave's state, with the blanks before it.
const STATE: usize = 9;
/// Most lines that one text takes, and most reasons that are shown.
const MAX_LINES: usize = 4;
const MAX_REASONS: usize = 4;
/// Lines of waves that are shown at least.
const MIN_WAVES: usize = 3;

/// A text without control characters: reasons come from hosts and people, and a terminal obeys some.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}

/// One line for a log.
pub(super) fn line(moment: &Moment) -> String {
    let Moment { time, not_over_before, progress } = moment;
    let time = time.as_ref().map(|time| format!("{time} ")).unwrap_or_default();
    let mut line = format!("{time}{} {}: {}", progress.directive, progress.state, numbers(progress.tally));
    if let Some(wave) = current(progress) {
        line += &format!(
            "; wave {} of {}, {} of {}",
            wave.wave,
            progress.waves.len(),
            wave.tally.done,
            wave.hosts
        );
    }
    match (&progress.end, &progress.waits) {
        (Some(end), _) => line += &format!("; {}", end.said),
        (None, Some(waits)) => line += &format!("; waits for {waits}"),
        (None, None) => {}
    }
    if let Some(time) = not_over_before.as_ref().filter(|_| progress.end.is_none()) {
        line += &format!("; not over before {time}");
    }
    plain(&line)
}

fn numbers(tally: Tally) -> String {
    let mut text = format!("{} of {} done", tally.done, tally.hosts());
    for (hosts, what) in
        [(tally.failed, "failed"), (tally.under_way, "under way"), (tally.waiting, "waiting")]
    {
        if hosts > 0 {
            text += &format!(", {hosts} {what}");
        }
    }
    text
}

/// The wave that is under way or watched.
fn current(progress: &Progress) -> Option<&Wave> {
    progress.waves.iter().find(|wave| wave.state == "running" || wave.state == "watched")
}

/// A screen of at most so many columns and rows; a message is its last line.
pub(super) fn frame(moment: &Moment, message: Option<&str>, columns: usize, rows: usize) -> Vec<String> {
    let progress = &moment.progress;
    let mut head = wrapped("", &format!("{} {}", progress.directive, progress.title), columns);
    let plan = progress.plan.zip(progress.tempo.as_ref());
    let plan = plan.map(|(plan, tempo)| format!(", plan {plan}, {tempo}")).unwrap_or_default();
    head.extend(wrapped("", &format!("{}{plan}: {}", progress.state, numbers(progress.tally)), columns));
    let mut tail = Vec::new();
    if !progress.waves.is_empty() {
        tail.push(fit("# done  ! failed  > under way  . waiting", columns));
    }
    match (&progress.end, &progress.waits) {
        (Some(end), _) => tail.extend(wrapped("  ", &end.said, columns)),
        (None, Some(waits)) => tail.extend(wrapped("  ", &format!("waits for {waits}"), columns)),
        (None, None) => {}
    }
    if let Some(time) = moment.not_over_before.as_ref().filter(|_| progress.end.is_none()) {
        tail.extend(wrapped("  ", &format!("not over before {time}"), columns));
    }
    let message = message.map(|message| wrapped("  ", message, columns)).unwrap_or_default();
    // What does not fit would scroll away, and could not be drawn over.
    let rows = rows.saturating_sub(1).max(1);
    let room = rows.saturating_sub(head.len() + tail.len() + message.len());
    let waves = waves(progress, columns, room.max(MIN_WAVES));
    let room = room.saturating_sub(waves.len());
    let mut lines = head;
    lines.extend(waves);
    lines.extend(tail);
    if progress.end.is_none() {
        lines.extend(reasons(progress, columns, room));
    }
    lines.extend(message);
    lines.truncate(rows);
    lines
}

/// What holds hosts, in at most so many lines: no reason without its end.
fn reasons(progress: &Progress, columns: usize, room: usize) -> Vec<String> {
    let all = &progress.why_not_yet;
    let mut lines = Vec::new();
    let mut shown = 0;
    for reason in all.iter().take(MAX_REASONS) {
        let owner = reason.owner.as_ref().map(|owner| format!(" (with {owner})")).unwrap_or_default();
        let told = wrapped("       ", &format!("{:>6} {}{owner}", reason.hosts, reason.why), columns);
        // One line is left for how many others there are.
        let others = usize::from(shown + 1 < all.len());
        if lines.len() + told.len() + others > room {
            break;
        }
        lines.extend(told);
        shown += 1;
    }
    let more: u64 = all.iter().skip(shown).map(|reason| reason.hosts).sum();
    if more > 0 && shown > 0 {
        lines.push(fit(&format!("{more:>6} for other reasons"), columns));
    }
    lines
}

/// The waves, in at most so many lines: those around the one that is under way.
fn waves(progress: &Progress, columns: usize, room: usize) -> Vec<String> {
    let all = &progress.waves;
    if all.len() <= room {
        return rows(all, columns);
    }
    let shown = room.saturating_sub(2).max(1);
    let at = all.iter().position(|wave| wave.state != "ended").unwrap_or(all.len());
    let first = at.saturating_sub(shown / 2).min(all.len() - shown);
    let (before, rest) = all.split_at(first);
    let (shown, after) = rest.split_at(shown);
    let together = |waves: &[Wave]| {
        let (first, last) = (waves.first()?, waves.last()?);
        let sum = |of: fn(&Wave) -> u64| waves.iter().map(of).fold(0, u64::saturating_add);
        let (done, hosts) = (sum(|wave| wave.tally.done), sum(|wave| wave.hosts));
        let which = match waves.len() {
            1 => format!("wave {}", first.wave),
            _ => format!("waves {} to {}", first.wave, last.wave),
        };
        Some(fit(&format!("  {which}: {done}/{hosts}"), columns))
    };
    together(before).into_iter().chain(rows(shown, columns)).chain(together(after)).collect()
}

/// A line for each wave, with bars of one width.
fn rows(waves: &[Wave], columns: usize) -> Vec<String> {
    let begin = |wave: &Wave| {
        let sign = if wave.state == "running" || wave.state == "watched" { '>' } else { ' ' };
        format!("{sign}{:>3} {:<8} ", wave.wave, wave.phase)
    };
    let numbers = |wave: &Wave| {
        let failed =
            if wave.tally.failed > 0 { format!(", {} failed", wave.tally.failed) } else { String::new() };
        format!(" {}/{}{failed}", wave.tally.done, wave.hosts)
    };
    let taken = waves.iter().map(|wave| begin(wave).len() + numbers(wave).len()).max().unwrap_or_default();
    let room = columns.saturating_sub(taken);
    let states = room >= BAR.1 + STATE;
    let bar = if states { BAR.1 } else { room.clamp(BAR.0, BAR.1) };
    let row = |wave: &Wave| {
        let state = if states { format!("  {}", wave.state) } else { String::new() };
        fit(&format!("{}{}{}{state}", begin(wave), wave.tally.bar(bar), numbers(wave)), columns)
    };
    waves.iter().map(row).collect()
}

/// A text in lines of at most so many columns, those after the first indented. What is longer than a few lines ends in dots.
fn wrapped(indent: &str, text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    let text = plain(text);
    // Blanks at the beginning stay: numbers stand in columns.
    let begin: String = text.chars().take_while(|sign| *sign == ' ').collect();
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let Some(line) = lines.get_mut(last) else { continue };
        let is_new = line.trim().is_empty();
        let blank = if is_new { "" } else { " " };
        if !is_new && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(format!("{indent}{word}"));
        } else {
            if line.is_empty() {
                line.push_str(&begin);
            }
            line.push_str(blank);
            line.push_str(word);
        }
    }
    if lines.len() > MAX_LINES {
        lines.truncate(MAX_LINES);
        if let Some(last) = lines.last_mut() {
            last.push_str("...");
            let over = last.chars().count().saturating_sub(columns);
            if over > 0 {
                let kept: String = last.chars().take(columns.saturating_sub(3)).collect();
                *last = format!("{kept}...");
            }
        }
    }
    lines.iter().map(|line| fit(line, columns)).collect()
}

/// The beginning of a line that fits.
fn fit(line: &str, columns: usize) -> String {
    line.chars().take(columns).collect()
}

#[cfg(test)]
mod tests {
    use super::super::progress::{End, How, Reason};
    use super::*;

    fn wave(wave: usize, state: &str, tally: Tally) -> Wave {
        let phase = if wave < 3 { "canary" } else { "widening" };
        let hosts = tally.hosts();
        Wave { wave, phase: phase.to_owned(), state: state.to_owned(), hosts, tally, may_fail: 0 }
    }

    fn tally(done: u64, failed: u64, under_way: u64, waiting: u64) -> Tally {
        Tally { done, failed, under_way, waiting }
    }

    fn moment(waves: Vec<Wave>) -> Moment {
        let sum = |of: fn(Tally) -> u64| waves.iter().map(|wave| of(wave.tally)).sum();
        let tally = tally(
            sum(|tally| tally.done),
            sum(|tally| tally.failed),
            sum(|tally| tally.under_way),
            sum(|tally| tally.waiting),
        );
        Moment {
            time: Some("2026-11-25T09:00:00Z".to_owned()),
            not_over_before: Some("2026-11-25T10:30:00Z".to_owned()),
            progress: Progress {
                directive: "dir_7".to_owned(),
                title: "upgrade lanternd to 2.4.1-1".to_owned(),
                state: "running".to_owned(),
                plan: Some(2),
                tempo: Some("standard".to_owned()),
                hosts: tally.hosts(),
                tally,
                waves,
                waits: Some("3 hosts of wave 2 to show the fix".to_owned()),
                until: None,
                halt: None,
                why_not_yet: vec![
                    Reason {
                        hosts: 2,
                        needs_person: true,
                        owner: Some("mira".to_owned()),
                        why: "exit status 1:\n\x1b[2Jdisk full".to_owned(),
                    },
                    Reason {
                        hosts: 8,
                        needs_person: false,
                        owner: None,
                        why: "it is in wave 3 of 3, which waits for 3 hosts of wave 2".to_owned(),
                    },
                ],
                end: None,
            },
        }
    }

    fn three() -> Moment {
        moment(vec![
            wave(1, "ended", tally(1, 0, 0, 0)),
            wave(2, "running", tally(6, 2, 1, 3)),
            wave(3, "waiting", tally(0, 0, 0, 8)),
        ])
    }

    #[test]
    fn a_narrow_terminal_has_all_of_it() {
        assert_eq!(
            frame(&three(), Some("asking again: no Tenon answers"), 40, 40),
            [
                "dir_7 upgrade lanternd to 2.4.1-1",
                "running, plan 2, standard: 7 of 21 done,",
                "2 failed, 1 under way, 11 waiting",
                "   1 canary   ########### 1/1",
                ">  2 canary   #####!!>... 6/12, 2 failed",
                "   3 widening ........... 0/8",
                "# done  ! failed  > under way  . waiting",
                "waits for 3 hosts of wave 2 to show the",
                "  fix",
                "not over before 2026-11-25T10:30:00Z",
                "     2 exit status 1: [2Jdisk full (with",
                "       mira)",
                "     8 it is in wave 3 of 3, which waits",
                "       for 3 hosts of wave 2",
                "asking again: no Tenon answers",
            ]
        );
    }

    #[test]
    fn nothing_is_wider_or_longer_than_the_terminal() {
        let many = |of: usize| {
            let state = |number| {
                if number < 30 {
                    "ended"
                } else if number == 30 {
                    "running"
                } else {
                    "waiting"
                }
            };
            moment((1..=of).map(|number| wave(number, state(number), tally(900, 90, 9, 1))).collect())
        };
        for moment in [three(), many(60), many(3), moment(Vec::new())] {
            for columns in 40..130 {
                for rows in [5, 12, 24, 100] {
                    let lines = frame(&moment, Some(&"a long message ".repeat(30)), columns, rows);
                    let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
                    assert!(widest <= columns && lines.len() < rows, "{columns} x {rows}: {lines:#?}");
                    assert!(!lines.concat().contains(char::is_control), "{lines:#?}");
                }
            }
        }
        let shown = frame(&many(60), None, 60, 24);
        assert!(shown.iter().any(|line| line.starts_with("> 30 widening")), "{shown:#?}");
        assert!(shown.iter().any(|line| line.starts_with("  waves 1 to ")), "{shown:#?}");
    }

    #[test]
    fn a_line_tells_what_counts_and_at_the_end_why() {
        let mut moment = three();
        assert_eq!(
            line(&moment),
            "2026-11-25T09:00:00Z dir_7 running: 7 of 21 done, 2 failed, 1 under way, 11 waiting; wave 2 of 3, 6 of 12; \
             waits for 3 hosts of wave 2 to show the fix; not over before 2026-11-25T10:30:00Z"
        );
        moment.progress.end = Some(End { how: How::Halted, said: "halted: 2 of 12 failed".to_owned() });
        assert!(line(&moment).ends_with("wave 2 of 3, 6 of 12; halted: 2 of 12 failed"), "{}", line(&moment));
    }
}
