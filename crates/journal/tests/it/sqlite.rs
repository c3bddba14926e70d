//! The SQLite journal: the contract, foreign and damaged files, locks, tampering.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tenon_journal::{
    Batch, ChainError, EntryFault, Head, Journal, JournalError, NewEntry, Removal, Snapshot, SqliteJournal,
    restore, verify,
};
use tenon_model::Blob;

tenon_journal::contract_tests!({
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(&folder.path().join("journal.db")).unwrap();
    (folder, journal)
});

fn entries(count: u64) -> Vec<NewEntry> {
    (0..count)
        .map(|n| NewEntry { time_ms: 1_000 + n as i64, term: 1, payload: format!("event {n}").into_bytes() })
        .collect()
}

fn write(path: &Path, count: u64) -> Head {
    let mut journal = SqliteJournal::open(path).unwrap();
    let batch = Batch { blobs: vec![Blob::new(*b"blob")], entries: entries(count), client_key: None };
    journal.append(&Head::genesis(), &[batch]).unwrap()
}

#[test]
fn a_journal_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let head = write(&path, 10);
    let mut journal = SqliteJournal::open(&path).unwrap();
    assert_eq!(journal.head().unwrap(), head);
    journal.append(&head, &[Batch { entries: vec![entries(20).remove(19)], ..Batch::default() }]).unwrap();
    drop(journal);
    let mut read_only = SqliteJournal::open_read_only(&path).unwrap();
    let report = verify(&read_only).unwrap();
    assert_eq!((report.head.seq, report.blobs), (11, 1));
    assert!(
        read_only.append(&report.head, &[Batch::default()]).is_err() || read_only.put_blob(b"x").is_err()
    );
    assert_eq!(read_only.get_blob(&tenon_model::Digest::of(b"x")).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let _journal = SqliteJournal::open(&path).unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn a_second_writer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let first = SqliteJournal::open(&path).unwrap();
    assert!(matches!(SqliteJournal::open(&path), Err(JournalError::InUse { .. })));
    assert!(matches!(SqliteJournal::open_read_only(&path), Err(JournalError::InUse { .. })));
    drop(first);
    SqliteJournal::open(&path).unwrap();
}

#[test]
fn foreign_and_damaged_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    fs::write(&path, "not a database, yet long enough to have a header of one hundred bytes. ".repeat(20))
        .unwrap();
    let text = fs::read(&path).unwrap();
    assert!(matches!(SqliteJournal::open(&path), Err(JournalError::NotAJournal { .. })));
    assert_eq!(fs::read(&path).unwrap(), text, "a foreign file was changed");

    let path = folder.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let other = fs::read(&path).unwrap();
    assert!(matches!(SqliteJournal::open(&path), Err(JournalError::NotAJournal { .. })));
    assert_eq!(fs::read(&path).unwrap(), other, "a foreign database was changed");

    let path = folder.path().join("later.db");
    write(&path, 1);
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(matches!(SqliteJournal::open(&path), Err(JournalError::UnknownFormat { found: 99, .. })));

    let path = folder.path().join("damaged.db");
    write(&path, 500);
    let mut bytes = fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..16].fill(0xff);
    }
    fs::write(&path, &bytes).unwrap();
    let outcome = SqliteJournal::open(&path).and_then(|journal| journal.read(1, 1000).map(drop));
    assert!(matches!(outcome, Err(JournalError::Damaged { .. })), "{outcome:?}");

    let missing = SqliteJournal::open_read_only(&folder.path().join("missing.db"));
    assert!(matches!(missing, Err(JournalError::Storage { .. })), "{missing:?}");
}

/// Runs SQL against a journal of ten entries, as an intruder with the file would.
fn tampered(sql: &str) -> Result<(), ChainError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    write(&path, 10);
    let changed = Connection::open(&path).unwrap();
    changed.pragma_update(None, "ignore_check_constraints", true).unwrap();
    assert_eq!(changed.execute(sql, []).unwrap(), 1, "{sql}");
    drop(changed);
    verify(&SqliteJournal::open_read_only(&path).unwrap()).map(drop)
}

#[test]
fn every_tampered_field_names_its_entry() {
    for (field, value) in [
        ("time_ms", "time_ms + 1"),
        ("time_ms", "-1"),
        ("term", "term + 1"),
        ("payload", "x'00'"),
        ("payload", "x''"),
        ("prev", "zeroblob(32)"),
        ("hash", "zeroblob(32)"),
    ] {
        let outcome = tampered(&format!("UPDATE entry SET {field} = {value} WHERE seq = 5"));
        assert!(matches!(outcome, Err(ChainError::Entry { seq: 5, .. })), "{field} = {value}: {outcome:?}");
    }
    let outcome = tampered("UPDATE entry SET seq = 50 WHERE seq = 5");
    let missing = EntryFault::Missing { found: 6 };
    assert!(matches!(&outcome, Err(ChainError::Entry { seq: 5, fault }) if *fault == missing), "{outcome:?}");
    let outcome = tampered("DELETE FROM entry WHERE seq = 1");
    assert!(matches!(outcome, Err(ChainError::Entry { seq: 1, .. })), "{outcome:?}");
    let outcome = tampered("UPDATE entry SET term = -1 WHERE seq = 5");
    let Err(ChainError::Journal(JournalError::Damaged { detail, .. })) = &outcome else {
        panic!("{outcome:?}")
    };
    assert!(detail.contains("entry 5"), "{detail}");
}

#[test]
fn every_flipped_byte_of_payload_and_hash_names_its_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    write(&path, 10);
    let entry = SqliteJournal::open(&path).unwrap().read(5, 1).unwrap().remove(0);
    let raw = Connection::open(&path).unwrap();
    raw.pragma_update(None, "journal_mode", "DELETE").unwrap();
    for (field, original) in [("payload", entry.payload), ("hash", entry.hash.as_bytes().to_vec())] {
        let update = format!("UPDATE entry SET {field} = ?1 WHERE seq = 5");
        for at in 0..original.len() {
            let mut altered = original.clone();
            altered[at] ^= 1 << (at % 8);
            raw.execute(&update, [&altered]).unwrap();
            let outcome = verify(&SqliteJournal::open_read_only(&path).unwrap());
            assert!(
                matches!(outcome, Err(ChainError::Entry { seq: 5, .. })),
                "{field}, byte {at}: {outcome:?}"
            );
        }
        raw.execute(&update, [&original]).unwrap();
    }
    assert!(verify(&SqliteJournal::open_read_only(&path).unwrap()).is_ok());
}

#[test]
fn a_damaged_blob_is_named() {
    let outcome = tampered("UPDATE blob SET content = x'00'");
    let digest = tenon_model::Digest::of(b"blob");
    let Err(ChainError::Journal(JournalError::BlobDamaged { digest: named, .. })) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(named, digest);
}

#[test]
fn a_damaged_snapshot_falls_back_to_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    write(&path, 10);
    let mut journal = SqliteJournal::open(&path).unwrap();
    for entry in journal.read(1, 10).unwrap().iter().skip(6) {
        journal.keep_snapshot(&entry.head(), 1, format!("state {}", entry.seq).as_bytes()).unwrap();
    }
    drop(journal);
    let text = |_: &Snapshot, content: tenon_model::Parts| String::from_utf8(content.concat());
    for (sql, wanted) in [
        ("UPDATE snapshot_part SET content = x'00' WHERE seq = 10", Some("state 9")),
        ("DELETE FROM snapshot_part WHERE seq = 9", Some("state 8")),
        ("UPDATE snapshot SET hash = zeroblob(32) WHERE seq = 8", Some("state 7")),
        ("UPDATE snapshot SET digest = zeroblob(32) WHERE seq = 7", None),
    ] {
        assert_eq!(Connection::open(&path).unwrap().execute(sql, []).unwrap(), 1, "{sql}");
        let journal = SqliteJournal::open_read_only(&path).unwrap();
        let restored = restore(&journal, 1, text).unwrap();
        assert_eq!(restored.state.map(|(state, _)| state).as_deref(), wanted, "{sql}");
        // Snapshots prove nothing, so that the record is as whole as before.
        assert_eq!(verify(&journal).unwrap().head.seq, 10);
    }
}

#[test]
fn journals_of_older_formats_are_read_and_then_extended() {
    // What later formats added is all that differs.
    let before_3 = "DROP TABLE base; DROP INDEX client_key_last; PRAGMA user_version = 2;";
    let before_2 = "DROP TABLE snapshot_part; DROP TABLE snapshot; PRAGMA user_version = 1;";
    for old in [before_3.to_owned(), format!("{before_3} {before_2}")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let head = write(&path, 10);
        Connection::open(&path).unwrap().execute_batch(&old).unwrap();
        let read_only = SqliteJournal::open_read_only(&path).unwrap();
        assert_eq!(
            (read_only.snapshots().unwrap(), read_only.read_snapshot(10).unwrap()),
            (Vec::new(), None)
        );
        assert_eq!((verify(&read_only).unwrap().head, read_only.base().unwrap()), (head, None));
        drop(read_only);
        let mut journal = SqliteJournal::open(&path).unwrap();
        journal.keep_snapshot(&head, 1, b"state").unwrap();
        journal.cut(&head, &head).unwrap();
        drop(journal);
        let journal = SqliteJournal::open(&path).unwrap();
        assert_eq!((journal.snapshots().unwrap().len(), journal.base().unwrap()), (1, Some(head)));
    }
}

/// Many manifests and entries, most of which are then let go; returns the size of the file before and after.
fn shrunk(path: &Path) -> (u64, u64) {
    let mut journal = SqliteJournal::open(path).unwrap();
    let mut head = journal.head().unwrap();
    let mut names = Vec::new();
    for (n, entry) in (0_u32..).zip(entries(400)) {
        let blob: Vec<u8> = (0..20_000_u32).flat_map(|place| (place ^ n).to_le_bytes()).collect();
        names.push(tenon_model::Digest::of(&blob));
        let entry = NewEntry { payload: vec![7; 5_000], ..entry };
        head = journal
            .append(
                &head,
                &[Batch {
                    blobs: vec![tenon_model::Blob::new(blob)],
                    entries: vec![entry],
                    client_key: None,
                }],
            )
            .unwrap();
    }
    journal.keep_snapshot(&head, 1, b"state").unwrap();
    drop(journal);
    let before = fs::metadata(path).unwrap().len();
    let mut journal = SqliteJournal::open(path).unwrap();
    journal.cut(&head, &head).unwrap();
    while journal.remove_before_base(&head).unwrap() == Removal::Partly {}
    let mut left = &names[..380];
    while !left.is_empty() {
        left = &left[journal.remove_blobs(&head, left).unwrap()..];
    }
    while journal.give_room_back().unwrap() == Removal::Partly {}
    assert_eq!(verify(&journal).unwrap().blobs, 20);
    drop(journal);
    (before, fs::metadata(path).unwrap().len())
}

#[test]
fn room_that_removals_leave_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (before, after) = shrunk(&path);
    println!("measured: a file of {before} bytes takes {after} after 380 of 400 manifests were let go");
    // 20 manifests of 80 kB are left.
    assert!(before > 32_000_000 && after < 3_000_000, "{before} and then {after}");
    // A file of before keeps its size, and is given room back once it was rewritten.
    let path = folder.path().join("old.db");
    Connection::open(&path).unwrap().execute_batch("PRAGMA auto_vacuum = NONE; VACUUM;").unwrap();
    let (before, after) = shrunk(&path);
    assert_eq!(after, before);
    Connection::open(&path).unwrap().execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;").unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 3_000_000);
    let mut journal = SqliteJournal::open(&path).unwrap();
    assert_eq!(verify(&journal).unwrap().blobs, 20);
    assert_eq!(journal.give_room_back().unwrap(), Removal::Whole);
}
