//! Time that passes when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};

use tenon_engine::World;
use tenon_model::Timestamp;
use tenon_server::{Demo, Guide};

/// The record's time.
#[derive(Debug)]
pub(super) struct Stepped(AtomicI64);

impl Stepped {
    pub(super) fn new(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_millis()))
    }

    pub(super) fn set(&self, time: Timestamp) {
        self.0.store(time.as_millis(), Ordering::SeqCst);
    }
}

impl Demo for Stepped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn pace(&self) -> u32 {
        0
    }

    fn guide(&self, _: &World) -> Guide {
        Guide {
            part: 1,
            parts: 1,
            happens: "a month passes".to_owned(),
            can: Vec::new(),
            directive: None,
            waits: false,
        }
    }
}
