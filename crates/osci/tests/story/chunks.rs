//! H11, H12, N40, N41: large messages in chunks.

use dds_osci::client::{ChunkFetched, ChunkPlan, ChunkStored, ChunkVerdict, Reassembly, partial_id};
use dds_osci::feedback::{Feedback, FeedbackCode as F, Language};
use dds_osci::intermediary::{Mailboxes as _, Step};
use dds_osci::message::{CertificateRole as R, ChunkInformation, ChunkRequest, DeliverySelection, MessageId};
use dds_osci::random::SystemRandom;

use crate::happy::{fetch, message_id, open};
use crate::world::{ATTACHMENT, PKI, World, client, intake, octets, plain, stream, with_attachment};

const BIG: usize = 290_000;

/// The inner storeDelivery: signed, not encrypted.
fn inside(world: &mut World, big: &[u8]) -> (MessageId, Vec<u8>) {
    let id = message_id(world, &PKI.sender);
    let request = plain(&PKI.sender).store(id.clone(), with_attachment(big), &mut SystemRandom).0;
    (id, octets(&PKI.sender, &request, &[(ATTACHMENT, big)]))
}

fn send(world: &mut World, transfer: &MessageId, request: ChunkRequest, octets: &[u8]) -> ChunkStored {
    let (request, awaiting) = client(&PKI.sender).partial_store(
        transfer.clone(),
        request,
        PKI.recipient.cipher_certificate(),
        &mut SystemRandom,
    );
    let attachments: &[(&str, &[u8])] = &[(ChunkPlan::CONTENT_ID, octets)];
    let info = octets.is_empty();
    let answer = world.send(&PKI.sender, &request, if info { &[] } else { attachments }).unwrap();
    awaiting.receive(Ok(&answer)).unwrap().value
}

fn send_all(world: &mut World, transfer: &MessageId, whole: &[u8]) -> ChunkVerdict {
    let plan = ChunkPlan::new(whole.len() as u64, 100, None).unwrap();
    let mut verdict = ChunkVerdict::More;
    for number in 1..=plan.count() {
        let range = plan.range(number).unwrap();
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        assert_eq!(verdict, ChunkVerdict::More);
        verdict = send(world, transfer, plan.request(number), &whole[range]).verdict();
    }
    verdict
}

#[test]
fn h11_partial_store_with_a_question_in_between() {
    let mut world = World::new();
    let big = vec![1; BIG];
    let (id, whole) = inside(&mut world, &big);
    let transfer = partial_id(&id);
    let plan = ChunkPlan::new(whole.len() as u64, 100, None).unwrap();
    assert_eq!(plan.count(), 3);
    let first = send(&mut world, &transfer, plan.request(1), &whole[..102_400]);
    assert_eq!(first.verdict(), ChunkVerdict::More, "{:?}", world.refused);
    let info = send(&mut world, &transfer, ChunkRequest::InfoOnly, b"");
    assert_eq!(info.chunk.received, Some(vec![1]));
    send(&mut world, &transfer, plan.request(2), &whole[102_400..204_800]);
    let last = send(&mut world, &transfer, plan.request(3), &whole[204_800..]);
    assert!(last.feedback.has(F::S3950));
    assert!(matches!(last.verdict(), ChunkVerdict::Done(_)), "{:?}", world.refused);
    let dialogue = open(&mut world, &PKI.recipient);
    assert!(fetch(&mut world, dialogue, Some(DeliverySelection::MessageId(id))).1.is_success());
}

/// The library 2.4.1 writes the delivery inside unsigned; the chunks are signed and cover its octets. Who signed them
/// is the sender, and nobody else whom the delivery may name.
#[test]
fn h11_the_delivery_inside_is_signed_by_its_chunks() {
    for (named, sender) in [(&PKI.sender, true), (&PKI.recipient, false)] {
        let mut world = World::new();
        let big = vec![1; BIG];
        let id = message_id(&mut world, &PKI.sender);
        let mut request = plain(&PKI.sender).store(id.clone(), with_attachment(&big), &mut SystemRandom).0;
        request.envelope.certificates.entries.retain(|entry| entry.role != R::SignatureOriginator);
        request.envelope.certificates.add(R::SignatureOriginator, named.signature_certificate());
        let unsigned = request.envelope.seal(None, None, &[], &mut SystemRandom).unwrap();
        let whole = stream(unsigned, &[(ATTACHMENT, &big)]);
        let verdict = send_all(&mut world, &partial_id(&id), &whole);
        assert!(matches!(verdict, ChunkVerdict::Done(_)), "{verdict:?}");
        let dialogue = open(&mut world, &PKI.recipient);
        let (_, fetched) = fetch(&mut world, dialogue, Some(DeliverySelection::MessageId(id)));
        let originator = fetched.value.envelope.certificates.certificate(R::SignatureOriginator);
        let expected = sender.then(|| PKI.sender.signature_certificate());
        assert_eq!(originator, expected);
    }
}

#[test]
fn h12_partial_fetch_makes_the_same_octets() {
    let mut world = World::new();
    let big: Vec<u8> = (0..BIG).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let (id, whole) = inside(&mut world, &big);
    assert!(
        matches!(send_all(&mut world, &partial_id(&id), &whole), ChunkVerdict::Done(_)),
        "{:?}",
        world.refused
    );
    let selection = Some(DeliverySelection::MessageId(id));
    let mut dialogue = open(&mut world, &PKI.recipient);
    let mut reassembly = Reassembly::new(100);
    let mut together = Vec::new();
    loop {
        let (request, awaiting) =
            dialogue.partial_fetch(selection.clone(), reassembly.next(), &mut SystemRandom);
        let received = world.send(&PKI.recipient, &request, &[]).unwrap();
        let (goes_on, answer) = awaiting.receive(Ok(&received)).unwrap();
        dialogue = goes_on;
        let ChunkFetched::Chunk { chunk, message_id } = answer.value else { panic!() };
        let octets = &received.attachments[0].handle;
        together.extend_from_slice(octets);
        if reassembly.take(&chunk, message_id.as_ref(), octets.len() as u64).unwrap() {
            break;
        }
    }
    let received = intake(&together, &PKI.recipient).unwrap();
    let fetched = client(&PKI.recipient).read_reassembled(&received).unwrap();
    assert!(fetched.is_success());
    assert_eq!(*received.attachments[0].handle, big);
}

/// A dialogue breaks off: another one goes on with the missing chunk, and all of them make one message. What is here
/// already needs its last chunk only, which brings the receipt.
#[test]
fn h12_a_fetch_goes_on_in_another_dialogue() {
    let mut world = World::new();
    let (id, whole) = inside(&mut world, &vec![1; BIG]);
    assert!(matches!(send_all(&mut world, &partial_id(&id), &whole), ChunkVerdict::Done(_)));
    let selection = Some(DeliverySelection::MessageId(id.clone()));
    let fetch = |world: &mut World, reassembly: &Reassembly| {
        let dialogue = open(world, &PKI.recipient);
        let (request, awaiting) =
            dialogue.partial_fetch(selection.clone(), reassembly.next(), &mut SystemRandom);
        let received = world.send(&PKI.recipient, &request, &[]).unwrap();
        let (dialogue, answer) = awaiting.receive(Ok(&received)).unwrap();
        let ChunkFetched::Chunk { chunk, message_id } = answer.value else { panic!() };
        (dialogue, chunk, message_id, received.attachments[0].handle.clone())
    };
    let mut together = Vec::new();
    let mut reassembly = Reassembly::new(100);
    let last = loop {
        let (dialogue, chunk, message_id, octets) = fetch(&mut world, &reassembly);
        together.extend_from_slice(&octets);
        world.later(3_600);
        if reassembly.take(&chunk, message_id.as_ref(), octets.len() as u64).unwrap() {
            break dialogue;
        }
        // As from a disk.
        let (chunks, size) = reassembly.totals().unwrap();
        let received = reassembly.received();
        reassembly = Reassembly::resumed(reassembly.chunk_kb(), received, (chunks, size), id.clone());
    };
    let received = intake(&together, &PKI.recipient).unwrap();
    assert!(client(&PKI.recipient).read_reassembled(&received).unwrap().is_success());
    assert!(world.boxes.card(&id).unwrap().unwrap().bundle.card.reception.is_none());
    assert!(world.boxes.rendered(&id).unwrap().is_some());
    // An hour is longer than a dialogue lasts: the last one is over, and acknowledges nothing.
    let (request, _) = last.exit(&mut SystemRandom);
    world.send(&PKI.recipient, &request, &[]).unwrap();
    assert!(world.boxes.card(&id).unwrap().unwrap().bundle.card.reception.is_none());

    // The delivery is here already: its last chunk brings the receipt.
    let mut known = Reassembly::new(100);
    let (_, chunk, message_id, octets) = fetch(&mut world, &known);
    known.take(&chunk, message_id.as_ref(), octets.len() as u64).unwrap();
    known.skip_to_last();
    let (dialogue, ..) = fetch(&mut world, &known);
    let (request, _) = dialogue.exit(&mut SystemRandom);
    world.send(&PKI.recipient, &request, &[]).unwrap();
    assert!(world.boxes.card(&id).unwrap().unwrap().bundle.card.reception.is_some());
    assert!(world.boxes.rendered(&id).unwrap().is_none());
}

/// The last chunk alone is not the delivery: whoever breaks off after it has not received it.
#[test]
fn h12_a_delivery_is_received_when_all_chunks_were_fetched() {
    let mut world = World::new();
    let (id, whole) = inside(&mut world, &vec![1; BIG]);
    assert!(matches!(send_all(&mut world, &partial_id(&id), &whole), ChunkVerdict::Done(_)));
    let received =
        |world: &mut World| world.boxes.card(&id).unwrap().unwrap().bundle.card.reception.is_some();
    let forwarding =
        |world: &mut World| world.boxes.card(&id).unwrap().unwrap().bundle.card.forwarding.unwrap();
    let mut stamped = Vec::new();
    // The chunks in the order of a client, and whether it has the delivery then.
    for (chunks, complete) in [(&[3][..], false), (&[3, 1], false), (&[3, 1, 2], true)] {
        let mut dialogue = open(&mut world, &PKI.recipient);
        let mut had = Vec::new();
        for &number in chunks {
            let chunk = ChunkInformation {
                number: Some(number),
                size: Some(100),
                received: Some(had.clone()),
                ..ChunkInformation::default()
            };
            let (request, awaiting) = dialogue.partial_fetch(None, chunk, &mut SystemRandom);
            let answer = world.send(&PKI.recipient, &request, &[]).unwrap();
            dialogue = awaiting.receive(Ok(&answer)).unwrap().0;
            had.push(number);
        }
        assert!(!received(&mut world), "before the next order nothing is received");
        let (request, _) = dialogue.exit(&mut SystemRandom);
        world.send(&PKI.recipient, &request, &[]).unwrap();
        assert_eq!(received(&mut world), complete, "{chunks:?}");
        stamped.push(forwarding(&mut world));
        world.later(60);
    }
    assert!(stamped.iter().all(|stamp| *stamp == stamped[0]), "forwarded once: {stamped:?}");
}

/// The intermediary ended after the last chunk was kept and before the whole was read: the same chunk again makes up
/// for it.
#[test]
fn h11_a_transfer_that_was_complete_and_never_read() {
    let mut world = World::new();
    let (id, whole) = inside(&mut world, &vec![1; BIG]);
    let transfer = partial_id(&id);
    let plan = ChunkPlan::new(whole.len() as u64, 100, None).unwrap();
    send(&mut world, &transfer, plan.request(1), &whole[..102_400]);
    send(&mut world, &transfer, plan.request(2), &whole[102_400..204_800]);
    let addressee = PKI.recipient.cipher_certificate();
    let (last, _) =
        client(&PKI.sender).partial_store(transfer.clone(), plan.request(3), addressee, &mut SystemRandom);
    let last = octets(&PKI.sender, &last, &[(ChunkPlan::CONTENT_ID, &whole[204_800..])]);
    let received = intake(&last, &PKI.intermediary).unwrap();
    let examined = world.intermediary.examine(&received, world.now).unwrap();
    let step = examined.execute(&world.intermediary, &mut world.boxes, &mut SystemRandom).unwrap();
    assert!(matches!(step, Step::Reassemble { .. }));
    drop(step);
    let info = send(&mut world, &transfer, ChunkRequest::InfoOnly, b"");
    assert_eq!((info.chunk.received.clone(), info.verdict()), (Some(vec![1, 2, 3]), ChunkVerdict::More));
    let again = send(&mut world, &transfer, plan.request(3), &whole[204_800..]);
    assert!(matches!(again.verdict(), ChunkVerdict::Done(_)), "{:?}", world.refused);
    let dialogue = open(&mut world, &PKI.recipient);
    assert!(fetch(&mut world, dialogue, Some(DeliverySelection::MessageId(id))).1.is_success());
}

/// One client cannot fill the disk of the intermediary with transfers that it never ends.
#[test]
fn n40_a_client_has_only_so_much_under_way() {
    let mut world = World::new();
    world.intermediary.rules.max_message_kb = 398;
    world.intermediary.rules.uploads = 1;
    let (first, whole) = inside(&mut world, &vec![1; BIG]);
    let (second, other) = inside(&mut world, &vec![2; BIG]);
    let plan = ChunkPlan::new(whole.len() as u64, 100, None).unwrap();
    let chunk = |number: u64, whole: &[u8]| {
        let range = plan.range(number).unwrap();
        whole[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()].to_vec()
    };
    let mut sent = |id: &MessageId, number, whole: &[u8]| {
        send(&mut world, &partial_id(id), plan.request(number), &chunk(number, whole))
    };
    assert_eq!(sent(&first, 1, &whole).verdict(), ChunkVerdict::More);
    assert_eq!(sent(&second, 1, &other).verdict(), ChunkVerdict::More);
    assert_eq!(sent(&first, 2, &whole).verdict(), ChunkVerdict::More);
    let ChunkVerdict::Refused(feedback) = sent(&second, 2, &other).verdict() else { panic!() };
    assert_eq!(feedback.codes(), [F::S9811]);
    // What is under way may end, and makes room.
    let last = sent(&first, 3, &whole);
    assert!(matches!(last.verdict(), ChunkVerdict::Done(_)), "{:?}", last.verdict());
    assert_eq!(sent(&second, 2, &other).verdict(), ChunkVerdict::More);
    assert!(matches!(sent(&second, 3, &other).verdict(), ChunkVerdict::Done(_)));
}

#[test]
fn n40_chunks_that_contradict() {
    let mut world = World::new();
    world.intermediary.rules.min_chunk_kb = 50;
    world.intermediary.rules.max_chunk_kb = 200;
    world.intermediary.rules.max_message_kb = 1000;
    let (id, whole) = inside(&mut world, &vec![1; BIG]);
    let transfer = partial_id(&id);
    let plan = ChunkPlan::new(whole.len() as u64, 100, None).unwrap();
    let ChunkRequest::Chunk(good) = plan.request(1) else { panic!() };
    let chunk = &whole[..102_400];
    let mut code = |request: ChunkInformation, octets: &[u8]| {
        send(&mut world, &transfer, ChunkRequest::Chunk(request), octets).feedback.decisive()
    };
    let with = |change: fn(&mut ChunkInformation)| {
        let mut chunk = good.clone();
        change(&mut chunk);
        chunk
    };
    assert_eq!(code(with(|chunk| chunk.number = Some(4)), chunk), F::S9901);
    assert_eq!(code(with(|chunk| chunk.number = Some(0)), chunk), F::S9901);
    assert_eq!(code(with(|chunk| chunk.size = Some(300)), chunk), F::S9902);
    assert_eq!(code(with(|chunk| chunk.size = Some(10)), chunk), F::S9903);
    assert_eq!(code(with(|chunk| chunk.total_size = Some(5000)), chunk), F::S9904);
    assert_eq!(code(with(|chunk| chunk.total_chunks = Some(9)), chunk), F::S9905);
    assert_eq!(code(with(|chunk| chunk.total_size = None), chunk), F::S9905);
    assert_eq!(code(good.clone(), &whole[..102_401]), F::S9902);
    assert_eq!(code(good.clone(), &whole[..1000]), F::S9903);
    assert!(code(good.clone(), chunk).is_success());
    assert_eq!(code(good.clone(), chunk), F::S9900);
    assert_eq!(code(with(|chunk| (chunk.number, chunk.total_size) = (Some(2), Some(250))), chunk), F::S9905);
}

#[test]
fn n41_the_delivery_inside_is_refused() {
    let mut world = World::new();
    let (id, mut whole) = inside(&mut world, &vec![1; BIG]);
    let at = whole.len() - 1000;
    whole[at] ^= 1;
    let ChunkVerdict::Refused(feedback) = send_all(&mut world, &partial_id(&id), &whole) else { panic!() };
    assert_eq!(feedback.codes(), [F::S9601]);
    let dialogue = open(&mut world, &PKI.recipient);
    assert_eq!(fetch(&mut world, dialogue, None).1.feedback.decisive(), F::S9803);
}

#[test]
fn n41_a_success_outside_does_not_hide_a_refusal_inside() {
    let of = |codes: &[F]| Feedback::of(codes, &[Language::German]);
    let answer = ChunkStored {
        feedback: of(&[F::S3950, F::S0801]),
        inside: Some(of(&[F::S9601])),
        card: None,
        chunk: ChunkInformation::default(),
    };
    assert!(matches!(answer.verdict(), ChunkVerdict::Refused(_)));
    let answer = ChunkStored { inside: None, ..answer };
    assert!(matches!(answer.verdict(), ChunkVerdict::Refused(_)));
    let answer = ChunkStored { feedback: of(&[F::S3952, F::S0801]), ..answer };
    assert_eq!(answer.verdict(), ChunkVerdict::Working);
}

#[test]
fn n40_fetched_chunks_that_contradict() {
    let id = MessageId::new("m");
    let answer = |number, total| ChunkInformation {
        number: Some(number),
        total_chunks: Some(total),
        total_size: Some(2),
        ..ChunkInformation::default()
    };
    let code = |taken: Result<bool, dds_osci::feedback::Refused>| taken.unwrap_err().code;
    let mut chunks = Reassembly::new(1);
    assert_eq!(code(chunks.take(&answer(2, 2), Some(&id), 1024)), F::S9901);
    assert_eq!(code(chunks.take(&answer(1, 2), Some(&id), 1000)), F::S9905);
    assert!(!chunks.take(&answer(1, 2), Some(&id), 1024).unwrap());
    assert_eq!(code(chunks.take(&answer(2, 3), Some(&id), 1024)), F::S9905);
    assert_eq!(code(chunks.take(&answer(2, 2), Some(&MessageId::new("n")), 1024)), F::S9905);
    assert!(chunks.take(&answer(2, 2), Some(&id), 10).unwrap());
}

#[test]
fn h13_a_small_delivery_may_come_whole() {
    use dds_osci::encryption::TransportTarget;
    use dds_osci::keys::Signer;
    use dds_osci::message::Order;
    use dds_osci::signature::SigningOptions;

    let mut world = World::new();
    let id = crate::happy::store(&mut world, "eins");
    let dialogue = open(&mut world, &PKI.recipient);
    let selection = Some(DeliverySelection::MessageId(id));
    let (request, awaiting) =
        dialogue.partial_fetch(selection.clone(), Reassembly::new(1000).next(), &mut SystemRandom);
    let mut whole = crate::world::envelope(&world.send(&PKI.recipient, &request, &[]).unwrap());
    whole.order = Order::ResponseToFetchDelivery {
        feedback: Feedback::of(&[F::S0801], &[Language::German]),
        echo: selection,
        card: None,
    };
    whole.content = Some(crate::world::content("eins"));
    let target = TransportTarget::new(PKI.recipient.cipher_certificate().clone());
    let signer: (&dyn Signer, SigningOptions) = (&PKI.intermediary.signature, SigningOptions::default());
    let sealed = whole.seal(Some(signer), Some(&target), &[], &mut SystemRandom).unwrap();
    let received = intake(&crate::world::stream(sealed, &[]), &PKI.recipient).unwrap();
    let (_, answer) = awaiting.receive(Ok(&received)).unwrap();
    assert!(matches!(answer.value, ChunkFetched::Whole(_)));
}

#[test]
fn plans_keep_to_what_the_intermediary_announces() {
    use dds_osci::message::FeatureDescription;
    let partner = FeatureDescription {
        max_message_size: Some(1000),
        min_chunk_size: Some(10),
        max_chunk_size: Some(100),
        ..FeatureDescription::default()
    };
    let count = |octets, wished| ChunkPlan::new(octets, wished, Some(&partner)).map(|plan| plan.count());
    assert_eq!(count(1_000 * 1024, 500).unwrap(), 10);
    assert_eq!(count(100 * 1024, 1).unwrap(), 10);
    assert_eq!(count(0, 1).unwrap(), 1);
    assert_eq!(count(1_000 * 1024 + 1, 100).unwrap_err().code, F::S9904);
    let plan = ChunkPlan::new(2500, 1, None).unwrap();
    assert_eq!((plan.range(1), plan.range(3), plan.range(4)), (Some(0..1024), Some(2048..2500), None));
    assert_eq!(plan.range(0), None);
}
