//! The Java sides of the comparison: processes that stay warm and measure one turn whenever they are asked.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use dds_osci::keys::SoftwareKey;

/// Names the folder of an unpacked distribution of the published library.
const LIBRARY: &str = "DDS_OSCI_LIBRARY";

/// The peer of `tests/interop/osci-java`, its keys and its message.
pub(crate) struct Java {
    folder: PathBuf,
}

impl Java {
    /// Makes keys and a message with `bytes` of content in `folder`; `None` where the peer was not built.
    pub(crate) fn find(folder: &Path, bytes: usize) -> Option<Self> {
        // Its script builds both peers; one that prints SKIPPED ends well, so what was built tells.
        if std::env::var_os(LIBRARY).is_some() {
            let script = interop().join("osci-library/run.sh");
            let output = Command::new(script).arg("list").output().expect("run.sh of osci-library starts");
            assert!(
                output.status.success(),
                "the harness of the published library cannot be built:\n{}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
        let java = Self { folder: folder.to_owned() };
        let (keys, message, bytes) = (java.path("keys"), java.path("message"), bytes.to_string());
        let made = jdk().arg("keys").arg(&keys).output().is_ok_and(|output| output.status.success());
        if !made {
            return None;
        }
        let mut write = jdk();
        write.args(["message", "--bytes", &bytes, "--keys"]).arg(&keys).arg("--out").arg(&message);
        let output = write.output().expect("java");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(java)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn key(&self) -> SoftwareKey {
        let read = |name: &str| std::fs::read(self.path("keys").join(name)).unwrap();
        SoftwareKey::from_pkcs12(&read("intermediary_cipher.p12"), "123456").unwrap()
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        std::fs::read(self.path("message")).unwrap()
    }

    /// The JDK's cryptography with a protocol of our own: a scale.
    pub(crate) fn jdk(&self) -> Side {
        self.start("Java peer (JDK cryptography)", jdk())
    }

    /// The published library; `None`, and loudly, where the environment does not name it or it cannot be built.
    pub(crate) fn library(&self) -> Option<Side> {
        let target = interop().join("osci-library/target");
        if std::env::var_os(LIBRARY).is_none() || !target.join("osci-library-peer.jar").is_file() {
            println!(
                "\n!!! SKIPPED: the published library was not measured ({LIBRARY} names its folder) !!!\n"
            );
            return None;
        }
        let mut library = Command::new("java");
        library.arg("-cp").arg(format!("{0}/osci-library-peer.jar:{0}/lib/*", target.display()));
        library.arg("library.Main");
        Some(self.start("published library", library))
    }

    fn start(&self, name: &'static str, mut command: Command) -> Side {
        command
            .args(["measure", "--turns", "--warm", "500", "--count", "100", "--keys"])
            .arg(self.path("keys"));
        command.arg("--message").arg(self.path("message"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let ask = process.stdin.take();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        // What it prints before that says what it is: version and hash of the library.
        loop {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "{name} ended before it was warm");
            match line.trim_end() {
                "ready" => return Side { name, process, ask, said },
                line => println!("{line}"),
            }
        }
    }
}

/// What one message costs in one turn, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    /// Processor time of the thread, mean.
    pub(crate) processor: f64,
    /// By the clock on the wall, median; also what other processes take meanwhile.
    pub(crate) wall: f64,
}

/// A warm process that waits for its turn.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    process: Child,
    ask: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl Side {
    /// A turn of 100 readings; 500 went before the first.
    pub(crate) fn turn(&mut self) -> Turn {
        writeln!(self.ask.as_mut().unwrap()).unwrap();
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        let figure = |name: &str| -> Option<f64> {
            let (_, rest) = line.split_once(&format!("\"{name}\":"))?;
            rest.split([',', '}']).next()?.trim().parse().ok()
        };
        let turn = figure("processor_us").zip(figure("p50_us"));
        let (processor, wall) = turn.unwrap_or_else(|| panic!("{}: {line}", self.name));
        Turn { processor, wall }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        drop(self.ask.take());
        let _ended = self.process.wait();
    }
}

fn interop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop")
}

fn jdk() -> Command {
    let mut java = Command::new("java");
    java.arg("-jar").arg(interop().join("osci-java/target/osci-peer.jar"));
    java
}
