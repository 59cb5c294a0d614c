//! Routing of an accepted message: recognise → match → validate → transform → plan.
//!
//! [`judge`] decides and touches nothing, so that replay and check use the same code; [`route`] writes what it found.

use std::time::Duration;

use bytes::Bytes;
use dds_depot::{Decision, Order, Plan, PlannedDelivery, Recognised, Release};
use dds_message::{
    Attachment, CaseHolder, Code, DeliveryId, Digest, Facts, Finding, Format, JournalEvent, MessageId,
    MessageState, Problem, Reason, ReleaseId, Severity, SourceId, Timestamp,
};
use dds_store::{NewDelivery, NewEntry, NewPlan, Output, PlanState, StoreError};
use dds_telemetry::{Attribute, Event, MessageRouted, Moment, Span, Step, Telemetry};
use dds_worker::{Job, JobResult, Pool, StageTimes, TargetJob};

use crate::{Router, accept, answer, dispatch::Work, sendung::Sendung};

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
    match decide(release, subject, facts, recognised) {
        Decision::Route(plan) => execute(pool, release, subject, facts, plan).await,
        Decision::Park { problem, reasons } => Outcome::parked(problem, reasons),
    }
}

fn decide(release: &Release, subject: &Subject<'_>, facts: &Facts, recognised: Recognised) -> Decision {
    release.decide(facts, recognised, subject.case_holders, &subject.at.day())
}

/// Has a worker do what the plan says.
async fn execute(
    pool: &Pool,
    release: &Release,
    subject: &Subject<'_>,
    facts: &Facts,
    plan: Plan,
) -> Outcome {
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
            let count = result.findings.len();
            let problem = Problem::new(code, format!("{count} findings under rule {}", plan.rule));
            (PlanState::Rejected(code), problem)
        });
        self.findings = result.findings;
        self.canonical = result.canonical;
        self.outputs = result.outputs;
        self.micros = result.micros;
    }
}

fn job(release: &Release, subject: &Subject<'_>, plan: &Plan, facts: &Facts, ids: &[DeliveryId]) -> Job {
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
            output: form(planned.output),
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
        targets: plan.deliveries.iter().zip(ids).map(target).collect(),
    }
}

/// Makes the document of the one delivery of `plan` out of a stored message: the delivery, and the evidence of what made
/// it.
pub(crate) async fn prepare(
    router: &Router,
    release: &Release,
    work: &Work,
    plan: &Plan,
    facts: &Facts,
    id: DeliveryId,
) -> Result<(NewDelivery, NewEntry), Problem> {
    let invalid = || Problem::new(Code::RULES_VIOLATED, "the message is not valid under the active release");
    let subject = Subject {
        id: work.id,
        at: work.at,
        source: &work.source,
        document: &work.document,
        format: work.format,
        attachments: &work.attachments,
        release: release.id(),
        case_holders: &[],
    };
    let job = job(release, &subject, plan, facts, &[id]);
    let result = router.inner.parts.pool.run(job).await.map_err(|error| error.problem)?;
    let (Some(planned), Some(bytes)) = (plan.deliveries.first(), result.outputs.first()) else {
        return Err(Problem { findings: result.findings, ..invalid() });
    };
    let at = router.inner.parts.clock.now();
    Ok(new_delivery(release, work, plan, planned, facts, id, bytes, at))
}

const fn form(output: dds_depot::OutputForm) -> dds_worker::OutputForm {
    match output {
        dds_depot::OutputForm::Xml => dds_worker::OutputForm::Xml,
        dds_depot::OutputForm::Json => dds_worker::OutputForm::Json,
        dds_depot::OutputForm::Text => dds_worker::OutputForm::Text,
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
                tracing::error!(message = %work.id, %code, detail, "router.not_routed_yet");
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
        Some((_, application)) => answer::plan(router, work, application)
            .await
            .unwrap_or_else(|problem| stopped_plan(router, work, PlanState::Parked(problem.code))),
        None => application(router, work).await?,
    };
    router.inner.parts.journal.plan(plan).await?;
    Ok(())
}

async fn application(router: &Router, work: &Work) -> Result<NewPlan, NotYet> {
    let release = router.release();
    let day = work.at.day();
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
    let subject = Subject {
        id: work.id,
        at: work.at,
        source: &work.source,
        document: &work.document,
        format: work.format,
        attachments: &work.attachments,
        release: release.id(),
        case_holders: &holders,
    };
    let telemetry = &router.inner.parts.telemetry;
    let decision = decide(&release, &subject, &facts, recognised);
    matched(telemetry, matching, work.id, &decision);
    let began = router.inner.parts.clock.now();
    let outcome = match decision {
        Decision::Route(plan) => execute(&router.inner.parts.pool, &release, &subject, &facts, plan).await,
        Decision::Park { problem, reasons } => Outcome::parked(problem, reasons),
    };
    let took = router.inner.parts.clock.now().since(began);
    telemetry.metrics().took("worker", took);
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
        _ => None,
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
        entries: vec![NewEntry { event: MessageRouted::NAME, code, ..NewEntry::default() }],
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
    let event = MessageRouted {
        message: work.id,
        release: release.id(),
        procedure: facts.procedure.as_str(),
        rule,
        state: message_state(state),
        code,
        deliveries: outcome.outputs.len(),
        canonical: outcome.canonical.as_deref().map(Digest::of),
        reasons: &outcome.reasons,
        findings: outcome
            .findings
            .iter()
            .map(|found| (found.rule.as_str(), found.location.as_str()))
            .collect(),
    };
    let data = router.inner.parts.telemetry.record(&event);
    let mut entries = vec![NewEntry { event: MessageRouted::NAME, code, data, ..NewEntry::default() }];
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
        PlanState::Completed => MessageState::Completed,
        PlanState::Rejected(_) => MessageState::Rejected,
        PlanState::Parked(_) => MessageState::Parked,
    }
}

#[allow(clippy::too_many_arguments, reason = "a delivery is where everything known about a message meets")]
fn new_delivery(
    release: &Release,
    work: &Work,
    plan: &Plan,
    planned: &PlannedDelivery,
    facts: &Facts,
    id: DeliveryId,
    bytes: &Bytes,
    at: Timestamp,
) -> (NewDelivery, NewEntry) {
    let digest = Digest::of(bytes);
    let mut data = dds_telemetry::Facts::new();
    data.insert("product".to_owned(), planned.product.clone().into());
    data.insert("stylesheet".to_owned(), planned.stylesheet.clone().into());
    data.insert(
        "stylesheet_digest".to_owned(),
        serde_json::json!(release.file(&planned.stylesheet).map(|bytes| Digest::of(bytes))),
    );
    data.insert("output".to_owned(), serde_json::json!(digest));
    data.insert("bytes".to_owned(), bytes.len().into());
    data.insert("authority".to_owned(), planned.authority.as_str().into());
    let entry = NewEntry {
        event: JournalEvent::DeliveryPrepared.as_str(),
        delivery: Some(id),
        target: Some(planned.target.clone()),
        data,
        ..NewEntry::default()
    };
    let lane = match (plan.order, &facts.case) {
        (Order::Case, Some(case)) => Some(lane(&[planned.target.as_str(), &plan.rule, case.as_str()])),
        _ => None,
    };
    let delivery = NewDelivery {
        id,
        target: planned.target.clone(),
        authority: Some(planned.authority.clone()),
        product: Some(planned.product.clone()),
        product_id: None,
        output: Some(Output {
            bytes: bytes.clone(),
            media_type: planned.media_type.clone(),
            file_name: planned.file_name.clone(),
            digest,
        }),
        lane,
        pull: planned.pull,
        due: at,
        deadline: work.at.plus(plan.deadline),
    };
    (delivery, entry)
}

/// Number of the lane that these names share.
fn lane(names: &[&str]) -> u64 {
    let digest = Digest::of(names.join("\n").as_bytes());
    let mut first = [0u8; 8];
    first.copy_from_slice(&digest.0[..8]);
    u64::from_be_bytes(first)
}
