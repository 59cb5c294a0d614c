//! One envelope of every kind, filled as fully as its schema allows; people, authorities and keys are invented.

use dds_osci::certificate::Certificate;
use dds_osci::feedback::{Feedback, FeedbackCode, Language};
use dds_osci::laufzettel::{
    CertType, Inspection, MathResult, OfflineResult, OnlineResult, ProcessCard, ProcessCardBundle, Stamp,
};
use dds_osci::message::{
    CardQuery, CardSelection, CertificateRole, ChunkInformation, ChunkRequest, ContentPackage, ControlBlock,
    CustomHeader, DateSelection, DeliverySelection, Envelope, FeatureDescription, MessageId,
    NamespaceContext, Order, Qualities, Role, RoleCertificates,
};
use jiff::Timestamp;

pub(crate) fn certificate(name: &str) -> Certificate {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/certs/{name}.pem"));
    Certificate::from_pem(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn id(text: &str) -> MessageId {
    MessageId::new(text)
}

fn feedback(codes: &[FeedbackCode]) -> Feedback {
    Feedback::of(codes, &[Language::German, Language::English])
}

fn ok() -> Feedback {
    feedback(&[FeedbackCode::S0801])
}

fn order_block() -> ControlBlock {
    ControlBlock {
        response: Some("UmVzcG9uc2UxMjM=".into()),
        challenge: Some("Q2hhbGxlbmdlMTI=".into()),
        conversation_id: Some("1882127189303788593388257365232".into()),
        sequence_number: Some(7),
    }
}

fn certificates(roles: &[(CertificateRole, &str)]) -> RoleCertificates {
    let mut block = RoleCertificates::default();
    for (role, name) in roles {
        block.add(*role, &certificate(name));
    }
    block
}

fn originator() -> RoleCertificates {
    certificates(&[(CertificateRole::SignatureOriginator, "originator_signature")])
}

fn both_originator() -> RoleCertificates {
    certificates(&[
        (CertificateRole::CipherOriginator, "originator_cipher"),
        (CertificateRole::SignatureOriginator, "originator_signature"),
    ])
}

pub(crate) fn delivery_certificates() -> RoleCertificates {
    certificates(&[
        (CertificateRole::CipherOriginator, "originator_cipher"),
        (CertificateRole::CipherAddressee, "addressee_cipher"),
        (CertificateRole::CipherOtherReader, "reader_cipher"),
        (CertificateRole::SignatureOriginator, "originator_signature"),
        (CertificateRole::SignatureOtherAuthor, "author_signature"),
    ])
}

fn intermediary() -> RoleCertificates {
    certificates(&[(CertificateRole::SignatureIntermediary, "intermed_signature")])
}

fn both_intermediary() -> RoleCertificates {
    certificates(&[
        (CertificateRole::CipherIntermediary, "intermed_cipher"),
        (CertificateRole::SignatureIntermediary, "intermed_signature"),
    ])
}

pub(crate) fn content() -> ContentPackage {
    ContentPackage::new(
        b"<osci:ContentPackage><osci:ContentContainer Id=\"contentcontainer0\"><osci:Content><osci:Base64Content Id=\"content0\">SW5oYWx0</osci:Base64Content></osci:Content><osci:Content Id=\"content1\" href=\"cid:anlage.pdf\"></osci:Content></osci:ContentContainer></osci:ContentPackage>".to_vec(),
    )
}

fn inspection() -> Inspection {
    Inspection {
        timestamp: Stamp::Plain(at("2026-11-22T08:00:00Z")),
        subject: "CN=Steueramt Musterstadt,C=DE".into(),
        issuer: "CN=Erfundene CA,C=DE".into(),
        serial: "4711".into(),
        cert_type: CertType::Advanced,
        math: MathResult::Ok,
        offline: OfflineResult::Valid,
        online: Some(OnlineResult {
            revoked: false,
            ocsp: Some(vec![1, 2, 3]),
            crl: Some(at("2026-11-21T00:00:00Z")),
            ldap: None,
        }),
    }
}

#[derive(Clone, Copy)]
enum Times {
    Creation,
    Forwarding,
    Reception,
}

fn card(times: Times) -> ProcessCardBundle {
    let stamp = |text| Some(Stamp::Plain(at(text)));
    ProcessCardBundle {
        message_id: id("3a6f0c1e-1111-4222-8333-444455556666"),
        card: ProcessCard {
            recent_modification: at("2026-11-22T08:00:02.5Z"),
            creation: stamp("2026-11-22T08:00:00Z"),
            forwarding: matches!(times, Times::Forwarding | Times::Reception)
                .then(|| Stamp::Plain(at("2026-11-22T08:00:01Z"))),
            reception: matches!(times, Times::Reception).then(|| Stamp::Cryptographic {
                algorithm: Some("urn:beispiel:zeit".into()),
                value: vec![9; 60],
            }),
            subject: Some("Müller & Söhne <Anmeldung>".into()),
        },
        inspections: vec![inspection()],
    }
}

fn limits() -> FeatureDescription {
    FeatureDescription {
        max_message_size: Some(2_000_000),
        min_chunk_size: Some(1),
        max_chunk_size: Some(10_000),
        chunk_message_timeout: Some(60_000),
        ..FeatureDescription::ours()
    }
}

/// MessageMetaData as the XTA header block, and the namespaces it takes from the Envelope.
pub(crate) fn custom_header() -> CustomHeader {
    CustomHeader {
        id: "MetaData".into(),
        namespace: "http://www.osci.eu/ws/2014/10/transport".into(),
        name: "MessageMetaData".into(),
        xml: b"<oscimeta:MessageMetaData xmlns:oscimeta=\"http://www.osci.eu/ws/2014/10/transport\" Id='MetaData'><oscimeta:TestMsg/></oscimeta:MessageMetaData>".to_vec(),
        namespaces: NamespaceContext::default(),
    }
}

fn subject() -> Option<String> {
    Some("Müller & Söhne <Anmeldung>".into())
}

/// An order of a client: dialogue data, languages, features.
fn client(order: Order, certificates: RoleCertificates) -> Envelope {
    let mut envelope = Envelope::new(order_block(), order);
    envelope.languages = vec!["de".into(), "en".into()];
    envelope.certificates = certificates;
    envelope.features = Some(FeatureDescription::ours());
    envelope
}

/// An answer of the intermediary.
fn answer(order: Order) -> Envelope {
    let mut envelope = Envelope::new(order_block(), order);
    envelope.intermediary_certificates = intermediary();
    envelope.features = Some(limits());
    envelope
}

fn delivery(mut envelope: Envelope) -> Envelope {
    envelope.content = Some(content());
    envelope
}

fn implicit(mut envelope: Envelope, control: ControlBlock) -> Envelope {
    envelope.control = control;
    envelope
}

/// All kinds that have an envelope, some twice; the names are those of the golden files.
pub(crate) fn all() -> Vec<(&'static str, Envelope)> {
    let only_challenge =
        ControlBlock { challenge: Some("Q2hhbGxlbmdlMTI=".into()), ..ControlBlock::default() };
    let only_response = ControlBlock { response: Some("UmVzcG9uc2UxMjM=".into()), ..ControlBlock::default() };
    let mut init_answer = order_block();
    init_answer.sequence_number = None;
    let mut exit_answer = order_block();
    exit_answer.challenge = None;
    let message_id = id("3a6f0c1e-1111-4222-8333-444455556666");
    let selection = Some(DeliverySelection::MessageId(message_id.clone()));
    let since = at("2026-11-01T00:00:00Z");
    let query = CardQuery {
        selection: Some(CardSelection::RecentModification(DateSelection {
            from: since,
            no_reception: Some(true),
            role: Some(Role::Addressee),
        })),
        limit: Some(5),
    };
    let by_ids = CardQuery {
        selection: Some(CardSelection::MessageIds(vec![message_id.clone(), id("zweite")])),
        limit: None,
    };
    let chunk = ChunkInformation {
        number: Some(1),
        size: Some(100),
        total_chunks: Some(4),
        total_size: Some(315),
        received: None,
    };

    let mut store = delivery(client(
        Order::StoreDelivery { message_id: message_id.clone(), subject: subject() },
        delivery_certificates(),
    ));
    store.qualities = Qualities::PLAIN;
    store.custom_headers = vec![custom_header()];
    let mut forward = delivery(client(
        Order::ForwardDelivery {
            receiver: "https://steueramt.musterstadt.example/osci".into(),
            message_id: message_id.clone(),
            subject: None,
        },
        delivery_certificates(),
    ));
    forward.qualities = Qualities::PLAIN;
    let mut mediate = delivery(client(
        Order::MediateDelivery {
            receiver: "https://steueramt.musterstadt.example/osci".into(),
            message_id: Some(message_id.clone()),
            subject: subject(),
        },
        delivery_certificates(),
    ));
    mediate.qualities = Qualities::PLAIN;
    let unlogged = delivery(client(
        Order::MediateDelivery {
            receiver: "https://steueramt.musterstadt.example/osci".into(),
            message_id: None,
            subject: None,
        },
        delivery_certificates(),
    ));
    let mut accept = delivery(implicit(
        client(Order::AcceptDelivery(card(Times::Forwarding)), delivery_certificates()),
        only_challenge.clone(),
    ));
    accept.intermediary_certificates = both_intermediary();
    accept.custom_headers = vec![custom_header()];
    let mut process = delivery(implicit(
        client(
            Order::ProcessDelivery {
                message_id_response: Some(id("antwort")),
                card: Some(card(Times::Forwarding)),
            },
            delivery_certificates(),
        ),
        only_challenge.clone(),
    ));
    process.intermediary_certificates = both_intermediary();
    let mut accepted = Envelope::new(
        only_response.clone(),
        Order::ResponseToAcceptDelivery(feedback(&[FeedbackCode::S0800])),
    );
    accepted.certificates = certificates(&[(CertificateRole::SignatureAddressee, "addressee_signature")]);
    let mut processed = delivery(Envelope::new(
        only_response,
        Order::ResponseToProcessDelivery {
            feedback: feedback(&[FeedbackCode::S0800]),
            message_id: Some(id("antwort")),
            subject: subject(),
        },
    ));
    processed.qualities = Qualities::PLAIN;
    processed.certificates = certificates(&[
        (CertificateRole::CipherOriginator, "addressee_cipher"),
        (CertificateRole::CipherAddressee, "originator_cipher"),
        (CertificateRole::SignatureOriginator, "addressee_signature"),
    ]);
    let mut fetched = delivery(answer(Order::ResponseToFetchDelivery {
        feedback: feedback(&[FeedbackCode::S3800, FeedbackCode::S0801]),
        echo: selection.clone(),
        card: Some(card(Times::Reception)),
    }));
    fetched.certificates = delivery_certificates();
    let mut mediated = delivery(answer(Order::ResponseToMediateDelivery {
        feedback: ok(),
        request_card: Some(card(Times::Reception)),
        reply_card: Some(card(Times::Forwarding)),
    }));
    mediated.certificates = delivery_certificates();
    let mut partial_store = delivery(client(
        Order::PartialStoreDelivery {
            message_id: id("3a6f0c1e_Partial"),
            subject: subject(),
            chunk: ChunkRequest::Chunk(chunk.clone()),
        },
        delivery_certificates(),
    ));
    partial_store.qualities.creation = Qualities::PLAIN.creation;
    let mut info = delivery(client(
        Order::PartialStoreDelivery {
            message_id: id("3a6f0c1e_Partial"),
            subject: None,
            chunk: ChunkRequest::InfoOnly,
        },
        delivery_certificates(),
    ));
    info.qualities.creation = Qualities::PLAIN.creation;
    let mut partial_fetched = delivery(answer(Order::ResponseToPartialFetchDelivery {
        feedback: ok(),
        echo: selection.clone(),
        chunk: ChunkInformation { size: None, ..chunk.clone() },
        message_id: Some(message_id.clone()),
    }));
    partial_fetched.certificates = delivery_certificates();

    vec![
        ("init_dialog", implicit(client(Order::InitDialog, both_originator()), only_challenge)),
        ("response_to_init_dialog", implicit(answer(Order::ResponseToInitDialog(ok())), init_answer)),
        ("exit_dialog", client(Order::ExitDialog, originator())),
        (
            "response_to_exit_dialog",
            implicit(answer(Order::ResponseToExitDialog(feedback(&[FeedbackCode::S0800]))), exit_answer),
        ),
        ("get_message_id", client(Order::GetMessageId, both_originator())),
        (
            "response_to_get_message_id",
            answer(Order::ResponseToGetMessageId { feedback: ok(), message_id: Some(message_id.clone()) }),
        ),
        ("store_delivery", store),
        (
            "response_to_store_delivery",
            answer(Order::ResponseToStoreDelivery {
                feedback: feedback(&[FeedbackCode::S3707, FeedbackCode::S0801]),
                card: Some(card(Times::Creation)),
            }),
        ),
        (
            "fetch_delivery",
            client(Order::FetchDelivery(Some(DeliverySelection::ReceptionOfDelivery(since))), originator()),
        ),
        ("fetch_delivery_oldest", client(Order::FetchDelivery(None), originator())),
        ("response_to_fetch_delivery", fetched),
        ("fetch_process_card", client(Order::FetchProcessCard(query.clone()), originator())),
        ("fetch_process_card_by_ids", client(Order::FetchProcessCard(by_ids.clone()), originator())),
        (
            "response_to_fetch_process_card",
            answer(Order::ResponseToFetchProcessCard {
                feedback: feedback(&[FeedbackCode::S3801, FeedbackCode::S0801]),
                echo: by_ids,
                cards: vec![card(Times::Reception), card(Times::Creation)],
            }),
        ),
        ("forward_delivery", forward),
        (
            "response_to_forward_delivery",
            answer(Order::ResponseToForwardDelivery { feedback: ok(), card: Some(card(Times::Reception)) }),
        ),
        ("accept_delivery", accept),
        ("response_to_accept_delivery", accepted),
        ("mediate_delivery", mediate),
        ("mediate_delivery_unlogged", unlogged),
        ("response_to_mediate_delivery", mediated),
        ("process_delivery", process),
        ("response_to_process_delivery", processed),
        ("partial_store_delivery", partial_store),
        ("partial_store_delivery_info", info),
        (
            "response_to_partial_store_delivery",
            answer(Order::ResponseToPartialStoreDelivery {
                inside: Some(feedback(&[FeedbackCode::S0800])),
                feedback: feedback(&[FeedbackCode::S3950, FeedbackCode::S0801]),
                card: Some(card(Times::Creation)),
                chunk: ChunkInformation {
                    number: Some(4),
                    received: Some(vec![1, 2, 3, 4]),
                    total_chunks: Some(4),
                    ..ChunkInformation::default()
                },
            }),
        ),
        (
            "partial_fetch_delivery",
            client(
                Order::PartialFetchDelivery {
                    selection,
                    chunk: ChunkInformation {
                        number: Some(1),
                        size: Some(100),
                        received: Some(Vec::new()),
                        ..ChunkInformation::default()
                    },
                },
                originator(),
            ),
        ),
        ("response_to_partial_fetch_delivery", partial_fetched),
    ]
}
