"""What libxml2 and libxslt cost by themselves: the stylesheets, schema and message of scenario V through lxml, in process.

usage: python3 peer.py RULES FIXTURE [ROUNDS]

Prints processor time per message and stage, the smallest of five rounds. lxml brings libraries of its own, which are newer
than those of Debian. No limits, no sandbox, no Schematron.
"""

import sys
import time

import lxml.etree as etree

COUNT = 200


def cpu_micros(work):
    best = float("inf")
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 5):
        began = time.process_time()
        for _ in range(COUNT):
            work()
        best = min(best, (time.process_time() - began) / COUNT)
    return best * 1e6


def main():
    rules, fixture = sys.argv[1:3]
    message = open(fixture, "rb").read()
    read = lambda path: etree.parse(f"{rules}/{path}")
    schema = etree.XMLSchema(read("sondernutzung/1.0/schema/sondernutzung.xsd"))
    rule = etree.XSLT(read("sondernutzung/1.0/xslt/to-vorgang.xsl"))
    product = etree.XSLT(read("products/fv-gewerberegister/5.0/xslt/from-vorgang.xsl"))
    document = etree.fromstring(message)
    vorgang = rule(document)
    assert schema.validate(document)
    print(f"libxml2 {etree.LIBXML_VERSION}, libxslt {etree.LIBXSLT_VERSION}; µs of processor time per message")
    stages = {
        "parse": lambda: etree.fromstring(message),
        "XSD (libxml2, on the tree)": lambda: schema.validate(document),
        "rule stylesheet, serialised": lambda: bytes(rule(document)),
        "product stylesheet, serialised": lambda: bytes(product(vorgang)),
        "all of it": lambda: (
            schema.validate(parsed := etree.fromstring(message)),
            bytes(made := rule(parsed)),
            bytes(product(made)),
        ),
    }
    for name, work in stages.items():
        print(f"{name:34} {cpu_micros(work):8.1f}")


main()
