//! The other side of messages: takes posts and mails, and remembers them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for what must come.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A request that somebody sent.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    answered: u16,
}

impl Taken {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).1
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The other side: answers every request with the same status, and remembers it.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    state: Arc<Shared>,
}

struct Shared {
    /// The status of answers, and what was answered.
    known: Mutex<(u16, Vec<Taken>)>,
    changed: Condvar,
}

impl Sink {
    pub(crate) fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Shared { known: Mutex::new((status, Vec::new())), changed: Condvar::new() });
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Whoever hangs up before the answer is not of interest.
                let _answered = answer(&stream.unwrap(), &shared);
            }
        });
        Self { address, state }
    }

    pub(crate) fn answer_from_now(&self, status: u16) {
        self.state.known.lock().unwrap().0 = status;
    }

    /// The requests that were answered so, once there are that many.
    pub(crate) fn answered(&self, status: u16, count: usize) -> Vec<Taken> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.state.known.lock().unwrap();
        loop {
            let taken: Vec<Taken> =
                state.1.iter().filter(|taken| taken.answered == status).cloned().collect();
            if taken.len() >= count {
                return taken;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{count} requests answered {status} are awaited: {:?}", state.1);
            state = self.state.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

fn answer(stream: &TcpStream, state: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut known = state.known.lock().unwrap();
    let answered = known.0;
    write!(
        &mut &*stream,
        "HTTP/1.1 {answered} Said\r\nlocation: http://{}/elsewhere\r\ncontent-length: 8\r\nconnection: close\r\n\r\nno\tthing",
        stream.local_addr()?
    )?;
    known.1.push(Taken { headers, body: String::from_utf8(body).unwrap(), answered });
    state.changed.notify_all();
    Ok(())
}

/// A mail server: takes every mail, and hands it out.
pub(crate) fn mail_server() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mails) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever hangs up early sent no mail.
            let _mail = take_mail(&stream.unwrap()).map(|mail| sender.send(mail));
        }
    });
    (address, mails)
}

fn take_mail(stream: &TcpStream) -> std::io::Result<String> {
    let say = |text: &str| write!(&mut &*stream, "{text}\r\n");
    let mut lines = BufReader::new(stream).lines();
    let mut mail = String::new();
    say("220 here")?;
    while let Some(line) = lines.next().transpose()? {
        match line.split(' ').next().unwrap_or_default() {
            "DATA" => {
                say("354 go on")?;
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    mail.push_str(&format!("{line}\n"));
                }
                say("250 taken")?;
            }
            "QUIT" => {
                say("221 bye")?;
                break;
            }
            _ => say("250 fine")?,
        }
    }
    Ok(mail)
}
