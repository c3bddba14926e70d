//! Public formats against their specifications, hostile bytes and the feed mirror.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail as tests do")]

mod context;
mod cve5;
mod cyclonedx;
mod feeds;
mod mutate;
mod openvex;
mod osv;
mod osv_schema;
mod purl;
mod schema;
mod shared;
mod vers;
