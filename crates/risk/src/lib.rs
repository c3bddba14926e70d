//! Risk: published standards, exactly, as data and integer arithmetic.
//!
//! - [`tables`]: published decision tables, and the smallest change of inputs that flips a decision;
//! - a typed front for each table: [`ssvc`], [`cisa_coordinator`], [`bod_26_04`], [`fedramp_vdr`], [`sla`];

pub mod bod_26_04;
pub mod cisa_coordinator;
pub mod fedramp_vdr;
pub mod points;
pub mod sla;
pub mod ssvc;
pub mod tables;
