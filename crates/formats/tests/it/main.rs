//! Public formats against their specifications, hostile bytes and the feed mirror.

mod osv;
mod purl;
mod shared;
