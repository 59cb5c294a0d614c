//! Serialises a result tree into memory, up to a limit.

use std::{ptr, slice};

use libc::{c_char, c_int, c_void};

use crate::{
    error::ErrorKind,
    ffi::{self, Doc, Style},
};

struct Sink {
    bytes: Vec<u8>,
    limit: usize,
    overflow: bool,
}

impl Sink {
    fn into_bytes(self) -> Result<Vec<u8>, (ErrorKind, String)> {
        if self.overflow {
            return Err((ErrorKind::Budget, format!("result of more than {} bytes", self.limit)));
        }
        Ok(self.bytes)
    }
}

/// A serialised result.
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    /// Parsing the bytes would only build the same tree once more.
    pub(crate) plain: bool,
}

/// Writes `result` as the `xsl:output` of `style` asks.
pub(crate) fn serialise(
    result: *mut Doc,
    style: *mut Style,
    limit: usize,
) -> Result<Written, (ErrorKind, String)> {
    let mut sink = Sink { bytes: Vec::new(), limit, overflow: false };
    // SAFETY: result and stylesheet live, and so does `sink` until the call returns.
    let plain = unsafe { ffi::dds_xslt_write_plain(style, result, write, (&raw mut sink).cast()) } != 0;
    if !plain {
        write_by_libxml2(result, style, &mut sink)?;
    }
    Ok(Written { bytes: sink.into_bytes()?, plain })
}

/// Writes any document as XML in UTF-8.
pub(crate) fn write_document(document: *mut Doc, limit: usize) -> Result<Vec<u8>, (ErrorKind, String)> {
    let mut sink = Sink { bytes: Vec::new(), limit, overflow: false };
    // SAFETY: the document lives, and so does `sink` until the call returns.
    let written = unsafe { ffi::dds_xslt_write_document(document, write, (&raw mut sink).cast()) } != 0;
    if !written && !sink.overflow {
        return Err((ErrorKind::Memory, "no memory to write the document".to_owned()));
    }
    sink.into_bytes()
}

fn write_by_libxml2(result: *mut Doc, style: *mut Style, sink: &mut Sink) -> Result<(), (ErrorKind, String)> {
    let mut unknown = 0;
    // SAFETY: result and stylesheet live; `sink` outlives the buffer, which is closed (and freed) here.
    let written = unsafe {
        let encoder = ffi::dds_xslt_encoder(style, &raw mut unknown);
        if unknown != 0 {
            return Err((ErrorKind::Failed, "xsl:output names an unknown encoding".to_owned()));
        }
        let buffer = ffi::xmlOutputBufferCreateIO(write, None, ptr::from_mut(sink).cast(), encoder);
        if buffer.is_null() {
            return Err((ErrorKind::Memory, "no memory for the result".to_owned()));
        }
        let saved = ffi::xsltSaveResultTo(buffer, result, style);
        let closed = ffi::xmlOutputBufferClose(buffer);
        saved >= 0 && closed >= 0
    };
    if !written && !sink.overflow {
        return Err((ErrorKind::Failed, "result cannot be serialised".to_owned()));
    }
    Ok(())
}

extern "C" fn write(context: *mut c_void, bytes: *const c_char, length: c_int) -> c_int {
    let Ok(size) = usize::try_from(length) else { return -1 };
    if size == 0 {
        return 0;
    }
    // SAFETY: libxml2 passes back the context given to `xmlOutputBufferCreateIO` and `length` readable bytes.
    let (sink, bytes) =
        unsafe { (&mut *context.cast::<Sink>(), slice::from_raw_parts(bytes.cast::<u8>(), size)) };
    if sink.overflow || size > sink.limit - sink.bytes.len() {
        sink.overflow = true;
        return -1;
    }
    sink.bytes.extend_from_slice(bytes);
    length
}
