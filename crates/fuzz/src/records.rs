//! The record and what agents send.

use tenon_approval::{PersonKey, Statement, climb, verify};
use tenon_model::{Inventory, KeyApproval, Manifest, Versioned, VulnerabilityId};
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

/// A statement, a signature, the line of a key, and what an order carries of them.
pub(crate) fn approval(bytes: &[u8]) {
    if let Some(text) = crate::text(bytes) {
        if let Ok(statement) = text.parse::<Statement>() {
            assert_eq!(statement.to_string(), text, "a statement is written in one way");
        }
        if let Ok(key) = text.parse::<PersonKey>() {
            assert!(key.fingerprint().to_string().starts_with("SHA256:"), "a key has a fingerprint");
        }
        let signed = verify("tenon approval v1\n", text);
        assert!(signed.is_err(), "nobody signed this");
    }
    if let Ok(KeyApproval { statement, signature, place, path }) = serde_json::from_slice(bytes) {
        let changed = verify(&format!("{statement} "), &signature);
        assert!(
            changed.is_err() || verify(&statement, &signature).is_err(),
            "one signature is over two texts"
        );
        let leaf = tenon_model::Digest::of(bytes);
        for leaves in [1, place.wrapping_add(1), u64::MAX] {
            let _root = climb(leaf, place, leaves, &path);
        }
    }
}
