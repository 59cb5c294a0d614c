//! A parsed document.

use std::{ffi::CString, marker::PhantomData, ptr::NonNull};

use crate::{
    error::{Error, ErrorKind},
    ffi::{self, Doc, Node},
    output::write_document,
    report::{Blanks, Files, Listening, parse_raw, prepare_process},
};

/// An XML document in memory, without DOCTYPE, entities or CDATA sections.
///
/// It can be sent to another thread but not shared: a running stylesheet writes marks into the tree.
pub struct Document {
    doc: NonNull<Doc>,
    /// See [`Self::set_first_child`]; part of the tree.
    guest: Option<NonNull<Node>>,
    not_sync: PhantomData<std::cell::Cell<()>>,
}

// SAFETY: libxml2 allows a tree to be used by one thread at a time; its dictionary counts references under a lock.
unsafe impl Send for Document {}

impl Document {
    /// Parses XML 1.0. Nothing outside `bytes` is read; a DOCTYPE is refused before anything of it is processed.
    /// libxml2's own limits hold: depth 256 (2.9) or 2048 (2.14), 10 MB for a single text.
    ///
    /// # Errors
    /// If `bytes` are not well-formed, with the line; `name` stands for the file.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Error> {
        Self::parse_with(bytes, name, Blanks::Keep)
    }

    pub(crate) fn parse_with(bytes: &[u8], name: &str, blanks: Blanks) -> Result<Self, Error> {
        let listening = Listening::start(Files::new());
        match parse_raw(bytes, name, std::ptr::null_mut(), blanks).and_then(NonNull::new) {
            // SAFETY: a tree just made.
            Some(doc) => Ok(unsafe { Self::from_raw(doc) }),
            None => Err(listening.into_error(name, "document cannot be parsed")),
        }
    }

    /// Takes over a tree.
    ///
    /// # Safety
    /// Nobody else has or will have `doc`.
    pub(crate) unsafe fn from_raw(doc: NonNull<Doc>) -> Self {
        Self { doc, guest: None, not_sync: PhantomData }
    }

    /// Puts a copy of the root of `fragment` in front of the first element inside this document's root, in place of
    /// the one put there before; `None` takes that away again.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`] if there is none for the whole copy: the document is then as with `None`.
    pub fn set_first_child(&mut self, fragment: Option<&Self>) -> Result<(), Error> {
        let listening = Listening::start(Files::new());
        // SAFETY: both trees live and `self` is borrowed for writing; libxml2 takes null for each argument. The copy
        // belongs to this tree as soon as it is linked, and `guest` forgets it when it is unlinked.
        unsafe {
            if let Some(guest) = self.guest.take() {
                ffi::xmlUnlinkNode(guest.as_ptr());
                ffi::xmlFreeNode(guest.as_ptr());
            }
            let Some(fragment) = fragment else { return Ok(()) };
            let root = ffi::xmlDocGetRootElement(self.as_ptr());
            let copy = ffi::xmlDocCopyNode(ffi::xmlDocGetRootElement(fragment.as_ptr()), self.as_ptr(), 1);
            let first = ffi::xmlFirstElementChild(root);
            // Before libxml2 2.13 a copy that lacks a text for want of memory is a copy all the same, and only
            // reported.
            if !listening.reported(ErrorKind::Memory) {
                self.guest = NonNull::new(if first.is_null() {
                    ffi::xmlAddChild(root, copy)
                } else {
                    ffi::xmlAddPrevSibling(first, copy)
                });
            }
            if self.guest.is_some() {
                return Ok(());
            }
            ffi::xmlFreeNode(copy);
        }
        let message = "no memory to put another document's root into this one".to_owned();
        Err(Error { kind: ErrorKind::Memory, file: String::new(), line: 0, message })
    }

    /// Whether the root element has the attribute, without namespace, with this value.
    #[must_use]
    pub fn root_has(&self, attribute: &str, value: &str) -> bool {
        let (Ok(name), Ok(value)) = (CString::new(attribute), CString::new(value)) else { return false };
        let _listening = Listening::start(Files::new());
        // SAFETY: the tree lives, both texts end with NUL and are only read.
        unsafe { ffi::dds_xslt_root_has(self.as_ptr(), name.as_ptr(), value.as_ptr()) != 0 }
    }

    /// The document as XML in UTF-8, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`] if it is longer, [`ErrorKind::Memory`] if there is none for it.
    pub fn write(&self, limit: usize) -> Result<Vec<u8>, Error> {
        let _listening = Listening::start(Files::new());
        let failed = |(kind, message)| Error { kind, file: String::new(), line: 0, message };
        write_document(self.as_ptr(), limit).map_err(failed)
    }

    pub(crate) fn as_ptr(&self) -> *mut Doc {
        self.doc.as_ptr()
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        // SAFETY: the tree is owned by this value alone.
        unsafe { ffi::xmlFreeDoc(self.doc.as_ptr()) };
    }
}

/// Loads the converters of these encodings now. glibc reads some of them from files, which a sandboxed process cannot;
/// answers those that are unknown.
#[must_use]
pub fn preload_encodings<'a>(names: &[&'a str]) -> Vec<&'a str> {
    prepare_process();
    let missing = |name: &&&str| {
        CString::new(**name).is_ok_and(|name| {
            // SAFETY: a C string. The handler is left open on purpose: that keeps its converter loaded.
            unsafe { ffi::xmlFindCharEncodingHandler(name.as_ptr()) }.is_null()
        })
    };
    names.iter().filter(missing).copied().collect()
}
