//! Version order against public vectors, the reference tools and its own laws.
#![allow(clippy::unwrap_used, clippy::panic)]

mod apk;
mod dpkg;
mod keys;
mod pep440;
mod rpm;
mod scheme;
mod semver;
mod support;
mod vectors;
