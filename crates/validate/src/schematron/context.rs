//! Which nodes a rule is about: patterns as in XSLT 2.0, 5.5.2.
//!
//! Almost every context in practice is a path of names. Such a path is matched from its last step backwards, without
//! the XPath engine; predicates are expressions evaluated at the node. Anything else is evaluated once per document as
//! a whole.

use super::compile::{Compiler, Expression, Scope};
use super::node::Cursor;
use super::source::Place;
use crate::ValidateError;

/// Kontext of a rule: alternatives, `a | b`.
pub(super) struct Context {
    pub(super) alternatives: Vec<Alternative>,
}

pub(super) enum Alternative {
    Path(Path),
    /// Selects from the document all nodes that match.
    Whole(Expression),
}

pub(super) struct Path {
    /// Starts with `/`: the first step is a child of the document, or below it when it is `deep`.
    pub(super) absolute: bool,
    /// None: the document itself, `/`.
    pub(super) steps: Vec<Step>,
}

pub(super) struct Step {
    /// `//` before it.
    pub(super) deep: bool,
    pub(super) test: Test,
    pub(super) predicates: Vec<Expression>,
}

pub(super) enum Test {
    Element(Name),
    Attribute(Name),
    Text,
    Comment,
    Instruction,
}

/// A name test; `None` is `*`.
pub(super) struct Name {
    namespace: Option<String>,
    local: Option<String>,
}

/// What kind of node a context can match, for the index.
pub(super) enum Target<'a> {
    /// An element, of this local name if one is given.
    Element(Option<&'a str>),
    Attribute,
    /// Text, comment, instruction or the document.
    Other,
    /// Not known.
    Any,
}

impl Context {
    pub(super) fn compile(
        text: &str,
        place: &Place,
        compiler: &Compiler,
        scope: &Scope,
    ) -> Result<Self, ValidateError> {
        let alternatives = split(text, '|').into_iter().map(|alternative| {
            let alternative = alternative.trim();
            if let Some(path) = parse(alternative, place, compiler, scope)? {
                return Ok(Alternative::Path(path));
            }
            let whole = if alternative.starts_with('/') {
                alternative.to_owned()
            } else {
                format!("/descendant-or-self::node()/({alternative})")
            };
            Ok(Alternative::Whole(compiler.expression(&whole, place, scope)?))
        });
        Ok(Self { alternatives: alternatives.collect::<Result<_, _>>()? })
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = Target<'_>> {
        self.alternatives.iter().map(|alternative| match alternative {
            Alternative::Whole(_) => Target::Any,
            Alternative::Path(path) => match path.steps.last().map(|step| &step.test) {
                Some(Test::Element(name)) => Target::Element(name.local.as_deref()),
                Some(Test::Attribute(_)) => Target::Attribute,
                _ => Target::Other,
            },
        })
    }
}

impl Test {
    /// Whether the node is of the kind and name.
    pub(super) fn matches(&self, cursor: &Cursor<'_>) -> bool {
        use xsd_schema::{DomNavigator, DomNodeType as Type};
        let (kind, name) = match self {
            Self::Element(name) => (Type::Element, Some(name)),
            Self::Attribute(name) => (Type::Attribute, Some(name)),
            Self::Text => (Type::Text, None),
            Self::Comment => (Type::Comment, None),
            Self::Instruction => (Type::ProcessingInstruction, None),
        };
        cursor.node_type() == kind
            && name.is_none_or(|name| {
                name.local.as_ref().is_none_or(|local| local == cursor.local_name())
                    && name.namespace.as_ref().is_none_or(|namespace| namespace == cursor.namespace_uri())
            })
    }
}

/// Reads a path of names, or `None` when the text is something else, which the XPath engine may understand.
fn parse(
    text: &str,
    place: &Place,
    compiler: &Compiler,
    scope: &Scope,
) -> Result<Option<Path>, ValidateError> {
    let mut rest = text;
    let absolute = rest.starts_with('/');
    let mut deep = eat(&mut rest, "//");
    if !deep && eat(&mut rest, "/") && rest.trim().is_empty() {
        return Ok(Some(Path { absolute, steps: Vec::new() }));
    }
    let mut steps = Vec::new();
    loop {
        let Some(test) = parse_test(&mut rest, place, compiler)? else { return Ok(None) };
        let mut predicates = Vec::new();
        while eat(&mut rest, "[") {
            let Some(end) =
                split(rest, ']').first().map(|inside| inside.len()).filter(|end| *end < rest.len())
            else {
                return Ok(None);
            };
            let predicate = compiler.expression(&rest[..end], place, scope)?;
            if predicate.xpath.uses_position() || predicate.xpath.uses_last() {
                return Ok(None);
            }
            predicates.push(predicate);
            rest = &rest[end + 1..];
        }
        steps.push(Step { deep, test, predicates });
        if rest.trim().is_empty() {
            return Ok(Some(Path { absolute, steps }));
        }
        deep = eat(&mut rest, "//");
        if !deep && !eat(&mut rest, "/") {
            return Ok(None);
        }
    }
}

fn parse_test(rest: &mut &str, place: &Place, compiler: &Compiler) -> Result<Option<Test>, ValidateError> {
    for (kind, test) in [
        ("text()", Test::Text),
        ("comment()", Test::Comment),
        ("processing-instruction()", Test::Instruction),
    ] {
        if eat(rest, kind) {
            return Ok(Some(test));
        }
    }
    let attribute = eat(rest, "@") || eat(rest, "attribute::");
    if !attribute {
        eat(rest, "child::");
    }
    *rest = rest.trim_start();
    let part = |text: &str| {
        let end = text
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '*')))
            .unwrap_or(text.len());
        (end > 0).then_some(end)
    };
    let Some(end) = part(rest) else { return Ok(None) };
    let (first, after) = rest.split_at(end);
    let (prefix, local, after) = match after.strip_prefix(':').map(|second| (part(second), second)) {
        Some((Some(end), second)) => (Some(first), &second[..end], &second[end..]),
        Some((None, _)) => return Ok(None),
        None => (None, first, after),
    };
    // A function call or an axis is not a name; a star is one only by itself.
    let star = |text: &str| text.contains('*') && text != "*";
    if after.trim_start().starts_with('(')
        || after.starts_with(':')
        || star(local)
        || prefix.is_some_and(star)
    {
        return Ok(None);
    }
    let namespace = match prefix {
        Some("*") => None,
        Some(prefix) => {
            let unknown = || place.wrong(format!("context: prefix {prefix:?} is not declared by ns"));
            Some(compiler.namespaces.get(prefix).ok_or_else(unknown)?.clone())
        }
        None if local == "*" => None,
        None => Some(String::new()),
    };
    *rest = after;
    let name = Name { namespace, local: (local != "*").then(|| local.to_owned()) };
    Ok(Some(if attribute { Test::Attribute(name) } else { Test::Element(name) }))
}

/// Takes a token from the start of the text, after white space.
fn eat(rest: &mut &str, token: &str) -> bool {
    match rest.trim_start().strip_prefix(token) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

/// Splits at a character that stands outside of brackets and string literals.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    for (place, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if c == at && depth == 0 => {
                parts.push(&text[start..place]);
                start = place + c.len_utf8();
            }
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
