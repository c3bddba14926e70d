//! Sort keys against the comparators, and the schemes against any text at all.

use std::cmp::Ordering;

use proptest::prelude::*;
use tenon_versions::{MAX_VERSION, Scheme, SortKey, compare, sort_key};

use crate::support::{Generator, amount};

#[test]
fn keys_sort_as_the_versions_do() {
    for scheme in Scheme::ALL {
        let wanted = amount(20_000, 100_000);
        let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
        let (mut compared, mut equal, mut refused) = (0, 0, 0);
        while compared < wanted {
            let (a, b) = generator.pair(scheme);
            match (compare(scheme, &a, &b), sort_key(scheme, &a), sort_key(scheme, &b)) {
                (Ok(order), Ok(key_a), Ok(key_b)) => {
                    assert_eq!(key_a.cmp(&key_b), order, "{scheme:?}: {a} {b}: {key_a:?} {key_b:?}");
                    compared += 1;
                    equal += usize::from(order == Ordering::Equal);
                }
                (Err(_), key_a, key_b) if key_a.is_err() || key_b.is_err() => refused += 1,
                other => {
                    panic!("{scheme:?}: order and keys do not accept the same texts: {a} {b}: {other:?}")
                }
            }
        }
        println!(
            "measured: {} sort keys: {compared} generated pairs ({equal} of them equal), {refused} refused, 0 \
             counterexamples",
            scheme.name()
        );
        assert!(equal >= wanted / 200, "{scheme:?}: only {equal} equal pairs");
    }
}

/// Every pair of a small crowd, so that texts meet which no mutation brings together.
#[test]
fn keys_sort_a_crowd_as_the_order_does() {
    let size = amount(300, 1_500);
    for scheme in Scheme::ALL {
        let mut generator = Generator(0x2545_f491_4f6c_dd1d);
        let mut crowd = Vec::new();
        while crowd.len() < size {
            let text = generator.version(scheme);
            if let Ok(key) = sort_key(scheme, &text) {
                crowd.push((text, key));
            }
        }
        for (a, key_a) in &crowd {
            for (b, key_b) in &crowd {
                assert_eq!(compare(scheme, a, b), Ok(key_a.cmp(key_b)), "{scheme:?}: {a} {b}");
            }
        }
    }
}

#[test]
fn long_numbers_keep_their_order() {
    for scheme in Scheme::ALL {
        let mut last: Option<(String, SortKey)> = None;
        for digits in [1, 2, 9, 10, 19, 20, 253, 254, 255, 256, 257, 511, 512, 1000, MAX_VERSION] {
            for first in ["1", "9"] {
                let text = format!("{first}{}", "0".repeat(digits - 1));
                let key = sort_key(scheme, &text).unwrap();
                if let Some((smaller, smaller_key)) = last {
                    assert_eq!(compare(scheme, &smaller, &text), Ok(Ordering::Less));
                    assert!(smaller_key < key, "{scheme:?}: {smaller} {text}");
                }
                last = Some((text, key));
            }
        }
    }
}

/// Texts of the characters that mean something to some scheme, and of any others.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-zA-Z.~^:!_+ -]{0,24}",
        "[0-9]{1,3}([.~^_+-]?([a-z]{1,5}|[0-9]{1,3})){0,6}",
        "\\PC{0,40}",
        proptest::collection::vec(any::<char>(), 0..40)
            .prop_map(|characters| characters.into_iter().collect()),
        "[0-9]{1,3}".prop_map(|text| text.repeat(400)),
    ]
}

fn cases() -> u32 {
    u32::try_from(amount(2_000, 100_000)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn any_two_texts_have_an_order_or_an_error(a in texts(), b in texts()) {
        for scheme in Scheme::ALL {
            let (key_a, key_b) = (sort_key(scheme, &a), sort_key(scheme, &b));
            for (text, key) in [(&a, &key_a), (&b, &key_b)] {
                match key {
                    Ok(key) => {
                        prop_assert!(text.len() <= MAX_VERSION);
                        prop_assert!(key.as_bytes().len() <= 4 * text.len() + 32, "{scheme:?} {text:?}");
                        prop_assert_eq!(compare(scheme, text, text), Ok(Ordering::Equal));
                    }
                    Err(error) => {
                        prop_assert_eq!(error.scheme, scheme.name());
                        prop_assert!(text.starts_with(&error.version));
                    }
                }
            }
            match compare(scheme, &a, &b) {
                Ok(order) => {
                    prop_assert_eq!(compare(scheme, &b, &a), Ok(order.reverse()));
                    prop_assert_eq!(key_a.and_then(|a| key_b.map(|b| a.cmp(&b))), Ok(order));
                }
                Err(error) => {
                    prop_assert!(key_a.as_ref().err() == Some(&error) || key_b.as_ref().err() == Some(&error));
                }
            }
        }
    }
}
