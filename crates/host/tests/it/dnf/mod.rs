//! Hosts of RPM packages: the same outcomes as on Debian hosts.

mod change;
mod looks;
mod rehearsal;
