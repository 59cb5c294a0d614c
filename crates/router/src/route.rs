//! Routing of an accepted message: recognise → match → validate → transform → plan.
//!
//! [`judge`] decides and touches nothing, so that replay and check use the same code; [`route`] writes what it found.

use std::time::Duration;

use bytes::Bytes;
use dds_depot::{Decision, Plan, PlannedDelivery, Recognised, Release};
use dds_message::{
    Attachment, CaseHolder, Code, DeliveryId, Digest, Facts, Finding, Format, JournalEvent, MessageId,
    MessageState, Problem, ProcedureId, Reason, ReleaseId, Severity, SourceId, Timestamp,
};
use dds_store::{NewEntry, NewPlan, PlanState, StoreError};
use dds_telemetry::{Attribute, MessageRouted, Moment, Span, Stage, Step, Telemetry};
use dds_worker::{Job, JobResult, Pool, StageTimes, TargetJob};

use crate::{Router, accept, answer, delivery_of::new_delivery, dispatch::Work, sendung::Sendung};

/// What routing needs to know about a message.
pub struct Subject<'a> {
    /// Message.
    pub id: MessageId,
    /// Acceptance time; its day decides which rule versions are valid.
    pub at: Timestamp,
    /// Source.
    pub source: &'a SourceId,
    /// Document as sent.
    pub document: &'a Bytes,
    /// Its form.
    pub format: Format,
    /// Attachments.
    pub attachments: &'a [Attachment],
    /// Release that the documents name. The one it is routed under, or for a comparison the same for both.
    pub release: ReleaseId,
    /// Who has its case already, see `Journal::case_holders`.
    pub case_holders: &'a [CaseHolder],
}

/// What routing decided.
pub struct Outcome {
    /// The plan, unless nobody is responsible.
    pub plan: Option<Plan>,
    /// Why the message is rejected or parked; `None`: it is routed.
    pub stopped: Option<(PlanState, Problem)>,
    /// Reasons of the decision.
    pub reasons: Vec<Reason>,
    /// Findings of validation, also the harmless ones.
    pub findings: Vec<Finding>,
    /// Canonical form.
    pub canonical: Option<Bytes>,
    /// One output per planned delivery, in order.
    pub outputs: Vec<Bytes>,
    /// Ids of the planned deliveries, in order.
    pub ids: Vec<DeliveryId>,
    /// Time that the worker spent.
    pub micros: StageTimes,
}

/// Matches, validates and transforms without writing anything.
pub async fn judge(
    pool: &Pool,
    release: &Release,
    subject: &Subject<'_>,
    facts: &Facts,
    recognised: Recognised,
) -> Outcome {
    let decision = decide(release, subject, facts, recognised);
    carry_out(pool, release, subject, facts, decision).await
}

fn decide(release: &Release, subject: &Subject<'_>, facts: &Facts, recognised: Recognised) -> Decision {
    release.decide(facts, recognised, subject.case_holders, &subject.at.legal_day())
}

/// Has a worker do what the plan says, if there is one.
async fn carry_out(
    pool: &Pool,
    release: &Release,
    subject: &Subject<'_>,
    facts: &Facts,
    decision: Decision,
) -> Outcome {
    let plan = match decision {
        Decision::Route(plan) => plan,
        Decision::Park { problem, reasons } => return Outcome::parked(problem, reasons),
    };
    let reasons = plan.reasons.clone();
    let ids: Vec<_> = plan
        .deliveries
        .iter()
        .map(|planned| DeliveryId::derive(subject.id, &planned.target, &plan.rule, 0))
        .collect();
    let mut outcome = Outcome { ids, reasons, ..Outcome::empty() };
    match pool.run(job(release, subject, &plan, facts, &outcome.ids)).await {
        Ok(result) => outcome.take(result, &plan),
        Err(error) => {
            outcome.findings.clone_from(&error.problem.findings);
            outcome.stopped = Some((PlanState::Parked(error.problem.code), error.problem));
        }
    }
    outcome.plan = Some(plan);
    outcome
}

impl Outcome {
    fn empty() -> Self {
        Self {
            plan: None,
            stopped: None,
            reasons: Vec::new(),
            findings: Vec::new(),
            canonical: None,
            outputs: Vec::new(),
            ids: Vec::new(),
            micros: StageTimes::default(),
        }
    }

    fn parked(problem: Problem, reasons: Vec<Reason>) -> Self {
        Self { stopped: Some((PlanState::Parked(problem.code), problem)), reasons, ..Self::empty() }
    }

    /// Takes over what the worker found: errors reject the message.
    fn take(&mut self, result: JobResult, plan: &Plan) {
        let blamed = result.findings.iter().find(|finding| finding.severity == Severity::Error);
        self.stopped = blamed.map(|finding| {
            let code =
                if finding.rule.starts_with("cvc-") { Code::SCHEMA_INVALID } else { Code::RULES_VIOLATED };
            let (count, rule) = (result.findings.len(), &plan.rule);
            let text = (
                format!("Befunde unter der Regel {rule}: {count}"),
                format!("{count} findings under rule {rule}"),
            );
            (PlanState::Rejected(code), Problem::new(code, text))
        });
        self.findings = result.findings;
        self.canonical = result.canonical;
        self.outputs = result.outputs;
        self.micros = result.micros;
    }
}

pub(crate) fn job(
    release: &Release,
    subject: &Subject<'_>,
    plan: &Plan,
    facts: &Facts,
    ids: &[DeliveryId],
) -> Job {
    let name = |ars| release.municipality(&ars).map_or("", |found| found.name.as_str());
    let municipality = facts.municipality.map(|ars| (ars, name(ars)));
    let target = |(planned, id): (&PlannedDelivery, &DeliveryId)| {
        let sendung = Sendung {
            message: subject.id,
            delivery: *id,
            accepted: subject.at,
            source: subject.source,
            release: subject.release,
            rule: &plan.rule,
            authority: (&planned.authority, &planned.authority_name),
            municipality,
            attachments: subject.attachments,
        };
        TargetJob {
            stylesheet: planned.stylesheet.clone(),
            output: planned.output,
            sendung: sendung.to_xml(),
        }
    };
    Job {
        bundle: release.id().0,
        document: subject.document.clone(),
        format: subject.format,
        schema: plan.schema.clone(),
        schematrons: plan.schematrons.clone(),
        canonical: Some(plan.canonical.clone()),
        canonical_schema: Some(plan.canonical_schema.clone()),
        procedure: Some(facts.procedure.to_string()),
        targets: plan.deliveries.iter().zip(ids).map(target).collect(),
    }
}

/// Routes an accepted message and writes the result. Repeats while the store is not available; the message stays
/// accepted until then.
pub(crate) async fn route(router: &Router, work: Work) {
    let mut wait = Duration::from_millis(100);
    loop {
        match Box::pin(attempt(router, &work)).await {
            Ok(()) => return,
            Err(NotYet::Store(error @ StoreError::NotFound(_))) => {
                tracing::error!(message = %work.id, %error, "router.message_gone");
                return;
            }
            Err(NotYet::Store(error)) => {
                tracing::error!(message = %work.id, code = %error.code(), %error, "router.not_routed_yet");
            }
            Err(NotYet::Worker(problem)) => {
                let Problem { code, detail, .. } = problem;
                tracing::error!(message = %work.id, %code, %detail, "router.not_routed_yet");
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(30));
    }
}

/// Why a message stays accepted for now. Not its own fault, so it is tried again.
enum NotYet {
    Store(StoreError),
    /// No worker (DDS-W003).
    Worker(Problem),
}

impl From<StoreError> for NotYet {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn attempt(router: &Router, work: &Work) -> Result<(), NotYet> {
    let plan = match work.answers {
        Some(answers) => answer::plan(router, work, answers)
            .await
            .unwrap_or_else(|problem| stopped_plan(router, work, PlanState::Parked(problem.code))),
        None => application(router, work).await?,
    };
    router.inner.parts.journal.plan(plan).await?;
    Ok(())
}

async fn application(router: &Router, work: &Work) -> Result<NewPlan, NotYet> {
    let release = router.release();
    let day = work.at.legal_day();
    // The facts of the acceptance are looked up again: the release may have changed since.
    let recognised = match &work.facts {
        Some(facts) => release.rule_for(facts, &day).map(|recognised| (facts.clone(), recognised)),
        None => accept::recognise(&release, &work.document, work.format, &router.inner.options.limits, &day),
    };
    let matching = router.inner.parts.telemetry.moment();
    let (facts, recognised) = match recognised {
        Ok(found) => found,
        // It was recognised when it was accepted; under this release it is not. A person must look.
        Err(problem) => return Ok(stopped_plan(router, work, PlanState::Parked(problem.code))),
    };
    let holders = match &facts.case {
        Some(case) => router.inner.parts.journal.case_holders(&work.source, case.as_str(), work.id).await?,
        None => Vec::new(),
    };
    let subject = work.subject(&release, &holders);
    let telemetry = &router.inner.parts.telemetry;
    let decision = decide(&release, &subject, &facts, recognised);
    matched(telemetry, matching, work.id, &decision);
    let began = router.inner.parts.clock.now();
    let outcome = carry_out(&router.inner.parts.pool, &release, &subject, &facts, decision).await;
    let took = router.inner.parts.clock.now().since(began);
    if outcome.plan.is_some() {
        count(telemetry, &facts.procedure, took, &outcome.micros);
    }
    worked(telemetry, work.id, &outcome);
    if let Some((_, problem)) = &outcome.stopped
        && problem.code == Code::WORKER_UNAVAILABLE
    {
        return Err(NotYet::Worker(problem.clone()));
    }
    Ok(new_plan(router, &release, work, &facts, outcome))
}

/// The span of the match.
fn matched(telemetry: &Telemetry, from: Moment, message: MessageId, decision: &Decision) {
    let (rule, authority, code) = match decision {
        Decision::Route(plan) => (plan.rule.as_str(), plan.authority.as_str(), None),
        Decision::Park { problem, .. } => ("", "", Some(problem.code)),
    };
    let attributes: &[Attribute<'_>] = &[("rule", &rule), ("authority", &authority)];
    telemetry.span(from, Span { step: Step::Match, message, code, attributes });
}

/// How long the worker took, as a whole and by what it measured itself.
fn count(telemetry: &Telemetry, procedure: &ProcedureId, took: Duration, micros: &StageTimes) {
    let (metrics, procedure) = (telemetry.metrics(), procedure.as_str());
    metrics.took(Stage::Worker, procedure, took);
    let StageTimes { read, validate, canonical, targets } = *micros;
    for (stage, spent) in [(Stage::Validate, read + validate), (Stage::Transform, canonical + targets)] {
        // Zero: it did not come to that, because the message is invalid or the worker died.
        if spent > 0 {
            metrics.took(stage, procedure, Duration::from_micros(spent));
        }
    }
}

/// The spans of the worker, from the times it measured: first validation, then transformation, which ended just now.
fn worked(telemetry: &Telemetry, message: MessageId, outcome: &Outcome) {
    let Some(plan) = &outcome.plan else { return };
    let end = telemetry.moment();
    let StageTimes { read, validate, canonical, targets } = outcome.micros;
    let between = end.before(Duration::from_micros(canonical + targets));
    let begin = between.before(Duration::from_micros(read + validate));
    let code = outcome.stopped.as_ref().map(|(_, problem)| problem.code);
    let invalid = matches!(outcome.stopped, Some((PlanState::Rejected(_), _)));
    let attributes: &[Attribute<'_>] = &[("rule", &plan.rule)];
    let blamed = code.filter(|_| invalid);
    telemetry.span_between(begin, between, Span { step: Step::Validate, message, code: blamed, attributes });
    if !invalid {
        telemetry.span_between(between, end, Span { step: Step::Transform, message, code, attributes });
    }
}

fn stopped_plan(router: &Router, work: &Work, state: PlanState) -> NewPlan {
    let release = router.release();
    let code = match state {
        PlanState::Parked(code) | PlanState::Rejected(code) => Some(code),
        PlanState::Accepted | PlanState::Routed => None,
    };
    NewPlan {
        message: work.id,
        at: router.inner.parts.clock.now(),
        release: release.id(),
        rule: String::new(),
        authority: None,
        state,
        deliveries: Vec::new(),
        report: None,
        entries: vec![NewEntry { code, ..NewEntry::new(JournalEvent::MessageRouted) }],
    }
}

/// The outcome as one transaction: deliveries with their bytes, and the evidence of what made them.
fn new_plan(router: &Router, release: &Release, work: &Work, facts: &Facts, outcome: Outcome) -> NewPlan {
    let at = router.inner.parts.clock.now();
    let (state, code) = match &outcome.stopped {
        Some((state, problem)) => (*state, Some(problem.code)),
        None => (PlanState::Routed, None),
    };
    let plan = outcome.plan.as_ref();
    let rule = plan.map_or("", |plan| plan.rule.as_str());
    let locations: Vec<String> =
        outcome.findings.iter().map(|found| release.known_location(&found.location)).collect();
    let event = MessageRouted {
        message: work.id,
        release: release.id(),
        procedure: facts.procedure.as_str(),
        rule,
        state: message_state(state),
        code,
        deliveries: outcome.outputs.len(),
        canonical: outcome.canonical.as_deref().map(Digest::of),
        stylesheet: plan.and_then(|plan| Some((&*plan.canonical, release.sources_digest(&plan.canonical)?))),
        reasons: &outcome.reasons,
        findings: outcome
            .findings
            .iter()
            .zip(&locations)
            .map(|(found, location)| (found.rule.as_str(), location.as_str()))
            .collect(),
    };
    let data = router.inner.parts.telemetry.record(&event);
    let mut entries = vec![NewEntry { code, data, ..NewEntry::new(JournalEvent::MessageRouted) }];
    let mut deliveries = Vec::new();
    if let (Some(plan), None) = (plan, &outcome.stopped) {
        for ((planned, bytes), id) in plan.deliveries.iter().zip(&outcome.outputs).zip(&outcome.ids) {
            let (delivery, entry) = new_delivery(release, work, plan, planned, facts, *id, bytes, at);
            deliveries.push(delivery);
            entries.push(entry);
        }
    }
    let report =
        (!outcome.findings.is_empty()).then(|| serde_json::to_vec(&outcome.findings)).and_then(Result::ok);
    NewPlan {
        message: work.id,
        at,
        release: release.id(),
        rule: rule.to_owned(),
        authority: plan.map(|plan| plan.authority.clone()),
        state,
        deliveries,
        report: report.map(Bytes::from),
        entries,
    }
}

const fn message_state(state: PlanState) -> MessageState {
    match state {
        PlanState::Accepted => MessageState::Accepted,
        PlanState::Routed => MessageState::Routed,
        PlanState::Rejected(_) => MessageState::Rejected,
        PlanState::Parked(_) => MessageState::Parked,
    }
}
