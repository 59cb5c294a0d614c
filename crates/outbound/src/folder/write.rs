//! Writing a parcel: in a thread of its own, because files have no asynchronous form.

use std::{
    fs::{self, File},
    io::{self, BufWriter, ErrorKind, Write},
    path::Path,
    sync::atomic::Ordering,
};

use futures::StreamExt as _;
use tokio::runtime::Handle;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Failure, Layout, Parcel, SLIP};
use crate::content::{Coding, Content};

/// Writes the parcel; `Ok` also if it is there already.
pub(super) fn write(parcel: &Parcel, runtime: &Handle) -> Result<(), Failure> {
    let (private, visible) = (parcel.folder.join(&parcel.private), parcel.folder.join(&parcel.visible));
    if visible.try_exists()? {
        return Ok(());
    }
    enter(&private)?;
    let hidden = private.join(&parcel.hidden);
    let written = match parcel.layout {
        Layout::Folder => folder(parcel, &hidden, runtime),
        Layout::Container => container(parcel, &hidden, runtime),
    };
    let shown = written.and_then(|()| Ok(show(&hidden, &visible, &parcel.folder)?));
    if shown.is_err() {
        // The first error is the one to tell; what is left is hidden and goes with the next attempt.
        let _left = remove(&hidden).is_err();
    }
    // Fails while another attempt is in there.
    let _shared = fs::remove_dir(&private).is_err();
    shown
}

/// Makes the folder of the delivery. The transfer folder itself is never made: if it is missing, a network drive is not
/// mounted.
///
/// What lies in there already is from an attempt that was given up or a process that was killed. It is renamed before
/// it is removed: should its attempt still run, it can neither go on nor show the rest.
fn enter(private: &Path) -> io::Result<()> {
    match fs::create_dir(private) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made,
    }
    for entry in fs::read_dir(private)? {
        let left = entry?.path();
        let away = left.with_extension("weg");
        if left != away {
            remove(&away)?;
            match fs::rename(&left, &away) {
                // Its attempt has ended in between.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                renamed => renamed?,
            }
        }
        remove(&away)?;
    }
    Ok(())
}

fn folder(parcel: &Parcel, hidden: &Path, runtime: &Handle) -> Result<(), Failure> {
    fs::create_dir(hidden)?;
    each(parcel, runtime, |name, pieces| {
        let mut file = BufWriter::new(File::create_new(hidden.join(name))?);
        pieces(&mut file)?;
        Ok(file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?)
    })?;
    Ok(File::open(hidden)?.sync_all()?)
}

fn container(parcel: &Parcel, hidden: &Path, runtime: &Handle) -> Result<(), Failure> {
    let mut zip = ZipWriter::new(BufWriter::new(File::create_new(hidden)?));
    each(parcel, runtime, |name, pieces| {
        // Deflate at its fastest level; sizes above 4 GB are allowed for (ZIP64).
        let options = SimpleFileOptions::default().compression_level(Some(1)).large_file(true);
        zip.start_file(name, options).map_err(io::Error::from)?;
        pieces(&mut zip)
    })?;
    let file = zip.finish().map_err(io::Error::from)?;
    Ok(file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?)
}

/// Writes the bytes of one file.
type Pieces<'a> = &'a mut dyn FnMut(&mut dyn Write) -> Result<(), Failure>;

/// Shows every file of the parcel to `file`: document, attachments, at the end the slip.
fn each(
    parcel: &Parcel,
    runtime: &Handle,
    mut file: impl FnMut(&str, Pieces<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (name, bytes) = &parcel.document;
    file(name, &mut |out| Ok(out.write_all(bytes)?))?;
    for (name, source) in &parcel.attachments {
        let mut content = Content::default();
        content.attach(source, Coding::Plain);
        let mut pieces = Box::pin(content.stream());
        file(name, &mut |out| {
            while let Some(piece) = runtime.block_on(pieces.next()) {
                if parcel.given_up.load(Ordering::SeqCst) {
                    return Err(Failure::Write(ErrorKind::TimedOut.into()));
                }
                out.write_all(&piece.map_err(|broken| Failure::Read(broken.code))?)?;
            }
            Ok(())
        })?;
    }
    if parcel.given_up.load(Ordering::SeqCst) {
        return Err(Failure::Write(ErrorKind::TimedOut.into()));
    }
    file(SLIP, &mut |out| Ok(out.write_all(&parcel.slip)?))
}

/// The one moment at which the delivery appears.
fn show(hidden: &Path, visible: &Path, folder: &Path) -> io::Result<()> {
    match fs::rename(hidden, visible) {
        Ok(()) => {}
        // An attempt that was thought lost came through after all.
        Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
            remove(hidden)?;
        }
        Err(error) => return Err(error),
    }
    File::open(folder)?.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
