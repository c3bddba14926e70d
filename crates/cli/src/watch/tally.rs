//! How far some hosts are, in numbers and as a bar.

use std::collections::BTreeMap;

use serde::Serialize;
use tenon_server::WaveView;

/// How far some hosts are. Their sum is all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Tally {
    /// They show the fix.
    pub(crate) done: u64,
    /// They failed, were rolled back, or need a person.
    pub(crate) failed: u64,
    /// They have their order, or report a change that a later inventory must confirm.
    pub(crate) under_way: u64,
    /// Nothing is changed there yet.
    pub(crate) waiting: u64,
}

impl Tally {
    /// The hosts of a wave.
    pub(crate) fn of_wave(wave: &WaveView) -> Self {
        let &WaveView { assets, done, failed, under_way, .. } = wave;
        let begun = done.saturating_add(failed).saturating_add(under_way);
        Self { done, failed, under_way, waiting: assets.saturating_sub(begun) }
    }

    /// All hosts of a directive, by the names of their stages.
    pub(crate) fn of_stages(stages: &BTreeMap<String, u64>) -> Self {
        let mut tally = Self::default();
        for (stage, hosts) in stages {
            let part = match stage.as_str() {
                "verified" | "fixed-otherwise" => &mut tally.done,
                "failed" | "rolled-back" | "needs-person" => &mut tally.failed,
                "applying" | "applied" => &mut tally.under_way,
                _ => &mut tally.waiting,
            };
            *part = part.saturating_add(*hosts);
        }
        tally
    }

    /// How many they are.
    pub(crate) fn hosts(self) -> u64 {
        [self.failed, self.under_way, self.waiting].into_iter().fold(self.done, u64::saturating_add)
    }

    /// A bar of so many characters: `#` done, `!` failed, `>` under way, `.` waiting. A single host that failed or is under way
    /// has its character, and only when all are done is the bar full.
    pub(crate) fn bar(self, width: usize) -> String {
        let cells = |hosts: u64, up: bool| {
            let wide = u128::from(hosts) * width as u128;
            let all = u128::from(self.hosts());
            let cells = if up { wide.div_ceil(all.max(1)) } else { wide / all.max(1) };
            usize::try_from(cells).unwrap_or(width)
        };
        let failed = cells(self.failed, true).min(width);
        let under_way = cells(self.under_way, true).min(width - failed);
        let done = cells(self.done, false).min(width - failed - under_way);
        let waiting = width - failed - under_way - done;
        let parts = [('#', done), ('!', failed), ('>', under_way), ('.', waiting)];
        parts.into_iter().flat_map(|(sign, cells)| std::iter::repeat_n(sign, cells)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_hides_no_failure_and_is_full_only_at_the_end() {
        let bar = |done, failed, under_way, waiting| Tally { done, failed, under_way, waiting }.bar(10);
        assert_eq!(bar(5, 0, 0, 5), "#####.....");
        assert_eq!(bar(990, 1, 1, 8), "########!>", "nothing waits that has room");
        assert_eq!(bar(999, 0, 0, 1), "#########.");
        assert_eq!(bar(3, 0, 0, 0), "##########");
        assert_eq!(bar(0, 1, 0, 0), "!!!!!!!!!!");
        assert_eq!(bar(0, 0, 0, 0), "..........");
        let huge = u64::MAX / 4;
        assert_eq!(bar(huge, huge, huge, huge), "##!!!>>>..");
    }
}
