//! Version order against public vectors, the reference tools and its own laws.
#![allow(clippy::unwrap_used, clippy::panic)]

mod dpkg;
mod keys;
mod scheme;
mod support;
mod vectors;
