//! Real Debian hosts on one machine, for tests.
//!
//! A host is an overlay root over one shared, outdated Debian image, in its own network, process,
//! mount, name, IPC and control-group namespaces. apt, dpkg, systemd, the services and the pending
//! security fixes are the real ones; only the machine around them is not. Nothing here ships.
//!
//! ```text
//! if let Err(missing) = Requirements::check() { println!("skipped: my_test: {missing}"); return }
//! let image = Image::prepare(&cache_dir())?;   // slow once, then cached
//! let lab = Lab::new(&image)?;                 // a bridge in a namespace of its own
//! let mirror = lab.serve_mirror(&image)?;      // the frozen, signed repository
//! let web = lab.host("web1")?;
//! web.boot(Boot::Full)?;
//! web.wait_running(Duration::from_secs(60))?;
//! web.exec(["apt-get", "-qq", "update"])?.ok()?;
//! ```
//!
//! Hosts of RPM packages are the same with [`Image::prepare_rpm`] and [`Lab::serve_rpm_repository`]: Debian's files with rpm, dnf and
//! an RPM database in place of dpkg's.
//!
//! Dropping a host or a lab deletes it, also while a test panics; what a killed run left behind is
//! removed by the next one.

// A harness for real machines needs clocks, sleeps between polls and processes.
#![allow(clippy::disallowed_methods)]

mod error;
mod host;
mod http;
mod image;
mod lab;
mod mirror;
mod require;
mod rpm;
mod rpm_image;
mod run;
mod signing;
mod toy;

pub use error::Error;
pub use host::{Boot, Host};
pub use image::{Image, Pending, cache_dir};
pub use lab::{Lab, LabChild};
pub use mirror::{Mirror, Suite};
pub use require::{Missing, Requirements};
pub use rpm::{Advisory, RpmRepository};
pub use run::{Output, wait_until};
pub use toy::{Daemon, ToyPackage};
