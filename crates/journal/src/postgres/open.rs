//! Connecting, and making a database into a journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postgres::error::{Severity, SqlState};
use postgres::{Client, NoTls};

use super::rows::{head_of_row, read_entries};
use super::{
    Access, Failure, Health, PostgresJournal, PostgresUrl, history, lost, told_with_advice, transact,
};
use crate::{Head, JournalError};

/// The format written by this code; grows with every change of the schema.
///
/// 1: entries, blobs, client keys, snapshots. 2: where the journal begins, since it can be cut.
const FORMAT: i64 = 2;
/// How long a server may take to answer a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One schema, so that the journal can share a database with what it does not know. The row of `journal` is the head:
/// whoever appends locks it first.
const SCHEMA: &str = "
    CREATE SCHEMA tenon;
    CREATE TABLE tenon.journal (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        format bigint NOT NULL,
        seq bigint NOT NULL CHECK (seq >= 0),
        time_ms bigint NOT NULL,
        term bigint NOT NULL CHECK (term >= 0),
        hash bytea NOT NULL CHECK (octet_length(hash) = 32)
    ) WITH (fillfactor = 10);
    CREATE TABLE tenon.entry (
        seq bigint PRIMARY KEY CHECK (seq > 0),
        time_ms bigint NOT NULL,
        term bigint NOT NULL,
        payload bytea NOT NULL,
        prev bytea NOT NULL CHECK (octet_length(prev) = 32),
        hash bytea NOT NULL CHECK (octet_length(hash) = 32)
    );
    CREATE TABLE tenon.blob (
        digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
        content bytea NOT NULL
    );
    CREATE TABLE tenon.client_key (
        key text COLLATE \"C\" PRIMARY KEY,
        after bigint NOT NULL,
        last bigint NOT NULL CHECK (last >= after)
    );
    CREATE TABLE tenon.snapshot (
        seq bigint PRIMARY KEY CHECK (seq > 0),
        hash bytea NOT NULL CHECK (octet_length(hash) = 32),
        format bigint NOT NULL,
        size bigint NOT NULL,
        digest bytea NOT NULL CHECK (octet_length(digest) = 32)
    );
    CREATE TABLE tenon.snapshot_part (
        seq bigint NOT NULL REFERENCES tenon.snapshot (seq) ON DELETE CASCADE,
        part bigint NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (seq, part)
    );
";

/// What format 2 adds. Keys are found by the entry that acknowledged them, to let the old ones go.
const HISTORY: &str = "
    ALTER TABLE tenon.journal
        ADD COLUMN base_seq bigint CHECK (base_seq > 0),
        ADD COLUMN base_time_ms bigint,
        ADD COLUMN base_term bigint,
        ADD COLUMN base_hash bytea CHECK (octet_length(base_hash) = 32);
    CREATE INDEX client_key_last ON tenon.client_key (last);
";

impl PostgresJournal {
    /// Opens the journal in this database for writing, and creates it (schema `tenon`) where there is none.
    ///
    /// # Errors
    /// [`JournalError::NotAJournal`], [`JournalError::UnknownFormat`], [`JournalError::Damaged`], or the failure of
    /// the connection or the server; also when the server does not sync what it commits (`fsync = off`).
    pub fn open(url: &PostgresUrl) -> Result<Self, JournalError> {
        Self::open_for(url, Access::Write)
    }

    /// Opens an existing journal for reading, also on a standby and also while a leader writes it.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`JournalError::NotAJournal`] where there is none.
    pub fn open_read_only(url: &PostgresUrl) -> Result<Self, JournalError> {
        Self::open_for(url, Access::Read)
    }

    fn open_for(url: &PostgresUrl, access: Access) -> Result<Self, JournalError> {
        let place = url.place();
        let warned = Arc::new(AtomicBool::new(false));
        let mut client = connect(url, &warned)?;
        let failed = |failure: Failure| failure.into_error(&place, "open");
        check_server(&mut client, access).map_err(failed)?;
        let mut content = identify(&mut client, url).map_err(failed)?;
        if content == Content::Empty {
            if access == Access::Read {
                let found = "a database without a schema named tenon".to_owned();
                return Err(JournalError::NotAJournal { path: place, found });
            }
            create(&mut client, &warned).map_err(failed)?;
            // Also what another process made in the meantime.
            content = identify(&mut client, url).map_err(failed)?;
        }
        if access == Access::Write && content == (Content::Journal { format: 1 }) {
            extend(&mut client, &warned).map_err(failed)?;
            content = identify(&mut client, url).map_err(failed)?;
        }
        check_head(&mut client, url).map_err(failed)?;
        let base = match content {
            Content::Journal { format: 2.. } => history::read_base(&mut client, url).map_err(failed)?,
            Content::Journal { .. } | Content::Empty => None,
        };
        Ok(Self {
            url: url.clone(),
            client: Some(client).into(),
            warned,
            health: Health::Sound.into(),
            base: base.into(),
            access,
        })
    }
}

/// A connection whose warnings are noted.
pub(super) fn connect(url: &PostgresUrl, warned: &Arc<AtomicBool>) -> Result<Client, JournalError> {
    let mut config = url.config();
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("tenon");
    }
    let note = warned.clone();
    config.notice_callback(move |notice| {
        if notice.parsed_severity() == Some(Severity::Warning) {
            note.store(true, Ordering::SeqCst);
        }
    });
    config.connect(NoTls).map_err(|error| match error.code() {
        Some(&SqlState::DISK_FULL) => JournalError::StorageFull { path: url.place() },
        _ => {
            JournalError::Storage { doing: "connect to", path: url.place(), source: told_with_advice(&error) }
        }
    })
}

fn check_server(client: &mut Client, access: Access) -> Result<(), Failure> {
    let row = client.query_typed_one("SELECT current_setting('fsync'), pg_is_in_recovery()", &[])?;
    let fsync: String = row.try_get(0)?;
    let standby: bool = row.try_get(1)?;
    match access {
        Access::Read => Ok(()),
        Access::Write if fsync != "on" => Err(Failure::Unfit(
            "the server runs with fsync = off, so that a power cut loses what it acknowledged: set fsync = on in its configuration",
        )),
        Access::Write if standby => Err(Failure::Unfit(
            "the server is a standby, which takes no writes: name the primary, or promote it",
        )),
        Access::Write => Ok(()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Journal { format: i64 },
    Empty,
}

fn identify(client: &mut Client, url: &PostgresUrl) -> Result<Content, Failure> {
    let row = client.query_typed_one(
        "SELECT to_regnamespace('tenon') IS NOT NULL, to_regclass('tenon.journal') IS NOT NULL",
        &[],
    )?;
    let (schema, table): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    let foreign = |found: &str| {
        Failure::Refused(JournalError::NotAJournal { path: url.place(), found: found.to_owned() })
    };
    match (schema, table) {
        (false, _) => return Ok(Content::Empty),
        (true, false) => return Err(foreign("a database with a schema named tenon that holds no journal")),
        (true, true) => {}
    }
    let row = client.query_typed_opt("SELECT format FROM tenon.journal", &[]).map_err(|error| match error
        .code()
    {
        Some(&SqlState::UNDEFINED_COLUMN) => foreign("a database with another table named tenon.journal"),
        _ => error.into(),
    })?;
    let row = row.ok_or_else(|| foreign("a database whose tenon.journal is empty"))?;
    let found: i64 = row.try_get(0)?;
    if !(1..=FORMAT).contains(&found) {
        return Err(Failure::Refused(JournalError::UnknownFormat {
            path: url.place(),
            found,
            known: FORMAT,
        }));
    }
    Ok(Content::Journal { format: found })
}

/// Makes a journal of format 1 one of format 2. Whoever else has it open is refused at the next append.
fn extend(client: &mut Client, warned: &AtomicBool) -> Result<(), Failure> {
    transact(client, warned, |client| {
        let row = client.query_typed_one("SELECT format FROM tenon.journal FOR UPDATE", &[])?;
        // Another process did so in the meantime.
        if row.try_get::<_, i64>(0)? != 1 {
            return Ok(());
        }
        client.batch_execute(HISTORY)?;
        client.batch_execute("UPDATE tenon.journal SET format = 2")?;
        Ok(())
    })
}

/// Only a journal of the very format that this code writes is written to.
pub(super) fn check_format(found: i64, url: &PostgresUrl) -> Result<(), Failure> {
    if found == FORMAT {
        return Ok(());
    }
    Err(Failure::Refused(JournalError::UnknownFormat { path: url.place(), found, known: FORMAT }))
}

fn create(client: &mut Client, warned: &AtomicBool) -> Result<(), Failure> {
    let created = transact(client, warned, |client| {
        client.batch_execute(SCHEMA)?;
        client.batch_execute(HISTORY)?;
        let Head { hash, .. } = Head::genesis();
        client.query_typed(
            "INSERT INTO tenon.journal (format, seq, time_ms, term, hash) VALUES ($1, 0, 0, 0, $2)",
            &[(&FORMAT, postgres::types::Type::INT8), (&&hash.as_bytes()[..], postgres::types::Type::BYTEA)],
        )?;
        Ok(())
    });
    match created {
        // Another process made it in the same moment; DDL is part of its transaction, so it is whole.
        Err(Failure::Sql(error))
            if !lost(&error)
                && matches!(
                    error.code(),
                    Some(
                        &SqlState::UNIQUE_VIOLATION
                            | &SqlState::DUPLICATE_SCHEMA
                            | &SqlState::DUPLICATE_TABLE
                    )
                ) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// The row that says where the journal ends must agree with its last entry.
fn check_head(client: &mut Client, url: &PostgresUrl) -> Result<(), Failure> {
    // One statement, so that a leader's append does not come between.
    let row = client.query_typed_one(
        "SELECT seq, time_ms, term, hash, (SELECT max(seq) FROM tenon.entry) FROM tenon.journal",
        &[],
    )?;
    let head = head_of_row(&row, url)?;
    let last: Option<i64> = row.try_get(4)?;
    let damaged = |detail: String| Failure::Refused(JournalError::Damaged { path: url.place(), detail });
    if last.unwrap_or(0).unsigned_abs() != head.seq {
        return Err(damaged(format!(
            "its head is entry {}, its last entry is {}",
            head.seq,
            last.unwrap_or(0)
        )));
    }
    let last = read_entries(client, url, head.seq, 1)?;
    match last.first() {
        Some(entry) if head.seq > 0 && entry.head() != head => {
            Err(damaged(format!("its head does not agree with its last entry {}", head.seq)))
        }
        _ => Ok(()),
    }
}
