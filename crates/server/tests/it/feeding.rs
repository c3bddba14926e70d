//! The feeds of a running server.

use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::gateway::reported;
use crate::running::Server;

#[test]
fn a_stop_does_not_wait_for_a_feed_that_does_not_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let (sender, asked) = mpsc::channel();
    std::thread::spawn(move || {
        // Connections are held and never answered.
        let mut held = Vec::new();
        for stream in silent.incoming().flatten() {
            held.push(stream);
            if sender.send(()).is_err() {
                return;
            }
        }
    });
    let mut server = Server::with(|settings| settings.feeds = Some(address.parse().unwrap()));
    // Feeds are asked for as soon as a host of a known release has reported.
    reported(&server);
    asked.recv_timeout(Duration::from_secs(10)).unwrap();
    let start = Instant::now();
    server.stop();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
}
