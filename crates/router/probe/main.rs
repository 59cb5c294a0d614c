//! A worker process for the tests of this crate.

fn main() -> std::io::Result<()> {
    dds_worker::child::run()
}
