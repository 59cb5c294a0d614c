//! Texts of assertions, with the values they quote.

use super::compile::{Compiler, Expression, Scope};
use super::source::{Child, Element};
use crate::ValidateError;

/// A piece of a message.
pub(super) enum Part {
    Text(String),
    /// `value-of` (5.4.15).
    Value(Expression),
    /// `name` (5.4.7): of the node the rule is about, or of the one its path leads to.
    Name(Option<Expression>),
}

/// Compiles the content of an assertion, report or diagnostic.
pub(super) fn compile(
    element: &Element,
    compiler: &Compiler,
    scope: &Scope,
) -> Result<Vec<Part>, ValidateError> {
    let mut parts = Vec::new();
    collect(element, compiler, scope, &mut parts)?;
    Ok(parts)
}

fn collect(
    element: &Element,
    compiler: &Compiler,
    scope: &Scope,
    parts: &mut Vec<Part>,
) -> Result<(), ValidateError> {
    for child in &element.children {
        match child {
            Child::Text(text) => parts.push(Part::Text(text.clone())),
            Child::Element(child) => match child.name.as_str() {
                "value-of" => {
                    parts.push(Part::Value(compiler.expression(
                        child.required("select")?,
                        &child.place,
                        scope,
                    )?));
                }
                "name" => parts.push(Part::Name(
                    child
                        .attribute("path")
                        .map(|path| compiler.expression(path, &child.place, scope))
                        .transpose()?,
                )),
                // emph, span, dir and foreign elements only mark text up.
                _ => collect(child, compiler, scope, parts)?,
            },
        }
    }
    Ok(())
}

/// All text in an element.
pub(super) fn plain_text(element: &Element) -> String {
    let texts = element.children.iter().map(|child| match child {
        Child::Text(text) => text.clone(),
        Child::Element(child) => plain_text(child),
    });
    texts.collect()
}
