//! A web server for a mirror's folder that misbehaves as told. Loopback only; ends with the test.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What goes wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Half of the file comes, then the connection ends.
    Cut,
    /// The head comes, then nothing, for as long as the client waits.
    Silent,
    /// The server has trouble of its own.
    Status500,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) faults: Arc<Mutex<HashMap<String, Fault>>>,
    pub(crate) asked: Arc<Mutex<Vec<(String, u16)>>>,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { address, faults: Arc::default(), asked: Arc::default() };
        let (folder, faults, asked) = (folder.to_owned(), server.faults.clone(), server.asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, faults, asked) = (folder.clone(), faults.clone(), asked.clone());
                // A client that goes away is the client's affair.
                std::thread::spawn(move || drop(answer(stream, &folder, &faults, &asked)));
            }
        });
        server
    }

    pub(crate) fn fails(&self, path: &str, fault: Fault) {
        self.faults.lock().unwrap().insert(path.to_owned(), fault);
    }

    pub(crate) fn behaves(&self) {
        self.faults.lock().unwrap().clear();
    }

    /// Paths asked for since the last call, with the status they got.
    pub(crate) fn asked(&self) -> Vec<(String, u16)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn answer(
    mut stream: TcpStream,
    folder: &Path,
    faults: &Mutex<HashMap<String, Fault>>,
    asked: &Mutex<Vec<(String, u16)>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut known = None;
    for line in lines.by_ref() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("if-none-match")
        {
            known = Some(value.to_owned());
        }
    }
    let fault = faults.lock().unwrap().get(&path).copied();
    let file: PathBuf = folder.join(path.trim_start_matches('/'));
    let (status, body) = match (fault, std::fs::read(&file)) {
        (Some(Fault::Status500), _) => (500, Vec::new()),
        (_, Err(_)) => (404, Vec::new()),
        (_, Ok(body)) if known.as_deref() == Some(&tag(&body)) => (304, Vec::new()),
        (_, Ok(body)) => (200, body),
    };
    asked.lock().unwrap().push((path, status));
    let etag = if status == 200 { format!("ETag: {}\r\n", tag(&body)) } else { String::new() };
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{etag}Connection: close\r\n\r\n",
        body.len()
    )?;
    match fault {
        Some(Fault::Cut) => stream.write_all(&body[..body.len() / 2]),
        Some(Fault::Silent) => {
            stream.flush()?;
            // Until the client has had enough.
            std::io::copy(&mut stream.try_clone()?, &mut std::io::sink()).map(drop)
        }
        _ => stream.write_all(&body),
    }
}

fn tag(body: &[u8]) -> String {
    let sum = body.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("\"{sum:x}\"")
}
