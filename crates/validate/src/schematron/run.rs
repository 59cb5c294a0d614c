//! Applying the rules to a document.

use std::collections::{HashMap, HashSet};

use dds_message::{Finding, Severity};
use roxmltree::{Document, NodeId};
use xsd_schema::DomNavigator;
use xsd_schema::xpath::functions::{XPathValue, effective_boolean_value};
use xsd_schema::xpath::{XPathContext, XPathError, XmlItem};

use super::compile::{CURRENT, Check, Compiled, Expression, Rule, Value, context};
use super::context::{Alternative, Path};
use super::message::Part as Piece;
use super::node::{Cursor, Part};
use crate::findings::{MAX_FINDINGS, tidy};

type Values<'d> = XPathValue<Cursor<'d>>;
type Nodes = HashSet<(NodeId, Part)>;

/// Applies the rules: for each node and pattern the first rule whose context matches (5.4.12).
pub(super) fn run(rules: &Compiled, document: &Document<'_>) -> Vec<Finding> {
    let bare = context(&rules.names, rules.xpath_1);
    let prefixed = bare.clone().with_namespaces(rules.namespaces.clone());
    let mut run = Run {
        rules,
        bare: &bare,
        prefixed: &prefixed,
        root: Cursor::new(document.root()),
        values: rules.variables.iter().map(|_| None).collect(),
        whole: HashMap::new(),
        findings: Vec::new(),
    };
    run.document(document);
    run.findings
}

struct Run<'c, 'd> {
    rules: &'c Compiled,
    /// Static context without and with the prefixes of the schema.
    bare: &'c XPathContext<'c>,
    prefixed: &'c XPathContext<'c>,
    root: Cursor<'d>,
    /// Values of the variables known so far.
    values: Vec<Option<Values<'d>>>,
    /// Nodes selected by contexts that are evaluated as a whole, by rule and alternative.
    whole: HashMap<(usize, usize), Nodes>,
    findings: Vec<Finding>,
}

impl<'c, 'd> Run<'c, 'd> {
    fn document(&mut self, document: &'d Document<'d>) {
        let index = &self.rules.index;
        for node in document.descendants() {
            let cursor = Cursor::new(node);
            if !node.is_element() {
                self.node(cursor, &index.others);
                continue;
            }
            let known = index.elements.get(node.tag_name().name());
            self.node(cursor, known.unwrap_or(&index.other_elements));
            if !index.attributes.is_empty() {
                for number in 0..node.attributes().len() {
                    self.node(Cursor { node, part: Part::Attribute(number) }, &index.attributes);
                }
            }
            if self.findings.len() >= MAX_FINDINGS {
                self.findings.truncate(MAX_FINDINGS);
                return;
            }
        }
    }

    fn node(&mut self, node: Cursor<'d>, candidates: &[usize]) {
        let mut done = None;
        for &number in candidates {
            let rule = &self.rules.rules[number];
            if done == Some(rule.pattern) {
                continue;
            }
            match self.matches(number, rule, node) {
                Ok(false) => {}
                Ok(true) => {
                    done = Some(rule.pattern);
                    self.fire(rule, node);
                }
                Err(error) => {
                    done = Some(rule.pattern);
                    let id = rule.checks.first().map_or("schematron", |check| check.id.as_str());
                    self.failed(id, node, &error);
                }
            }
        }
    }

    fn fire(&mut self, rule: &'c Rule, node: Cursor<'d>) {
        for (value, variable) in self.values.iter_mut().zip(&self.rules.variables) {
            if variable.local {
                *value = None;
            }
        }
        self.values[CURRENT] = Some(XPathValue::from_node(node));
        for check in &rule.checks {
            match self.truth(&check.test, node) {
                Ok(truth) if truth == check.report => self.speak(check, node),
                Ok(_) => {}
                Err(error) => self.failed(&check.id, node, &error),
            }
        }
    }

    fn speak(&mut self, check: &'c Check, node: Cursor<'d>) {
        let mut text = String::new();
        for piece in &check.message {
            let added = match piece {
                Piece::Text(piece) => Ok(piece.clone()),
                Piece::Value(expression) => self.evaluate(expression, node).map(|value| joined(&value)),
                Piece::Name(None) => Ok(node.name().to_owned()),
                Piece::Name(Some(path)) => self.evaluate(path, node).map(|value| match value.first() {
                    Some(XmlItem::Node(named)) => named.name().to_owned(),
                    _ => joined(&value),
                }),
            };
            text.push_str(added.as_deref().unwrap_or("?"));
        }
        self.findings.push(Finding {
            severity: check.severity,
            rule: check.id.clone(),
            location: node.location(),
            text: tidy(&text),
        });
    }

    fn failed(&mut self, id: &str, node: Cursor<'d>, error: &XPathError) {
        let text = tidy(&format!("Die Regel lässt sich auf dieses Dokument nicht anwenden: {error}"));
        self.findings.push(Finding {
            severity: Severity::Error,
            rule: id.to_owned(),
            location: node.location(),
            text,
        });
    }

    fn truth(&mut self, expression: &'c Expression, node: Cursor<'d>) -> Result<bool, XPathError> {
        effective_boolean_value(&self.evaluate(expression, node)?)
    }

    fn evaluate(&mut self, expression: &'c Expression, node: Cursor<'d>) -> Result<Values<'d>, XPathError> {
        for (_, number) in &expression.variables {
            self.compute(*number, node)?;
        }
        let values = &self.values;
        let context = if expression.prefixes { self.prefixed } else { self.bare };
        let evaluator = expression.xpath.evaluator(context).with_regex_cache(&self.rules.regexes);
        if expression.variables.is_empty() {
            return evaluator.run_with_node(node);
        }
        evaluator.run_with_node_and_setup(Some(node), |typed| {
            for (slot, number) in &expression.variables {
                if let Some(value) = &values[*number] {
                    typed.set_variable(*slot, value.clone());
                }
            }
        })
    }

    /// Gives a variable its value when it has none yet: its expression refers only to variables declared before.
    fn compute(&mut self, number: usize, node: Cursor<'d>) -> Result<(), XPathError> {
        if self.values[number].is_some() {
            return Ok(());
        }
        let variable = &self.rules.variables[number];
        let value = match &variable.value {
            Value::Node => XPathValue::from_node(node),
            Value::Text(text) => XPathValue::string(text.clone()),
            Value::Expression(expression) => {
                let place = if variable.local { node } else { self.root };
                self.evaluate(expression, place)?
            }
        };
        self.values[number] = Some(value);
        Ok(())
    }

    fn matches(&mut self, number: usize, rule: &'c Rule, node: Cursor<'d>) -> Result<bool, XPathError> {
        for (place, alternative) in rule.context.alternatives.iter().enumerate() {
            let matches = match alternative {
                Alternative::Path(path) if path.steps.is_empty() => node.node.is_root(),
                Alternative::Path(path) => self.path_matches(path, path.steps.len() - 1, node)?,
                Alternative::Whole(expression) => self.whole_matches((number, place), expression, node)?,
            };
            if matches {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the steps up to `last` lead to `node`.
    fn path_matches(&mut self, path: &'c Path, last: usize, node: Cursor<'d>) -> Result<bool, XPathError> {
        let step = &path.steps[last];
        if !step.test.matches(&node) || !self.predicates_hold(path, last, step.predicates.len(), node)? {
            return Ok(false);
        }
        let mut parent = node.parent();
        if last == 0 {
            return Ok(!path.absolute || step.deep || parent.is_some_and(|parent| parent.node.is_root()));
        }
        while let Some(above) = parent {
            if self.path_matches(path, last - 1, above)? {
                return Ok(true);
            }
            parent = if step.deep { above.parent() } else { None };
        }
        Ok(false)
    }

    /// Whether the first `count` predicates of a step hold at `node`. A number means a position among the siblings that
    /// the step and the predicates before it leave.
    fn predicates_hold(
        &mut self,
        path: &'c Path,
        step: usize,
        count: usize,
        node: Cursor<'d>,
    ) -> Result<bool, XPathError> {
        let Step { test, predicates } =
            Step { test: &path.steps[step].test, predicates: &path.steps[step].predicates };
        for (before, predicate) in predicates.iter().take(count).enumerate() {
            let value = self.evaluate(predicate, node)?;
            let wanted = match value.first() {
                Some(XmlItem::Atomic(_)) if value.len() == 1 && value.as_bool().is_none() => value.as_f64(),
                _ => None,
            };
            let holds = match wanted {
                None => effective_boolean_value(&value)?,
                Some(wanted) => {
                    let mut position = 1.0;
                    for sibling in node.node.prev_siblings().skip(1).map(Cursor::new) {
                        if test.matches(&sibling) && self.predicates_hold(path, step, before, sibling)? {
                            position += 1.0;
                        }
                    }
                    (wanted - position).abs() < f64::EPSILON
                }
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn whole_matches(
        &mut self,
        key: (usize, usize),
        expression: &'c Expression,
        node: Cursor<'d>,
    ) -> Result<bool, XPathError> {
        let here = (node.node.id(), node.part);
        if let Some(nodes) = self.whole.get(&key) {
            return Ok(nodes.contains(&here));
        }
        let selected =
            self.evaluate(expression, self.root)?.into_vec().into_iter().filter_map(|item| match item {
                XmlItem::Node(node) => Some((node.node.id(), node.part)),
                XmlItem::Atomic(_) => None,
            });
        let nodes: Nodes = selected.collect();
        let found = nodes.contains(&here);
        self.whole.insert(key, nodes);
        Ok(found)
    }
}

/// The test and predicates of a step, borrowed together.
struct Step<'c> {
    test: &'c super::context::Test,
    predicates: &'c [Expression],
}

/// The items of a value as text, as `xsl:value-of` of XSLT 2.0 joins them.
fn joined(value: &Values<'_>) -> String {
    let text = |item: &XmlItem<Cursor<'_>>| match item {
        XmlItem::Node(node) => node.value(),
        XmlItem::Atomic(value) => value.to_string_value(),
    };
    value.as_slice().iter().map(text).collect::<Vec<_>>().join(" ")
}
