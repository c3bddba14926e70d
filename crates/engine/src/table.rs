//! A list by number whose clone is one reference count, and of which a write copies only the way to what it touches.

use std::sync::Arc;

/// Values of one leaf.
const LEAF: usize = 32;
/// Leaves of one branch.
const BRANCH: usize = 256;

type Leaf<V> = Vec<Arc<V>>;
type Branch<V> = Vec<Arc<Leaf<V>>>;

/// Values numbered from 0, in the order in which they were added.
#[derive(Debug, Clone)]
pub(crate) struct Table<V> {
    branches: Arc<Vec<Arc<Branch<V>>>>,
    len: usize,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { branches: Arc::default(), len: 0 }
    }
}

fn place(number: u32) -> (usize, usize, usize) {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    (number / (LEAF * BRANCH), number / LEAF % BRANCH, number % LEAF)
}

impl<V: Clone> Table<V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, number: u32) -> Option<&V> {
        let (branch, leaf, slot) = place(number);
        self.branches.get(branch)?.get(leaf)?.get(slot).map(Arc::as_ref)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut V> {
        self.get(number)?;
        let (branch, leaf, slot) = place(number);
        let branch = Arc::make_mut(Arc::make_mut(&mut self.branches).get_mut(branch)?);
        let leaf = Arc::make_mut(branch.get_mut(leaf)?);
        leaf.get_mut(slot).map(Arc::make_mut)
    }

    /// Adds a value; its number, or `None` where there are no numbers left.
    pub(crate) fn push(&mut self, value: V) -> Option<u32> {
        let number = u32::try_from(self.len).ok()?;
        let (branch, leaf, _) = place(number);
        let branches = Arc::make_mut(&mut self.branches);
        if branches.len() == branch {
            branches.push(Arc::default());
        }
        let leaves = Arc::make_mut(branches.last_mut()?);
        if leaves.len() == leaf {
            leaves.push(Arc::new(Vec::with_capacity(LEAF)));
        }
        Arc::make_mut(leaves.last_mut()?).push(Arc::new(value));
        self.len += 1;
        Some(number)
    }

    /// Everything, in order of numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &V> {
        self.branches.iter().flat_map(|branch| branch.iter()).flat_map(|leaf| leaf.iter()).map(Arc::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_does_not_see_later_writes() {
        let mut table = Table::default();
        for value in 0..20_000_u32 {
            assert_eq!(table.push(value), Some(value));
        }
        let before = table.clone();
        for number in (0..20_000).step_by(777) {
            *table.get_mut(number).expect("it was added") += 1_000_000;
        }
        table.push(7);
        assert!(before.iter().copied().eq(0..20_000));
        assert_eq!((before.len(), before.get(20_000), table.get(20_000)), (20_000, None, Some(&7)));
        assert_eq!((table.get(777), table.get(778)), (Some(&1_000_777), Some(&778)));
        assert_eq!(table.get_mut(20_001), None);
    }
}
