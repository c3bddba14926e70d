//! Contract of orders and tokens: what an agent must refuse.

use proptest::prelude::*;
use tenon_model::{
    AssetId, Digest, DirectiveId, Generation, Order, OrderAction, OrderId, PackageTarget, Timestamp,
};
use tenon_wire::{DirectiveKey, EnrolToken, OrderGate, OrderRefusal, Secret, SignatureError, SignedOrder};

fn order(asset: AssetId, counter: u64) -> Order {
    Order {
        id: OrderId::new(counter),
        asset,
        directive: DirectiveId::new(1),
        generation: Generation { term: 2, counter },
        issued: Timestamp::from_millis(1_000),
        expires: Timestamp::from_millis(9_000),
        action: OrderAction::Rehearse {
            targets: vec![PackageTarget {
                package: "openssl".into(),
                architecture: "amd64".into(),
                from: "1".into(),
                to: "2".into(),
            }],
        },
    }
}

fn gate(key: &DirectiveKey, asset: AssetId) -> OrderGate {
    OrderGate { asset, key: key.public(), last: None }
}

#[test]
fn an_order_is_admitted_once_in_time_by_its_addressee() {
    let key = DirectiveKey::from_seed(&[7; 32]);
    let asset = AssetId::of_public_key(b"this");
    let signed = key.sign(&order(asset, 5)).unwrap();
    let now = Timestamp::from_millis(9_000);
    let mut gate = gate(&key, asset);
    assert_eq!(gate.admit(&signed, now), Ok(order(asset, 5)));

    gate.last = Some(Generation { term: 2, counter: 5 });
    assert!(matches!(gate.admit(&signed, now), Err(OrderRefusal::NotNewer { .. })), "a repetition");
    assert!(!gate.is_new(&order(asset, 5)) && gate.is_new(&order(asset, 6)));
    gate.last = Some(Generation { term: 3, counter: 1 });
    assert!(matches!(gate.admit(&signed, now), Err(OrderRefusal::NotNewer { .. })), "a deposed leader");
    gate.last = None;
    let late = Timestamp::from_millis(9_001);
    assert!(matches!(gate.admit(&signed, late), Err(OrderRefusal::Expired { .. })));
    gate.asset = AssetId::of_public_key(b"other");
    assert!(matches!(gate.admit(&signed, now), Err(OrderRefusal::OtherAsset { .. })));
}

#[test]
fn an_order_of_another_key_is_refused() {
    let asset = AssetId::of_public_key(b"this");
    let signed = DirectiveKey::from_seed(&[8; 32]).sign(&order(asset, 1)).unwrap();
    let refusal = gate(&DirectiveKey::from_seed(&[7; 32]), asset).admit(&signed, Timestamp::from_millis(0));
    assert_eq!(refusal, Err(OrderRefusal::Signature(SignatureError::Wrong)));
}

#[test]
fn a_signature_without_the_domain_is_refused() {
    use ed25519_dalek::{Signer as _, SigningKey};
    let asset = AssetId::of_public_key(b"this");
    let body = serde_json::to_string(&order(asset, 1)).unwrap();
    let bare = SigningKey::from_bytes(&[7; 32]).sign(body.as_bytes());
    let signed = SignedOrder { order: body, signature: hex::encode(bare.to_bytes()) };
    assert_eq!(signed.verify(&DirectiveKey::from_seed(&[7; 32]).public()), Err(SignatureError::Wrong));
}

#[test]
fn an_order_with_any_bit_of_any_byte_flipped_is_not_admitted() {
    let (key, asset) = (DirectiveKey::from_seed(&[7; 32]), AssetId::of_public_key(b"this"));
    let (order, gate) = (order(asset, 1), gate(&key, asset));
    let signed = key.sign(&order).unwrap();
    // As it travels, signature and all.
    let bytes = serde_json::to_vec(&signed).unwrap();
    let (mut tried, mut same) = (0, 0);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            tried += 1;
            let Ok(read) = serde_json::from_slice::<SignedOrder>(&flipped) else { continue };
            if let Ok(admitted) = gate.admit(&read, Timestamp::from_millis(1)) {
                // A digit of the signature in the other case is the same signature: not a bit of the order is another.
                assert_eq!((&admitted, &read.order), (&order, &signed.order), "byte {at}, bit {bit}");
                assert!(read.signature.eq_ignore_ascii_case(&signed.signature), "byte {at}, bit {bit}");
                same += 1;
            }
        }
    }
    println!("measured: {tried} flips of an order, {same} of them the same order, none another");
    assert!(tried > 8 * 200 && same <= signed.signature.len());
}

proptest! {
    #[test]
    fn one_changed_byte_breaks_the_signature(at in any::<prop::sample::Index>(), with in 32_u8..127) {
        let key = DirectiveKey::from_seed(&[7; 32]);
        let signed = key.sign(&order(AssetId::of_public_key(b"this"), 1)).unwrap();
        let mut bytes = signed.order.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != with);
        bytes[at] = with;
        let forged = SignedOrder { order: String::from_utf8(bytes).unwrap(), signature: signed.signature };
        prop_assert_eq!(forged.verify(&key.public()), Err(SignatureError::Wrong));
    }

    #[test]
    fn no_text_brings_the_token_parser_down(text in ".{0,200}") {
        if let Ok(token) = text.parse::<EnrolToken>() {
            prop_assert_eq!(token.reveal(), text.trim());
        }
    }
}

#[test]
fn a_token_survives_its_text_and_hides_its_secret() {
    let token = EnrolToken {
        id: "t1".parse().unwrap(),
        secret: Secret::new("ab".repeat(32)),
        authority: Digest::of(b"ca"),
    };
    assert_eq!(token.reveal().parse::<EnrolToken>().unwrap(), token);
    for shown in [format!("{token:?}"), format!("{token}")] {
        assert!(!shown.contains("abab"), "{shown}");
    }
    let cut = &token.reveal()[..token.reveal().len() - 1];
    let error = cut.parse::<EnrolToken>().unwrap_err().to_string();
    assert!(!error.contains("abab"), "{error}");
}
