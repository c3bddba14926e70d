//! The record and what agents send.

use tenon_model::{Inventory, Manifest, Versioned, VulnerabilityId};
use tenon_wire::{ApplyAnswer, DirectiveKey, EnrolRequest, EnrolToken, RehearsalAnswer, SignedOrder};

pub(crate) fn events(bytes: &[u8]) {
    let _event = Versioned::decode(1, bytes);
    let _manifest = Manifest::from_blob(bytes);
    if let Some(text) = crate::text(bytes) {
        let _id = text.parse::<VulnerabilityId>();
    }
}

pub(crate) fn export(bytes: &[u8]) {
    let _head = tenon_journal::verify_export(&mut &*bytes, &mut |_| {});
}

pub(crate) fn wire(bytes: &[u8]) {
    let _enrol = serde_json::from_slice::<EnrolRequest>(bytes);
    let _rehearsal = serde_json::from_slice::<RehearsalAnswer>(bytes);
    let _apply = serde_json::from_slice::<ApplyAnswer>(bytes);
    if let Ok(inventory) = serde_json::from_slice::<Inventory>(bytes) {
        let _manifest = Manifest::new(inventory.components);
    }
    if let Some(text) = crate::text(bytes) {
        let _token = text.parse::<EnrolToken>();
    }
    if let Ok(signed) = serde_json::from_slice::<SignedOrder>(bytes) {
        let key = DirectiveKey::from_seed(&[7; 32]).public();
        assert!(signed.verify(&key).is_err(), "nobody signed this");
    }
}
