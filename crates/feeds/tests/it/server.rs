//! A web server for a mirror's folder that misbehaves as told. Loopback only; ends with the test.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Most bytes of an endless answer: more than any client may take.
const ENDLESS: u64 = 1 << 30;
/// The wait between the bytes of a slow answer, and how many there are at most.
const DRIP: (Duration, usize) = (Duration::from_millis(20), 1_500);

/// What goes wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Half of the file comes, then the connection ends.
    Cut,
    /// The same, but the next answer is whole.
    CutOnce,
    /// The head comes, then nothing, for as long as the client waits.
    Silent,
    /// The file comes byte by byte, never silent for long.
    Drip,
    /// A gigabyte of one line, made while it is sent.
    Endless,
    /// The server has trouble of its own.
    Status500,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    folder: PathBuf,
    faults: Mutex<HashMap<String, Fault>>,
    asked: Mutex<Vec<(String, u16)>>,
    endless: AtomicU64,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { folder: folder.to_owned(), ..Shared::default() });
        let server = Self { address, shared: shared.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                // A client that goes away is the client's affair.
                std::thread::spawn(move || drop(answer(stream, &shared)));
            }
        });
        server
    }

    pub(crate) fn fails(&self, path: &str, fault: Fault) {
        self.shared.faults.lock().unwrap().insert(path.to_owned(), fault);
    }

    pub(crate) fn behaves(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// Paths asked for since the last call, with the status they got.
    pub(crate) fn asked(&self) -> Vec<(String, u16)> {
        std::mem::take(&mut self.shared.asked.lock().unwrap())
    }

    /// How much of endless answers clients took, as far as the system's buffers let the server see it.
    pub(crate) fn endless_bytes(&self) -> u64 {
        self.shared.endless.load(Ordering::Relaxed)
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut headers = HashMap::new();
    for line in lines.by_ref() {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let fault = shared.faults.lock().unwrap().get(&path).copied();
    let body = std::fs::read(shared.folder.join(path.trim_start_matches('/').replace("%3A", ":")));
    let is_current = |header: &str, body: &[u8]| headers.get(header).is_some_and(|value| *value == tag(body));
    let from = || headers.get("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok();
    let (status, body, range) = match (fault, body) {
        (Some(Fault::Status500), _) => (500, Vec::new(), String::new()),
        (Some(Fault::Endless), _) => (200, Vec::new(), String::new()),
        (_, Err(_)) => (404, Vec::new(), String::new()),
        (_, Ok(body)) if is_current("if-none-match", &body) => (304, Vec::new(), String::new()),
        (_, Ok(body)) => match from().filter(|from| *from < body.len() && is_current("if-range", &body)) {
            Some(from) => {
                let range = format!("Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
                (206, body[from..].to_vec(), range)
            }
            None => (200, body, String::new()),
        },
    };
    shared.asked.lock().unwrap().push((path.clone(), status));
    if fault == Some(Fault::Endless) {
        write!(stream, "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n")?;
        let chunk = [b'1'; 64 << 10];
        for _ in 0..ENDLESS / chunk.len() as u64 {
            stream.write_all(&chunk)?;
            shared.endless.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        return Ok(());
    }
    let etag = if status == 200 { format!("ETag: {}\r\n", tag(&body)) } else { String::new() };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{etag}{range}Connection: close\r\n\r\n"
    )?;
    match fault {
        Some(Fault::Cut) => stream.write_all(&body[..body.len() / 2]),
        Some(Fault::CutOnce) => {
            shared.faults.lock().unwrap().remove(&path);
            stream.write_all(&body[..body.len() / 2])
        }
        Some(Fault::Silent) => {
            stream.flush()?;
            // Until the client has had enough.
            std::io::copy(&mut stream.try_clone()?, &mut std::io::sink()).map(drop)
        }
        Some(Fault::Drip) => {
            for byte in body.iter().take(DRIP.1) {
                stream.write_all(&[*byte])?;
                // Waits for the client to hang up, but not for long.
                stream.set_read_timeout(Some(DRIP.0))?;
                if matches!(stream.read(&mut [0]), Ok(0)) {
                    break;
                }
            }
            Ok(())
        }
        _ => stream.write_all(&body),
    }
}

fn tag(body: &[u8]) -> String {
    let sum = body.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("\"{sum:x}\"")
}
