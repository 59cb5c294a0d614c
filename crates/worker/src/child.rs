//! The worker's side: the life of a sandboxed process.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Write},
    mem::MaybeUninit,
    os::{
        fd::AsFd,
        unix::{fs::FileExt, net::UnixStream},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dds_message::Problem;
use dds_transform::Budget;
use socket2::SockRef;

use crate::{
    engine::{Artefacts, Engine},
    frame::{self, Reply, Request, Settings},
    sandbox,
};

/// Lines with this beginning on the standard error of a worker are logged by the service; others are not, because
/// they could hold content.
pub(crate) const LOG_PREFIX: &str = "dds-worker: ";

/// Frames from the service are trusted; this only catches a stream out of step.
const LONGEST_REQUEST: u64 = 4 << 30;

/// Encodings that `xsl:output` may name beside those built into libxml2 (UTF-8, UTF-16, ISO-8859-1, ASCII).
const ENCODINGS: &[&str] = &["ISO-8859-15", "WINDOWS-1252"];

/// A request that arrives within this time after the last answer came soon.
const SOON: Duration = Duration::from_micros(300);

/// Runs as worker on the socket that the service passed as standard input, until the service closes it. For the
/// hidden subcommand `worker`; call it before any thread is started.
///
/// # Errors
/// If this process was not started by a [`Pool`](crate::Pool), or loses it.
pub fn run() -> io::Result<()> {
    std::panic::set_hook(Box::new(|panic| {
        // Without the message of the panic: it may quote what it stumbled over.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        log(&format!("panic at {place}"));
    }));
    sandbox::detach()?;
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut requests = BufReader::with_capacity(256 << 10, socket.try_clone()?);
    let resident = Resident::open();
    let (Request::Start(settings), _) = next(&mut requests)?.ok_or(io::ErrorKind::UnexpectedEof)? else {
        return Err(io::Error::other("the first request must be Start"));
    };
    for missing in dds_transform::preload_encodings(ENCODINGS) {
        log(&format!("encoding {missing} not available to stylesheets"));
    }

    let missing = sandbox::enter(settings.memory_bytes)?;
    socket.write_all(&frame::encode(&Reply::Ready { missing }, &[])?)?;
    serve(&settings, &resident, &mut requests, &mut socket)
}

fn serve(
    settings: &Settings,
    resident: &Resident,
    requests: &mut BufReader<UnixStream>,
    socket: &mut UnixStream,
) -> io::Result<()> {
    let budget = Budget {
        operations: settings.operations,
        depth: settings.depth,
        variables: settings.variables,
        output_bytes: usize::try_from(settings.output_bytes).unwrap_or(usize::MAX),
    };
    let mut engine = Engine::new(budget, settings.limits.clone());
    let mut jobs = 0;
    let mut soon = false;
    loop {
        soon = wait(requests, soon)?;
        let Some((request, parts)) = next(requests)? else { return Ok(()) };
        match request {
            Request::Start(_) => return Err(io::Error::other("Start twice")),
            Request::Unload(id) => engine.unload(id),
            Request::Ping => socket.write_all(&frame::encode(&Reply::Pong, &[])?)?,
            Request::Load { id, files, stylesheets, schemas, schematrons } => {
                sandbox::allow_cpu(u64::from(u32::MAX))?;
                let files = files.into_iter().zip(parts).collect();
                let errors = engine.load(id, &files, Artefacts { stylesheets, schemas, schematrons });
                socket.write_all(&frame::encode(&Reply::Loaded(errors.to_vec()), &[])?)?;
            }
            Request::Run(job) => {
                sandbox::allow_cpu(settings.cpu_seconds)?;
                jobs += 1;
                let outcome = engine.run(&job, &parts);
                let heavy = resident.bytes() > settings.resident_bytes;
                let recycle = jobs >= settings.jobs || heavy || engine.is_worn();
                socket.write_all(&answer(recycle, outcome)?)?;
                if recycle {
                    return Ok(());
                }
                engine.tidy();
            }
        }
    }
}

/// Waits until a request, or the end of the stream, begins to arrive; answers whether that was soon. `soon`: it was so
/// the last time. Then the pool is busy, and this process looks again and again for a moment before it sleeps: to be
/// woken takes a good part of the time of a job. Whoever has work for the processor goes before.
#[allow(clippy::disallowed_methods, reason = "decides nothing but how to wait")]
fn wait(requests: &mut BufReader<UnixStream>, soon: bool) -> io::Result<bool> {
    let began = Instant::now();
    if soon {
        let socket = SockRef::from(requests.get_ref());
        let mut byte = [MaybeUninit::uninit()];
        let empty =
            |read: io::Result<usize>| read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        while requests.buffer().is_empty()
            && began.elapsed() < SOON
            && empty(socket.recv_with_flags(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT))
        {
            thread::yield_now();
        }
    }
    while let Err(error) = requests.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(began.elapsed() < SOON)
}

fn answer(recycle: bool, outcome: Result<(frame::Done, Vec<Bytes>), Problem>) -> io::Result<Vec<u8>> {
    match outcome {
        Ok((done, parts)) => {
            let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
            frame::encode(&Reply::Done { recycle, outcome: Ok(done) }, &parts)
        }
        Err(problem) => frame::encode(&Reply::Done { recycle, outcome: Err(problem) }, &[]),
    }
}

fn next(requests: &mut BufReader<UnixStream>) -> io::Result<Option<(Request, Vec<Bytes>)>> {
    frame::read(requests, LONGEST_REQUEST)?.map(|frame| frame::decode(&frame)).transpose()
}

fn log(text: &str) {
    // Nobody is left to tell when this fails.
    _ = writeln!(io::stderr(), "{LOG_PREFIX}{text}");
}

/// Resident memory of this process, from a file opened before the sandbox.
struct Resident(Option<File>);

/// Page size of x86_64 and of aarch64 as Debian and Ubuntu build it.
const PAGE: u64 = 4096;

impl Resident {
    fn open() -> Self {
        Self(File::open("/proc/self/statm").ok())
    }

    /// 0 if unknown.
    fn bytes(&self) -> u64 {
        let mut text = [0; 128];
        let read = self.0.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or(0);
        let text = std::str::from_utf8(&text[..read]).unwrap_or_default();
        text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).map_or(0, |pages| pages * PAGE)
    }
}
