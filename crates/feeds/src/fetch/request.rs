//! One request on a thread of its own, so that whoever waits for it can leave.
//!
//! Looking up a name, connecting and reading block inside the system, where nothing can be told to stop. The thread that
//! is left behind ends within the client's bounds in time, or with the program.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ureq::http::{HeaderMap, Request, StatusCode};
use ureq::{Agent, Body};

use crate::stop::Stop;

/// How soon a stop is noticed by one who waits for bytes.
const LOOK: Duration = Duration::from_millis(20);
/// Most bytes in one piece.
const PIECE: usize = 64 << 10;
/// Pieces that may wait to be taken: what is not taken is not read from the network either.
const AHEAD: usize = 2;

/// The head of an answer, or its body in pieces; an empty piece is the end.
enum Piece {
    Head(StatusCode, HeaderMap),
    Bytes(io::Result<Vec<u8>>),
}

/// An answer whose body is still coming.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Coming,
}

/// A body that comes piece by piece.
pub(super) struct Coming {
    pieces: Receiver<Piece>,
    piece: io::Cursor<Vec<u8>>,
    ended: bool,
    stop: Stop,
}

/// Sends the request and waits for the head of its answer.
///
/// # Errors
/// Why there is no answer, in words.
pub(super) fn ask(agent: &Agent, request: Request<()>, stop: &Stop) -> Result<Answer, String> {
    let (sender, pieces) = sync_channel(AHEAD);
    let agent = agent.clone();
    std::thread::Builder::new()
        .name("feed".to_owned())
        .spawn(move || carry_out(&agent, request, &sender))
        .map_err(|error| format!("no thread for the request: {error}"))?;
    let mut body = Coming { pieces, piece: io::Cursor::default(), ended: false, stop: stop.clone() };
    match body.next() {
        Ok(Piece::Head(status, headers)) => Ok(Answer { status, headers, body }),
        Ok(Piece::Bytes(Err(error))) | Err(error) => Err(error.to_string()),
        Ok(Piece::Bytes(Ok(_))) => Err("the answer has no head".to_owned()),
    }
}

/// The thread's work. It ends early when nobody takes the pieces any more.
fn carry_out(agent: &Agent, request: Request<()>, sender: &SyncSender<Piece>) {
    let response = match agent.run(request) {
        Ok(response) => response,
        Err(error) => return drop(sender.send(Piece::Bytes(Err(io::Error::other(error.to_string()))))),
    };
    let (head, body): (_, Body) = response.into_parts();
    if sender.send(Piece::Head(head.status, head.headers)).is_err() {
        return;
    }
    let mut reader = body.into_reader();
    loop {
        let mut piece = vec![0; PIECE];
        let read = match reader.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read,
        };
        let more = matches!(read, Ok(1..));
        let piece = read.map(|read| {
            piece.truncate(read);
            piece
        });
        if sender.send(Piece::Bytes(piece)).is_err() || !more {
            return;
        }
    }
}

impl Coming {
    fn next(&mut self) -> io::Result<Piece> {
        loop {
            if self.stop.is_said() {
                return Err(io::Error::other("Tenon was told to stop"));
            }
            match self.pieces.recv_timeout(LOOK) {
                Ok(piece) => return Ok(piece),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("the request ended without an answer"));
                }
            }
        }
    }
}

impl Read for Coming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.ended {
                return Ok(read);
            }
            match self.next()? {
                Piece::Bytes(Ok(piece)) => {
                    self.ended = piece.is_empty();
                    self.piece = io::Cursor::new(piece);
                }
                Piece::Bytes(Err(error)) => return Err(error),
                Piece::Head(..) => return Err(io::Error::other("the answer has two heads")),
            }
        }
    }
}
