//! What every [`Journal`] must do, as cases to run against each implementation: see [`contract_tests!`].

use std::error::Error;

use crate::journal::REMOVED_AT_ONCE;
use crate::{
    Acknowledged, Batch, ClientKey, Exported, Head, Journal, JournalError, MAX_GROUP_ENTRIES, MAX_PAGE_BYTES,
    MAX_PAGE_ENTRIES, MAX_PAYLOAD, NewEntry, Removal, Snapshot, export, genesis_hash, restore, verify,
    verify_export,
};
use tenon_model::{Blob, Digest, PART, Parts};

/// Outcome of a case: a failed assertion panics, an unexpected error is returned.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Hands the names of the cases to a macro of the caller, which makes tests of them. [`contract_tests!`] is enough where
/// a journal can always be had.
#[macro_export]
macro_rules! contract_cases {
    ($with:ident) => {
        $crate::contract_cases!($with!());
    };
    ($with:ident!($($fresh:expr)?)) => {
        $with!($($fresh,)?
            an_empty_journal_ends_at_genesis, entries_are_chained_and_read_in_pages, a_page_is_bounded_in_bytes,
            an_append_on_a_moved_head_is_refused, time_never_goes_back, a_superseded_term_is_refused,
            sizes_are_bounded, blobs_are_addressed_by_content, a_refused_append_leaves_nothing,
            a_client_key_is_answered_once, an_export_verifies_without_the_journal, an_altered_export_is_refused,
            a_group_of_batches_is_one_append, snapshots_are_kept_by_entry, a_snapshot_comes_and_goes_in_parts,
            a_journal_is_cut_at_a_snapshot, removals_are_bounded, the_newest_good_snapshot_is_restored);
    };
}

/// Makes one `#[test]` for every case of the contract. `$fresh` is an expression that yields a new, empty journal
/// with whatever must outlive it: `(guard, journal)`.
#[macro_export]
macro_rules! contract_tests {
    ($fresh:expr) => {
        use $crate::__contract_test;
        $crate::contract_cases!(__contract_test!($fresh));
    };
}

/// Part of [`contract_tests!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_test {
    ($fresh:expr, $($case:ident),+) => {
        $(#[test]
        fn $case() {
            let (_guard, mut journal) = $fresh;
            $crate::contract::$case(&mut journal).unwrap();
        })+
    };
}

fn entry(time_ms: i64, term: u64, payload: &str) -> NewEntry {
    NewEntry { time_ms, term, payload: payload.as_bytes().to_vec() }
}

fn batch(entries: Vec<NewEntry>) -> Batch {
    Batch { entries, ..Batch::default() }
}

/// Sequence 0 and the genesis hash.
pub fn an_empty_journal_ends_at_genesis(journal: &mut dyn Journal) -> Outcome {
    assert_eq!(journal.head()?, Head { seq: 0, time_ms: 0, term: 0, hash: genesis_hash() });
    assert!(journal.read(1, 10)?.is_empty());
    assert!(journal.blobs(None, 10)?.is_empty());
    assert_eq!(verify(journal)?.head, Head::genesis());
    Ok(())
}

/// Places from 1 without gaps, each linked to the one before; pages bounded.
pub fn entries_are_chained_and_read_in_pages(journal: &mut dyn Journal) -> Outcome {
    let count = MAX_PAGE_ENTRIES + 10;
    let entries = (0..count).map(|n| entry(n as i64, 1, &format!("event {n}"))).collect();
    let head = journal.append(&Head::genesis(), &[batch(entries)])?;
    assert_eq!((head.seq, head.time_ms), (count as u64, count as i64 - 1));
    assert_eq!(journal.head()?, head);
    let first = journal.read(0, usize::MAX)?;
    assert_eq!(first.len(), MAX_PAGE_ENTRIES);
    assert_eq!(first[0].prev, genesis_hash());
    assert!(first.windows(2).all(|pair| pair[1].prev == pair[0].hash && pair[1].seq == pair[0].seq + 1));
    let rest = journal.read(MAX_PAGE_ENTRIES as u64 + 1, usize::MAX)?;
    assert_eq!(rest.len(), 10);
    assert_eq!(rest[9].head(), head);
    assert_eq!(journal.read(5, 2)?.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [5, 6]);
    assert!(journal.read(count as u64 + 1, 10)?.is_empty());
    assert!(journal.read(u64::MAX, 10)?.is_empty());
    assert_eq!(verify(journal)?.head, head);
    Ok(())
}

/// A page ends early once its payloads are many bytes, yet never before its first entry.
pub fn a_page_is_bounded_in_bytes(journal: &mut dyn Journal) -> Outcome {
    let large = || NewEntry { time_ms: 1, term: 1, payload: vec![7; MAX_PAYLOAD] };
    let whole = MAX_PAGE_BYTES / MAX_PAYLOAD;
    let entries = (0..whole + 2).map(|_| large()).collect();
    journal.append(&Head::genesis(), &[batch(entries)])?;
    let pages = |from| Ok::<_, JournalError>(journal.read(from, usize::MAX)?.len());
    assert_eq!(pages(1)?, whole);
    assert_eq!(pages(whole as u64 + 1)?, 2);
    Ok(())
}

/// Compare and append.
pub fn an_append_on_a_moved_head_is_refused(journal: &mut dyn Journal) -> Outcome {
    let head = journal.append(&Head::genesis(), &[batch(vec![entry(1, 1, "first")])])?;
    let refused = journal.append(&Head::genesis(), &[batch(vec![entry(2, 1, "late")])]);
    assert!(
        matches!(&refused, Err(JournalError::HeadMoved { actual, .. }) if **actual == head),
        "{refused:?}"
    );
    let forked = Head { hash: Digest::of(b"another journal"), ..head };
    let refused = journal.append(&forked, &[batch(vec![entry(2, 1, "fork")])]);
    assert!(matches!(refused, Err(JournalError::HeadMoved { .. })), "{refused:?}");
    assert_eq!(journal.head()?, head);
    Ok(())
}

/// Against the head and inside a batch; equal stamps are fine.
pub fn time_never_goes_back(journal: &mut dyn Journal) -> Outcome {
    let head = journal.append(&Head::genesis(), &[batch(vec![entry(10, 1, "a"), entry(10, 1, "b")])])?;
    let refused = journal.append(&head, &[batch(vec![entry(9, 1, "c")])]);
    assert!(matches!(refused, Err(JournalError::TimeBackwards { time_ms: 9, last_ms: 10 })), "{refused:?}");
    let refused = journal.append(&head, &[batch(vec![entry(12, 1, "c"), entry(11, 1, "d")])]);
    assert!(matches!(refused, Err(JournalError::TimeBackwards { time_ms: 11, last_ms: 12 })), "{refused:?}");
    assert_eq!(journal.head()?, head);
    Ok(())
}

/// A leader with an older term is fenced off.
pub fn a_superseded_term_is_refused(journal: &mut dyn Journal) -> Outcome {
    let head = journal.append(&Head::genesis(), &[batch(vec![entry(1, 3, "a")])])?;
    let refused = journal.append(&head, &[batch(vec![entry(1, 2, "b")])]);
    assert!(matches!(refused, Err(JournalError::TermOutdated { term: 2, last_term: 3 })), "{refused:?}");
    let refused = journal.append(&head, &[batch(vec![entry(1, u64::MAX, "b")])]);
    assert!(matches!(refused, Err(JournalError::NumberTooLarge { .. })), "{refused:?}");
    assert_eq!(journal.append(&head, &[batch(vec![entry(1, 4, "b")])])?.term, 4);
    Ok(())
}

/// Payloads at the limit are kept, above it refused; so are groups.
pub fn sizes_are_bounded(journal: &mut dyn Journal) -> Outcome {
    let full = NewEntry { time_ms: 1, term: 1, payload: vec![0xff; MAX_PAYLOAD] };
    let head = journal.append(&Head::genesis(), &[batch(vec![full.clone()])])?;
    assert_eq!(journal.read(1, 1)?[0].payload, full.payload);
    let above = NewEntry { payload: vec![0; MAX_PAYLOAD + 1], ..full };
    let refused = journal.append(&head, &[batch(vec![above])]);
    assert!(matches!(refused, Err(JournalError::PayloadTooLarge { size }) if size == MAX_PAYLOAD + 1));
    let many = vec![entry(1, 1, ""); MAX_GROUP_ENTRIES + 1];
    let refused = journal.append(&head, &[batch(many)]);
    assert!(matches!(refused, Err(JournalError::GroupTooLarge { .. })));
    assert_eq!(journal.head()?, head);
    Ok(())
}

/// Idempotent, found by SHA-256, listed in order.
pub fn blobs_are_addressed_by_content(journal: &mut dyn Journal) -> Outcome {
    let digest = journal.put_blob(b"manifest")?;
    assert_eq!(digest, Digest::of(b"manifest"));
    assert_eq!(journal.put_blob(b"manifest")?, digest);
    assert_eq!(journal.get_blob(&digest)?.as_deref(), Some(&b"manifest"[..]));
    assert_eq!(journal.get_blob(&Digest::of(b"other"))?, None);
    let with_blob =
        Batch { blobs: vec![Blob::new(*b"manifest"), Blob::new([])], ..batch(vec![entry(1, 1, "a")]) };
    journal.append(&Head::genesis(), &[with_blob])?;
    let mut expected = [digest, Digest::of(b"")];
    expected.sort_unstable();
    assert_eq!(journal.blobs(None, 10)?, expected);
    assert_eq!(journal.blobs(Some(&expected[0]), 10)?, expected[1..]);
    assert_eq!(verify(journal)?.blobs, 2);
    Ok(())
}

/// Neither entries nor blobs nor keys of a group with a wrong member.
pub fn a_refused_append_leaves_nothing(journal: &mut dyn Journal) -> Outcome {
    let key: ClientKey = "command-1".parse()?;
    let good = Batch {
        blobs: vec![Blob::new(*b"blob")],
        entries: vec![entry(5, 1, "a")],
        client_key: Some(key.clone()),
    };
    let refused = journal.append(&Head::genesis(), &[good, batch(vec![entry(4, 1, "b")])]);
    assert!(matches!(refused, Err(JournalError::TimeBackwards { .. })), "{refused:?}");
    assert_eq!(journal.head()?, Head::genesis());
    assert_eq!(journal.get_blob(&Digest::of(b"blob"))?, None);
    assert_eq!(journal.lookup_client_key(&key)?, None);
    Ok(())
}

/// A repetition is refused with the first answer, and leaves nothing.
pub fn a_client_key_is_answered_once(journal: &mut dyn Journal) -> Outcome {
    let key: ClientKey = "command-1".parse()?;
    let keyed = |entries| Batch { client_key: Some(key.clone()), ..batch(entries) };
    let head = journal.append(&Head::genesis(), &[batch(vec![entry(1, 1, "a")])])?;
    let head = journal.append(&head, &[keyed(vec![entry(1, 1, "b"), entry(1, 1, "c")])])?;
    let answer = Acknowledged { after: 1, last: 3 };
    assert_eq!(journal.lookup_client_key(&key)?, Some(answer));
    let repeated = Batch { blobs: vec![Blob::new(*b"again")], ..keyed(vec![entry(1, 1, "d")]) };
    let refused = journal.append(&head, &[repeated]);
    assert!(
        matches!(&refused, Err(JournalError::ClientKeyUsed { acknowledged, .. }) if *acknowledged == answer),
        "{refused:?}"
    );
    assert_eq!(journal.head()?, head);
    assert_eq!(journal.get_blob(&Digest::of(b"again"))?, None);
    let nothing = Batch { client_key: Some("command-2".parse()?), ..Batch::default() };
    assert_eq!(journal.append(&head, std::slice::from_ref(&nothing))?, head);
    let answer = journal.lookup_client_key(&"command-2".parse()?)?;
    assert_eq!(answer, Some(Acknowledged { after: 3, last: 3 }));
    let twice = Batch { client_key: Some("command-3".parse()?), ..Batch::default() };
    let refused = journal.append(&head, &[twice.clone(), twice]);
    assert!(matches!(refused, Err(JournalError::ClientKeyRepeated { .. })), "{refused:?}");
    Ok(())
}

/// Text and bytes survive; the head is proven.
pub fn an_export_verifies_without_the_journal(journal: &mut dyn Journal) -> Outcome {
    let bytes = NewEntry { time_ms: 3, term: 2, payload: vec![0, 0xff, 0xfe] };
    let text = entry(2, 1, "{\"line\":\"one\\n two\",\"sign\":\"\u{1}é\"}");
    let head = journal.append(&Head::genesis(), &[batch(vec![text, bytes, entry(3, 2, "")])])?;
    let mut out = Vec::new();
    assert_eq!(export(journal, &mut out)?, head);
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 5);
    assert_eq!(verify_export(&mut out.as_slice(), &mut |_| {})?, Exported { base: None, head });
    Ok(())
}

/// Any changed byte, and any line left out, is noticed.
pub fn an_altered_export_is_refused(journal: &mut dyn Journal) -> Outcome {
    let entries = (0..4).map(|n| entry(n, 1, &format!("event {n}"))).collect();
    journal.append(&Head::genesis(), &[batch(entries)])?;
    let mut out = Vec::new();
    export(journal, &mut out)?;
    for at in 0..out.len() - 1 {
        let mut altered = out.clone();
        altered[at] ^= 1;
        assert!(
            verify_export(&mut altered.as_slice(), &mut |_| {}).is_err(),
            "the altered byte {at} went unnoticed"
        );
    }
    let lines: Vec<&[u8]> = out.split_inclusive(|byte| *byte == b'\n').collect();
    for left_out in 0..lines.len() {
        let cut: Vec<u8> = lines
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != left_out)
            .flat_map(|(_, line)| line.to_vec())
            .collect();
        assert!(
            verify_export(&mut cut.as_slice(), &mut |_| {}).is_err(),
            "the missing line {left_out} went unnoticed"
        );
    }
    Ok(())
}

/// Batches of one append get consecutive places and their own answers.
pub fn a_group_of_batches_is_one_append(journal: &mut dyn Journal) -> Outcome {
    let keyed = |name: &str, entries| -> Result<Batch, Box<dyn Error>> {
        Ok(Batch { client_key: Some(name.parse()?), ..batch(entries) })
    };
    let group = [
        keyed("one", vec![entry(1, 1, "a"), entry(2, 1, "b")])?,
        keyed("two", Vec::new())?,
        keyed("three", vec![entry(2, 1, "c")])?,
    ];
    assert_eq!(journal.append(&Head::genesis(), &group)?.seq, 3);
    for (name, after, last) in [("one", 0, 2), ("two", 2, 2), ("three", 2, 3)] {
        assert_eq!(journal.lookup_client_key(&name.parse()?)?, Some(Acknowledged { after, last }), "{name}");
    }
    Ok(())
}

/// Stored whole, also above one part; replaced, listed, let go; none of another history.
pub fn snapshots_are_kept_by_entry(journal: &mut dyn Journal) -> Outcome {
    assert!(journal.snapshots()?.is_empty());
    let refused = journal.keep_snapshot(&Head::genesis(), 1, b"nothing");
    assert!(matches!(refused, Err(JournalError::SnapshotUnfounded { seq: 0, .. })), "{refused:?}");
    let first = journal.append(&Head::genesis(), &[batch(vec![entry(1, 1, "a")])])?;
    let second = journal.append(&first, &[batch(vec![entry(2, 1, "b")])])?;
    let large: Vec<u8> = (0..PART + 1_000).map(|n| (n % 251) as u8).collect();
    journal.keep_snapshot(&second, 7, &large)?;
    journal.keep_snapshot(&first, 7, b"older, stored later")?;
    let held = journal.snapshots()?;
    let places: Vec<u64> = held.iter().map(|snapshot| snapshot.head.seq).collect();
    assert_eq!(places, [2, 1]);
    let (size, digest) = (large.len() as u64, Digest::of(&large));
    assert_eq!(held[0], Snapshot { head: second, format: 7, size, digest });
    assert!(journal.read_snapshot(2)? == Some(Parts::from(&large[..])), "the content is another");
    journal.keep_snapshot(&second, 8, b"")?;
    assert_eq!(journal.read_snapshot(2)?, Some(Parts::default()));
    assert_eq!(journal.snapshots()?[0].format, 8);
    let forked = Head { hash: Digest::of(b"another journal"), ..second };
    let refused = journal.keep_snapshot(&forked, 8, b"fork");
    assert!(matches!(refused, Err(JournalError::SnapshotUnfounded { seq: 2, .. })), "{refused:?}");
    assert_eq!(journal.forget_snapshot(2)?, Removal::Whole);
    assert_eq!(journal.forget_snapshot(2)?, Removal::Whole);
    assert_eq!(journal.read_snapshot(2)?, None);
    assert_eq!(journal.snapshots()?.len(), 1);
    assert_eq!((journal.head()?, journal.blobs(None, 10)?), (second, Vec::new()));
    Ok(())
}

/// Other appends go between its parts; before the last and after the first removal it is none.
pub fn a_snapshot_comes_and_goes_in_parts(journal: &mut dyn Journal) -> Outcome {
    let head = journal.append(&Head::genesis(), &[batch(vec![entry(1, 1, "a")])])?;
    let content: Vec<u8> = (0..2 * PART + 1_000).map(|n| (n % 251) as u8).collect();
    let content = Parts::from(&content[..]);
    let parts: Vec<Vec<u8>> = content.clone().into_iter().collect();
    assert!(journal.add_to_snapshot(1, 0, &parts[0]).is_err(), "a part of what was not begun");
    let snapshot = Snapshot::of(&head, 7, &content);
    journal.begin_snapshot(&snapshot)?;
    let twice = journal.begin_snapshot(&snapshot);
    assert!(matches!(twice, Err(JournalError::SnapshotHeld { seq: 1 })), "{twice:?}");
    let mut last = head;
    for (n, part) in (0..).zip(&parts) {
        assert_eq!((journal.snapshots()?, journal.read_snapshot(1)?), (Vec::new(), None), "part {n}");
        assert_eq!(journal.leftover_snapshots()?, [1]);
        last = journal.append(&last, &[batch(vec![entry(2, 1, "between")])])?;
        journal.add_to_snapshot(1, n, part)?;
    }
    assert_eq!((journal.snapshots()?, journal.leftover_snapshots()?), (vec![snapshot], Vec::new()));
    assert!(journal.read_snapshot(1)? == Some(content), "the content is another");
    for left in (0..parts.len()).rev() {
        let removal = journal.forget_snapshot(1)?;
        assert_eq!(removal, if left > 0 { Removal::Partly } else { Removal::Whole });
        assert_eq!((journal.snapshots()?, journal.read_snapshot(1)?), (Vec::new(), None), "{left} are left");
        assert_eq!(journal.leftover_snapshots()?.len(), usize::from(left > 0));
        last = journal.append(&last, &[batch(vec![entry(3, 1, "between")])])?;
    }
    assert_eq!(verify(journal)?.head, last);
    Ok(())
}

/// Only where a snapshot stands for what is let go; what lies before is not read any more, and the rest is proven from there.
pub fn a_journal_is_cut_at_a_snapshot(journal: &mut dyn Journal) -> Outcome {
    assert_eq!(journal.base()?, None);
    let mut heads = vec![Head::genesis()];
    for n in 1..=6 {
        let key = Some(format!("command-{n}").parse()?);
        let keyed = Batch { client_key: key, ..batch(vec![entry(n, 1, &format!("event {n}"))]) };
        heads.push(journal.append(&heads[heads.len() - 1], &[keyed])?);
    }
    let head = heads[6];
    let refused = journal.cut(&head, &heads[3]);
    assert!(matches!(refused, Err(JournalError::BaseUnfounded { seq: 3, .. })), "{refused:?}");
    for at in [2, 3, 5] {
        journal.keep_snapshot(&heads[at], 1, format!("state {at}").as_bytes())?;
    }
    let other = Head { hash: Digest::of(b"another journal"), ..heads[3] };
    let refused = journal.cut(&head, &other);
    assert!(matches!(refused, Err(JournalError::BaseUnfounded { seq: 3, .. })), "{refused:?}");
    let refused = journal.cut(&heads[5], &heads[3]);
    assert!(matches!(refused, Err(JournalError::HeadMoved { .. })), "{refused:?}");
    assert_eq!((journal.base()?, journal.read(1, 1)?[0].seq), (None, 1));

    journal.cut(&head, &heads[3])?;
    assert_eq!((journal.base()?, journal.head()?), (Some(heads[3]), head));
    let shows = |journal: &dyn Journal| -> Outcome {
        let places =
            |from| Ok::<_, JournalError>(journal.read(from, 10)?.iter().map(|one| one.seq).collect());
        let all: Vec<u64> = places(1)?;
        assert_eq!((all, places(5)?), (vec![3, 4, 5, 6], vec![5, 6]));
        let report = verify(journal)?;
        assert_eq!((report.base, report.head), (Some(heads[3]), head));
        let held: Vec<u64> = journal.snapshots()?.iter().map(|snapshot| snapshot.head.seq).collect();
        assert_eq!((held, journal.read_snapshot(2)?), (vec![5, 3], None));
        assert_eq!(journal.read_snapshot(3)?, Some(Parts::from(&b"state 3"[..])));
        Ok(())
    };
    shows(journal)?;
    assert_eq!(journal.leftover_snapshots()?, [2]);
    assert_eq!(journal.forget_snapshot(2)?, Removal::Whole);
    let refused = journal.forget_snapshot(3);
    assert!(matches!(refused, Err(JournalError::SnapshotNeeded { seq: 3 })), "{refused:?}");
    let refused = journal.remove_before_base(&heads[5]);
    assert!(matches!(refused, Err(JournalError::HeadMoved { .. })), "{refused:?}");
    while journal.remove_before_base(&head)? == Removal::Partly {}
    shows(journal)?;
    for n in 1..=6 {
        let known = journal.lookup_client_key(&format!("command-{n}").parse()?)?;
        assert_eq!(known.is_some(), n >= 3, "command {n}");
    }
    for back in [3, 2] {
        let refused = journal.cut(&head, &heads[back]);
        assert!(matches!(refused, Err(JournalError::BaseUnfounded { .. })), "{back}: {refused:?}");
    }
    let mut out = Vec::new();
    assert_eq!(export(journal, &mut out)?, head);
    let mut seen = Vec::new();
    let exported = verify_export(&mut out.as_slice(), &mut |entry| seen.push(entry.seq))?;
    assert_eq!((exported, seen), (Exported { base: Some(heads[3]), head }, vec![3, 4, 5, 6]));
    for at in 0..out.len() - 1 {
        let mut altered = out.clone();
        altered[at] ^= 1;
        let noticed = verify_export(&mut altered.as_slice(), &mut |_| {});
        // What the first entry follows is not there to be compared, yet its hash covers that too.
        assert!(noticed.is_err(), "the altered byte {at} went unnoticed");
    }
    // It goes on, and begins later another time.
    let head = journal.append(&head, &[batch(vec![entry(7, 1, "event 7")])])?;
    journal.cut(&head, &heads[5])?;
    while journal.remove_before_base(&head)? == Removal::Partly {}
    while journal.give_room_back()? == Removal::Partly {}
    assert_eq!(journal.forget_snapshot(3)?, Removal::Whole);
    assert_eq!((journal.read(1, 10)?.len(), verify(journal)?.base), (3, Some(heads[5])));
    Ok(())
}

/// In number and in bytes, so that an append between them waits for little.
pub fn removals_are_bounded(journal: &mut dyn Journal) -> Outcome {
    let blob = |n: usize| vec![u8::try_from(n % 256).unwrap_or(0); if n < 3 { 3 << 20 } else { n }];
    let blobs: Vec<Blob> = (0..6).map(|n| Blob::new(blob(n))).collect();
    let names: Vec<Digest> = blobs.iter().map(Blob::digest).collect();
    let count = 2 * REMOVED_AT_ONCE + 10;
    let entries = (0..count).map(|n| entry(n as i64, 1, "event")).collect();
    let large = NewEntry { payload: vec![7; MAX_PAYLOAD], ..entry(count as i64, 1, "") };
    let head = journal.append(&Head::genesis(), &[Batch { blobs, ..batch(entries) }])?;
    let head = journal.append(&head, &[batch(vec![large.clone(), large])])?;
    let base = journal.append(&head, &[batch(vec![entry(i64::MAX, 1, "base")])])?;
    journal.keep_snapshot(&base, 1, b"state")?;
    journal.cut(&base, &base)?;
    let mut calls = 1;
    while journal.remove_before_base(&base)? == Removal::Partly {
        calls += 1;
    }
    // Twice a thousand, what is left of them, each of the large ones, and what finds nothing more.
    assert_eq!((calls, journal.read(1, 10)?.len()), (6, 1));
    let refused = journal.remove_blobs(&head, &names);
    assert!(matches!(refused, Err(JournalError::HeadMoved { .. })), "{refused:?}");
    assert_eq!(journal.remove_blobs(&base, &names[..4])?, 1, "more than 4 MiB at once");
    assert_eq!(journal.remove_blobs(&base, &names[1..4])?, 1);
    assert_eq!(journal.remove_blobs(&base, &names[2..4])?, 2);
    // What is gone is passed over; nobody named the last two.
    assert_eq!(journal.remove_blobs(&base, &names[..4])?, 4);
    let mut left = names[4..].to_vec();
    left.sort_unstable();
    assert_eq!((journal.blobs(None, 10)?, verify(journal)?.blobs), (left, 2));
    assert_eq!(journal.append(&base, &[batch(vec![entry(i64::MAX, 1, "on")])])?.seq, base.seq + 1);
    Ok(())
}

/// Those of another format, and those that do not decode, are passed over with the reason.
pub fn the_newest_good_snapshot_is_restored(journal: &mut dyn Journal) -> Outcome {
    let decode = |_: &Snapshot, content: Parts| {
        let content = content.concat();
        let text = std::str::from_utf8(&content).map_err(|error| error.to_string())?;
        text.strip_prefix("state ").map(str::to_owned).ok_or(format!("{text:?} is no state"))
    };
    assert!(restore(journal, 1, decode)?.state.is_none());
    let mut head = Head::genesis();
    for (n, (format, content)) in
        [(1, "state one"), (1, "state two"), (1, "no state"), (2, "state four")].into_iter().enumerate()
    {
        head = journal.append(&head, &[batch(vec![entry(n as i64, 1, "event")])])?;
        journal.keep_snapshot(&head, format, content.as_bytes())?;
    }
    let restored = restore(journal, 1, decode)?;
    let (state, at) = restored.state.ok_or("nothing was restored")?;
    assert_eq!((state.as_str(), at), ("two", journal.read(2, 1)?[0].head()));
    assert_eq!(restored.passed_over.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [4, 3]);
    assert!(restored.passed_over[1].1.contains("is no state"), "{:?}", restored.passed_over);
    for seq in 1..=3 {
        journal.forget_snapshot(seq)?;
    }
    let restored = restore(journal, 1, decode)?;
    assert!(restored.state.is_none() && restored.passed_over.len() == 1, "{:?}", restored.passed_over);
    Ok(())
}
