//! The text that is signed, the leaves below it, and the lines of keys.

use tenon_approval::{ChangeError, KeyError, MAX_CHANGES, PersonKey, Statement, StatementError};
use tenon_model::{Change, Digest, DirectiveId};

use crate::keys::{Held, Parts, at, statement};

#[test]
fn a_statement_is_one_text_and_a_text_one_statement() {
    let said = statement(&[Parts::of(1), Parts::of(2)]);
    let text = said.to_string();
    assert_eq!(
        text,
        format!(
            "tenon approval v1\ndirective: dir_10\nchanges: 2\nroot: {}\nissued: 2026-11-18T11:06:40Z\nexpires: \
             2026-11-25T11:06:40Z\n",
            said.root
        )
    );
    assert_eq!(text.parse(), Ok(said));
    let another = |from: &str, to: &str| text.replacen(from, to, 1).parse::<Statement>();
    for (from, to) in [
        ("v1", "v2"),
        ("v1\n", "v1\r\n"),
        ("dir_10", "dir_010"),
        ("dir_10", "dir_x"),
        ("changes: 2", "changes: 02"),
        ("changes: 2", "changes: +2"),
        ("changes: 2\n", ""),
        ("root: ", "root:  "),
        ("issued: 2026-11-18T11:06:40Z", "issued: 2026-11-18"),
        ("11:06:40Z\nexpires", "12:06:40+01:00\nexpires"),
        ("11:06:40Z\nexpires", "11:06:40.5Z\nexpires"),
        ("2026-11-25T11:06:40Z\n", "2026-11-25T11:06:40Z"),
        ("2026-11-25T11:06:40Z\n", "2026-11-25T11:06:40Z\n\n"),
    ] {
        assert!(matches!(another(from, to), Err(StatementError::Shape(_))), "{from:?} as {to:?}");
    }
    let hex = said.root.to_string();
    assert!(matches!(another(&hex, &hex.to_uppercase()), Err(StatementError::Shape(_))));
    assert_eq!(another("changes: 2", "changes: 0"), Err(StatementError::Changes(0)));
    let most = MAX_CHANGES + 1;
    assert_eq!(another("changes: 2", &format!("changes: {most}")), Err(StatementError::Changes(most)));
    for expires in [at(0), at(-1), at(32)] {
        let text = Statement { expires, ..said }.to_string();
        assert!(matches!(text.parse::<Statement>(), Err(StatementError::Span { .. })), "{text}");
    }
    assert!("x".repeat(10_000).parse::<Statement>().is_err());
}

#[test]
fn whatever_a_change_holds_changes_its_leaf() {
    let parts = Parts::of(1);
    let mut others: Vec<(&str, Parts)> = Vec::new();
    let mut with = |what, alter: &dyn Fn(&mut Parts)| {
        let mut other = parts.clone();
        alter(&mut other);
        others.push((what, other));
    };
    with("the same", &|_| {});
    with("another host", &|parts| parts.host = 9);
    with("another name", &|parts| parts.name = "web2".to_owned());
    with("another directive", &|parts| parts.directive = DirectiveId::new(11));
    with("another target", &|parts| parts.targets[0].package = "redis-server".to_owned());
    with("its architecture", &|parts| parts.targets[0].architecture = "arm64".to_owned());
    with("its version before", &|parts| parts.targets[0].from = "1.1".to_owned());
    with("its version after", &|parts| parts.targets[0].to = "2.1".to_owned());
    with("no target", &|parts| parts.targets.clear());
    with("another step", &|parts| parts.transaction.steps[1].package = "rediz".to_owned());
    with("its architecture", &|parts| parts.transaction.steps[1].architecture = "all".to_owned());
    with("removed, not upgraded", &|parts| {
        parts.transaction.steps[1].change = Change::Remove { from: "1.0".to_owned() };
    });
    with("installed, not removed", &|parts| {
        parts.transaction.steps[0].change = Change::Install { to: "0.9".to_owned() };
    });
    with("upgraded to another", &|parts| {
        parts.transaction.steps[1].change = Change::Upgrade { from: "1.0".to_owned(), to: "2.1".to_owned() };
    });
    with("another order of steps", &|parts| parts.transaction.steps.swap(0, 1));
    with("a step less", &|parts| drop(parts.transaction.steps.pop()));
    with("nothing kept back", &|parts| parts.transaction.kept_back.clear());
    with("a letter from one text into the next", &|parts| {
        parts.targets[0].package = "redi".to_owned();
        parts.targets[0].architecture = "samd64".to_owned();
    });
    with("a list that ends in the next", &|parts| {
        let file = parts.files.remove(0);
        parts.transaction.kept_back.extend([file.package, file.architecture, file.version]);
    });
    with("another file", &|parts| parts.files[0].package = "tools".to_owned());
    with("its architecture", &|parts| parts.files[0].architecture = "all".to_owned());
    with("its version", &|parts| parts.files[0].version = "2.1".to_owned());
    with("its content", &|parts| parts.files[0].sha256 = Digest::of(b"another"));
    let leaves: std::collections::BTreeMap<Digest, &str> =
        others.iter().map(|(what, parts)| (parts.change().leaf(), *what)).collect();
    assert_eq!(leaves.len(), others.len(), "{leaves:?}");
    assert!(leaves.contains_key(&parts.change().leaf()));
}

#[test]
fn nobody_is_asked_to_sign_what_a_terminal_might_show_otherwise() {
    assert_eq!(Parts::of(1).change().check(), Ok(()));
    for bad in ["a\u{1b}[2Kb", "a b", "", "a\nb", "\u{202e}cod", &"x".repeat(513)] {
        let bad = || bad.to_owned();
        let mut others = vec![Parts::of(1); 5];
        others[0].name = bad();
        others[1].targets[0].to = bad();
        others[2].transaction.steps[1].package = bad();
        others[3].transaction.kept_back[0] = bad();
        others[4].files[0].version = bad();
        for other in others {
            assert!(matches!(other.change().check(), Err(ChangeError::Text { .. })), "{:?}", bad());
        }
    }
    let mut many = Parts::of(1);
    many.transaction.kept_back = vec!["vim".to_owned(); 20_001];
    assert!(matches!(many.change().check(), Err(ChangeError::TooMany { .. })));
}

#[test]
fn only_keys_of_two_types_are_taken_and_the_error_says_which() {
    for held in [Held::file(1), Held::hardware(1)] {
        let key: PersonKey = held.line().parse().unwrap();
        assert!(
            key.to_string().starts_with("SHA256:") && key.to_string().ends_with(" (alice@example)"),
            "{key}"
        );
    }
    assert_ne!(Held::file(1).public().fingerprint(), Held::hardware(1).public().fingerprint());
    let told = |line: &str| line.parse::<PersonKey>().unwrap_err().to_string();
    for other in [
        "ssh-rsa AAAAB3NzaC1yc2E= bob",
        "ecdsa-sha2-nistp256 AAAA bob",
        "ssh-dss AAAA",
        "sk-ecdsa-sha2-nistp256@openssh.com AAAA",
    ] {
        let kind = other.split(' ').next().unwrap();
        assert!(
            told(other).starts_with(&format!("{kind} is not taken: ssh-ed25519 and sk-ssh-ed25519@")),
            "{}",
            told(other)
        );
    }
    let line = Held::file(1).line();
    for bad in [
        "",
        "alice",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        &line[..line.len() - 30],
        &format!("{line}\nx"),
        &"x".repeat(2_000),
    ] {
        assert!(told(bad).starts_with("not the line of a public key"), "{bad}: {}", told(bad));
    }
    // The point of small order whose signatures anybody makes.
    let weak = ssh_key::public::KeyData::Ed25519(ssh_key::public::Ed25519PublicKey({
        let mut point = [0; 32];
        point[0] = 1;
        point
    }));
    let weak = ssh_key::PublicKey::new(weak, "").to_openssh().unwrap();
    assert_eq!(weak.parse::<PersonKey>(), Err(KeyError::Weak));
}
