//! When memory ends; in a process of its own, because the limit counts for the whole process.
#![allow(unsafe_code, reason = "only the system can limit memory")]
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::panic, reason = "tests")]

use dds_libxslt::{Document, ErrorKind};

#[test]
fn a_fragment_without_memory_for_it_is_an_error_and_not_left_out() {
    // Large enough that what the parser gave back does not do.
    let text = format!("<name>{}</name>", "x".repeat(8 << 20)).repeat(8);
    let text = format!("<sendung>{text}</sendung>");
    let fragment = Document::parse(text.as_bytes(), "fragment").unwrap();
    let mut document = Document::parse(b"<vorgang><kopf/></vorgang>", "document").unwrap();
    let before = address_space(used() + (2 << 20));
    let outcome = document.set_first_child(Some(&fragment));
    address_space(before);
    assert_eq!(outcome.unwrap_err().kind, ErrorKind::Memory);
    document.set_first_child(Some(&fragment)).unwrap();
}

/// Limits the address space of this process and answers the limit before.
fn address_space(bytes: u64) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls get a valid structure.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_AS, &raw mut limit), 0);
        let wanted = libc::rlimit { rlim_cur: bytes, ..limit };
        assert_eq!(libc::setrlimit(libc::RLIMIT_AS, &raw const wanted), 0);
    }
    limit.rlim_cur
}

fn used() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}
