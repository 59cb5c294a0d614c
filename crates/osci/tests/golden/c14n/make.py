#!/usr/bin/env python3
"""Rewrites the golden files with libxml2, which knows nothing of this crate: python3 make.py

Every *.xml has one element with Id="target"; *.c14n is inclusive C14N 1.0 without comments of its subtree.
random.tsv holds generated documents: Base64 of the document, SHA-256 of the canonical form."""
import base64, ctypes, ctypes.util, hashlib, pathlib, random

lib = ctypes.CDLL(ctypes.util.find_library("xml2") or "libxml2.so.2")
lib.xmlReadMemory.restype = ctypes.c_void_p
lib.xmlReadMemory.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
lib.xmlXPathNewContext.restype = ctypes.c_void_p
lib.xmlXPathNewContext.argtypes = [ctypes.c_void_p]
lib.xmlXPathEvalExpression.restype = ctypes.c_void_p
lib.xmlXPathEvalExpression.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
lib.xmlC14NDocDumpMemory.restype = ctypes.c_int
lib.xmlC14NDocDumpMemory.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p)]


class XPathObject(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("nodesetval", ctypes.c_void_p)]


EXPRESSION = b" | ".join(b"//*[@Id='target']/descendant-or-self::" + step for step in (b"node()", b"*/@*", b"*/namespace::*"))


def canonical(document: bytes) -> bytes:
    doc = lib.xmlReadMemory(document, len(document), b"x.xml", None, 2048)
    assert doc, document
    context = lib.xmlXPathNewContext(doc)
    found = ctypes.cast(lib.xmlXPathEvalExpression(EXPRESSION, context), ctypes.POINTER(XPathObject)).contents
    out = ctypes.c_void_p()
    size = lib.xmlC14NDocDumpMemory(doc, found.nodesetval, 0, None, 0, ctypes.byref(out))
    assert size >= 0
    return ctypes.string_at(out, size)


def generate(rng: random.Random) -> bytes:
    # No "&": libxml2 writes it as "&#38;" in namespace declarations, Canonical XML 1.0 wants "&amp;".
    uris = ["urn:a", "urn:b", "http://x/?a=b", "urn:c"]
    prefixes = ["p", "q", "r", "osci", "z9"]

    def text():
        pieces = ["x", " ", "\r\n", "\n", "\t", "\r", "&amp;", "&lt;", "&gt;", ">", "&#13;", "&#xA;", "&#9;", "&quot;", "'", "ä", "\U0001F600",
                  "<!-- c -->", "<?pi  a > b?>", "<?t?>", "<![CDATA[<&>\r\n]]>", "]]&gt;", "&#xE4;"]
        return "".join(rng.choice(pieces) for _ in range(rng.randrange(5)))

    def value(quote):
        pieces = ["x", " ", "\r\n", "\n", "\t", "&amp;", "&lt;", ">", "&gt;", "&#13;", "&#xA;", "&#9;", "&quot;", "&apos;", "ß", '"' if quote == "'" else "'"]
        return "".join(rng.choice(pieces) for _ in range(rng.randrange(4)))

    state = {"target": False, "count": 0}

    def element(scope, depth):
        scope = dict(scope)
        attributes = []
        for prefix in prefixes:
            if rng.random() < 0.15:
                scope[prefix] = rng.choice(uris)
                attributes.append(f'xmlns:{prefix}="{scope[prefix]}"')
        if rng.random() < 0.2:
            scope[""] = rng.choice(uris + [""])
            attributes.append(f'xmlns="{scope[""]}"')
        names = set()
        for _ in range(rng.randrange(4)):
            prefix = rng.choice(["", "xml", *[p for p in scope if p]])
            local = rng.choice(["lang", "space"]) if prefix == "xml" else rng.choice(["b", "a", "c1", "ä"])
            key = (scope.get(prefix, prefix) if prefix else "", local)
            if key in names:
                continue
            names.add(key)
            quote = rng.choice("\"'")
            content = rng.choice(["default", "preserve"]) if local == "space" else value(quote)
            attributes.append(f"{prefix + ':' if prefix else ''}{local}={quote}{content}{quote}")
        state["count"] += 1
        if depth >= 2 and not state["target"] and rng.random() < 0.5:
            state["target"] = True
            attributes.append('Id="target"')
        rng.shuffle(attributes)
        prefix = rng.choice(["", *[p for p in scope if p]])
        name = f"{prefix + ':' if prefix else ''}{rng.choice(['e', 'Elem', 'x-1.y'])}"
        start = name + "".join(rng.choice([" ", "\r\n  ", "\t"]) + attribute for attribute in attributes)
        inside = text()
        if depth < 5:
            inside += "".join(element(scope, depth + 1) + text() for _ in range(rng.randrange(4)))
        return f"<{start}/>" if not inside and rng.random() < 0.5 else f"<{start}>{inside}</{name} >"

    while True:
        state.update(target=False, count=0)
        document = element({"": ""}, 0)
        if state["target"] and len(document) < 1500:
            return document.encode()


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    for path in sorted(here.glob("*.xml")):
        path.with_suffix(".c14n").write_bytes(canonical(path.read_bytes()))
    rng = random.Random(20261122)
    with open(here / "random.tsv", "w", encoding="ascii") as out:
        for _ in range(60):
            document = generate(rng)
            out.write(f"{base64.b64encode(document).decode()}\t{hashlib.sha256(canonical(document)).hexdigest()}\n")
