//! The memory journal: the contract, and what its faults leave behind.

use tenon_journal::{Batch, Fault, Head, Journal, JournalError, MemoryJournal, NewEntry, verify};
use tenon_model::Blob;

tenon_journal::contract_tests!(((), MemoryJournal::new(7)));

const APPENDS: u64 = 8;

fn batch(n: u64) -> Batch {
    Batch {
        blobs: vec![Blob::new(format!("blob {n}").into_bytes())],
        entries: vec![NewEntry { time_ms: 1, term: 1, payload: format!("event {n}").into_bytes() }],
        client_key: Some(format!("command-{n}").parse().unwrap()),
    }
}

/// Appends, one of which meets the fault; then a restart. Returns the acknowledged head and the journal.
fn run(seed: u64, fault: Fault) -> (Head, MemoryJournal) {
    let mut journal = MemoryJournal::new(seed);
    journal.inject(seed % APPENDS, fault);
    let mut acknowledged = Head::genesis();
    for n in 0..APPENDS {
        match journal.append(&acknowledged, &[batch(n)]) {
            Ok(head) => acknowledged = head,
            Err(JournalError::StorageFull { .. }) => {}
            Err(JournalError::OutcomeUnknown { .. }) => {
                assert!(matches!(journal.head(), Err(JournalError::NeedsReopen { .. })));
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    (acknowledged, journal.restart())
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_there() {
    let faults =
        [Fault::DiskFull, Fault::CrashBeforeWrite, Fault::TornWrite, Fault::Reordered, Fault::CrashAfterSync];
    let mut survived = 0;
    for fault in faults {
        for seed in 0..200 {
            let (acknowledged, journal) = run(seed, fault);
            let head = verify(&journal).unwrap().head;
            assert!(head.seq >= acknowledged.seq, "{fault:?}, seed {seed}");
            survived += u32::from(head.seq > acknowledged.seq);
            for n in 0..APPENDS {
                let key = journal.lookup_client_key(&format!("command-{n}").parse().unwrap()).unwrap();
                let digest = tenon_model::Digest::of(format!("blob {n}").as_bytes());
                assert_eq!(key.is_some(), journal.get_blob(&digest).unwrap().is_some());
            }
        }
    }
    // Crashes after the sync all survive, and some torn and reordered writes were complete.
    assert!(survived > 200, "{survived}");
}

#[test]
fn a_disk_that_lies_is_noticed() {
    let lost = (0..64).filter(|seed| {
        let (acknowledged, journal) = run(*seed, Fault::LostSync);
        verify(&journal).unwrap().head.seq < acknowledged.seq
    });
    assert!(lost.count() > 32);
}
