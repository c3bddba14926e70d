//! `tenon up --demo`: an estate of 2,000 hosts that nobody owns, and a story that unfolds on it.
//!
//! ```text
//! estate, feed  (from a seed)                       server: decide, journal, World, views, page
//!        \                                             ^          |
//!         player: enrols, reports, answers orders -----+          v
//!            \--- story: what is due now  <------------------- the World
//! ```
//!
//! Hosts are played with the commands that a real agent's messages become, and with nothing else: every view, every event and
//! every check is the program's own. What the story does next follows from the World and the time, so that it goes on after a
//! restart. Vendors, packages with advisories and vulnerabilities are invented, and their ids begin with `DEMO`.

mod arrival;
mod clock;
mod context;
mod estate;
mod feed;
mod guide;
mod host;
mod packages;
mod player;
mod story;

pub use clock::{Clock, Pace};
pub use estate::Estate;
pub use player::{PlayError, Player};
pub use story::Show;
