//! Two web servers behind an nginx that balances, a client that asks without a pause, and the example hooks as they ship:
//! both are patched and no request fails. Without the hooks some do, so the first could.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tenon_fleet::{Boot, Host, Lab, wait_until};
use tenon_model::{ApplyOutcome, PackageTarget};

use crate::site::{Site, site};

/// Askers at the same time.
const ASKERS: usize = 4;
/// A balancer that hides nothing: a server that fails is not taken out by it, and its request is not given to the other one, as
/// it could not be for a request that changes something.
const BALANCER: &str = "upstream web { include /etc/nginx/upstreams/*.conf; }\n\
    server { listen 80 default_server; location / { proxy_pass http://web; proxy_next_upstream off; proxy_connect_timeout 5s; } }\n";
/// In place of ssh, which the image lacks: a socket that runs `upstream` with the words of one line and answers its status.
const SOCKET: &str = "[Socket]\nListenStream=9000\nAccept=yes\n";
const SERVICE: &str = "[Service]\nStandardInput=socket\nExecStart=/bin/sh -c 'read -r verb name; \
    /usr/local/sbin/upstream $verb $name 2>/run/upstream.err; echo $?'\n";

/// How many requests were answered, and how many were not.
#[derive(Debug, Default)]
struct Asked {
    well: AtomicU64,
    failed: AtomicU64,
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples")
}

fn ok(host: &Host, line: &str) {
    host.shell(line).unwrap().ok().unwrap();
}

/// The balancer, with both servers behind it.
fn balancer(site: &Site, servers: &[(&str, &Host)]) -> Host {
    let balancer = site.another("lb");
    ok(&balancer, "rm /etc/nginx/sites-enabled/default");
    balancer.write_file("/etc/nginx/conf.d/web.conf", BALANCER.as_bytes(), 0o644).unwrap();
    for (name, host) in servers {
        let line = format!("server {}:80 max_fails=0;\n", host.ip());
        balancer.write_file(format!("/etc/nginx/upstreams/{name}.conf"), line.as_bytes(), 0o644).unwrap();
    }
    balancer.copy_in(&examples().join("balancer/upstream"), "/usr/local/sbin/upstream").unwrap();
    balancer.write_file("/etc/systemd/system/upstream.socket", SOCKET.as_bytes(), 0o644).unwrap();
    balancer.write_file("/etc/systemd/system/upstream@.service", SERVICE.as_bytes(), 0o644).unwrap();
    ok(&balancer, "systemctl daemon-reload && systemctl start upstream.socket && systemctl restart nginx");
    balancer
}

/// Puts the example hook on a server, as the documentation says.
fn hook(host: &Host, name: &str, balancer: &Host) {
    for program in ["before", "after", "undo"] {
        let (from, to) =
            (format!("hooks/nginx-upstream/{program}"), format!("/etc/tenon/hooks.d/balancer/{program}"));
        host.copy_in(&examples().join(from), to).unwrap();
    }
    let text = format!(
        "name={name}\nurl=http://127.0.0.1/\nbalancer() {{ bash -c 'exec 3<>/dev/tcp/{}/9000; echo \"$0 $1\" >&3; read -r code <&3; \
         exit \"$code\"' \"$@\"; }}\n",
        balancer.ip()
    );
    host.write_file("/etc/tenon/balancer", text.as_bytes(), 0o600).unwrap();
}

/// One request over a connection of its own, and whether it was answered in full.
fn ask(address: Ipv4Addr) -> std::io::Result<bool> {
    let patience = Duration::from_secs(10);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((address, 80)), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200 ") && answer.contains("</html>"))
}

/// Asks without a pause while `work` is done.
fn under_load(lab: &Lab, address: Ipv4Addr, work: impl FnOnce()) -> (u64, u64) {
    let (asked, over) = (Arc::new(Asked::default()), Arc::new(AtomicBool::new(false)));
    let asking: Vec<_> = (0..ASKERS)
        .map(|_| {
            let (lab, asked, over) = (lab.clone(), asked.clone(), over.clone());
            thread::spawn(move || {
                lab.within(move || {
                    while !over.load(Ordering::SeqCst) {
                        let well = ask(address).unwrap_or(false);
                        let count = if well { &asked.well } else { &asked.failed };
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                })
                .unwrap();
            })
        })
        .collect();
    wait_until("requests under way", Duration::from_secs(30), || {
        Ok((asked.well.load(Ordering::SeqCst) > 100).then_some(()))
    })
    .unwrap();
    work();
    over.store(true, Ordering::SeqCst);
    asking.into_iter().for_each(|asker| asker.join().unwrap());
    (asked.well.load(Ordering::SeqCst), asked.failed.load(Ordering::SeqCst))
}

/// The requests that were answered and those that failed while both servers were patched one after the other.
fn patch_both(test: &str, with_hooks: bool) -> Option<(u64, u64)> {
    let site = site(test, Boot::Full)?;
    let second = site.another("web2");
    let servers = [("web1", &site.host), ("web2", &second)];
    let balancer = balancer(&site, &servers);
    if with_hooks {
        servers.iter().for_each(|(name, host)| hook(host, name, &balancer));
    }
    let targets: [PackageTarget; 2] = [site.pending("libssl3"), site.pending("openssl")];
    let counted = under_load(&site.lab, balancer.ip(), || {
        for (name, host) in servers {
            let report = site.patch(host, &targets);
            assert_eq!(report.outcome, ApplyOutcome::Verified, "{name}: {report:?}");
            assert!(report.evidence.restarted.iter().any(|unit| unit.0 == "nginx.service"), "{report:?}");
            assert_eq!(report.evidence.hooks.len(), if with_hooks { 2 } else { 0 }, "{report:?}");
        }
    });
    if with_hooks {
        // Somebody has to answer: with the other one out this one may not leave, and is not changed.
        ok(&balancer, "/usr/local/sbin/upstream down web2");
        let more = [site.pending("liblzma5")];
        let report = site.patch(&site.host, &more);
        assert!(
            matches!(&report.outcome, ApplyOutcome::Refused { code, .. } if code == "hook-failed"),
            "{report:?}"
        );
        assert_eq!(site.version("liblzma5"), more[0].from);
        let said = balancer.read_file("/run/upstream.err").unwrap();
        assert_eq!(said, "", "the last thing that was asked for is the undo");
        let states = balancer.shell("cat /etc/nginx/upstreams/*.conf").unwrap().ok().unwrap().stdout;
        assert_eq!(states.matches(" down;").count(), 1, "{states}");
    }
    Some(counted)
}

#[test]
fn a_balanced_pair_is_patched_without_a_failed_request_and_only_by_its_hooks() {
    let test = "a_balanced_pair_is_patched_without_a_failed_request_and_only_by_its_hooks";
    let Some((well, failed)) = patch_both(test, false) else { return };
    println!("without hooks: {well} requests answered, {failed} failed");
    assert!(failed > 0, "nothing failed without hooks either: this test could not fail");
    let (well, failed) = patch_both(test, true).unwrap();
    println!("with hooks: {well} requests answered, {failed} failed");
    assert!(well > 1_000, "{well}");
    assert_eq!(failed, 0);
}
