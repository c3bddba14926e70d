//! A demonstration: a server whose hosts are played and whose time runs faster. Nothing here reaches a host.

use std::fmt;

use serde::{Deserialize, Serialize};
use tenon_engine::World;
use tenon_model::{DirectiveId, Timestamp};
use utoipa::ToSchema;

/// Who plays. The server asks it for the record's time and for what it tells the visitor; what it does, it does with commands
/// like everybody.
pub trait Demo: fmt::Debug + Send + Sync {
    /// The record's time.
    fn now(&self) -> Timestamp;
    /// How many seconds of the record pass in one; 0 where time only passes in steps.
    fn pace(&self) -> u32;
    /// What happens now, and what a visitor can do.
    fn guide(&self, world: &World) -> Guide;
}

/// What a visitor of a demonstration is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guide {
    /// Which part of the story it is, from 1.
    pub part: u32,
    /// Of how many.
    pub parts: u32,
    /// What happens now.
    pub happens: String,
    /// What the visitor can do, the first thing first.
    pub can: Vec<String>,
    /// The directive that it is about.
    pub directive: Option<DirectiveId>,
    /// Whether the story waits for the visitor.
    pub waits: bool,
}

/// A demonstration as programs and people see it. Every answer of the API says that it is one, too: the header
/// `tenon-demo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DemoView {
    /// The record's time, RFC 3339: it runs ahead.
    pub now: String,
    /// How many of its seconds pass in one.
    pub pace: u32,
    /// Which part of the story it is, from 1.
    pub part: u32,
    /// Of how many.
    pub parts: u32,
    /// What happens now.
    pub happens: String,
    /// What one can do, the first thing first.
    pub can: Vec<String>,
    /// The directive that it is about.
    pub directive: Option<String>,
    /// Whether the story waits for somebody to do it.
    pub waits: bool,
}

impl DemoView {
    pub(crate) fn of(demo: &dyn Demo, world: &World) -> Self {
        let guide = demo.guide(world);
        Self {
            now: demo.now().to_string(),
            pace: demo.pace(),
            part: guide.part,
            parts: guide.parts,
            happens: guide.happens,
            can: guide.can,
            directive: guide.directive.map(|id| id.to_string()),
            waits: guide.waits,
        }
    }
}
