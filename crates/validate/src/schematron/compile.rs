//! From the source tree to rules with compiled expressions.

use std::collections::HashMap;

use dds_message::Severity;
use xsd_schema::namespace::NameTable;
use xsd_schema::namespace::context::NamespaceContextSnapshot;
use xsd_schema::types::value::TimezoneOffset;
use xsd_schema::{XPathContext, XPathExpr};

use super::context::{Context, Target};
use super::message::{self, Part};
use super::source::{Child, Element, Place};
use crate::ValidateError;

/// Nesting of `extends`, to end a circle.
const EXTENSIONS: usize = 16;

/// Functions that would read a file or the clock: a rule must say the same of a message tomorrow (invariants I1, I11).
const REFUSED: [&str; 8] = [
    "collection",
    "current-date",
    "current-dateTime",
    "current-time",
    "doc",
    "doc-available",
    "document",
    "unparsed-text",
];

/// The variable that stands for `current()` of XSLT: the node a rule is about.
pub(super) const CURRENT: usize = 0;
const CURRENT_NAME: &str = "dds-current";
/// How the rules of XML Schema begin, and our own.
const RESERVED: [&str; 2] = ["cvc-", "dds-"];

/// A compiled Schematron file.
pub(super) struct Compiled {
    pub(super) names: NameTable,
    /// The prefixes of `ns`; only few functions ask for them at run time.
    pub(super) namespaces: NamespaceContextSnapshot,
    pub(super) xpath_1: bool,
    pub(super) regexes: xsd_schema::xpath::RegexCache,
    /// What each variable is, by its number.
    pub(super) variables: Vec<Variable>,
    /// Rules in order; those of one pattern stand together.
    pub(super) rules: Vec<Rule>,
    pub(super) index: Index,
}

/// A variable and where it gets its value.
pub(super) struct Variable {
    pub(super) value: Value,
    /// Belongs to a rule and is computed for each node anew; else once per document.
    pub(super) local: bool,
}

pub(super) enum Value {
    /// `current()`.
    Node,
    Expression(Expression),
    Text(String),
}

/// An XPath expression with the variables it refers to.
pub(super) struct Expression {
    pub(super) xpath: XPathExpr,
    /// Slot of the expression and number of the variable.
    pub(super) variables: Vec<(u32, usize)>,
    /// Makes QNames of strings, so it needs the prefixes at run time. The others run without: the engine copies its
    /// static context at each step of a path.
    pub(super) prefixes: bool,
}

pub(super) struct Rule {
    pub(super) pattern: usize,
    /// Belongs to the chosen phase.
    pub(super) active: bool,
    pub(super) context: Context,
    pub(super) checks: Vec<Check>,
}

/// An assertion or a report.
pub(super) struct Check {
    /// `true` for `report`: speaks when its test is true.
    pub(super) report: bool,
    pub(super) id: String,
    pub(super) severity: Severity,
    pub(super) test: Expression,
    pub(super) message: Vec<Part>,
}

/// Which rules can be about a node, so that no node is tested against rules that cannot match it.
#[derive(Default)]
pub(super) struct Index {
    /// For elements by local name.
    pub(super) elements: HashMap<String, Vec<usize>>,
    /// For elements of any other name.
    pub(super) other_elements: Vec<usize>,
    pub(super) attributes: Vec<usize>,
    /// Text, comments, instructions and the document itself.
    pub(super) others: Vec<usize>,
}

/// Variables by name that an expression can refer to.
#[derive(Clone, Default)]
pub(super) struct Scope {
    variables: Vec<(String, usize)>,
}

impl Scope {
    fn declare(&mut self, name: &str, number: usize) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), number));
    }
}

/// What expressions are compiled with.
pub(super) struct Compiler {
    names: NameTable,
    pub(super) namespaces: HashMap<String, String>,
    snapshot: NamespaceContextSnapshot,
    xpath_1: bool,
    variables: Vec<Variable>,
}

/// Compiles a schema for one phase.
pub(super) fn compile(schema: &Element, phase: &str) -> Result<Compiled, ValidateError> {
    let mut compiler = Compiler::new(schema)?;
    let mut scope = Scope::default();
    scope.declare(CURRENT_NAME, CURRENT);
    compiler.lets(schema, &mut scope, false)?;

    let phase = match phase {
        "#DEFAULT" => schema.attribute("defaultPhase").unwrap_or("#ALL"),
        named => named,
    };
    let mut active: Option<Vec<&str>> = None;
    if phase != "#ALL" {
        let unknown = || schema.place.wrong(format!("phase {phase:?} is not declared"));
        let phase =
            schema.named("phase").find(|known| known.attribute("id") == Some(phase)).ok_or_else(unknown)?;
        compiler.lets(phase, &mut scope, false)?;
        active =
            Some(phase.named("active").map(|active| active.required("pattern")).collect::<Result<_, _>>()?);
    }

    let parts = Parts::of(schema)?;
    let mut rules = Vec::new();
    for (number, pattern) in schema.named("pattern").enumerate() {
        if is_true(pattern, "abstract") {
            continue;
        }
        if pattern.attribute("documents").is_some() {
            return Err(pattern
                .place
                .wrong("pattern/@documents is not offered: a rule sees only the message"));
        }
        let instance = parts.instance(pattern)?;
        let pattern = instance.as_ref().unwrap_or(pattern);
        let id = pattern.attribute("id");
        let active = active.as_ref().is_none_or(|ids| id.is_some_and(|id| ids.contains(&id)));
        let mut scope = scope.clone();
        compiler.lets(pattern, &mut scope, false)?;
        for rule in pattern.named("rule").filter(|rule| !is_true(rule, "abstract")) {
            let context = Context::compile(rule.required("context")?, &rule.place, &compiler, &scope)?;
            let mut scope = scope.clone();
            let mut checks = Vec::new();
            let inner = RuleScope { parts: &parts, pattern, rule, scope: &mut scope };
            compiler.rule(inner, rule, 0, &mut checks)?;
            rules.push(Rule { pattern: number, active, context, checks });
        }
    }
    let index = Index::of(&rules);
    let Compiler { names, snapshot, xpath_1, variables, .. } = compiler;
    let regexes = xsd_schema::xpath::RegexCache::default();
    Ok(Compiled { names, namespaces: snapshot, xpath_1, regexes, variables, rules, index })
}

/// The rule being compiled, while its own and inherited parts are gathered.
struct RuleScope<'a> {
    parts: &'a Parts<'a>,
    pattern: &'a Element,
    rule: &'a Element,
    scope: &'a mut Scope,
}

impl Compiler {
    fn new(schema: &Element) -> Result<Self, ValidateError> {
        let binding = schema.attribute("queryBinding").unwrap_or("xslt").to_ascii_lowercase();
        let xpath_1 = match binding.as_str() {
            "xslt" | "xslt1" | "xpath" | "xpath1" => true,
            "xslt2" | "xpath2" => false,
            _ => {
                return Err(schema
                    .place
                    .wrong(format!("queryBinding {binding:?} is not offered; use xslt2")));
            }
        };
        let names = NameTable::new();
        let mut namespaces = HashMap::new();
        // XSLT processors of Schematron offer the types of XML Schema and the functions of XPath without declaration.
        namespaces.insert("xs".to_owned(), "http://www.w3.org/2001/XMLSchema".to_owned());
        namespaces.insert("fn".to_owned(), "http://www.w3.org/2005/xpath-functions".to_owned());
        namespaces.insert("xml".to_owned(), "http://www.w3.org/XML/1998/namespace".to_owned());
        for element in schema.elements() {
            match element.name.as_str() {
                "ns" => {
                    namespaces
                        .insert(element.required("prefix")?.to_owned(), element.required("uri")?.to_owned());
                }
                "title" | "p" | "let" | "phase" | "pattern" | "diagnostics" | "properties" | "rules" => {}
                name if name.starts_with("{http://www.w3.org/1999/XSL/Transform}") => {
                    return Err(element
                        .place
                        .wrong(format!("{name} is not offered: write the test in XPath 2.0")));
                }
                name if name.starts_with('{') => {}
                name => return Err(element.place.wrong(format!("element {name} is not offered here"))),
            }
        }
        let mut snapshot = NamespaceContextSnapshot::default();
        snapshot.bindings.extend(namespaces.iter().map(|(prefix, uri)| (names.add(prefix), names.add(uri))));
        let variables = vec![Variable { value: Value::Node, local: true }];
        Ok(Self { names, namespaces, snapshot, xpath_1, variables })
    }

    /// Compiles an expression that stands at `place`.
    pub(super) fn expression(
        &self,
        text: &str,
        place: &Place,
        scope: &Scope,
    ) -> Result<Expression, ValidateError> {
        let context = context(&self.names, self.xpath_1).with_namespaces(self.snapshot.clone());
        let names: Vec<&str> = scope.variables.iter().map(|(name, _)| name.as_str()).collect();
        let source = with_current(text);
        let xpath = XPathExpr::compile_with_vars(&source, &context, &names)
            .map_err(|error| place.wrong(format!("XPath {text:?}: {error}")))?;
        if let Some(call) =
            xpath.function_calls().iter().find(|call| REFUSED.contains(&call.local_name.as_str()))
        {
            let name = &call.local_name;
            return Err(place.wrong(format!(
                "XPath {text:?}: {name}() is not offered: a rule reads no file and no clock"
            )));
        }
        let slots = xpath.external_vars().iter().zip(&scope.variables);
        let variables = slots
            .filter(|(external, _)| xpath.references_external_var(external.slot))
            .map(|(external, (_, number))| (external.slot, *number))
            .collect();
        Ok(Expression { xpath, variables, prefixes: text.contains("QName") })
    }

    fn lets(&mut self, parent: &Element, scope: &mut Scope, local: bool) -> Result<(), ValidateError> {
        parent.named("let").try_for_each(|element| self.variable(element, scope, local))
    }

    fn variable(&mut self, element: &Element, scope: &mut Scope, local: bool) -> Result<(), ValidateError> {
        let value = match element.attribute("value") {
            Some(value) => Value::Expression(self.expression(value, &element.place, scope)?),
            None => Value::Text(message::plain_text(element)),
        };
        scope.declare(element.required("name")?.trim_start_matches('$'), self.variables.len());
        self.variables.push(Variable { value, local });
        Ok(())
    }

    /// Gathers variables and checks of a rule and of the abstract rules it extends (5.4.12, 5.4.5).
    fn rule(
        &mut self,
        to: RuleScope<'_>,
        from: &Element,
        depth: usize,
        checks: &mut Vec<Check>,
    ) -> Result<(), ValidateError> {
        for element in from.elements() {
            match element.name.as_str() {
                "let" => self.variable(element, to.scope, true)?,
                "assert" | "report" => checks.push(self.check(&to, from, element)?),
                "extends" => {
                    let id = element.required("rule")?;
                    let unknown = || element.place.wrong(format!("abstract rule {id:?} is not declared"));
                    let base = to.parts.rule(to.pattern, id).ok_or_else(unknown)?;
                    if depth == EXTENSIONS {
                        return Err(element
                            .place
                            .wrong(format!("more than {EXTENSIONS} extensions in one another")));
                    }
                    let inner = RuleScope {
                        parts: to.parts,
                        pattern: to.pattern,
                        rule: to.rule,
                        scope: &mut *to.scope,
                    };
                    self.rule(inner, base, depth + 1, checks)?;
                }
                "p" | "property" => {}
                name if name.starts_with('{') => {}
                name => return Err(element.place.wrong(format!("element {name} is not offered in a rule"))),
            }
        }
        Ok(())
    }

    fn check(&self, to: &RuleScope<'_>, from: &Element, element: &Element) -> Result<Check, ValidateError> {
        let inherited = [element, from, to.rule];
        let first = |name| inherited.iter().find_map(|element| element.attribute(name));
        let id = first("id").or_else(|| to.pattern.attribute("id")).unwrap_or("schematron").to_owned();
        // A finding tells by its rule which check it comes from, and so whose mistake it is.
        if let Some(reserved) = RESERVED.iter().find(|reserved| id.starts_with(**reserved)) {
            return Err(element
                .place
                .wrong(format!("ids that begin with {reserved} are those of schema findings")));
        }
        let severity = [element, from, to.rule]
            .iter()
            .flat_map(|element| [element.attribute("role"), element.attribute("flag")])
            .flatten()
            .find_map(severity)
            .unwrap_or(Severity::Error);
        let mut parts = message::compile(element, self, to.scope)?;
        for id in element.attribute("diagnostics").unwrap_or_default().split_whitespace() {
            let unknown = || element.place.wrong(format!("diagnostic {id:?} is not declared"));
            let diagnostic = to.parts.diagnostics.get(id).ok_or_else(unknown)?;
            parts.push(Part::Text(" – ".to_owned()));
            parts.extend(message::compile(diagnostic, self, to.scope)?);
        }
        let test = self.expression(element.required("test")?, &element.place, to.scope)?;
        Ok(Check { report: element.name == "report", id, severity, test, message: parts })
    }
}

/// The static context of XPath; UTC stands in for a time zone a message does not state, so that no clock is asked.
pub(super) fn context(names: &NameTable, xpath_1: bool) -> XPathContext<'_> {
    XPathContext::new(names).with_implicit_timezone(TimezoneOffset::UTC).with_xpath10_compatibility(xpath_1)
}

/// Role and flag are free words; these are the usual ones.
fn severity(word: &str) -> Option<Severity> {
    match word.trim().to_ascii_lowercase().as_str() {
        "fatal" | "error" => Some(Severity::Error),
        "warning" | "warn" => Some(Severity::Warning),
        "info" | "information" | "hint" => Some(Severity::Info),
        _ => None,
    }
}

fn is_true(element: &Element, attribute: &str) -> bool {
    element.attribute(attribute) == Some("true")
}

/// Replaces `current()` outside of string literals by the variable that stands for it.
fn with_current(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let call = (quote.is_none() && rest.starts_with("current") && !out.ends_with(is_name_part))
            .then(|| rest["current".len()..].trim_start().strip_prefix('(')?.trim_start().strip_prefix(')'))
            .flatten();
        if let Some(after) = call {
            out.push('$');
            out.push_str(CURRENT_NAME);
            rest = after;
            continue;
        }
        match quote {
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '$')
}

/// Parts of the schema that others refer to by id.
struct Parts<'a> {
    patterns: HashMap<&'a str, &'a Element>,
    rules: HashMap<&'a str, &'a Element>,
    diagnostics: HashMap<&'a str, &'a Element>,
}

impl<'a> Parts<'a> {
    fn of(schema: &'a Element) -> Result<Self, ValidateError> {
        let mut parts = Self { patterns: HashMap::new(), rules: HashMap::new(), diagnostics: HashMap::new() };
        for holder in schema.elements().filter(|element| matches!(element.name.as_str(), "pattern" | "rules"))
        {
            if is_true(holder, "abstract") && holder.name == "pattern" {
                parts.patterns.insert(holder.required("id")?, holder);
            }
            for rule in holder.named("rule").filter(|rule| is_true(rule, "abstract")) {
                parts.rules.insert(rule.required("id")?, rule);
            }
        }
        for diagnostics in schema.named("diagnostics") {
            for diagnostic in diagnostics.named("diagnostic") {
                parts.diagnostics.insert(diagnostic.required("id")?, diagnostic);
            }
        }
        Ok(parts)
    }

    /// The abstract rule: of the pattern itself first, because an instance of an abstract pattern has its own.
    fn rule<'b>(&'b self, pattern: &'b Element, id: &str) -> Option<&'b Element> {
        let own =
            pattern.named("rule").find(|rule| is_true(rule, "abstract") && rule.attribute("id") == Some(id));
        own.or_else(|| self.rules.get(id).copied())
    }

    /// The pattern that `is-a` makes of an abstract one (5.4.10): its parameters replaced in every attribute.
    fn instance(&self, pattern: &Element) -> Result<Option<Element>, ValidateError> {
        let Some(id) = pattern.attribute("is-a") else { return Ok(None) };
        let unknown = || pattern.place.wrong(format!("abstract pattern {id:?} is not declared"));
        let mut instance = (*self.patterns.get(id).ok_or_else(unknown)?).clone();
        let mut parameters = Vec::new();
        for parameter in instance.named("param").chain(pattern.named("param")) {
            let (name, value) = (parameter.required("name")?, parameter.required("value")?);
            parameters.push((format!("${}", name.trim_start_matches('$')), value.to_owned()));
        }
        // The pattern's own value before the default, and the longest name first: $ab is not $a followed by b.
        parameters.reverse();
        parameters.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        replace(&mut instance, &parameters);
        instance.attributes.retain(|(name, _)| !matches!(name.as_str(), "abstract" | "id"));
        instance.attributes.extend(pattern.attributes.iter().filter(|(name, _)| name == "id").cloned());
        Ok(Some(instance))
    }
}

fn replace(element: &mut Element, parameters: &[(String, String)]) {
    for (_, value) in &mut element.attributes {
        for (name, by) in parameters {
            if value.contains(name.as_str()) {
                *value = value.replace(name.as_str(), by);
            }
        }
    }
    for child in &mut element.children {
        if let Child::Element(child) = child {
            replace(child, parameters);
        }
    }
}

impl Index {
    fn of(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        let active = || rules.iter().enumerate().filter(|(_, rule)| rule.active);
        for (_, rule) in active() {
            for target in rule.context.targets() {
                if let Target::Element(Some(name)) = target {
                    index.elements.entry(name.to_owned()).or_default();
                }
            }
        }
        for (number, rule) in active() {
            let mut everywhere = |list: &mut Vec<usize>| {
                if list.last() != Some(&number) {
                    list.push(number);
                }
            };
            for target in rule.context.targets() {
                if let Target::Element(None) | Target::Any = target {
                    everywhere(&mut index.other_elements);
                    index.elements.values_mut().for_each(&mut everywhere);
                }
                match target {
                    Target::Element(Some(name)) => {
                        index.elements.get_mut(name).into_iter().for_each(&mut everywhere);
                    }
                    Target::Element(None) => {}
                    Target::Attribute => everywhere(&mut index.attributes),
                    Target::Other => everywhere(&mut index.others),
                    Target::Any => {
                        everywhere(&mut index.attributes);
                        everywhere(&mut index.others);
                    }
                }
            }
        }
        index
    }
}
