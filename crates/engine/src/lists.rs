//! Ascending lists of stances, held against each other.

use crate::index::StanceId;

/// Those of an ascending list that are not in another. Two reports of a host hardly differ: what both say alike is passed over
/// many at a time.
pub(crate) fn only_in<'l>(
    list: &'l [StanceId],
    other: &'l [StanceId],
) -> impl Iterator<Item = StanceId> + 'l {
    let (mut list, mut other) = (list, other);
    std::iter::from_fn(move || {
        loop {
            let (first, rest) = list.split_first()?;
            match other {
                [same, ..] if same == first => {
                    let alike = alike(list, other);
                    (list, other) = (list.get(alike..)?, other.get(alike..)?);
                }
                [less, tail @ ..] if less < first => other = tail,
                _ => {
                    list = rest;
                    return Some(*first);
                }
            }
        }
    })
}

/// With how many of the same both lists begin.
fn alike(list: &[StanceId], other: &[StanceId]) -> usize {
    const PIECE: usize = 16;
    let (pieces, others) = (list.as_chunks::<PIECE>().0, other.as_chunks::<PIECE>().0);
    let pieces = pieces.iter().zip(others).take_while(|(piece, other)| piece == other).count();
    let whole = PIECE * pieces;
    let (list, other) = (list.iter().skip(whole), other.iter().skip(whole));
    whole + list.zip(other).take_while(|(id, other)| id == other).count()
}

/// An ascending list without some of it, ascending too, and with others in their places. What lies between is copied at a
/// stretch.
pub(crate) fn exchanged(list: &[StanceId], gone: &[StanceId], mut come: Vec<StanceId>) -> Vec<StanceId> {
    come.sort_unstable();
    let mut exchanged = Vec::with_capacity(list.len() + come.len());
    let (mut rest, mut gone, mut come) = (list, gone, come.as_slice());
    while let Some(next) = gone.first().into_iter().chain(come.first()).min().copied() {
        let (before, after) = rest.split_at(rest.partition_point(|id| *id < next));
        exchanged.extend_from_slice(before);
        rest = after;
        if let [first, others @ ..] = gone
            && *first == next
        {
            gone = others;
            rest = rest.strip_prefix(&[next]).unwrap_or(rest);
        }
        if let [first, others @ ..] = come
            && *first == next
        {
            come = others;
            exchanged.push(next);
        }
    }
    exchanged.extend_from_slice(rest);
    exchanged
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_only_in_one_list_is_the_difference_of_the_sets() {
        // A linear congruential generator (Knuth's MMIX), by its upper bits.
        let mut state = 1_u64;
        let mut below = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        for round in 0..2_000 {
            let common = below(120);
            let mut lists: [BTreeSet<StanceId>; 2] = Default::default();
            for id in 0..common {
                // Some of them hardly differ, some have nothing in common.
                let rare = 2 + round % 40;
                for list in &mut lists {
                    if below(rare) > 0 {
                        list.insert(u32::try_from(id * 3 + below(2)).unwrap());
                    }
                }
            }
            let [a, b] = lists.each_ref().map(|list| list.iter().copied().collect::<Vec<_>>());
            let only: Vec<StanceId> = only_in(&a, &b).collect();
            assert!(only.iter().eq(lists[0].difference(&lists[1])), "{a:?} {b:?}");
            assert_eq!(alike(&a, &b), a.iter().zip(&b).take_while(|(a, b)| a == b).count());
            assert_eq!(only_in(&a, &a).count(), 0);
            // What is in one only exchanged for what is in the other only makes the other; also where some stay, told as both.
            let (gone, come): (Vec<StanceId>, Vec<StanceId>) = (only, only_in(&b, &a).collect());
            assert_eq!(exchanged(&a, &gone, come.iter().rev().copied().collect()), b);
            assert_eq!(exchanged(&a, &a, b.clone()), b);
            assert_eq!(exchanged(&a, &[], Vec::new()), a);
        }
    }
}
