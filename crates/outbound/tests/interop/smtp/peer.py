"""An independent mail server (aiosmtpd) that takes mails for the test `interop_smtp.rs`.

Prints `port <n>` when it listens, then one JSON object per mail: envelope, header fields and parts as Python's own
mail parser reads them. Arguments: certificate and key (PEM) for STARTTLS, user, password, size limit in bytes.
Ends when its standard input is closed.
"""

import email
import email.policy
import hashlib
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = []
        for part in mail.iter_parts():
            payload = part.get_payload(decode=True)
            parts.append(
                {
                    "type": part.get_content_type(),
                    "name": part.get_filename(),
                    "sha256": hashlib.sha256(payload).hexdigest(),
                    "size": len(payload),
                    "defects": [str(defect) for defect in part.defects],
                }
            )
        report = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "mail_options": envelope.mail_options,
            "tls": session.ssl is not None,
            "authenticated": session.authenticated,
            "subject": mail["Subject"],
            "message_id": mail["Message-ID"],
            "date": mail["Date"].datetime.isoformat(),
            "defects": [str(defect) for defect in mail.defects],
            "parts": parts,
        }
        print(json.dumps(report), flush=True)
        return "250 2.0.0 Ok: queued as AIO-1"


def main():
    certificate, key, user, password, limit = sys.argv[1:6]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def authenticate(server, session, envelope, mechanism, data):
        good = data.login == user.encode() and data.password == password.encode()
        return AuthResult(success=good, handled=False)

    class OnFreePort(Controller):
        def factory(self):
            return SMTP(
                self.handler,
                data_size_limit=int(limit),
                tls_context=context,
                require_starttls=True,
                authenticator=authenticate,
                auth_required=True,
                hostname="peer.example",
            )

    # Port 0 is not understood by the controller: ask for a free one first.
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = OnFreePort(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    print(f"port {port}", flush=True)
    sys.stdin.read()
    controller.stop()


main()
