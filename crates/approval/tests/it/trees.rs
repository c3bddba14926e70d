//! Roots and paths against RFC 9162 and against each other.

use proptest::prelude::*;
use tenon_approval::{climb, path, root};
use tenon_model::Digest;

/// The leaves of the tree that certificate-transparency implementations test with, and its roots by number of leaves.
const KNOWN_LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const KNOWN_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_the_standard() {
    let leaf = |hex: &&str| {
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        Digest::of(&[&[0][..], &bytes].concat())
    };
    let leaves: Vec<Digest> = KNOWN_LEAVES.iter().map(leaf).collect();
    for (count, known) in (1..).zip(KNOWN_ROOTS) {
        assert_eq!(root(&leaves[..count]).to_string(), known, "{count} leaves");
    }
    assert_eq!(root(&[]), Digest::of(b""));
}

fn leaves(count: usize) -> Vec<Digest> {
    (0..count).map(|number| Digest::of(&number.to_be_bytes())).collect()
}

#[test]
fn every_leaf_has_a_path_to_the_root_and_no_other_leaf_or_place_has() {
    for count in 1..=40 {
        let leaves = leaves(count);
        let top = root(&leaves);
        for place in 0..count {
            let way = path(&leaves, place).unwrap();
            for (other, leaf) in leaves.iter().enumerate() {
                for size in [count - 1, count, count + 1, 2 * count] {
                    let found = climb(*leaf, place as u64, size as u64, &way);
                    // A leaf at the end may stand at the same place in a tree of another size, with the very same nodes.
                    let right = other == place && (size == count || found == Some(top));
                    assert_eq!(found == Some(top), right, "leaf {other} at {place} of {size}, not {count}");
                }
            }
            assert!(
                (0..count)
                    .filter(|at| climb(leaves[place], *at as u64, count as u64, &way) == Some(top))
                    .eq([place])
            );
            let longer = [way.clone(), vec![top]].concat();
            assert_eq!(climb(leaves[place], place as u64, count as u64, &longer), None);
            if !way.is_empty() {
                assert_ne!(climb(leaves[place], place as u64, count as u64, &way[1..]), Some(top));
            }
        }
        assert_eq!(path(&leaves, count), None);
    }
}

proptest! {
    #[test]
    fn no_numbers_and_no_paths_stop_it(place: u64, size: u64, nodes in 0_usize..80) {
        let _any = climb(Digest::of(b"leaf"), place, size, &leaves(nodes));
    }
}
