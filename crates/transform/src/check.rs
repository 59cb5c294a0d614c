//! What a stylesheet must be before libxslt sees it.
//!
//! libxslt is lenient: unknown instructions are dropped in forwards-compatible mode, bad expressions and unknown
//! templates are found when the instruction runs. Here they are found when the rule is published.

use std::collections::{BTreeMap, BTreeSet};

use dds_message::Code;
use roxmltree::{Document, Node};

use crate::{
    TransformError,
    expression::{self, Call},
};

/// The namespace of XSLT.
const XSL: &str = "http://www.w3.org/1999/XSL/Transform";
/// EXSLT functions: `func:function` defines, `func:result` answers. The only extension elements.
const FUNC: &str = "http://exslt.org/functions";
const MATH: &str = "http://exslt.org/math";
const DATES: &str = "http://exslt.org/dates-and-times";
/// The EXSLT modules promised to rule authors.
pub(crate) const MODULES: [&str; 6] =
    ["http://exslt.org/common", MATH, "http://exslt.org/sets", FUNC, "http://exslt.org/strings", DATES];
/// Beginnings of namespaces in which engines offer extensions that a rule may not use.
const FOREIGN: [&str; 7] = [
    "http://exslt.org/",
    "http://xmlsoft.org/",
    "http://icl.com/saxon",
    "http://saxon.sf.net/",
    "http://xml.apache.org/",
    "http://www.jclark.com/xt",
    "urn:schemas-microsoft-com:xslt",
];

/// Elements of XSLT 1.0 (appendix D of the recommendation).
const ELEMENTS: &str = " apply-imports apply-templates attribute attribute-set call-template choose comment copy copy-of \
    decimal-format element fallback for-each if import include key message namespace-alias number otherwise output \
    param preserve-space processing-instruction sort strip-space stylesheet template text transform value-of variable \
    when with-param ";

/// Attributes of XSLT elements that hold an expression or a pattern; the other attributes that are no plain names are
/// attribute value templates.
const EXPRESSIONS: [&str; 7] = ["select", "test", "match", "use", "count", "from", "value"];

/// Reads `path` and everything it imports or includes into `sources`.
pub(crate) fn collect(
    path: &str,
    files: &dyn Fn(&str) -> Option<Vec<u8>>,
    sources: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), TransformError> {
    let mut waiting = vec![(path.to_owned(), None)];
    while let Some((path, importer)) = waiting.pop() {
        if sources.contains_key(&path) {
            continue;
        }
        let Some(bytes) = files(&path) else {
            let (file, line, column) = importer.unwrap_or((path.clone(), 0, 0));
            let message = format!("{path} is not a file of this bundle");
            return Err(TransformError {
                code: Code::ACCESS_REFUSED,
                file,
                line,
                column,
                message,
                out_of_memory: false,
            });
        };
        let text = text_of(&path, &bytes)?;
        let document = parse(&path, text)?;
        for node in document
            .root_element()
            .children()
            .filter(|node| node.has_tag_name((XSL, "import")) || node.has_tag_name((XSL, "include")))
        {
            let at = document.text_pos_at(node.range().start);
            let target = resolve(&path, node.attribute("href").unwrap_or_default());
            waiting.push((target, Some((path.clone(), at.row, at.col))));
        }
        sources.insert(path, bytes);
    }
    Ok(())
}

/// Checks the files of one stylesheet together; answers the instructions that can end a run.
pub(crate) fn check(sources: &BTreeMap<String, Vec<u8>>) -> Result<Vec<Ending>, TransformError> {
    let mut documents = Vec::with_capacity(sources.len());
    for (path, bytes) in sources {
        documents.push((path, parse(path, text_of(path, bytes)?)?));
    }
    let mut declared = Declared::default();
    for (_, document) in &documents {
        declared.collect(document);
    }
    documents.iter().try_for_each(|(path, document)| File { path, document, declared: &declared }.check())?;
    Ok(documents.iter().flat_map(|(path, document)| endings(path, document)).collect())
}

/// An `xsl:message` with `terminate="yes"`.
#[derive(Debug)]
pub(crate) struct Ending {
    file: String,
    /// First and last line; libxml2 may name any line of the start tag.
    lines: std::ops::RangeInclusive<u32>,
    /// What it says, with `…` for what is computed.
    pub(crate) text: String,
}

impl Ending {
    pub(crate) fn is_at(&self, file: &str, line: u32) -> bool {
        self.file == file && self.lines.contains(&line)
    }
}

fn endings(path: &str, document: &Document<'_>) -> Vec<Ending> {
    let ends = |node: &Node<'_, '_>| {
        node.has_tag_name((XSL, "message")) && node.attribute("terminate") == Some("yes")
    };
    let ending = |node: Node<'_, '_>| {
        let row = |place| document.text_pos_at(place).row;
        let lines = row(node.range().start)..=row(node.range().end);
        Ending { file: path.to_owned(), lines, text: written_text(node) }
    };
    document.descendants().filter(ends).map(ending).collect()
}

/// The text inside an instruction as its author wrote it.
fn written_text(node: Node<'_, '_>) -> String {
    let mut text = String::new();
    for child in node.children() {
        if child.is_text() {
            text.push_str(child.text().unwrap_or_default());
        } else if child.has_tag_name((XSL, "text")) {
            text.push_str(&written_text(child));
        } else if child.is_element() {
            text.push('…');
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the files of one stylesheet define by name.
#[derive(Default)]
struct Declared {
    templates: BTreeSet<(String, String)>,
    functions: BTreeSet<(String, String)>,
}

impl Declared {
    fn collect(&mut self, document: &Document<'_>) {
        for node in document.root_element().children().filter(Node::is_element) {
            let names = if node.has_tag_name((XSL, "template")) {
                &mut self.templates
            } else if node.has_tag_name((FUNC, "function")) {
                &mut self.functions
            } else {
                continue;
            };
            names.extend(node.attribute("name").and_then(|name| qualified(node, name)));
        }
    }
}

/// One file under check.
struct File<'a> {
    path: &'a str,
    document: &'a Document<'a>,
    declared: &'a Declared,
}

impl File<'_> {
    fn check(&self) -> Result<(), TransformError> {
        let root = self.document.root_element();
        if !root.has_tag_name((XSL, "stylesheet")) && !root.has_tag_name((XSL, "transform")) {
            return Err(self.wrong(root, "the root element must be xsl:stylesheet"));
        }
        if root.attribute("version") != Some("1.0") {
            return Err(
                self.wrong(root, "version=\"1.0\" is required: later versions would be misunderstood")
            );
        }
        self.document.descendants().filter(Node::is_element).try_for_each(|node| self.element(node))
    }

    fn element(&self, node: Node<'_, '_>) -> Result<(), TransformError> {
        let name = node.tag_name();
        for namespace in node.namespaces() {
            let uri = namespace.uri();
            if !MODULES.contains(&uri) && FOREIGN.iter().any(|foreign| uri.starts_with(foreign)) {
                return Err(self.wrong(node, &format!("extensions of {uri} are not available")));
            }
        }
        if name.namespace() == Some(XSL) {
            if !ELEMENTS.split_ascii_whitespace().any(|known| known == name.name()) {
                return Err(self.wrong(node, &format!("xsl:{} is not an element of XSLT 1.0", name.name())));
            }
            self.extension_prefixes(node, node.attribute("extension-element-prefixes"))?;
            return self.instruction(node);
        }
        if name.namespace().is_some_and(|uri| uri == FUNC || MODULES.contains(&uri)) {
            return self.extension(node);
        }
        if node.attribute((XSL, "version")).is_some_and(|version| version != "1.0") {
            return Err(self.wrong(node, "xsl:version=\"1.0\" is required"));
        }
        self.extension_prefixes(node, node.attribute((XSL, "extension-element-prefixes")))?;
        // All attributes of a literal result element are attribute value templates (XSLT 1.0, 7.1.1).
        node.attributes()
            .filter(|attribute| attribute.namespace() != Some(XSL))
            .try_for_each(|attribute| self.value_template(node, attribute.value()))
    }

    fn extension(&self, node: Node<'_, '_>) -> Result<(), TransformError> {
        let name = node.tag_name();
        match (name.namespace(), name.name()) {
            (Some(FUNC), "function") => Ok(()),
            (Some(FUNC), "result") => {
                node.attribute("select").map_or(Ok(()), |text| self.expression(node, text))
            }
            (_, "document") => Err(self.error(
                node,
                Code::ACCESS_REFUSED,
                "exsl:document would write a file, which no rule may",
            )),
            (_, other) => Err(self.wrong(node, &format!("the extension element {other} is not available"))),
        }
    }

    fn extension_prefixes(&self, node: Node<'_, '_>, prefixes: Option<&str>) -> Result<(), TransformError> {
        for prefix in prefixes.unwrap_or_default().split_ascii_whitespace() {
            let prefix = (prefix != "#default").then_some(prefix);
            let uri = node.lookup_namespace_uri(prefix).unwrap_or_default();
            if !MODULES.contains(&uri) {
                return Err(self.wrong(node, &format!("extension elements of {uri:?} are not available")));
            }
        }
        Ok(())
    }

    fn instruction(&self, node: Node<'_, '_>) -> Result<(), TransformError> {
        let element = node.tag_name().name();
        if let ("call-template", Some(name)) = (element, node.attribute("name")) {
            let known = qualified(node, name).is_some_and(|name| self.declared.templates.contains(&name));
            if !known {
                return Err(self.error(
                    node,
                    Code::TRANSFORM_FAILED,
                    &format!("there is no template named {name}"),
                ));
            }
        }
        for attribute in node.attributes().filter(|attribute| attribute.namespace().is_none()) {
            // xsl:number value is an expression; its other attributes, and those of xsl:sort, are templates.
            match (element, attribute.name()) {
                // What a key is found by is never written.
                ("key", "use") => self.any_expression(node, attribute.value())?,
                (_, name) if EXPRESSIONS.contains(&name) => self.expression(node, attribute.value())?,
                ("attribute" | "element", "name" | "namespace")
                | ("processing-instruction", "name")
                | ("sort", "lang" | "data-type" | "order" | "case-order")
                | ("number", "format" | "lang" | "letter-value" | "grouping-separator" | "grouping-size") => {
                    self.value_template(node, attribute.value())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn value_template(&self, node: Node<'_, '_>, text: &str) -> Result<(), TransformError> {
        let parts = expression::in_value_template(text).ok_or_else(|| {
            self.error(
                node,
                Code::TRANSFORM_FAILED,
                &format!("{text:?}: a brace is not closed or not doubled"),
            )
        })?;
        parts.into_iter().try_for_each(|part| self.expression(node, part))
    }

    /// `generate-id()` names a node, for a comparison or to find it by a key, and differently in each run: its value
    /// goes nowhere else.
    fn expression(&self, node: Node<'_, '_>, text: &str) -> Result<(), TransformError> {
        if !expression::only_compares(text, "generate-id") {
            let message = "generate-id() gives something else in each run, and a replay must give the same result: \
                           compare it (generate-id() = generate-id(..)) or use it inside key(), nowhere else";
            return Err(self.wrong(node, message));
        }
        self.any_expression(node, text)
    }

    fn any_expression(&self, node: Node<'_, '_>, text: &str) -> Result<(), TransformError> {
        if !expression::is_closed(text) {
            let message = format!("{text:?}: a bracket or a literal is not closed");
            return Err(self.error(node, Code::TRANSFORM_FAILED, &message));
        }
        if let Err(cause) = dds_libxslt::check_xpath(text) {
            return Err(self.error(node, Code::TRANSFORM_FAILED, &format!("{text:?}: {cause}")));
        }
        expression::functions(text).iter().try_for_each(|call| self.function(node, call))
    }

    fn function(&self, node: Node<'_, '_>, call: &Call<'_>) -> Result<(), TransformError> {
        let name = call.name;
        let Some((prefix, local)) = name.split_once(':') else {
            return match name {
                "document" => Err(self.error(
                    node,
                    Code::ACCESS_REFUSED,
                    "document() would read a file, which no rule may",
                )),
                known if expression::is_standard(known) => Ok(()),
                _ => Err(self.wrong(node, &format!("{name}() is not a function of XSLT 1.0"))),
            };
        };
        let Some(uri) = node.lookup_namespace_uri(Some(prefix)) else {
            return Err(self.wrong(node, &format!("{name}(): the prefix is not declared")));
        };
        // Without an argument the functions of dates and times take the present moment.
        let differs = match uri {
            DATES => local == "date-time" || call.bare,
            MATH => local == "random",
            _ => false,
        };
        if differs {
            let message =
                format!("{name}() gives something else in each run, and a replay must give the same result");
            return Err(self.wrong(node, &message));
        }
        let known = MODULES.contains(&uri)
            || qualified(node, name).is_some_and(|name| self.declared.functions.contains(&name));
        if known { Ok(()) } else { Err(self.wrong(node, &format!("{name}() is not available"))) }
    }

    fn wrong(&self, node: Node<'_, '_>, message: &str) -> TransformError {
        self.error(node, Code::NOT_XSLT_1, message)
    }

    fn error(&self, node: Node<'_, '_>, code: Code, message: &str) -> TransformError {
        let at = self.document.text_pos_at(node.range().start);
        let (file, message) = (self.path.to_owned(), message.to_owned());
        TransformError { code, file, line: at.row, column: at.col, message, out_of_memory: false }
    }
}

/// Namespace and local name of a QName; without prefix there is no namespace (XSLT 1.0, 2.4).
fn qualified(node: Node<'_, '_>, name: &str) -> Option<(String, String)> {
    match name.split_once(':') {
        None => Some((String::new(), name.to_owned())),
        Some((prefix, local)) => {
            Some((node.lookup_namespace_uri(Some(prefix))?.to_owned(), local.to_owned()))
        }
    }
}

fn text_of<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, TransformError> {
    std::str::from_utf8(bytes).map_err(|cause| {
        let line = 1 + bytes[..cause.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
        TransformError {
            code: Code::TRANSFORM_FAILED,
            file: path.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: 0,
            message: "a stylesheet must be UTF-8".to_owned(),
            out_of_memory: false,
        }
    })
}

fn parse<'a>(path: &str, text: &'a str) -> Result<Document<'a>, TransformError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Document::parse(text).map_err(|cause| {
        let (at, code) = (cause.pos(), Code::TRANSFORM_FAILED);
        TransformError {
            code,
            file: path.to_owned(),
            line: at.row,
            column: at.col,
            message: cause.to_string(),
            out_of_memory: false,
        }
    })
}

/// `href` relative to the folder of `base`; a path that leaves the bundle names no file of it.
fn resolve(base: &str, href: &str) -> String {
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in href.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_relative_to_the_importing_file() {
        assert_eq!(resolve("rules/a/xslt/x.xsl", "y.xsl"), "rules/a/xslt/y.xsl");
        assert_eq!(resolve("rules/a/xslt/x.xsl", "../../b/./z.xsl"), "rules/b/z.xsl");
        assert_eq!(resolve("x.xsl", "../../etc/passwd"), "../../etc/passwd");
    }
}
