//! Policies as files: what reads, what does not and where, what rules decide, and when windows are open.
#![allow(clippy::unwrap_used, clippy::panic)]

mod calendar;
mod document;
mod expressions;
mod file;
mod mutate;
mod oracle;
