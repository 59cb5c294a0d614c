//! Search for the boundary in a stream, at the speed of `memchr`.

use memchr::memmem;

/// What a [`Scan`] found.
pub(super) enum Found<'scan, 'input> {
    /// Octets of the part.
    Data(&'input [u8]),
    /// Octets of the part that were held back because they looked like the begin of the boundary.
    Released(&'scan [u8]),
    /// The boundary was passed.
    Boundary,
    /// The input is used up.
    Nothing,
}

/// Finds `CRLF -- boundary`. Octets that may be the begin of it stay back until more come.
pub(super) struct Scan {
    finder: memmem::Finder<'static>,
    needle: Vec<u8>,
    /// Octets of the needle that were seen at the end of the input: always `needle[..matched]`.
    matched: usize,
    /// How many of them were never octets of the part: the line end of the headers before it. An empty part may use
    /// that line end for its boundary (RFC 2046 5.1.1).
    borrowed: usize,
}

impl Scan {
    pub(super) fn new(boundary: &[u8]) -> Self {
        let needle = [b"\r\n--", boundary].concat();
        let finder = memmem::Finder::new(&needle).into_owned();
        Self { finder, needle, matched: 0, borrowed: 0 }
    }

    /// A part begins: the line end before it counts as the begin of a boundary.
    pub(super) fn begin(&mut self) {
        self.matched = 2;
        self.borrowed = 2;
    }

    /// Takes from `input` up to the next thing worth telling. Call again until [`Found::Nothing`].
    pub(super) fn next<'input>(&mut self, input: &mut &'input [u8]) -> Found<'_, 'input> {
        if self.matched > 0 {
            let wanted = &self.needle[self.matched..];
            let same = wanted.iter().zip(input.iter()).take_while(|(a, b)| a == b).count();
            *input = &input[same..];
            self.matched += same;
            if self.matched == self.needle.len() {
                (self.matched, self.borrowed) = (0, 0);
                return Found::Boundary;
            }
            if input.is_empty() {
                return Found::Nothing;
            }
            // Not the boundary. Its only CR is the first octet, so nothing inside what matched can begin another.
            let released = self.borrowed..self.matched;
            (self.matched, self.borrowed) = (0, 0);
            if !released.is_empty() {
                return Found::Released(&self.needle[released]);
            }
        }
        if input.is_empty() {
            return Found::Nothing;
        }
        if let Some(at) = self.finder.find(input) {
            let (data, rest) = input.split_at(at);
            if data.is_empty() {
                *input = &rest[self.needle.len()..];
                return Found::Boundary;
            }
            *input = rest;
            return Found::Data(data);
        }
        let (data, tail) = input.split_at(input.len() - self.tail(input));
        self.matched = tail.len();
        *input = &[];
        if data.is_empty() { Found::Nothing } else { Found::Data(data) }
    }

    /// Length of the end of `input` that may be the begin of the needle.
    fn tail(&self, input: &[u8]) -> usize {
        let window = &input[input.len().saturating_sub(self.needle.len() - 1)..];
        match memchr::memrchr(b'\r', window) {
            Some(at) if self.needle.starts_with(&window[at..]) => window.len() - at,
            _ => 0,
        }
    }
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("matched", &self.matched).finish_non_exhaustive()
    }
}
