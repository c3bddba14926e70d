//! What a snapshot consists of: sections, each a tag, a length, and JSON lines, numbers or strings of bytes.

/// Bytes of the longest variable-length integer.
pub(super) const LONGEST: usize = 10;

/// What a section holds; the order in which they are written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Head = 1,
    Advisories,
    Intel,
    Stances,
    Held,
    Profiles,
    Lists,
    Assets,
    Directives,
    Orders,
    Measures,
    Groups,
    Cases,
}

#[cfg(test)]
mod tests {
    use std::iter;

    use tenon_model::{PART, Parts};

    use super::super::SnapshotError;
    use super::super::reader::Reader;
    use super::super::writer::Writer;
    use super::*;

    /// These bytes in parts of so many.
    fn cut(bytes: &[u8], size: usize) -> Reader {
        Reader::of(bytes.chunks(size).map(<[u8]>::to_vec).collect())
    }

    fn written(lines: &[String], lists: &[Vec<u32>], strings: &[Vec<u8>]) -> Parts {
        let mut out = Writer::default();
        out.bytes(b"MAGIC\x07\x01");
        out.lines(Section::Intel, lines.iter()).unwrap();
        out.lists(Section::Lists, lists.iter().map(Vec::as_slice));
        out.strings(Section::Held, strings.iter().cloned());
        out.lines(Section::Orders, iter::empty::<u32>()).unwrap();
        out.end()
    }

    type Content = (Vec<String>, Vec<Vec<u32>>, Vec<Vec<u8>>);

    fn read(mut from: Reader) -> Result<Content, SnapshotError> {
        assert_eq!(from.version(b"MAGIC"), Some(0x107));
        let lines = from.lines(Section::Intel)?;
        let mut unread = from.lists(Section::Lists)?;
        let strings = from.strings(Section::Held, |string| Some(string.to_vec()))?;
        assert_eq!(from.lines::<u32>(Section::Orders)?.count(), 0);
        let (mut lists, mut list) = (Vec::new(), Vec::new());
        while unread.read(&mut list)? {
            lists.push(list.clone());
        }
        Ok((lines.collect::<Result<_, _>>()?, lists, strings.collect::<Result<_, _>>()?))
    }

    #[test]
    fn what_is_written_is_read_wherever_the_parts_end() {
        let lines = ["", "a", "a longer line\n of two", &"x".repeat(100)].map(str::to_owned);
        let lists = [vec![], vec![0], vec![1, 2, 300, 70_000, u32::MAX], (0..200).map(|n| n * 99).collect()];
        let strings = [vec![], vec![0; 3], (0..=255).collect()];
        let bytes = written(&lines, &lists, &strings).concat();
        for size in 1..=bytes.len() {
            let content = read(cut(&bytes, size)).unwrap();
            assert_eq!(content, (lines.to_vec(), lists.to_vec(), strings.to_vec()), "in parts of {size}");
        }
        for length in 7..bytes.len() {
            assert!(read(cut(&bytes[..length], 10)).is_err(), "cut off at {length}");
        }
    }

    #[test]
    fn sections_of_more_than_a_part_are_read_as_written() {
        let lines: Vec<String> = (0..30).map(|n| n.to_string().repeat(50_000)).collect();
        let lists = [(0..PART as u32).collect::<Vec<_>>(), vec![7]];
        let strings = [vec![1; 2 * PART], vec![], vec![2; 10]];
        let parts = written(&lines, &lists, &strings);
        assert!(parts.iter().count() > 5);
        let content = read(parts.into()).unwrap();
        assert!(content == (lines, lists.to_vec(), strings.to_vec()), "it is another");
    }
}
