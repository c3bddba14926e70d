//! Content that is too large for one piece of memory.

use crate::Digest;

/// Bytes of a part but the last.
pub const PART: usize = 1 << 20;

/// Bytes in parts of [`PART`] each, of which the last may be shorter. Whoever reads them lets each go as it is read, so that
/// gigabytes are neither copied while they grow nor given back to the system all at once, for which whatever comes next would
/// wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts(Vec<Vec<u8>>);

impl Parts {
    /// Adds bytes at the end.
    pub fn extend(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.0.last_mut() {
                Some(last) if last.len() < PART => {
                    let (fits, rest) = bytes.split_at(bytes.len().min(PART - last.len()));
                    last.extend_from_slice(fits);
                    bytes = rest;
                }
                _ => self.0.push(Vec::with_capacity(PART)),
            }
        }
    }

    /// Adds a part at the end, which is not copied where those before are whole.
    pub fn push(&mut self, part: Vec<u8>) {
        let is_part = !part.is_empty() && part.len() <= PART;
        if is_part && self.0.last().is_none_or(|last| last.len() == PART) {
            self.0.push(part);
        } else {
            self.extend(&part);
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.iter().map(|part| part.len() as u64).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parts in their order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// The byte in this place, to be changed; `None` past the end.
    pub fn byte_mut(&mut self, at: usize) -> Option<&mut u8> {
        self.0.get_mut(at / PART)?.get_mut(at % PART)
    }

    /// The digest of all bytes.
    pub fn digest(&self) -> Digest {
        Digest::of_all(self.iter())
    }

    /// All bytes in one piece.
    pub fn concat(&self) -> Vec<u8> {
        self.0.concat()
    }
}

impl From<&[u8]> for Parts {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.chunks(PART).map(<[u8]>::to_vec).collect())
    }
}

impl IntoIterator for Parts {
    type Item = Vec<u8>;
    type IntoIter = std::vec::IntoIter<Vec<u8>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_in_parts() {
        let bytes: Vec<u8> = (0..2 * PART + 100).map(|n| (n % 251) as u8).collect();
        let whole = Parts::from(&bytes[..]);
        let mut grown = Parts::default();
        assert!(grown.is_empty());
        bytes.chunks(70_001).for_each(|some| grown.extend(some));
        assert!(grown == whole && grown.concat() == bytes, "the bytes are others");
        for size in [PART, 70_001, 2 * PART] {
            let mut pushed = Parts::default();
            bytes.chunks(size).for_each(|some| pushed.push(some.to_vec()));
            assert!(pushed == whole, "in parts of {size} the bytes are others");
        }
        assert_eq!(whole.iter().map(<[u8]>::len).collect::<Vec<_>>(), [PART, PART, 100]);
        assert_eq!((whole.len(), whole.digest()), (bytes.len() as u64, Digest::of(&bytes)));
        for at in [0, PART - 1, PART, 2 * PART + 99] {
            assert_eq!(grown.byte_mut(at).copied(), Some(bytes[at]));
        }
        assert_eq!(grown.byte_mut(2 * PART + 100), None);
    }
}
