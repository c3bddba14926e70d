//! Risk: published decision tables, exactly, as data.

pub mod bod_26_04;
