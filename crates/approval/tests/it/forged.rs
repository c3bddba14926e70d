//! What counts, and every way that was thought of to make something count that nobody signed.

use tenon_approval::{SignatureError, Statement, Unapproved, verify};
use tenon_model::{Change, Digest, DirectiveId, KeyApproval};

use crate::keys::{Held, Parts, approval, at, required, statement};

fn three() -> Vec<Parts> {
    (1..=3).map(Parts::of).collect()
}

/// What a host that asks for one of these keys says to an order.
fn asked(needed: usize, keys: &[&Held], parts: &Parts, approvals: &[KeyApproval]) -> Result<(), Unapproved> {
    required(needed, keys).check(&parts.change(), approvals, at(1))
}

fn refused(parts: &Parts, approvals: &[KeyApproval], says: &str) {
    let unapproved = asked(1, &[&Held::file(1)], parts, approvals).unwrap_err();
    assert_eq!((unapproved.found, unapproved.needed), (0, 1));
    assert!(unapproved.to_string().contains(says), "{unapproved}");
}

#[test]
fn a_signature_counts_on_each_host_that_it_covers() {
    let (alice, bob, hosts) = (Held::file(1), Held::hardware(2), three());
    for (place, parts) in hosts.iter().enumerate() {
        for signer in [&alice, &bob] {
            let approvals = [approval(signer, &hosts, place)];
            assert_eq!(asked(1, &[&alice, &bob], parts, &approvals), Ok(()));
        }
        // Two statements, each over other hosts, by different people.
        let both = [approval(&alice, &hosts, place), approval(&bob, std::slice::from_ref(parts), 0)];
        assert_eq!(asked(2, &[&alice, &bob], parts, &both), Ok(()));
    }
}

#[test]
fn without_the_signatures_that_are_asked_for_nothing_is_approved() {
    let (alice, mallory, hosts) = (Held::file(1), Held::file(9), three());
    let good = approval(&alice, &hosts, 0);
    refused(
        &hosts[0],
        &[],
        "0 of the 1 signatures that it asks for are there, and the order carries no other",
    );
    let fingerprint = mallory.public().fingerprint().to_string();
    refused(
        &hosts[0],
        &[approval(&mallory, &hosts, 0)],
        &format!("by {fingerprint}, which is none of this host's keys"),
    );
    // The same key as a hardware key's is another key.
    refused(&hosts[0], &[approval(&Held::hardware(1), &hosts, 0)], "none of this host's keys");
    refused(&hosts[1], std::slice::from_ref(&good), "does not cover this change");
    refused(&hosts[0], &[approval(&alice, &hosts, 1)], "does not cover this change");

    // One key twice, with the same statement and with another one.
    let again = KeyApproval { ..approval(&alice, &hosts[..1], 0) };
    for twice in [[good.clone(), good.clone()], [good.clone(), again]] {
        let unapproved = asked(2, &[&alice, &Held::file(2)], &hosts[0], &twice).unwrap_err();
        assert_eq!((unapproved.found, unapproved.needed), (1, 2));
        assert!(unapproved.to_string().contains("signed twice, and counts once"), "{unapproved}");
    }
    // A host that would need none asks for one all the same.
    assert!(asked(0, &[&alice], &hosts[0], &[]).is_err());

    let late = required(1, &[&alice]);
    let now = |days| late.check(&hosts[0].change(), std::slice::from_ref(&good), at(days));
    assert!(now(7).is_ok() && now(-1).is_ok());
    assert!(now(8).unwrap_err().to_string().contains("it expired at 2026-11-25T11:06:40Z"));
    assert!(now(-2).unwrap_err().to_string().contains("it was made at 2026-11-18T11:06:40Z"));
}

#[test]
fn what_was_signed_covers_nothing_else() {
    let (alice, hosts) = (Held::file(1), three());
    let good = approval(&alice, &hosts, 0);
    let covers = |alter: &dyn Fn(&mut Parts), says: &str| {
        let mut other = hosts[0].clone();
        alter(&mut other);
        refused(&other, std::slice::from_ref(&good), says);
    };
    let not = "does not cover this change of this host, as it is ordered now";
    covers(&|parts| parts.directive = DirectiveId::new(11), "it is about dir_10, not about dir_11");
    covers(&|parts| parts.host = 2, not);
    covers(&|parts| parts.name = "db1".to_owned(), not);
    covers(&|parts| parts.targets[0].to = "2.1".to_owned(), not);
    covers(&|parts| parts.transaction.steps[0].change = Change::Install { to: "0.9".to_owned() }, not);
    covers(&|parts| drop(parts.transaction.steps.pop()), not);
    covers(&|parts| parts.files[0].sha256 = Digest::of(b"another"), not);

    // The directive's name changed in the statement alone: the signature is over another text.
    let moved = good.statement.replace("dir_10", "dir_11");
    let mut other = hosts[0].clone();
    other.directive = DirectiveId::new(11);
    refused(&other, &[KeyApproval { statement: moved, ..good.clone() }], "not over this statement");
    // A statement of the server's own under a signature that was made for another.
    let own = statement(&[other.clone()]).to_string();
    refused(
        &other,
        &[KeyApproval { statement: own, place: 0, path: Vec::new(), ..good }],
        "not over this statement",
    );
}

#[test]
fn a_node_of_the_tree_is_no_change_and_a_change_no_node() {
    let (alice, hosts) = (Held::file(1), three());
    let good = approval(&alice, &hosts, 0);
    // Shorter and longer paths, other places, other sizes.
    let with = |place, path: Vec<Digest>| KeyApproval { place, path, ..good.clone() };
    let not = "does not cover";
    refused(&hosts[0], &[with(0, good.path[1..].to_vec())], not);
    refused(&hosts[0], &[with(0, [good.path.clone(), good.path.clone()].concat())], not);
    refused(&hosts[0], &[with(0, vec![Digest::of(b""); 10_000])], not);
    refused(&hosts[0], &[with(0, Vec::new())], not);
    for place in [1, 2, 3, u64::MAX] {
        refused(&hosts[0], &[with(place, good.path.clone())], not);
    }
}

#[test]
fn a_signature_for_anything_else_is_none() {
    let (alice, hosts) = (Held::file(1), three());
    let text = statement(&hosts).to_string();
    assert!(verify(&text, &alice.sign(&text)).is_ok());
    for namespace in ["git", "file", "tenon-approval2", "Tenon-approval"] {
        let signature = alice.sign_in(namespace, &text, 1);
        assert_eq!(verify(&text, &signature), Err(SignatureError::Namespace(namespace.to_owned())));
        // The right name put over it afterwards.
        let good = KeyApproval { signature, ..approval(&alice, &hosts, 0) };
        refused(&hosts[0], &[good], "it was made for");
    }
    let hardware = Held::hardware(2);
    assert!(verify(&text, &hardware.sign(&text)).is_ok());
    for flags in [0, 4] {
        assert_eq!(
            verify(&text, &hardware.sign_in("tenon-approval", &text, flags)),
            Err(SignatureError::Untouched)
        );
    }
    for bad in ["", "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", &"x".repeat(5_000)] {
        assert!(matches!(verify(&text, bad), Err(SignatureError::Shape(_))), "{bad}");
    }
    let crlf = alice.sign(&text).replace('\n', "\r\n");
    assert!(verify(&text, &crlf).is_err());
}

/// Every byte of everything that travels, with every bit flipped and with some other bytes.
#[test]
fn nothing_with_a_byte_changed_is_accepted() {
    let hosts = three();
    let mut tried = 0_u32;
    for key in [Held::file(1), Held::hardware(1)] {
        let good = approval(&key, &hosts, 1);
        assert_eq!(asked(1, &[&key], &hosts[1], std::slice::from_ref(&good)), Ok(()));
        let mut not = |changed: KeyApproval, what: &str| {
            tried += 1;
            assert!(asked(1, &[&key], &hosts[1], &[changed]).is_err(), "{what}");
        };
        for (field, text) in [("statement", &good.statement), ("signature", &good.signature)] {
            for at in 0..text.len() {
                let others =
                    (0..8).map(|bit| text.as_bytes()[at] ^ (1 << bit)).chain([b'\n', b' ', b'0', b'A']);
                for byte in others.filter(|byte| *byte != text.as_bytes()[at]) {
                    let mut bytes = text.clone().into_bytes();
                    bytes[at] = byte;
                    let Ok(text) = String::from_utf8(bytes) else { continue };
                    let mut changed = good.clone();
                    match field {
                        "statement" => changed.statement = text,
                        _ => changed.signature = text,
                    }
                    // What ends the last line of the armour is no part of it.
                    if changed.signature.trim_end_matches('\n') != good.signature.trim_end_matches('\n')
                        || field == "statement"
                    {
                        not(changed, &format!("{field} with byte {at} as {byte}"));
                    }
                }
                let shorter = |text: &str| text.chars().take(at).collect::<String>();
                let mut changed = good.clone();
                match field {
                    "statement" => changed.statement = shorter(text),
                    _ => changed.signature = shorter(text),
                }
                if changed.signature.trim_end_matches('\n') != good.signature.trim_end_matches('\n')
                    || field == "statement"
                {
                    not(changed, &format!("{field} cut at {at}"));
                }
            }
        }
        for node in 0..good.path.len() {
            for at in 0..32 {
                for bit in 0..8 {
                    let mut bytes = *good.path[node].as_bytes();
                    bytes[at] ^= 1 << bit;
                    let mut changed = good.clone();
                    changed.path[node] = Digest::from_bytes(bytes);
                    not(changed, &format!("node {node} of the path with bit {bit} of byte {at}"));
                }
            }
        }
        for bit in 0..64 {
            not(KeyApproval { place: good.place ^ (1 << bit), ..good.clone() }, "another place");
        }
    }
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn a_statement_for_other_hosts_says_nothing_of_this_one() {
    let (alice, hosts) = (Held::file(1), three());
    // What a stolen server has: everything that was ever signed, and its own key. It offers a path that leads elsewhere.
    let others = approval(&alice, &hosts[1..], 0);
    for place in 0..2 {
        let offered = KeyApproval { place, ..others.clone() };
        refused(&hosts[0], &[offered], "does not cover");
    }
    // A root that is the leaf itself: a tree of one change, which nobody signed.
    let leaf = hosts[0].change().leaf();
    let own = Statement { changes: 1, root: leaf, ..statement(&hosts) }.to_string();
    let forged = KeyApproval { statement: own, place: 0, path: Vec::new(), ..others };
    refused(&hosts[0], &[forged], "not over this statement");
}
