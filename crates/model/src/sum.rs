//! Sums of digests: what a set holds, as one number that follows its changes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Digest, DigestError};

/// The sum modulo 2^256 of the SHA-256 digests of a set's members, each read as a number (least significant byte first).
/// Printed as 64 hexadecimal digits.
///
/// It is the same whichever way a set came about, and adding or removing a member costs one digest, however large the set
/// is: a host with 600 packages and a server hold their pictures of it against each other without digesting all of it.
///
/// **It is no content address.** Whoever chooses the members can make two sets of one sum (Wagner, "A generalized birthday
/// problem", 2002). It only compares what one host said with what the same host said before, and nothing is looked up by
/// it: a host that plays with it deceives about itself, which it can do in words as well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sum([u64; 4]);

impl Sum {
    /// With another member.
    #[must_use]
    pub fn with(self, member: &Digest) -> Self {
        self.and(Self::of(member))
    }

    /// Without a member that is in it.
    #[must_use]
    pub fn without(self, member: &Digest) -> Self {
        self.less(Self::of(member))
    }

    /// The sum of two sets that share nothing.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.each(other, u64::overflowing_add)
    }

    /// The sum of what is left of a set when another, wholly in it, is taken out.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        self.each(other, u64::overflowing_sub)
    }

    fn of(member: &Digest) -> Self {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().zip(member.as_bytes().as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        Self(limbs)
    }

    /// Limb by limb, with what is carried or borrowed from one to the next.
    fn each(mut self, other: Self, step: fn(u64, u64) -> (u64, bool)) -> Self {
        let mut carried = false;
        for (limb, other) in self.0.iter_mut().zip(other.0) {
            let (value, first) = step(*limb, other);
            let (value, second) = step(value, u64::from(carried));
            (*limb, carried) = (value, first || second);
        }
        self
    }

    fn to_digest(self) -> Digest {
        let mut bytes = [0; 32];
        for (place, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *place = limb.to_le_bytes();
        }
        Digest::from_bytes(bytes)
    }
}

impl<'a> FromIterator<&'a Digest> for Sum {
    fn from_iter<I: IntoIterator<Item = &'a Digest>>(members: I) -> Self {
        members.into_iter().fold(Self::default(), Self::with)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_digest().fmt(f)
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sum({self})")
    }
}

impl FromStr for Sum {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(|digest| Self::of(&digest))
    }
}

crate::ids::serde_as_text!(Sum);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_follows_what_comes_and_goes_in_any_order() {
        let members: Vec<Digest> = (0..50_u8).map(|n| Digest::of(&[n])).collect();
        let all: Sum = members.iter().collect();
        assert_eq!(members.iter().rev().collect::<Sum>(), all);
        let (some, rest) = members.split_at(20);
        let some: Sum = some.iter().collect();
        assert_eq!(rest.iter().fold(all, Sum::without), some);
        assert_eq!(all.less(some), rest.iter().collect());
        assert_eq!(some.and(rest.iter().collect()), all);
        assert_eq!(all.to_string().parse::<Sum>(), Ok(all));
    }

    #[test]
    fn what_is_carried_reaches_the_last_limb_and_leaves_it() {
        let most = Digest::from_bytes([0xff; 32]);
        let mut one = [0; 32];
        one[0] = 1;
        let one = Digest::from_bytes(one);
        assert_eq!(Sum::default().with(&most).with(&one), Sum::default());
        assert_eq!(Sum::default().without(&one), Sum::default().with(&most));
    }
}
