//! The real `ssh-keygen`: what it signs counts here, and what is accepted here it accepts.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tenon_approval::{NAMESPACE, PersonKey, SignatureError, verify};
use tenon_model::KeyApproval;

use crate::keys::{Held, Parts, approval, at, required, statement};

fn keygen(folder: &Path, words: &[&str], input: Option<&str>) -> Option<Output> {
    let mut command = Command::new("ssh-keygen");
    command.current_dir(folder).args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(match input {
        Some(text) => {
            fs::write(folder.join("input"), text).unwrap();
            Stdio::from(fs::File::open(folder.join("input")).unwrap())
        }
        None => Stdio::null(),
    });
    command.output().ok()
}

#[test]
fn what_ssh_keygen_signs_counts_and_what_counts_it_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = keygen(folder, &["-q", "-t", "ed25519", "-N", "", "-C", "alice@example", "-f", "key"], None);
    let Some(made) = made else {
        println!(
            "skipped: what_ssh_keygen_signs_counts_and_what_counts_it_verifies: ssh-keygen is not installed"
        );
        return;
    };
    assert!(made.status.success(), "{made:?}");
    let line = fs::read_to_string(folder.join("key.pub")).unwrap();
    let key: PersonKey = line.trim_end().parse().unwrap();
    let listed = keygen(folder, &["-l", "-f", "key.pub"], None).unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(&format!(" {} alice@example ", key.fingerprint())), "{listed} {key}");

    let hosts: Vec<Parts> = (1..=5).map(Parts::of).collect();
    let text = statement(&hosts).to_string();
    let sign = |namespace: &str, more: &[&str]| {
        let words = [&["-Y", "sign", "-q", "-f", "key", "-n", namespace], more].concat();
        let signed = keygen(folder, &words, Some(&text)).unwrap();
        assert!(signed.status.success(), "{signed:?}");
        String::from_utf8(signed.stdout).unwrap()
    };
    let asked = tenon_approval::Required { needed: 1, keys: vec![key.clone()] };
    for more in [&[][..], &["-O", "hashalg=sha256"], &["-O", "hashalg=sha512"]] {
        let signature = sign(NAMESPACE, more);
        assert!(verify(&text, &signature).unwrap().key().is(&key));
        let held = Held::file(1);
        for place in 0..hosts.len() {
            let order = KeyApproval { signature: signature.clone(), ..approval(&held, &hosts, place) };
            assert_eq!(asked.check(&hosts[place].change(), &[order], at(1)), Ok(()));
        }
    }
    assert_eq!(verify(&text, &sign("git", &[])), Err(SignatureError::Namespace("git".to_owned())));
    assert_eq!(verify(&text.replace("dir_10", "dir_11"), &sign(NAMESPACE, &[])), Err(SignatureError::Wrong));

    // The other way round, for a key in a file and for one as hardware keys sign.
    for held in [Held::file(3), Held::hardware(3)] {
        let allowed = format!("alice@example namespaces=\"{NAMESPACE}\" {}\n", held.line());
        fs::write(folder.join("allowed"), allowed).unwrap();
        fs::write(folder.join("signature"), held.sign(&text)).unwrap();
        let words =
            ["-Y", "verify", "-f", "allowed", "-I", "alice@example", "-n", NAMESPACE, "-s", "signature"];
        let accepted = keygen(folder, &words, Some(&text)).unwrap();
        assert!(accepted.status.success(), "{accepted:?}");
        let other = keygen(folder, &words, Some(&text.replace("dir_10", "dir_11"))).unwrap();
        assert!(!other.status.success());
    }
    assert!(required(1, &[&Held::file(1)]).check(&hosts[0].change(), &[], at(1)).is_err());
}

#[test]
fn keys_of_other_types_made_by_ssh_keygen_are_refused_by_their_type() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, name) in [("rsa", "ssh-rsa"), ("ecdsa", "ecdsa-sha2-nistp256")] {
        let Some(made) = keygen(folder.path(), &["-q", "-t", kind, "-N", "", "-f", kind], None) else {
            println!(
                "skipped: keys_of_other_types_made_by_ssh_keygen_are_refused_by_their_type: ssh-keygen is not installed"
            );
            return;
        };
        assert!(made.status.success(), "{made:?}");
        let line = fs::read_to_string(folder.path().join(format!("{kind}.pub"))).unwrap();
        let told = line.trim_end().parse::<PersonKey>().unwrap_err().to_string();
        assert!(told.starts_with(&format!("{name} is not taken")), "{told}");
        // And what such a key signs.
        let signed =
            keygen(folder.path(), &["-Y", "sign", "-q", "-f", kind, "-n", NAMESPACE], Some("text")).unwrap();
        let signature = String::from_utf8(signed.stdout).unwrap();
        assert!(verify("text", &signature).is_err());
    }
}
