//! Serialises a result tree into memory, up to a limit.

use std::slice;

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

/// Writes `result` as the `xsl:output` of `style` asks.
pub(crate) fn serialise(
    result: *mut Doc,
    style: *mut Style,
    limit: usize,
) -> Result<Vec<u8>, (ErrorKind, String)> {
    let mut sink = Sink { bytes: Vec::new(), limit, overflow: false };
    let mut unknown = 0;
    // SAFETY: result and stylesheet live; `sink` outlives the buffer, which is closed (and freed) here.
    let written = unsafe {
        let encoder = ffi::dds_xslt_encoder(style, &raw mut unknown);
        if unknown != 0 {
            return Err((ErrorKind::Failed, "xsl:output names an unknown encoding".to_owned()));
        }
        let buffer = ffi::xmlOutputBufferCreateIO(write, None, (&raw mut sink).cast(), encoder);
        if buffer.is_null() {
            return Err((ErrorKind::Memory, "no memory for the result".to_owned()));
        }
        let saved = ffi::xsltSaveResultTo(buffer, result, style);
        let closed = ffi::xmlOutputBufferClose(buffer);
        saved >= 0 && closed >= 0
    };
    if sink.overflow {
        return Err((ErrorKind::Budget, format!("result of more than {limit} bytes")));
    }
    if !written {
        return Err((ErrorKind::Failed, "result cannot be serialised".to_owned()));
    }
    Ok(sink.bytes)
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
