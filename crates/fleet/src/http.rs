//! A file server inside a network namespace, just enough HTTP for apt.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::Error;

/// Longest request head accepted, in bytes.
const HEAD: u64 = 16 * 1024;
/// How long a silent connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// Serves the files below a directory until dropped.
#[derive(Debug)]
pub(crate) struct FileServer {
    address: SocketAddr,
    netns: PathBuf,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl FileServer {
    pub(crate) fn start(dir: &Path, netns: &Path, address: SocketAddr) -> Result<Self, Error> {
        let listener = within(netns, move || TcpListener::bind(address))?
            .map_err(|source| Error::Start { program: format!("repository on {address}"), source })?;
        let address = listener.local_addr().unwrap_or(address);
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, dir) = (Arc::clone(&stop), dir.to_owned());
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let dir = dir.clone();
                if let Ok(stream) = stream {
                    // A client that goes away mid-answer is its own business.
                    thread::spawn(move || drop(converse(&stream, &dir)));
                }
            }
        });
        let server = Self { address, netns: netns.to_owned(), stop, accepting: Some(accepting) };
        server.connect()?;
        Ok(server)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn connect(&self) -> Result<(), Error> {
        let address = self.address;
        within(&self.netns, move || TcpStream::connect_timeout(&address, Duration::from_secs(5)))?
            .map(drop)
            .map_err(|source| Error::Start { program: format!("connection to {address}"), source })
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // One last connection wakes the accepting thread; without it there is nothing to wait for.
        if self.connect().is_ok()
            && let Some(thread) = self.accepting.take()
        {
            let _ended = thread.join();
        }
    }
}

/// Runs `work` on a thread of its own inside a network namespace. Sockets it opens stay there.
pub(crate) fn within<T: Send + 'static>(
    netns: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let netns = netns.to_owned();
    let outcome = thread::spawn(move || {
        let handle = File::open(&netns).map_err(Error::file("open", &netns))?;
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&handle), Some(LinkNameSpaceType::Network))
            .map_err(|errno| Error::file("enter", &netns)(errno.into()))?;
        Ok(work())
    });
    match outcome.join() {
        Ok(result) => result,
        // A failed assertion inside belongs to the test that made it.
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

fn converse(stream: &TcpStream, dir: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_write_timeout(Some(IDLE))?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = (&mut reader).take(HEAD);
        let mut request = String::new();
        if head.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut line = String::from("-");
        while !line.trim_end().is_empty() {
            line.clear();
            if head.read_line(&mut line)? == 0 {
                return Ok(());
            }
        }
        let mut words = request.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        answer(stream, dir, method, target)?;
    }
}

fn answer(mut stream: &TcpStream, dir: &Path, method: &str, target: &str) -> io::Result<()> {
    let file = locate(dir, target).and_then(|path| File::open(path).ok());
    let length = file.as_ref().and_then(|file| file.metadata().ok()).filter(std::fs::Metadata::is_file);
    match (file, length, method) {
        (Some(file), Some(meta), "GET" | "HEAD") => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", meta.len())?;
            if method == "GET" {
                io::copy(&mut file.take(meta.len()), &mut stream)?;
            }
        }
        _ => write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
    }
    Ok(())
}

/// The file a request target names, or nothing when it would leave the directory.
fn locate(dir: &Path, target: &str) -> Option<PathBuf> {
    let decoded = percent_decode(target.split('?').next()?)?;
    let relative = Path::new(decoded.trim_start_matches('/'));
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| dir.join(relative))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next()?, rest.next()?];
            bytes.push(hex::decode(pair).ok()?.first().copied()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_targets_stay_inside_the_directory() {
        let dir = Path::new("/srv");
        assert_eq!(locate(dir, "/pool/a%2bb_1%3a2.deb"), Some(PathBuf::from("/srv/pool/a+b_1:2.deb")));
        assert_eq!(locate(dir, "/../etc/passwd"), None);
        assert_eq!(locate(dir, "/%2e%2e/etc/passwd"), None);
        assert_eq!(locate(dir, "/a%2"), None);
    }
}
