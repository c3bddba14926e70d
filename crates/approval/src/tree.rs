//! The tree over changes (RFC 9162, section 2.1): leaves and nodes are digested under different first bytes, so that neither
//! passes for the other.

use tenon_model::Digest;

pub(crate) fn leaf(bytes: &[u8]) -> Digest {
    Digest::of_all([&[0][..], bytes])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of_all([&[1][..], left.as_bytes(), right.as_bytes()])
}

/// Where a tree of more than one leaf parts: the largest power of two below its size.
fn split(leaves: usize) -> usize {
    1 << (leaves.saturating_sub(1)).ilog2()
}

/// The root over leaves in their order; of none the digest of nothing.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The nodes from a leaf up to the root; `None` where there is no such leaf.
pub fn path(leaves: &[Digest], place: usize) -> Option<Vec<Digest>> {
    if place >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut found, other) =
        if place < at { (path(left, place)?, root(right)) } else { (path(right, place - at)?, root(left)) };
    found.push(other);
    Some(found)
}

/// The root to which a path leads from a leaf at a place among so many (RFC 9162, section 2.1.3.2); `None` where the path has
/// another length than there is from there.
pub fn climb(leaf: Digest, place: u64, leaves: u64, path: &[Digest]) -> Option<Digest> {
    if place >= leaves {
        return None;
    }
    let (mut place, mut last, mut at) = (place, leaves - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            at = node(sibling, &at);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            at = node(&at, sibling);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    (last == 0).then_some(at)
}
