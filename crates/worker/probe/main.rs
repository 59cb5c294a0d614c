//! The program that the tests of this crate start: a worker, or a witness of what the sandbox refuses.
//!
//! `dds-worker-probe bench [messages]` compares a 10 KB message in this process and through a pool of one and of all
//! cores. `dds-worker-probe message RULES DOCUMENT [TIMES]` does the work of one message of scenario V in this process,
//! for callgrind. `dds-worker-probe witness FOLDER` enters the sandbox and tries what no rule may do. It writes one
//! line `<name> <outcome>` per attempt to its standard output, which it holds open since before.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    net::{TcpStream, UdpSocket},
    os::unix::net::UnixStream,
    process::Command,
};

use dds_worker::{child, sandbox};

mod bench;
mod message;

fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("witness") => witness(),
        Some("bench") => bench::run(),
        Some("message") => message::run(),
        _ => child::run(),
    }
}

fn witness() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let target = std::path::PathBuf::from(std::env::args().nth(2).unwrap_or_default()).join("file");
    attempts(&mut out, "free", &target)?;

    let missing = sandbox::enter(1 << 30)?;
    writeln!(out, "missing {}", missing.as_deref().unwrap_or("nothing"))?;
    attempts(&mut out, "caged", &target)?;
    let big = Vec::<u8>::new().try_reserve_exact(2 << 30);
    writeln!(out, "caged memory {}", outcome(&big))
}

fn attempts(out: &mut impl Write, when: &str, target: &std::path::Path) -> io::Result<()> {
    let create = || OpenOptions::new().write(true).create(true).truncate(true).open(target);
    let mut tell = |name: &str, outcome: &str| writeln!(out, "{when} {name} {outcome}");
    tell("read", outcome(&File::open("/etc/passwd")))?;
    tell("list", outcome(&fs::read_dir("/")))?;
    tell("write", outcome(&create()))?;
    tell("rename", outcome(&fs::rename(target, target.with_extension("x"))))?;
    tell("restore", outcome(&fs::rename(target.with_extension("x"), target)))?;
    tell("udp", outcome(&UdpSocket::bind("127.0.0.1:0")))?;
    // Port 9 of the loopback answers with a refusal if a socket can be had at all.
    let tcp = TcpStream::connect("127.0.0.1:9").map(drop);
    tell("tcp", if refused_by_peer(&tcp) { "ok" } else { outcome(&tcp) })?;
    tell("pair", outcome(&UnixStream::pair()))?;
    tell("thread", outcome(&std::thread::Builder::new().spawn(|| ())))?;
    let process = Command::new("/bin/true").status();
    tell("process", outcome(&process))?;
    let parent = std::os::unix::process::parent_id().to_string();
    tell("signal", outcome(&Command::new("/bin/kill").args(["-0", &parent]).status()))
}

fn refused_by_peer(connection: &io::Result<()>) -> bool {
    connection.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn outcome<T, E>(result: &Result<T, E>) -> &'static str {
    if result.is_ok() { "ok" } else { "refused" }
}
