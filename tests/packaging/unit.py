"""Inside the virtual machine of unit.sh: drehscheibe.service from installation to end. What holds is told on standard output."""

import glob
import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess
import threading
import time
import urllib.request

TOKEN = "demo-eigenes-system"  # of packaging/try-your-system
ETC = pathlib.Path("/etc/drehscheibe")
ROUTER = "https://127.0.0.1:8443"
MAILBOX = f"{ROUTER}/v1/mailbox/146120000000/ordnungsamt/fv-ordnungsamt"
DOG = pathlib.Path("fixtures/hundesteuer/gewoehnlich.xml")
os.environ |= {"LANG": "C.UTF-8", "DDS_CONFIG": str(ETC / "drehscheibe.toml"), "DDS_TOKEN": TOKEN}


def run(command):
    """Standard output of a shell command that must succeed."""
    return subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def soon(condition):
    """What the condition answers once it holds, and how long that took; a minute at most."""
    begun = time.monotonic()
    while not (answer := condition()):
        assert time.monotonic() < begun + 60, "not within a minute"
        time.sleep(0.1)
    return answer, time.monotonic() - begun


def ready():
    return subprocess.run(["drehscheibe", "health"], capture_output=True).returncode == 0


def unit(name):
    return run(f"systemctl show -p {name} --value drehscheibe")


def process(pid, key):
    lines = (line.split(":") for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return next(value.strip() for name, value in lines if name == key)


def certificate(serial):
    run(f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 100 -subj /CN=drehscheibe -set_serial {serial} "
        "-addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout tls.key -out tls.pem 2>&1")
    run(f"install -o drehscheibe -m 600 -t {ETC} tls.key tls.pem")


def send(document):
    return json.loads(run(f"drehscheibe send --json --ca tls.pem --to {ROUTER} {document}"))["id"]


def explained(message, word):
    return word in run(f"drehscheibe explain {message} --language en")


def ask(url, body=None):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile="tls.pem")) as answer:
        return json.loads(answer.read() or "null")


class Fachverfahren(http.server.BaseHTTPRequestHandler):
    """Stores what it gets, after so many seconds of patience."""

    arrived, stored, patience = [], [], 0

    def do_POST(self):
        delivery = self.headers["Idempotency-Key"]
        self.rfile.read(int(self.headers["Content-Length"]))
        self.arrived.append(delivery)
        time.sleep(self.patience)
        self.stored.append(delivery)
        self.send_response(201 if self.headers["Authorization"] == f"Bearer {TOKEN}" else 401)
        self.send_header("Location", "/AZ-1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def install():
    run("sh -e install.sh")  # as docs/operations.md says
    run(f"cp -r packaging/try-your-system/sources packaging/try-your-system/profiles packaging/try-your-system/municipalities {ETC}")
    with open(ETC / "profiles/versuch.toml", "a") as profile:
        profile.write('dms = "dms-ablage@1.0"\n')  # of the last office: a drop folder beside its mailbox
    town = ETC / "municipalities/146120000000-dresden.toml"
    town.write_text(town.read_text().replace("file:token", "env:DDS_TEST") + 'folder = "/srv/transfer/dresden"\n')
    (ETC / "secrets.env").write_text(f"DDS_TEST={TOKEN}\n")
    run("install -d -o drehscheibe -m 700 /srv/transfer/dresden")
    config = ETC / "drehscheibe.toml"
    config.write_text(config.read_text().replace("[folders]", '[listen.tls]\ncertificate = "tls.pem"\nkey = "tls.key"\n\n[folders]'))
    certificate(1)
    run("systemd-analyze verify drehscheibe.service")
    run("systemctl daemon-reload")


def refuses():
    key = ETC / "tls.key"
    key.rename("tls.key.away")
    assert subprocess.run("systemctl start drehscheibe", shell=True, capture_output=True).returncode
    run("systemctl stop drehscheibe")
    pathlib.Path("tls.key.away").rename(key)
    print("systemctl start fails with what the router refuses")


def starts():
    begun = time.monotonic()
    run("systemctl enable --now drehscheibe 2>&1")
    seconds = time.monotonic() - begun
    assert ready() and unit("ActiveState") == "active"
    version = run("systemctl --version").split()[1]
    exposure = re.search(r"exposure level.*: ([0-9.]+)", run("systemd-analyze security --no-pager drehscheibe.service"))[1]
    print(f"systemd {version}: installed by the page, active and ready when start returns, after {seconds:.1f} s; exposure {exposure}")


def is_confined():
    main = unit("MainPID")
    workers = run(f"pgrep -P {main}").split()
    assert (process(main, "NoNewPrivs"), process(main, "CapEff")) == ("1", "0" * 16)
    own = int(process(main, "Seccomp_filters"))
    filters = [int(process(worker, "Seccomp_filters")) for worker in workers]
    assert filters and set(filters) == {own + 1}, (own, filters)
    assert {os.sched_getscheduler(int(worker)) for worker in workers} == {os.SCHED_BATCH}
    for path in ("/usr", "/etc", "/srv"):
        refused = subprocess.run(f"nsenter -t {main} -m touch {path}/x", shell=True, capture_output=True, text=True)
        assert "Read-only file system" in refused.stderr, path
    print(f"{own} seccomp filters of the unit, one more in each of {len(workers)} workers, which are SCHED_BATCH; no capability; /usr, /etc and /srv read-only")


def delivers():
    trade, dog = send("fixtures/gewerbeanzeige/gewoehnlich.xml"), send(DOG)
    archive, _ = soon(lambda: glob.glob("/srv/transfer/dresden/*.zip"))
    assert run(f"stat -c %U:%a {archive[0]}") == "drehscheibe:600"
    waiting = ask(f"{MAILBOX}/next?wait=30")
    ask(f"{MAILBOX}/deliveries/{waiting['delivery']}/ack", {"lease": waiting["lease"], "reference": "AZ-7"})
    for message, reference in [(trade, "AZ-7"), (dog, "AZ-1")]:
        soon(lambda: explained(message, reference))
    print("messages accepted and transformed, delivered by drop folder, mailbox and HTTP with a secret of secrets.env, explained")
    return dog


def reloads():
    main = unit("MainPID")
    certificate(2)
    run("systemctl reload drehscheibe")
    soon(lambda: "serial=02" in run("openssl s_client -connect 127.0.0.1:8443 </dev/null 2>&1 | openssl x509 -noout -serial"))
    assert unit("MainPID") == main
    print("reload: the new certificate is served by the same process")


def comes_back(message):
    main = unit("MainPID")
    before = [main, *run(f"pgrep -P {main}").split()]
    run(f"kill -9 {main}")
    _, seconds = soon(lambda: unit("MainPID") not in ("0", main) and ready())
    assert not any(os.path.exists(f"/proc/{pid}") for pid in before)
    assert explained(message, "AZ-1")
    print(f"kill -9: ready again after {seconds:.1f} s, no worker left behind, the message known")


def drains():
    Fachverfahren.patience = 4
    other = pathlib.Path("other.xml")
    other.write_text(re.sub("<nachrichtenId>.", "<nachrichtenId>0", DOG.read_text()))
    send(other)
    soon(lambda: len(Fachverfahren.arrived) == 4)
    begun = time.monotonic()
    run("systemctl stop drehscheibe")
    seconds = time.monotonic() - begun
    assert (unit("Result"), unit("ExecMainStatus"), len(Fachverfahren.stored)) == ("success", "0", 4)
    run("systemctl start drehscheibe")
    run("runuser -u drehscheibe drehscheibe depot activate")
    print(run("drehscheibe journal verify --payloads --language en"))
    assert len(set(Fachverfahren.arrived)) == len(Fachverfahren.arrived) == 4, Fachverfahren.arrived
    print(f"stop: the delivery under way came to its end, and is not repeated; {seconds:.1f} s")


target = http.server.ThreadingHTTPServer(("127.0.0.1", 18999), Fachverfahren)
threading.Thread(target=target.serve_forever, daemon=True).start()
try:
    install()
    refuses()
    starts()
    is_confined()
    known = delivers()
    reloads()
    comes_back(known)
    drains()
except BaseException:
    print(run("journalctl -u drehscheibe --no-pager -n 60"))
    raise
print("all of it holds")
