"""Proves the SOAP service against an independent client: zeep (PyPI).

Usage: zeep_client.py BASE TOKEN
Prints one line per proof and ends with 0 if all hold. Started by crates/inbound/tests/zeep.rs.
"""

import sys

import requests
from lxml import etree
from zeep import Client, Transport, exceptions

BASE, TOKEN = sys.argv[1:3]
NAMESPACE = "{urn:datendrehscheibe:eingang:1}"
PROBLEM = "{urn:datendrehscheibe:problem:1}"
DOCUMENT = (
    '<h:anmeldung xmlns:h="urn:datendrehscheibe:hundesteuer:1"><h:kopf><h:ars>146120000000</h:ars></h:kopf></h:anmeldung>'
)


def client(token):
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    return Client(f"{BASE}/soap/v1?wsdl", transport=Transport(session=session))


def fault_of(call):
    try:
        call()
    except exceptions.Fault as fault:
        problem = fault.detail.find(f".//{PROBLEM}problem")
        return {child.tag.removeprefix(PROBLEM): child.text for child in problem}
    raise AssertionError("a fault was expected")


def prove(port):
    service = client(TOKEN).bind("Datendrehscheibe", port)
    def submit():
        return service.submit(
            key=f"{port}-1",
            document={"_value_1": etree.fromstring(DOCUMENT)},
            attachment=[
                {"_value_1": b"%PDF-1.7 Anlage", "name": "Ausweis Müller.pdf", "mediaType": "application/pdf"},
                {"_value_1": bytes(range(256)) * 4096, "name": "bild.bin"},
            ],
        )

    plain = submit()
    assert plain.state == "accepted" and not plain.duplicate, plain
    print(f"{port}: submit with XML document and two attachments: {plain.id}")

    again = submit()
    assert again.id == plain.id and again.duplicate, again
    print(f"{port}: the same again under the same key is a duplicate")

    encoded = service.submit(encodedDocument={"_value_1": b'{"anmeldung": {}}', "format": "json"})
    assert encoded.id != plain.id, encoded
    print(f"{port}: submit with encoded JSON document")

    status = service.status(id=plain.id)
    assert status.id == plain.id and status.state == "accepted" and status.accepted == plain.accepted, status
    print(f"{port}: status")

    unknown = fault_of(lambda: service.status(id="00000000-0000-7000-8000-000000000000"))
    assert unknown["code"] == "DDS-I007" and unknown["actor"] == "sender" and unknown["remedy"], unknown
    stranger = client("wrong").bind("Datendrehscheibe", port)
    refused = fault_of(lambda: stranger.status(id=plain.id))
    assert refused["code"] == "DDS-I001", refused
    print(f"{port}: faults carry code, actor and remedy")


for name in ("Soap11", "Soap12"):
    prove(name)
