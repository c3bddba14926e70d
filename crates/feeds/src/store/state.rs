//! How feeds stand, and what of them could not be read.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use tenon_model::{Digest, Timestamp};

use super::{FeedState, Store, optional_time};
use crate::error::FeedError;
use crate::fetch::Validators;
use crate::name::FeedName;
use crate::problem::FeedProblem;

/// What the next sync of a feed goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// What servers gave to ask again by, by file.
    pub(crate) validators: BTreeMap<String, Validators>,
    /// Up to which time the list of changes has been followed.
    pub(crate) followed: Option<Timestamp>,
    /// When the feed was last read as a whole.
    pub(crate) whole: Option<Timestamp>,
}

const STATE: &str = "SELECT name, origin, edition, as_of, fetched, checked, digest, records,
    unlisted + (SELECT count(*) FROM problem WHERE problem.feed = feed.id), failure, cursor FROM feed";

type Raw = (FeedState, String);

fn state(row: &Row<'_>) -> rusqlite::Result<Option<Raw>> {
    let name: String = row.get(0)?;
    let count = |column| row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or_default());
    let Ok(feed) = name.parse::<FeedName>() else { return Ok(None) };
    let digest: Option<[u8; 32]> = row.get(6)?;
    let state = FeedState {
        feed,
        origin: row.get(1)?,
        edition: row.get(2)?,
        as_of: optional_time(row, 3)?,
        fetched: optional_time(row, 4)?,
        checked: optional_time(row, 5)?,
        digest: digest.map(Digest::from_bytes),
        records: count(7)?,
        problems: count(8)?,
        failure: row.get(9)?,
    };
    Ok(Some((state, row.get(10)?)))
}

impl Store {
    /// How every feed stands, by name.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn feeds(&self) -> Result<Vec<FeedState>, FeedError> {
        let failed = self.failed("read");
        let mut statement = self.connection.prepare_cached(STATE).map_err(&failed)?;
        let rows = statement.query_map([], state).map_err(&failed)?;
        let mut feeds = Vec::new();
        for row in rows {
            let row = row.map_err(&failed)?;
            feeds.push(row.ok_or_else(|| self.damaged("a feed's name cannot be read"))?.0);
        }
        feeds.sort_by(|a, b| a.feed.cmp(&b.feed));
        Ok(feeds)
    }

    /// How one feed stands, and where its next sync goes on. A cursor that cannot be read is a fresh one: the feed is
    /// then read as a whole.
    pub(crate) fn feed(&self, feed: &FeedName) -> Result<Option<(FeedState, Cursor)>, FeedError> {
        let sql = format!("{STATE} WHERE name = ?1");
        let row = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_row([feed.to_string()], state).optional())
            .map_err(self.failed("read"))?;
        Ok(row.flatten().map(|(state, cursor)| (state, serde_json::from_str(&cursor).unwrap_or_default())))
    }

    /// The listed problems of every feed, by feed, in the order in which they were found.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn problems(&self) -> Result<Vec<FeedProblem>, FeedError> {
        let failed = self.failed("read");
        let sql = "SELECT name, file, record, field, reason FROM problem JOIN feed ON feed.id = problem.feed
            ORDER BY feed.id, problem.rowid";
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement
            .query_map([], |row| {
                let feed = row.get::<_, String>(0)?.parse().ok();
                let (file, record, field, reason) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
                Ok(feed.map(|feed| FeedProblem { feed, file, record, field, reason }))
            })
            .map_err(&failed)?;
        let mut problems = Vec::new();
        for row in rows {
            let row = row.map_err(&failed)?;
            problems.push(row.ok_or_else(|| self.damaged("a feed's name cannot be read"))?);
        }
        Ok(problems)
    }

    /// Records that the source confirmed a feed as current.
    pub(crate) fn confirm(
        &mut self,
        feed: &FeedName,
        cursor: &Cursor,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let sql = "UPDATE feed SET checked = ?2, failure = NULL, cursor = ?3 WHERE name = ?1";
        self.connection
            .execute(sql, params![feed.to_string(), now.as_millis(), cursor_text(cursor)])
            .map(drop)
            .map_err(self.failed("write"))
    }

    /// Records that a feed could not be had; what is stored stands.
    pub(crate) fn fail(&mut self, feed: &FeedName, reason: &str) -> Result<(), FeedError> {
        let failed = self.failed("write");
        let id = feed_row(&self.connection, feed).map_err(&failed)?;
        let reason: String = reason.chars().take(2_000).collect();
        let sql = "UPDATE feed SET failure = ?2 WHERE id = ?1";
        self.connection.execute(sql, params![id, reason]).map(drop).map_err(&failed)
    }
}

pub(super) fn cursor_text(cursor: &Cursor) -> String {
    // A map of strings and numbers always encodes.
    serde_json::to_string(cursor).unwrap_or_default()
}

/// The row of a feed, made where there is none.
pub(super) fn feed_row(connection: &Connection, feed: &FeedName) -> rusqlite::Result<i64> {
    let name = feed.to_string();
    connection
        .prepare_cached(
            "INSERT INTO feed (name, origin, edition, records, unlisted, cursor) VALUES (?1, '', '', 0, 0, '')
             ON CONFLICT DO NOTHING",
        )?
        .execute([&name])?;
    connection.query_row("SELECT id FROM feed WHERE name = ?1", [&name], |row| row.get(0))
}
