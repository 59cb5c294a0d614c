//! The multipart splitter: same parts however the bytes are cut, and no panic on any.

use dds_inbound::multipart::{Event, PartHead, Splitter};
use dds_message::{Code, Problem};
use proptest::prelude::*;

const TYPE: &str = "multipart/form-data; boundary=\"gr:enze\"";

/// Feeds `body` in pieces of `size` and collects the parts.
fn split(body: &[u8], size: usize) -> Result<Vec<(PartHead, Vec<u8>)>, Problem> {
    let mut splitter = Splitter::new(TYPE)?;
    let mut parts: Vec<(PartHead, Vec<u8>)> = Vec::new();
    let mut pieces = body.chunks(size.max(1));
    loop {
        match splitter.event()? {
            Event::Hungry => match pieces.next() {
                Some(piece) => splitter.push(piece),
                None => return splitter.finish().map(|()| parts),
            },
            Event::Part(head) => parts.push((head, Vec::new())),
            Event::Data(data) => parts.last_mut().unwrap().1.extend_from_slice(&data),
            Event::PartEnd => {}
            Event::End => match pieces.next() {
                Some(piece) => splitter.push(piece),
                None => return splitter.finish().map(|()| parts),
            },
        }
    }
}

fn body(contents: &[Vec<u8>]) -> Vec<u8> {
    let mut body = b"preamble".to_vec();
    for (number, content) in contents.iter().enumerate() {
        let head = format!("\r\n--gr:enze \r\nContent-Disposition: form-data; name=\"n{number}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
    }
    body.extend_from_slice(b"\r\n--gr:enze-- \r\n\r\n");
    body
}

fn head(line: &str) -> PartHead {
    split(format!("--gr:enze\r\n{line}\r\n\r\nx\r\n--gr:enze--").as_bytes(), 1000).unwrap().remove(0).0
}

#[test]
fn names_of_all_sorts_of_clients_are_understood() {
    let name = |value: &str| head(&format!("content-disposition: form-data; name=a; {value}")).file_name;
    assert_eq!(name("filename=\"Müller, Hans; neu.pdf\"").as_deref(), Some("Müller, Hans; neu.pdf"));
    assert_eq!(name("filename=plain.pdf").as_deref(), Some("plain.pdf"));
    assert_eq!(name("filename=\"a\\\"b\\\\c.pdf\"").as_deref(), Some("a\"b\\c.pdf"));
    assert_eq!(name("filename=\"C:\\Daten\\x.pdf\"").as_deref(), Some("C:\\Daten\\x.pdf"));
    assert_eq!(name("filename=\"a%22b.pdf\"").as_deref(), Some("a\"b.pdf"));
    assert_eq!(name("filename*=UTF-8''M%C3%BCller.pdf; filename=x").as_deref(), Some("Müller.pdf"));
    assert_eq!(name("filename*=UTF-8''%zz; filename=x").as_deref(), Some("x"));
    assert_eq!(name("other=1"), None);
}

#[test]
fn a_part_may_be_empty_in_both_spellings() {
    let usual = b"--gr:enze\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--gr:enze--";
    let short = b"--gr:enze\r\nContent-Disposition: form-data; name=a\r\n\r\n--gr:enze--";
    for size in [1, 3, 100] {
        assert_eq!(split(usual, size).unwrap()[0].1, b"");
        assert_eq!(split(short, size).unwrap()[0].1, b"");
    }
}

#[test]
fn what_is_not_multipart_is_refused() {
    let code = |body: &[u8]| split(body, 7).unwrap_err().code;
    assert_eq!(code(b""), Code::BROKEN_OFF);
    assert_eq!(code(b"--gr:enze\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf"), Code::BROKEN_OFF);
    assert_eq!(code(&vec![b'x'; 10_000]), Code::BAD_REQUEST);
    assert_eq!(code(b"--gr:enze\r\nContent-Type: text/plain\r\n\r\nx\r\n--gr:enze--"), Code::BAD_REQUEST);
    assert_eq!(code(b"--gr:enzeX\r\n"), Code::BAD_REQUEST);
    let bomb = [b"--gr:enze\r\nX: ".to_vec(), vec![b'y'; 100_000]].concat();
    assert_eq!(code(&bomb), Code::BAD_REQUEST);
    for wrong in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        &format!("a/b; boundary={}", "x".repeat(71)),
    ] {
        assert_eq!(Splitter::new(wrong).unwrap_err().code, Code::BAD_REQUEST, "{wrong}");
    }
}

/// A part behind the end would be lost without anybody noticing.
#[test]
fn what_follows_the_closing_delimiter_is_refused() {
    let part = "--gr:enze\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n";
    for epilogue in ["garbage", "\r\nepilogue", &format!("\r\n{part}--gr:enze--\r\n")] {
        let body = format!("{part}--gr:enze--{epilogue}");
        for size in [1, 7, 1000] {
            let refused = split(body.as_bytes(), size).map_err(|problem| problem.code);
            assert_eq!(refused, Err(Code::BAD_REQUEST), "{epilogue:?} in pieces of {size}");
        }
    }
}

/// Content full of what delimiters are made of.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let morsels = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"--".to_vec()),
        Just(b"\r\n--gr:enz".to_vec()),
        Just(b"\r".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(morsels, 0..12)
        .prop_map(|parts| parts.concat())
        .prop_filter("holds the delimiter", |bytes| {
            !bytes.windows(11).any(|window| window == b"\r\n--gr:enze")
        })
}

proptest! {
    /// Law: the parts do not depend on where the network cut the body.
    #[test]
    fn parts_do_not_depend_on_the_cuts(contents in proptest::collection::vec(content(), 1..4), size in 1usize..60) {
        let parts = split(&body(&contents), size).unwrap();
        let read: Vec<Vec<u8>> = parts.into_iter().map(|(_, content)| content).collect();
        prop_assert_eq!(read, contents);
    }

    /// Law: no bytes panic, and what is cut off is never complete.
    #[test]
    fn no_bytes_panic(contents in proptest::collection::vec(content(), 1..3), keep in 0usize..200, noise in proptest::collection::vec(any::<u8>(), 0..80)) {
        let whole = body(&contents);
        let end = whole.len() - b"-- \r\n\r\n".len();
        let cut = &whole[..keep.min(end)];
        prop_assert!(split(cut, 9).is_err());
        drop(split(&[cut, &noise].concat(), 5));
        drop(split(&noise, 3));
        drop(Splitter::new(&String::from_utf8_lossy(&noise)));
    }
}
