//! Risk: published standards, exactly, as data and integer arithmetic.
//!
//! - [`cvss`]: vectors and scores of CVSS v2, v3.0, v3.1 and v4.0;
//! - [`tables`]: published decision tables, and the smallest change of inputs that flips a decision;
//! - a typed front for each table: [`ssvc`], [`cisa_coordinator`], [`bod_26_04`], [`fedramp_vdr`], [`sla`];
//! - [`regulation`]: due-date rules that are read from a file;
//! - [`epss`] and [`lev`]: models of EPSS, and what its past scores say together.

pub mod bod_26_04;
pub mod cisa_coordinator;
pub mod cvss;
pub mod epss;
pub mod fedramp_vdr;
pub mod lev;
pub mod points;
pub mod regulation;
pub mod sla;
pub mod ssvc;
pub mod tables;
