//! What listens on this machine: sockets of this test, and of a program that a package owns.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::process::{Command, Stdio};

use tenon_host::System;
use tenon_model::{Listener, Protocol};

fn listeners() -> Vec<Listener> {
    tenon_host::inventory(&System::live(), None).unwrap().facts.listeners
}

fn at(listeners: &[Listener], protocol: Protocol, port: u16) -> &Listener {
    let mut found = listeners.iter().filter(|l| l.protocol == protocol && l.port == port);
    let listener = found.next().unwrap_or_else(|| panic!("{protocol:?} {port}: {listeners:?}"));
    assert!(found.next().is_none());
    listener
}

fn no_database(test: &str) -> bool {
    let missing = !std::path::Path::new("/var/lib/dpkg/status").exists();
    if missing {
        println!("skipped: {test}: this is no Debian machine");
    }
    missing
}

#[test]
fn sockets_of_this_process_are_found_and_loopback_is_told_apart() {
    if no_database("sockets_of_this_process_are_found_and_loopback_is_told_apart") {
        return;
    }
    let (own, all) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("0.0.0.0:0").unwrap());
    let six = TcpListener::bind("[::1]:0");
    let udp = UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let found = listeners();

    let own = at(&found, Protocol::Tcp, port(&own));
    assert_eq!(own.address, IpAddr::from([127, 0, 0, 1]));
    assert!(own.is_loopback());
    assert!(own.process.is_some() && own.package.is_none(), "{own:?}");
    let all_found = at(&found, Protocol::Tcp, port(&all));
    assert_eq!((all_found.address, all_found.is_loopback()), (IpAddr::from([0, 0, 0, 0]), false));
    assert_eq!(all_found.process.as_deref(), Some(process_name().as_str()));
    assert!(!at(&found, Protocol::Udp, udp.local_addr().unwrap().port()).is_loopback());
    match six {
        Ok(six) => assert!(at(&found, Protocol::Tcp, port(&six)).is_loopback()),
        Err(error) => println!("skipped: listeners on IPv6: {error}"),
    }

    // A socket that is connected takes no traffic from others.
    udp.connect("192.0.2.1:9").unwrap();
    let connected = udp.local_addr().unwrap().port();
    assert!(!listeners().iter().any(|l| l.protocol == Protocol::Udp && l.port == connected));
}

/// The name of this process; that of a test's thread is another.
fn process_name() -> String {
    let pid = std::process::id();
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap().trim().to_owned()
}

#[test]
fn a_listener_names_the_package_of_its_program() {
    let test = "a_listener_names_the_package_of_its_program";
    if no_database(test) {
        return;
    }
    let script = "socket(S,2,1,0)&&bind(S,sockaddr_in(0,inet_aton('127.0.0.1')))&&listen(S,1)or die;\
                  $|=1;print((sockaddr_in(getsockname(S)))[0],qq(\\n));<STDIN>";
    let perl = Command::new("/usr/bin/perl")
        .args(["-MSocket", "-e", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut perl) = perl else {
        println!("skipped: {test}: perl is not installed");
        return;
    };
    let mut line = String::new();
    BufReader::new(perl.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().parse().unwrap();
    let found = listeners();
    perl.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(perl.wait().unwrap().success());
    let listener = at(&found, Protocol::Tcp, port);
    assert_eq!((listener.process.as_deref(), listener.package.as_deref()), (Some("perl"), Some("perl-base")));
}
