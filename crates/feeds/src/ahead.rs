//! Unpacking beside whoever reads: the next blocks are made while those before are looked at.

use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, sync_channel};

/// Bytes of a block.
const BLOCK: usize = 256 << 10;
/// Blocks that are made ahead at most.
const AHEAD: usize = 8;

/// Reads what another thread reads ahead. That ends with what it reads, with the first error, or when nobody reads any more.
pub(crate) struct Ahead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Cursor<Vec<u8>>,
    ended: bool,
}

impl Ahead {
    pub(crate) fn of(mut source: impl Read + Send + 'static) -> Self {
        let (send, blocks) = sync_channel(AHEAD);
        // Where no thread can be had the channel is closed, which is told below as an error.
        let _its_own = std::thread::Builder::new().name("unpack".to_owned()).spawn(move || {
            loop {
                let mut block = Vec::with_capacity(BLOCK);
                let read = source.by_ref().take(BLOCK as u64).read_to_end(&mut block);
                let last = !matches!(read, Ok(count) if count > 0);
                if send.send(read.map(|_| block)).is_err() || last {
                    return;
                }
            }
        });
        Self { blocks, block: Cursor::default(), ended: false }
    }
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.block.read(into)?;
            if read > 0 || into.is_empty() || self.ended {
                return Ok(read);
            }
            let block = self.blocks.recv().map_err(|_| io::Error::other("what unpacks has ended"))??;
            // The last block is empty.
            self.ended = block.is_empty();
            self.block = Cursor::new(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_ahead_is_what_there_is() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 20 * BLOCK + 7] {
            let all: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let mut read = Vec::new();
            let mut ahead = Ahead::of(Cursor::new(all.clone()));
            ahead.read_to_end(&mut read).unwrap();
            assert!(read == all, "{length} bytes");
            assert_eq!(ahead.read(&mut [0]).unwrap(), 0, "the end stays the end");
        }
    }

    #[test]
    fn an_error_comes_after_what_was_read_before_it() {
        struct Broken(usize);
        impl Read for Broken {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let count = into.len().min(self.0);
                self.0 -= count;
                if count == 0 { Err(io::Error::other("damaged")) } else { Ok(count) }
            }
        }
        let mut ahead = Ahead::of(Broken(3 * BLOCK));
        let mut read = Vec::new();
        assert_eq!(ahead.read_to_end(&mut read).unwrap_err().to_string(), "damaged");
        assert_eq!(read.len(), 3 * BLOCK);
    }

    #[test]
    fn nobody_is_left_unpacking_for_nobody() {
        struct Counted {
            _alive: std::sync::Arc<()>,
        }
        impl Read for Counted {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                into.fill(0);
                Ok(into.len())
            }
        }
        let source = std::sync::Arc::new(());
        let mut ahead = Ahead::of(Counted { _alive: source.clone() });
        ahead.read_exact(&mut [0; 10]).unwrap();
        drop(ahead);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while std::sync::Arc::strong_count(&source) > 1 {
            assert!(std::time::Instant::now() < deadline, "the thread goes on");
            std::thread::yield_now();
        }
    }
}
