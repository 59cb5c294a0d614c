//! Just enough of XPath to know which functions an expression calls.

/// Functions of XPath 1.0 (section 4) and XSLT 1.0 (section 12) but `document`.
const STANDARD: &str = " last position count id local-name namespace-uri name string concat starts-with contains \
    substring-before substring-after substring string-length normalize-space translate boolean not true false lang \
    number sum floor ceiling round key format-number current unparsed-entity-uri generate-id system-property \
    element-available function-available ";

/// Names that a parenthesis may follow without a call: node tests and operators (XPath 1.0, 3.7).
const NO_CALLS: [&str; 8] = ["node", "text", "comment", "processing-instruction", "and", "or", "div", "mod"];

/// Whether every XSLT 1.0 processor knows the function.
pub(crate) fn is_standard(name: &str) -> bool {
    STANDARD.split_ascii_whitespace().any(|known| known == name)
}

/// A call of a function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call<'a> {
    /// Name, as written.
    pub(crate) name: &'a str,
    /// Nothing stands between its parentheses.
    pub(crate) bare: bool,
}

/// The functions called.
pub(crate) fn functions(expression: &str) -> Vec<Call<'_>> {
    let mut calls = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            rest = rest[1..].split_once(first).map_or("", |(_, behind)| behind);
        } else if is_name(first) {
            let (name, behind) = rest.split_at(rest.find(|letter| !is_name(letter)).unwrap_or(rest.len()));
            // `child::text` is an axis with a node test: the colons belong to no name.
            let name = name.rsplit_once("::").map_or(name, |(_, test)| test);
            let arguments = behind.trim_start().strip_prefix('(');
            if let Some(arguments) = arguments.filter(|_| !NO_CALLS.contains(&name)) {
                calls.push(Call { name, bare: arguments.trim_start().starts_with(')') });
            }
            rest = behind;
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    calls
}

/// Whether the value of each call of `function` stands beside `=` or `!=`, or inside an argument of `key()`.
pub(crate) fn only_compares(expression: &str, function: &str) -> bool {
    // Each open bracket, and whether it is that of a call of `key`.
    let mut open: Vec<bool> = Vec::new();
    let (mut rest, mut before) = (expression, "");
    while let Some(first) = rest.chars().next() {
        let read = expression.len() - rest.len();
        let length = match first {
            '"' | '\'' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            letter if is_name(letter) => rest.find(|letter| !is_name(letter)).unwrap_or(rest.len()),
            letter => letter.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        match first {
            '(' | '[' => open.push(first == '(' && before == "key"),
            ')' | ']' => {
                open.pop();
            }
            _ if token == function && behind.trim_start().starts_with('(') => {
                let compared = expression[..read].trim_end().ends_with('=') || {
                    let next = behind_call(behind).trim_start();
                    next.starts_with('=') || next.starts_with("!=")
                };
                if !compared && !open.contains(&true) {
                    return false;
                }
            }
            _ => {}
        }
        if !first.is_whitespace() {
            before = token;
        }
        rest = behind;
    }
    true
}

/// What follows the bracket that `text` begins with, after it is closed.
fn behind_call(text: &str) -> &str {
    let (mut depth, mut literal) = (0_u32, None);
    for (place, letter) in text.char_indices() {
        match (literal, letter) {
            (Some(quote), _) if quote == letter => literal = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => literal = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') if depth == 1 => return &text[place + 1..],
            (None, ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    ""
}

/// Whether brackets and literals are closed. libxml2 takes the end of an expression for a closing parenthesis.
pub(crate) fn is_closed(expression: &str) -> bool {
    let mut open = Vec::new();
    let mut literal = None;
    for letter in expression.chars() {
        match (literal, letter) {
            (Some(quote), _) if quote == letter => literal = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => literal = Some(letter),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, ')' | ']') if open.pop() != Some(letter) => return false,
            _ => {}
        }
    }
    open.is_empty() && literal.is_none()
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':')
}

/// The expressions in an attribute value template (XSLT 1.0, 7.6.2); `None` if its braces do not match.
pub(crate) fn in_value_template(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(brace) = rest.find(['{', '}']) {
        let (doubled, open) = (&rest[brace..], rest.as_bytes()[brace] == b'{');
        if doubled.starts_with("{{") || doubled.starts_with("}}") {
            rest = &rest[brace + 2..];
        } else if open {
            let end = end_of_expression(&rest[brace + 1..])?;
            parts.push(&rest[brace + 1..brace + 1 + end]);
            rest = &rest[brace + end + 2..];
        } else {
            return None;
        }
    }
    Some(parts)
}

/// Place of the closing brace, which does not count inside a literal.
fn end_of_expression(text: &str) -> Option<usize> {
    let mut literal = None;
    text.char_indices().find_map(|(place, letter)| {
        match (literal, letter) {
            (None, '}') => return Some(place),
            (None, '"' | '\'') => literal = Some(letter),
            (Some(quote), letter) if quote == letter => literal = None,
            _ => {}
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_from_tests_operators_and_literals() {
        let bare = |text| super::functions(text).iter().any(|call| call.bare);
        assert!(bare("d:date( )") && !bare("d:date(')')") && !bare("text()"));
        let functions = |text| super::functions(text).iter().map(|call| call.name).collect::<Vec<_>>();
        assert_eq!(functions("document('x')"), ["document"]);
        assert_eq!(functions("a[text() and (b or (c))] | child::node()"), [""; 0]);
        assert_eq!(functions("concat('document(', str:split (x, \"f(\"))"), ["concat", "str:split"]);
        assert_eq!(functions("$a - count(b)"), ["count"]);
        assert_eq!(functions("processing-instruction('x')"), [""; 0]);
    }

    #[test]
    fn what_is_only_compared_is_told_from_what_is_written() {
        let fine = |text| only_compares(text, "id");
        for compared in [
            "id() = id(..)",
            "a[id(.) != id ( key('k', \")\")[1] )]",
            "$x=id()",
            "key('k', concat(id(..), ' a ', @b))",
            "key ('k', a[concat(id(), 'x') = $y])",
            "'id()'",
            "id",
            "x-id()",
        ] {
            assert!(fine(compared), "{compared}");
        }
        for written in [
            "id()",
            "concat(id(), a[1])",
            "a[b = 1]/c | id()",
            "string(id()) = 'x'",
            "key('k', 1) + id()",
            "id(a = b)",
        ] {
            assert!(!fine(written), "{written}");
        }
    }

    #[test]
    fn what_is_opened_must_be_closed() {
        for closed in ["a[b(1)]", "'('", "concat(\"[\", ')')", ""] {
            assert!(is_closed(closed), "{closed}");
        }
        for open in ["foo(", "count(//b", "a[1", "a]", "(]", "'x"] {
            assert!(!is_closed(open), "{open}");
        }
    }

    #[test]
    fn value_templates_yield_their_expressions() {
        assert_eq!(in_value_template("a{b}c{d('}')}e{{f}}"), Some(vec!["b", "d('}')"]));
        assert_eq!(in_value_template("plain"), Some(vec![]));
        assert_eq!(in_value_template("{a"), None);
        assert_eq!(in_value_template("a}"), None);
    }

    #[test]
    fn the_standard_functions_are_known() {
        assert!(is_standard("normalize-space") && is_standard("key"));
        assert!(!is_standard("document") && !is_standard("replace") && !is_standard(""));
    }
}
