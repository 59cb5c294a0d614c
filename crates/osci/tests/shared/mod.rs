//! Data that this project may not carry with it: captures and published schemas.

use std::path::{Path, PathBuf};

/// A folder of the shared data of OSCI, or `None` with a word about it: the tests with own data do not need it.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("DDS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let found = shared.join("osci").join(folder);
    if found.is_dir() {
        return Some(found);
    }
    eprintln!("NOT TESTED: no {folder} at {}; set DDS_SHARED", found.display());
    None
}
