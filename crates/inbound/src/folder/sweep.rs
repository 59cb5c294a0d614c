//! What lies in `angenommen/` and `abgelehnt/` is readable by whoever can read the folder: after its time it goes.

use std::{
    ffi::OsStr,
    fs::{self, Metadata},
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
};

use dds_message::Timestamp;

use super::outcome::{REASON, RECEIPT};

/// Deletes the submissions below `root` whose receipt or reason was written before `before`, and that with them; how
/// many. What has neither was put there by somebody else and stays.
pub(super) fn sweep(root: &Path, before: Timestamp) -> io::Result<usize> {
    Ok(accepted(&root.join("angenommen"), before)? + refused(&root.join("abgelehnt"), before)?)
}

fn accepted(folder: &Path, before: Timestamp) -> io::Result<usize> {
    let mut swept = 0;
    for entry in fs::read_dir(folder)? {
        let receipt = entry?.path();
        let name = receipt.file_name().unwrap_or_default().as_bytes();
        let Some(submission) = name.strip_suffix(RECEIPT.as_bytes()) else { continue };
        let mut own_receipt = receipt.clone().into_os_string();
        own_receipt.push(RECEIPT);
        // With a receipt of its own it is a submission that is only named like one.
        if !written(&receipt, before)? || fs::symlink_metadata(own_receipt).is_ok() {
            continue;
        }
        remove(&folder.join(OsStr::from_bytes(submission)))?;
        remove(&receipt)?;
        swept += 1;
    }
    Ok(swept)
}

fn refused(folder: &Path, before: Timestamp) -> io::Result<usize> {
    let mut swept = 0;
    for entry in fs::read_dir(folder)? {
        let refusal = entry?.path();
        let reason = refusal.join(REASON);
        if !written(&reason, before)? {
            continue;
        }
        // The reason last: what a crash leaves is found again by it.
        for entry in fs::read_dir(&refusal)? {
            let path = entry?.path();
            if path != reason {
                remove(&path)?;
            }
        }
        remove(&reason)?;
        fs::remove_dir(&refusal)?;
        swept += 1;
    }
    Ok(swept)
}

/// Whether there is a file of ours that was written before a moment.
fn written(path: &Path, before: Timestamp) -> io::Result<bool> {
    let old = |file: Metadata| file.is_file() && file.mtime().saturating_mul(1_000) < before.0;
    match fs::symlink_metadata(path) {
        Ok(file) => Ok(old(file)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Removes a file or a folder; a link is removed, not followed. What somebody took away is gone already.
fn remove(path: &Path) -> io::Result<()> {
    let removed = fs::symlink_metadata(path).and_then(|found| match found.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    });
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
